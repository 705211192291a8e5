"""Between texts and rows of a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.text.symbols import JOINER, split_symbols
from seqtag.data.text.vocabulary import FIRST_SYMBOL, UNKNOWN, Vocabulary
from seqtag.data.text.word_features import lookup_table
from seqtag.language_model.data.text_symbols import LINE_END, join_text, split_text

# How many lines are split into words at once.
CHUNK_LINES = 20_000


class TextCoder:
    """The symbols of a language model and their rows.

    Args:
        kind: `"characters"` or `"words"`.
        vocabulary: of the training text.

    Example:

        >>> coder = TextCoder.count("characters", ["abba"])
        >>> coder.rows("bac").tolist(), coder.names([2, 3])
        ([3, 2, 1], ['a', 'b'])
    """

    def __init__(self, kind: str, vocabulary: Vocabulary) -> None:
        self.kind = kind
        self.vocabulary = vocabulary
        self._table = lookup_table(vocabulary)
        self.trackable = [self._table]

    @classmethod
    def count(cls, kind: str, documents: Iterable[str], min_count: int = 1) -> TextCoder:
        """The coder of the symbols of training texts."""
        parts = (symbols for _, symbols in parts_of_texts(kind, documents))
        return cls(kind, Vocabulary.count(chain.from_iterable(parts), min_count))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def rows(self, document: str) -> np.ndarray:
        """The rows of the symbols of a text, int32 `(symbols,)`."""
        return self.rows_of_texts([document])[0]

    def rows_of_texts(self, documents: Sequence[str]) -> list[np.ndarray]:
        """The rows of the symbols of each text."""
        found: list[list[np.ndarray]] = [[] for _ in documents]
        for number, symbols in parts_of_texts(self.kind, documents):
            found[number].append(self.rows_of(symbols))
        return list(map(np.concatenate, found))

    def rows_of(self, symbols: Iterable[str]) -> np.ndarray:
        """The rows of symbols, int32 `(symbols,)`."""
        return np.fromiter(map(self.vocabulary.index, symbols), np.int32)

    def symbols(self, document: str) -> list[str]:
        """The symbols of a text."""
        return self.symbols_of_texts([document])[0]

    def symbols_of_texts(self, documents: Sequence[str]) -> list[list[str]]:
        """The symbols of each text."""
        found: list[list[str]] = [[] for _ in documents]
        for number, symbols in parts_of_texts(self.kind, documents):
            found[number] += symbols
        return found

    def names(self, rows: Iterable[int]) -> list[str]:
        """The symbols of rows, which are neither the boundary nor unknown."""
        return [self.vocabulary.symbols[row - FIRST_SYMBOL] for row in rows]

    def unknown(self, document: str) -> list[str]:
        """The distinct symbols of a text that the vocabulary lacks, in their order."""
        return [s for s in dict.fromkeys(self.symbols(document)) if s not in self.vocabulary]

    def split(self, text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """In the graph: the symbols of texts `(batch,)` and their rows, both `(batch, None)`."""
        symbols = split_text(self.kind, text)
        return symbols, symbols.with_flat_values(self._table.lookup(symbols.flat_values))

    def join(self, rows: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """In the graph: the texts `(batch,)` of the first symbols of rows `(batch, steps)`."""
        return join_text(self.kind, tf.RaggedTensor.from_tensor(tf.gather(self._all_names(), rows), lengths))

    def join_after(self, text: tf.Tensor, rows: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """In the graph: texts `(batch,)` that go on with the first symbols of rows `(batch, steps)`.

        A word stands after a space, unless it has none before it or the text ends with white space.
        """
        names = tf.gather(self._all_names(), rows)
        more = join_text(self.kind, tf.RaggedTensor.from_tensor(names, lengths))
        if self.kind == "characters":
            return tf.strings.join([text, more])
        has_space = tf.strings.regex_full_match(text, r"(?s)(|.*\s)")
        is_joined = tf.strings.regex_full_match(names[:, 0], f"(?s)({JOINER}.*|{LINE_END})")
        space = tf.where(has_space | is_joined | (more == ""), "", " ")
        return tf.strings.join([text, space, more])

    def _all_names(self) -> tf.Tensor:
        return tf.constant([""] * FIRST_SYMBOL + self.vocabulary.symbols)

    @property
    def forbidden(self) -> np.ndarray:
        """What no text can hold, bool `(vocabulary,)`: the unknown symbol."""
        return np.arange(len(self)) == UNKNOWN

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"kind": self.kind, **self.vocabulary.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TextCoder:
        """The coder that `to_dict` described."""
        return cls(data["kind"], Vocabulary.from_dict(data))


def parts_of_texts(kind: str, texts: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """The number of a text with some of its symbols, in order, as `split_text` gives them.

    Words are split many lines at once, whichever texts they are of: a call for each of many short texts costs more than
    all that it splits, and a long text should not be held in words whole.
    """
    if kind == "characters":
        yield from enumerate(texts)
        return
    lines = ((number, line) for number, text in enumerate(texts) for line in text.split(LINE_END))
    before = -1
    while part := list(islice(lines, CHUNK_LINES)):
        words = split_symbols(kind, tf.constant([line for _, line in part]))
        names = [word.decode() for word in words.flat_values.numpy()]
        for (number, _), (start, stop) in zip(part, pairwise(words.row_splits.numpy()), strict=True):
            yield number, [*([LINE_END] if number == before else []), *names[start:stop]]
            before = number
