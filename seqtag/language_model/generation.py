"""Texts that a language model writes: drawn at random, or of the likeliest symbols."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.data.text.vocabulary import BOUNDARY
from seqtag.errors import ConfigError
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.network.cached import PAD, CachedNetwork
from seqtag.models.traced import Traced
from seqtag.ops.sampling import sample


class Generation(NamedTuple):
    """How a text is written.

    Attributes:
        length: the most symbols.
        temperature: below 1 likely symbols come more often, above 1 more rarely.
        top_k: how many of the likeliest symbols are drawn from; None for all.
        top_p: what share of the probability is drawn from (Holtzman et al. 2020); None for all.
        greedy: whether each symbol is the likeliest one; nothing is drawn then.
        stop: a text before which the answer ends; None for none.
        seed: gives the same text each time.
    """

    length: int = 200
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False
    stop: str | None = None
    seed: int = 1

    def check(self) -> Generation:
        """The settings, if they can be.

        Raises:
            ConfigError: a length or a top-k below 1, a temperature that is not above 0, a top-p outside of (0, 1], or
                an empty text to stop at.
        """
        if self.length < 1:
            raise ConfigError(f"expected a length of 1 at least, found {self.length}", setting="length")
        if not self.temperature > 0 or self.temperature == float("inf"):
            message = f"expected a temperature above 0, found {self.temperature:g}; greedy takes the likeliest symbols"
            raise ConfigError(message, setting="temperature")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"expected 1 at least, found {self.top_k}", setting="top_k")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ConfigError(f"expected a share above 0, at most 1, found {self.top_p:g}", setting="top_p")
        if self.stop == "":
            raise ConfigError("expected a text to stop at, found an empty one", setting="stop")
        return self


class Generator:
    """Writes texts by a network and its cache.

    Args:
        network: the network with its cache.
        coder: between texts and rows.
        ends: whether the model predicts the ends of documents; otherwise a text goes on to its full length.
    """

    def __init__(self, network: CachedNetwork, coder: TextCoder, ends: bool) -> None:
        self.network = network
        self.coder = coder
        self.forbidden = coder.forbidden | ((np.arange(len(coder)) == BOUNDARY) & (not ends))
        self._graph = Traced(self.texts, free_axes=2)

    def generate(self, prompt: str, how: Generation) -> str:
        """A text that begins with a prompt.

        Raises:
            ConfigError: see `Generation.check`.
        """
        how.check()
        text = self._graph(tf.constant([prompt]), *_tensors(how)).numpy()[0].decode()
        return text if how.stop is None else prompt + text[len(prompt) :].partition(how.stop)[0]

    def texts(self, prompt: Any, length: Any, temperature: Any, top_k: Any, top_p: Any, seed: Any) -> tf.Tensor:
        """Texts that begin with prompts, both string `(batch,)`; a graph function.

        The limits are scalars: a temperature of zero takes the likeliest symbols, a top-k of zero and a top-p of one
        leave all.
        """
        context = left_padded(self.coder.split(prompt)[1])
        found = sample(
            self.network.step,
            self.network.read_context(context[:, :-1]),
            batch=tf.shape(context)[0],
            start=context[:, -1],
            end=BOUNDARY,
            steps=length,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            forbidden=tf.constant(self.forbidden),
        )
        return self.coder.join_after(prompt, found.symbols, found.lengths)


def context_of(rows: np.ndarray) -> tf.Tensor:
    """The context of one prompt, `(1, symbols)`; see `left_padded`."""
    return left_padded(tf.RaggedTensor.from_tensor(rows[None]))


def left_padded(rows: tf.RaggedTensor) -> tf.Tensor:
    """Rows of symbols `(batch, None)`, each after a boundary, as a matrix that is padded at the left.

    There is one step of padding at least, so that there is something before the last symbol.

    >>> left_padded(tf.ragged.constant([[5, 6], [7]], dtype=tf.int32)).numpy().tolist()
    [[-1, 0, 5, 6], [-1, -1, 0, 7]]
    """
    first = tf.ones([rows.nrows(), 1], rows.dtype)
    whole = tf.concat([BOUNDARY * first, rows], axis=1)
    width = tf.reduce_max(whole.row_lengths())
    missing = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.reduce_sum(width + 1 - whole.row_lengths())], tf.cast(PAD, rows.dtype)),
        width + 1 - whole.row_lengths(),
    )
    return tf.concat([missing, whole], axis=1).to_tensor()


def _tensors(how: Generation) -> tuple[tf.Tensor, ...]:
    return (
        tf.constant(how.length),
        tf.constant(0.0 if how.greedy else how.temperature),
        tf.constant(how.top_k or 0),
        tf.constant(1.0 if how.top_p is None else how.top_p),
        tf.constant(how.seed, tf.int64),
    )
