"""Successive halving: candidates are fitted briefly, the better half of them for longer, until one is left.

Karnin, Koren and Somekh (2013), Almost optimal exploration in multi-armed bandits; Jamieson and Talwalkar (2016),
Non-stochastic best arm identification and hyperparameter optimization.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

# A round's number from 1, a candidate's number, and the share of a whole fit that it is fitted for: the loss, or None
# where there is no time left.
Score = Callable[[int, int, float], float | None]


def rounds_of(candidates: int) -> list[int]:
    """How many candidates each round fits.

    >>> rounds_of(7), rounds_of(2), rounds_of(1)
    ([7, 3, 2], [2], [])
    """
    sizes: list[int] = []
    while candidates > 1:
        sizes.append(candidates)
        candidates = 1 if candidates == 2 else max(candidates // 2, 2)
    return sizes


def halve(candidates: int, score: Score) -> int:
    """The number of the best candidate.

    Each round takes as long as one whole fit, shared equally by its candidates. The default, number 0, is in every
    round, the last of which has one other beside it: it is replaced only by a candidate with a lower loss in the same
    round. Of equal losses the first wins. Where the time ends within a round, the best of those that it fitted wins,
    if they are two or more.

    Args:
        candidates: their number.
        score: gives the loss of a candidate; infinity for one that cannot be fitted.

    Example:
        >>> losses = [0.5, 0.7, 0.4, 0.6, 0.9]
        >>> halve(5, lambda number, candidate, share: losses[candidate])
        2
    """
    best, left = 0, list(range(candidates))
    for number, _ in enumerate(rounds_of(candidates), 1):
        losses = _losses(number, left, score)
        ranking = sorted(losses, key=lambda candidate: (losses[candidate], candidate))
        if len(losses) > 1:
            best = ranking[0]
        if len(losses) < len(left):
            break
        left = [0, *[candidate for candidate in ranking if candidate][: max(len(left) // 2, 2) - 1]]
    return best


def _losses(number: int, candidates: list[int], score: Score) -> Mapping[int, float]:
    losses: dict[int, float] = {}
    for candidate in candidates:
        loss = score(number, candidate, 1 / len(candidates))
        if loss is None:
            break
        losses[candidate] = loss
    return losses
