"""Batches of sequences of similar length, so that little of a batch is padding."""

from __future__ import annotations

import numpy as np

# Sequences are sorted by length with this much noise: batches differ from epoch to epoch, padding stays small.
LENGTH_NOISE = 0.05


def batches_by_length(
    lengths: np.ndarray, budget: int, rng: np.random.Generator | None = None, rows: np.ndarray | None = None
) -> list[np.ndarray]:
    """Groups sequences of similar length so that a padded batch holds at most `budget` steps.

    A sequence longer than the budget is a batch by itself: none is cut or left out.

    Args:
        lengths: `(sequences,)`, the steps of each.
        budget: the most steps in a batch, padding counted.
        rng: shuffles the order within a twentieth of a length, and the batches; None keeps both sorted.
        rows: how many rows of a batch each takes, where it is a group whose longest row is so long; 1 unless given.

    Returns:
        Index arrays; together they hold every sequence once.

    >>> [batch.tolist() for batch in batches_by_length(np.array([5, 1, 2, 9, 1]), budget=6)]
    [[1, 4, 2], [0], [3]]
    """
    lengths = np.asarray(lengths)
    heights = np.ones(len(lengths), int) if rows is None else rows
    keys = lengths.astype(float)
    if rng is not None:
        keys = keys * (1 + LENGTH_NOISE * rng.uniform(-1, 1, len(keys))) + rng.uniform(0, 1, len(keys))
    order = np.argsort(keys, kind="stable")
    batches, start, longest, height = [], 0, 0, 0
    for stop, (length, more) in enumerate(zip(lengths[order].tolist(), heights[order].tolist(), strict=True)):
        longest, height = max(longest, length), height + more
        if stop > start and longest * height > budget:
            batches.append(order[start:stop])
            start, longest, height = stop, length, more
    if len(order):
        batches.append(order[start:])
    if rng is not None:
        rng.shuffle(batches)
    return batches
