"""Finds the phrases of gazetteers in sentences, in the graph: the same functions serve training and the SavedModel."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from seqtag.tagging.data.gazetteers import BEGIN, END, INSIDE, NONE, WHOLE, Gazetteers

# Tokens of the longest phrase that is found.
MOST_TOKENS = 8


class PhraseMatcher:
    """Says of each token, for each type of a gazetteer, where it stands in a phrase of that type.

    A phrase is found as it is written; one all in lower case is found in any case. Of phrases that overlap, the longest
    counts, of those as long as each other the first. Spaces do not count: texts are split into tokens in many ways.

    Args:
        gazetteers: the phrases.

    Example:
        >>> matcher = PhraseMatcher(Gazetteers({"LOC": ["NewYork"], "PER": ["york"]}))
        >>> matcher(tf.ragged.constant([["New", "York"], ["york"]])).to_list() == [
        ...     [[BEGIN, NONE], [END, WHOLE]],
        ...     [[NONE, WHOLE]],
        ... ]
        True
    """

    def __init__(self, gazetteers: Gazetteers) -> None:
        types = gazetteers.types
        kinds: dict[str, set[int]] = {}
        for n, phrases in enumerate(gazetteers.phrases.values()):
            for phrase in phrases:
                kinds.setdefault(phrase, set()).add(n)
        # A phrase is looked up as the number of its set of types, 0 for none: few of all possible sets occur.
        numbers = {kinds_of: n for n, kinds_of in enumerate(sorted({tuple(sorted(k)) for k in kinds.values()}), 1)}
        self._sets = np.zeros((1 + len(numbers), len(types)), bool)
        for kinds_of, n in numbers.items():
            self._sets[n, list(kinds_of)] = True
        keys = tf.constant(list(kinds), tf.string)
        values = tf.constant([numbers[tuple(sorted(k))] for k in kinds.values()], tf.int32)
        self._table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 0)
        self.trackable = [self._table]

    def __call__(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """For `tokens (batch, None)` rows `(batch, None, types)` int32: `NONE`, `BEGIN`, `INSIDE`, `END` or `WHOLE`."""
        words = tokens.flat_values
        left = tf.gather(tokens.row_splits, tokens.value_rowids() + 1) - tf.range(tf.size(words, tf.int64))
        found = self._found(words, left)
        rows = tf.fill([tf.size(words), self._sets.shape[1]], NONE)
        for length in range(MOST_TOKENS, 0, -1):
            # A phrase that begins further left comes first.
            for before in range(length - 1, -1, -1):
                covered = tf.pad(found[length - 1], [[before, 0], [0, 0]])[: tf.size(words)]
                rows = tf.where((rows == NONE) & covered, _row(before, length), rows)
        return tokens.with_flat_values(rows)

    def _found(self, words: tf.Tensor, left: tf.Tensor) -> list[tf.Tensor]:
        """For each number of tokens `(tokens, types)` bool, whether a phrase of so many begins at a token.

        Args:
            words: the tokens of all sentences.
            left: how many there are in its sentence from each token on.
        """
        found, text = [], words
        for length in range(1, MOST_TOKENS + 1):
            if length > 1:
                text += tf.concat([words[length - 1 :], tf.fill([tf.minimum(length - 1, tf.size(words))], "")], axis=0)
            lowered = tf.strings.lower(text, encoding="utf-8")
            matches = (tf.gather(tf.constant(self._sets), self._table.lookup(key)) for key in (text, lowered))
            found.append(tf.logical_or(*matches) & (left >= length)[:, None])
        return found


def with_phrases(
    tokens: tf.RaggedTensor, columns: tf.RaggedTensor | None, matcher: PhraseMatcher | None
) -> tf.RaggedTensor | None:
    """The columns of tokens `(batch, None, columns)` with those that a matcher gives behind them; None without any."""
    if matcher is None:
        return columns
    found = matcher(tokens)
    if columns is None:
        return found
    return found.with_flat_values(tf.concat([columns.flat_values, found.flat_values], axis=-1))


def _row(before: int, length: int) -> int:
    """The row of a token with so many tokens of its phrase before it."""
    if length == 1:
        return WHOLE
    return BEGIN if before == 0 else END if before == length - 1 else INSIDE
