"""The distribution over tag sequences that a network gives, at a temperature.

Its graphs are those of any network with as many tags: they are traced once in a process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

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
        # A graph that has an option takes no variables.
        tables = map(tf.convert_to_tensor, scores)
        self._parts = emissions, lengths, *tables, tf.constant(temperature, tf.float32)
        self._tags = int(emissions.shape[-1])

    def marginals(self) -> tf.Tensor:
        """The probability of every tag, `(batch, time, tags)`, 0 at padding."""
        return _graph(_marginals, self._tags)(*self._parts)

    def best(self) -> tf.Tensor:
        """The likeliest sequence, `(batch, time)` int32, 0 at padding."""
        return _graph(_best, self._tags)(*self._parts)

    def path_probabilities(self, tags: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The probability of each of `tags (batch, time)`, alone and given the tag before; see `CRF`."""
        alone, given = _graph(_path_probabilities, self._tags, asks=True)(*self._parts, tags)
        return alone, given

    def n_best(self, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The `k` likeliest sequences, best first, `(batch, k, time)`, and the logarithms of their probabilities.

        These are `(batch, k)`, `-inf` after the last sequence where there are fewer. The probabilities themselves may
        be too small for float32 where a sentence is long.
        """
        tags, log_probabilities = _graph(_n_best, self._tags, k=k)(*self._parts)
        return tags, log_probabilities


class _Chain(NamedTuple):
    """The arguments of a graph: the parts of a distribution."""

    emissions: tf.Tensor
    lengths: tf.Tensor
    start: tf.Tensor
    transitions: tf.Tensor
    end: tf.Tensor
    temperature: tf.Tensor

    def tempered(self) -> tuple[tf.Tensor, tf.Tensor, crf.CRFScores]:
        """Emissions, mask and scores, as functions of `seqtag.ops.crf` take them."""
        mask = tf.sequence_mask(self.lengths, tf.shape(self.emissions)[1])
        tables = (self.emissions, self.start, self.transitions, self.end)
        emissions, *scores = (table / self.temperature for table in tables)
        return emissions, mask, crf.CRFScores(*scores)


def _marginals(*parts: tf.Tensor) -> tf.Tensor:
    return crf.marginals(*_Chain(*parts).tempered())


def _best(*parts: tf.Tensor) -> tf.Tensor:
    return crf.best_path(*_Chain(*parts).tempered())[0]


def _path_probabilities(*parts_and_tags: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    *parts, tags = parts_and_tags
    emissions, mask, scores = _Chain(*parts).tempered()
    return crf.path_probabilities(emissions, tags, mask, scores)


def _n_best(*parts: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    emissions, mask, scores = _Chain(*parts).tempered()
    tags, of_tags = crf.n_best(emissions, k, mask, scores)
    return tags, tf.minimum(of_tags - crf.log_partition(emissions, mask, scores)[:, None], 0.0)


@lru_cache(maxsize=64)
def _graph(function: Callable[..., Any], tags: int, asks: bool = False, **options: int) -> Callable[..., Any]:
    """A function of a distribution's parts as a graph, for batches of any size.

    Args:
        function: what is to be traced.
        tags: how many tags there are.
        asks: whether it takes tags too.
        options: of the function.
    """
    tables = [tf.TensorSpec(shape) for shape in ([None, None, tags], [tags], [tags, tags], [tags], [])]
    asked = [tf.TensorSpec([None, None], tf.int32)] if asks else []
    traced = tf.function(partial(function, **options), autograph=False)
    # Not a part of the graph that is traced when it is called first.
    with tf.init_scope():
        return traced.get_concrete_function(tables[0], tf.TensorSpec([None], tf.int32), *tables[1:], *asked)
