"""The distribution over tag sequences that a network gives, at a temperature.

Its graphs are those of any network with as many tags: they are traced once in a process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tensorflow as tf

from seqtag.ops import crf


class TagDistribution:
    """Over the legal tag sequences of each sentence of a batch:

        p(y) = exp(score(y) / T) / Z

    where `score(y)` is that of a CRF (see `seqtag.ops.crf`) and `T` the temperature (Guo et al. 2017). A higher one
    makes all probabilities more alike; the order of the sequences stays.

    Args:
        emissions: `(batch, time, tags)`.
        lengths: `(batch,)` int32, the tokens of each sentence.
        scores: starts, transitions and ends under the constraints: zero where a softmax scores each tag alone.
        temperature: above zero.
    """

    def __init__(self, emissions: tf.Tensor, lengths: tf.Tensor, scores: crf.CRFScores, temperature: float) -> None:
        self._parts = emissions, lengths, *scores, tf.constant(temperature, tf.float32)
        self._tags = int(emissions.shape[-1])

    def marginals(self) -> tf.Tensor:
        """The probability of every tag, `(batch, time, tags)`, 0 at padding."""
        return _graph(_marginals, self._tags)(*self._parts)

    def path_probabilities(self, tags: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The probability of each of `tags (batch, time)`, alone and given the tag before; see `CRF`."""
        alone, given = _graph(_path_probabilities, self._tags)(*self._parts, tags)
        return alone, given


def _marginals(emissions: tf.Tensor, lengths: tf.Tensor, *scores: tf.Tensor) -> tf.Tensor:
    return crf.marginals(*_tempered(emissions, lengths, *scores))


def _path_probabilities(
    emissions: tf.Tensor,
    lengths: tf.Tensor,
    start: tf.Tensor,
    transitions: tf.Tensor,
    end: tf.Tensor,
    temperature: tf.Tensor,
    tags: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    emissions, mask, scores = _tempered(emissions, lengths, start, transitions, end, temperature)
    return crf.path_probabilities(emissions, tags, mask, scores)


def _tempered(
    emissions: tf.Tensor,
    lengths: tf.Tensor,
    start: tf.Tensor,
    transitions: tf.Tensor,
    end: tf.Tensor,
    temperature: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, crf.CRFScores]:
    mask = tf.sequence_mask(lengths, tf.shape(emissions)[1])
    return emissions / temperature, mask, crf.CRFScores(*(table / temperature for table in (start, transitions, end)))


@lru_cache(maxsize=64)
def _graph(function: Callable[..., Any], tags: int) -> Callable[..., Any]:
    """A function of a distribution's parts as a graph, for batches of any size."""
    tables = [tf.TensorSpec(shape) for shape in ([None, None, tags], [tags], [tags, tags], [tags], [])]
    signature = [tables[0], tf.TensorSpec([None], tf.int32), *tables[1:]]
    if function is _path_probabilities:
        signature.append(tf.TensorSpec([None, None], tf.int32))
    # Not a part of the graph that is traced when it is called first.
    with tf.init_scope():
        return tf.function(function, autograph=False).get_concrete_function(*signature)
