"""Probabilities of parts of a path under a linear-chain CRF. See `seqtag.ops.crf` for the arguments."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqtag.ops.crf.alignment import Alignment
from seqtag.ops.crf.arguments import (
    Chain,
    Tags,
    check_chain,
    check_like_emissions,
    check_spans,
    check_table,
    check_tags,
)
from seqtag.ops.crf.expectations import log_partition
from seqtag.ops.crf.forward_backward import forward_backward
from seqtag.ops.crf.scores import CRFScores, restrict, with_extra_step

Tensor = Any

# Stands for the log of 0: exp() of it is 0 in float32, and sums of it stay finite.
_NEVER = -200.0


def probability_within(emissions: Tensor, allowed: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Probability that every real step's tag is `allowed (batch, time, tags)`: `(batch,)`.

    It is `exp(log Z' - log Z)`, where `Z'` is the partition over the paths of allowed tags.

    >>> import numpy as np
    >>> emissions, scores = np.zeros((1, 2, 2)), CRFScores(np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    >>> allowed = np.array([[[True, False], [True, True]]])
    >>> found = probability_within(emissions, allowed, np.ones((1, 2), bool), scores)
    >>> round(float(found[0]), 6)
    0.5
    """
    emissions, mask, scores = check_chain(emissions, mask, scores)
    allowed = check_like_emissions("allowed", allowed, emissions)
    all_paths = log_partition(emissions, mask, scores)
    within = log_partition(restrict(emissions, allowed), mask, scores)
    return ops.exp(ops.minimum(within - all_paths, 0.0))


