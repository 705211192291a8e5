"""The next words of a text, as a keyboard offers them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from seqtag.data.text.symbols import JOINER
from seqtag.data.text.vocabulary import BOUNDARY, FIRST_SYMBOL
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.data.text_symbols import LINE_END
from seqtag.language_model.generation import context_of
from seqtag.language_model.network.cached import CachedNetwork
from seqtag.models.traced import Traced
from seqtag.ops.beam import beam_search

# Words are searched character by character: so many at a time, of so many characters at most.
BEAM, LONGEST_WORD = 32, 24
WITHIN_WORDS = "'’_"


class Completer:
    """The most probable words after a text, or ends of its last word.

    Args:
        network: the network with its cache.
        coder: between texts and rows.
    """

    def __init__(self, network: CachedNetwork, coder: TextCoder) -> None:
        self.network = network
        self.coder = coder
        names = coder.vocabulary.symbols
        self._in_words = np.array([False] * FIRST_SYMBOL + [_is_of_word(name) for name in names])
        self._next = Traced(self._distribution, free_axes=2)
        self._search = Traced(self._words, free_axes=2)

    def complete(self, text: str, n: int) -> list[tuple[str, float]]:
        """Whole words, the most probable first, with their probabilities given the text.

        Where the text does not end with white space, its last word is the beginning of the words that are offered.

        Raises:
            ValueError: `n` is below 1.
        """
        if n < 1:
            raise ValueError(f"expected n to be 1 at least, found {n}")
        found = self._next_words(text) if self.coder.kind == "words" else self._spelled(text)
        return [(word, float(p)) for word, p in found[:n]]

    def _next_words(self, text: str) -> list[tuple[str, float]]:
        """Words of the vocabulary; of those that begin as the last word does, shares of their sum."""
        known = self.coder.symbols(text)
        partial = known.pop() if known and not text[-1:].isspace() else ""
        shares = self._next(context_of(self.coder.rows_of(known))).numpy()[0, FIRST_SYMBOL:]
        names = self.coder.vocabulary.symbols
        fits = [name.startswith(partial) if partial else not name.startswith((JOINER, LINE_END)) for name in names]
        shares = np.where(fits, shares, 0.0)
        if partial:
            shares = shares / max(shares.sum(), 1e-30)
        best = [row for row in np.argsort(-shares, kind="stable") if shares[row] > 0]
        return [(names[row].removeprefix(JOINER), shares[row]) for row in best]

    def _distribution(self, context: tf.Tensor) -> tf.Tensor:
        state = self.network.read_context(context[:, :-1])
        return tf.exp(self.network.step(context[:, -1], state)[0])

    def _spelled(self, text: str) -> list[tuple[str, float]]:
        """Words that a beam search spells."""
        begun = len(text)
        while begun and _is_of_word(text[begun - 1]):
            begun -= 1
        words, log_probabilities = self._search(context_of(self.coder.rows(text)))
        found = [
            (text[begun:] + word.decode(), float(np.exp(p)))
            for word, p in zip(words.numpy(), log_probabilities.numpy(), strict=True)
        ]
        return [(word, p) for word, p in found if word and p > 0]

    def _words(self, context: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best words after one context, and their log-probabilities, `(beam,)`."""
        in_words = tf.constant(self._in_words)

        def step(symbols: Any, state: Any) -> tuple[Any, Any]:
            """All that ends a word is one symbol."""
            found, state = self.network.step(symbols, state)
            end = tf.reduce_logsumexp(tf.where(in_words, -float("inf"), found), axis=1, keepdims=True)
            kept = tf.where(in_words, found, -float("inf"))
            return tf.concat([end, kept[:, 1:]], axis=1), state

        state = self.network.read_context(context[:, :-1])
        beams = beam_search(step, state, batch=1, start=context[:, -1], end=BOUNDARY, width=BEAM, steps=LONGEST_WORD)
        lengths = ops.where(beams.finished[0], beams.lengths[0], 0)
        scores = tf.where(beams.finished[0], beams.log_probabilities[0], -float("inf"))
        return self.coder.join(beams.symbols[0], lengths), scores


def _is_of_word(symbol: str) -> bool:
    return symbol.isalnum() or symbol in WITHIN_WORDS
