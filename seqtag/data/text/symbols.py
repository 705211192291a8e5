"""Texts as symbols and back, in TensorFlow graph operations alone: characters, words, or symbols with spaces between.

The same functions serve training, `predict` and the exported SavedModel.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from seqtag.data.text.tokenizer import tokenize
from seqtag.data.text.vocabulary import FIRST_SYMBOL, Vocabulary
from seqtag.data.text.word_features import lookup_table

# The end of a target, which also starts it and pads it. A vocabulary keeps index 0 for padding.
END = 0
# Stands before a word that follows the one before it without a space. Text that has this character gets another square.
JOINER, OTHER_SQUARE = "￭", "■"
# What Python's `str.strip` takes for white space.
_SPACE = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"
# How many texts are split at once.
CHUNK = 20_000


def stripped(text: tf.Tensor) -> tf.Tensor:
    """Texts without white space at both ends, as fields of files are read.

    >>> stripped(tf.constant(["\\u3000 go now\\n"])).numpy()[0].decode()
    'go now'
    """
    return tf.strings.regex_replace(text, f"^{_SPACE}|{_SPACE}$", "")


def split_symbols(kind: str, text: tf.Tensor) -> tf.RaggedTensor:
    """The symbols of each text.

    Words are those of `seqtag.data.text.tokenizer`. A word that follows another one without a space has a joiner mark,
    so that `join_symbols` gives the text back exactly, but that a run of white space is one space.

    Args:
        kind: `"characters"`, `"words"`, or `"symbols"`, which have spaces between them.
        text: string `(batch,)`.

    Returns:
        String `(batch, None)`.

    >>> [[word.decode() for word in row] for row in split_symbols("words", tf.constant(["No, Ann's here."])).to_list()]
    [['No', '￭,', 'Ann', "￭'s", 'here', '￭.']]
    """
    if kind == "characters":
        return tf.strings.unicode_split(text, "UTF-8")
    if kind == "symbols":
        return tf.strings.split(text)
    words, starts, ends = tokenize(tf.strings.regex_replace(text, JOINER, OTHER_SQUARE))
    before = tf.concat([[-1], ends.flat_values[:-1]], axis=0)
    is_first = tf.concat([[-1], ends.value_rowids()[:-1]], axis=0) != ends.value_rowids()
    joined = (starts.flat_values == before) & ~is_first
    return words.with_flat_values(tf.where(joined, JOINER + words.flat_values, words.flat_values))


def join_symbols(kind: str, symbols: tf.RaggedTensor) -> tf.Tensor:
    """The texts of symbols, string `(batch,)`.

    >>> join_symbols("words", tf.ragged.constant([["No", "￭,", "Ann", "￭'s", "here"]])).numpy()[0].decode()
    "No, Ann's here"
    """
    if kind == "characters":
        return tf.strings.reduce_join(symbols, axis=-1)
    text = tf.strings.reduce_join(symbols, axis=-1, separator=" ")
    return text if kind == "symbols" else tf.strings.regex_replace(text, f" ?{JOINER}", "")


def symbols_of(kind: str, texts: list[str]) -> tf.RaggedTensor:
    """The symbols of any number of texts, `(texts, None)`, split in parts of bounded memory."""
    parts = [
        split_symbols(kind, tf.constant(texts[start : start + CHUNK], tf.string))
        for start in range(0, max(len(texts), 1), CHUNK)
    ]
    return tf.concat(parts, axis=0)


class SymbolCoder:
    """Between texts and rows of a vocabulary.

    Args:
        kind: see `split_symbols`.
        vocabulary: of the training data.
    """

    def __init__(self, kind: Any, vocabulary: Vocabulary) -> None:
        self.kind = kind
        self.vocabulary = vocabulary
        self._table = lookup_table(vocabulary)
        self.trackable = [self._table]

    @classmethod
    def count(cls, kind: str, symbols: tf.RaggedTensor, min_count: int = 1) -> SymbolCoder:
        """The coder of the symbols of training texts."""
        return cls(kind, Vocabulary.count((symbol.decode() for symbol in symbols.flat_values.numpy()), min_count))

    def rows(self, symbols: tf.RaggedTensor) -> tf.RaggedTensor:
        """The rows of symbols, int32 `(batch, None)`."""
        return symbols.with_flat_values(self._table.lookup(symbols.flat_values))

    def symbols(self, rows: tf.Tensor) -> tf.Tensor:
        """The symbols of rows, strings of the same shape; "" for the end and for unknown ones."""
        names = tf.constant([""] * FIRST_SYMBOL + self.vocabulary.symbols)
        return tf.gather(names, rows)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"kind": self.kind, **self.vocabulary.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SymbolCoder:
        """The coder that `to_dict` described."""
        return cls(data["kind"], Vocabulary.from_dict(data))