def path_probabilities(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> tuple[Tensor, Tensor]:
    """Probability of each step of the path `tags (batch, time)`, alone and given the step before.

    Returns:
        `p(y_t)` and `p(y_t | y_(t-1))` (at the first real step `p(y_1)`), both `(batch, time)`, 0 at masked steps.
        The probability that a path goes through the tags of the steps `s, ..., e`, whatever it does elsewhere, is
        `p(y_s)` times the second numbers at `s + 1, ..., e`.

    >>> import numpy as np
    >>> emissions = np.log([[[1.0, 3.0], [1.0, 1.0]]])
    >>> scores = CRFScores(np.zeros(2), np.log(np.array([[1.0, 1.0], [1.0, 4.0]])), np.zeros(2))
    >>> found = path_probabilities(emissions, np.array([[1, 1]]), np.ones((1, 2), bool), scores)
    >>> [np.asarray(x).round(4).tolist() for x in found]  # 15/17, 13/17; 12/15 of the paths through 1
    [[[0.8824, 0.7647]], [[0.8824, 0.8]]]
    """
    checked = check_chain(emissions, mask, scores)
    chain = _MarkovChain(checked, check_tags(tags, checked))
    alone, given = (chain.spread(ops.exp(x)) for x in (chain.alone, chain.given))
    return alone, given


def span_probability(
    emissions: Tensor,
    tags: Tensor,
    starts: Tensor,
    ends: Tensor,
    mask: Tensor,
    scores: CRFScores,
    continues: Tensor | None = None,
) -> Tensor:
    """Probability that the path takes exactly `tags` from the step `starts` on, up to but without the step `ends`.

    It is the marginal of the span's first tag, times the probability of each later tag given the one before, times
    that of not going on: a linear-chain CRF is a Markov chain. One run of the recursions serves all spans.

    Args:
        emissions: `(batch, time, tags)`.
        tags: `(batch, time)`; those outside of spans do not matter.
        starts, ends: `(batch, spans)` steps, masked ones counted; a span without a real step has probability 1.
        mask: `(batch, time)` bool.
        scores: start, transitions and end.
        continues: bool `(tags, tags)`, True where the tag `j` continues a span whose last tag is `i`, as `I-PER` does
            after `B-PER`. The probability is then that of a span that ends at its end. Without it any tag may follow.

    Returns:
        `(batch, spans)`.

    >>> import numpy as np
    >>> emissions, mask = np.zeros((1, 3, 2)), np.ones((1, 3), bool)
    >>> scores = CRFScores(np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    >>> starts, ends = np.array([[0, 1]]), np.array([[1, 3]])
    >>> found = span_probability(emissions, np.array([[0, 1, 1]]), starts, ends, mask, scores)
    >>> np.asarray(found).round(4).tolist()
    [[0.5, 0.25]]
    """
    checked = check_chain(emissions, mask, scores)
    starts, ends = check_spans(starts, ends, checked.emissions)
    chain = _MarkovChain(checked, check_tags(tags, checked, unknown=True))
    real_before = ops.pad(ops.cumsum(ops.cast(checked.mask, "int32"), axis=1), ((0, 0), (1, 0)))
    first, after = _at(real_before, starts), _at(real_before, ends)
    last = ops.maximum(after - 1, 0)
    until = ops.cumsum(ops.maximum(chain.given, _NEVER), axis=1)
    total = _at(chain.alone, first) + _at(until, last) - _at(until, first)
    if continues is not None:
        continues = check_table("continues", continues, checked.emissions.shape[-1])
        total = total + _at(chain.stopping(continues), last)
    return ops.exp(ops.where(after > first, ops.minimum(total, 0.0), 0.0))


class _MarkovChain:
    """Log-probabilities along a path of tags, aligned: the real steps of each row come first.

    That of a tag that no path has, or that is not known, is `-inf`.
    """

    def __init__(self, chain: Chain, tags: Tags) -> None:
        scores = chain.scores
        emissions, self._mask = with_extra_step(chain.emissions, chain.mask)
        self._alignment = Alignment(self._mask)
        sums = forward_backward(emissions, scores, self._alignment)
        numbers = ops.pad(tags.numbers, ((0, 0), (0, 1)))
        self._path = self._alignment.gather(ops.maximum(numbers, 0), self._alignment.order)
        takes_tag = ops.pad(tags.possible & (tags.numbers >= 0), ((0, 0), (0, 1)))
        takes_tag = self._alignment.gather(takes_tag, self._alignment.order)
        # Given the tag of the step before: (batch, time - 1, tags).
        rest = ops.transpose(sums.backward, (1, 0, 2))[:, 1:]
        self._following = ops.log_softmax(ops.take(scores.transitions, self._path[:, :-1], axis=0) + rest)
        marginals = ops.transpose(sums.marginals, (1, 0, 2))
        self.alone = ops.where(takes_tag, ops.log(_of_tags(marginals, self._path)), -float("inf"))
        given = ops.where(takes_tag[:, 1:], _of_tags(self._following, self._path[:, 1:]), -float("inf"))
        self.given = ops.concatenate([self.alone[:, :1], given], axis=1)

    def spread(self, aligned: Tensor) -> Tensor:
        """Aligned numbers `(batch, time)` at their own steps, 0 at masked steps."""
        spread = self._alignment.gather(aligned, self._alignment.rank)
        return ops.where(self._mask, spread, 0.0)[:, :-1]

    def stopping(self, continues: Tensor) -> Tensor:
        """Log-probability that the step after each one does not continue its tag; 0 for the last real step."""
        goes_on = ops.take(continues, self._path[:, :-1], axis=0)
        stops = ops.logsumexp(ops.where(goes_on, _NEVER, self._following), axis=-1)
        steps = ops.arange(1, ops.shape(self._path)[1], dtype="int32")
        stops = ops.where(steps < self._alignment.lengths[:, None], stops, 0.0)
        return ops.pad(stops, ((0, 0), (0, 1)))


def _at(x: Tensor, steps: Tensor) -> Tensor:
    """`x (batch, time)` at the steps `(batch, n)`."""
    return ops.take_along_axis(x, steps, axis=1)


def _of_tags(x: Tensor, tags: Tensor) -> Tensor:
    """`x (batch, time, tags)` at the tag of each step: `(batch, time)`."""
    return ops.take_along_axis(x, tags[..., None], axis=2)[..., 0]
