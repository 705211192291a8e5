"""Two problems that only a memory solves, at any lag: adding and copying (Hochreiter and Schmidhuber 1997).

Both are drawn afresh from a NumPy generator, so that there is nothing to learn by heart, and both have a loss
that a model without memory reaches and cannot pass: a model has solved a lag when its loss is far below.
"""

from __future__ import annotations

import math

import numpy as np

COPY_SYMBOLS = 8
COPY_LENGTH = 10
COPY_BLANK = 0
COPY_DELIMITER = COPY_SYMBOLS + 1
COPY_CLASSES = COPY_SYMBOLS + 2

ADDING_BASELINE = 1 / 6
"""Mean squared error of always answering 1: the variance of a sum of two numbers uniform over [0, 1)."""


def adding_problem(random: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of numbers of which two are marked; the target is the sum of these two.

    The form of Le, Jaitly and Hinton (2015), with one mark in each half, as in Arjovsky, Shah and Bengio (2016):
    the first number has to be kept for half of the steps on average. Always answering 1 has a mean squared error
    of 1/6, `ADDING_BASELINE`.

    Args:
        random: the source of all numbers and places.
        count: how many sequences.
        steps: their length.

    Returns:
        The inputs `(count, steps, 2)`, a number uniform over [0, 1) and a mark of 0 or 1 at each step, and the
        targets `(count, 1)`, both float32.

    Raises:
        ValueError: `steps` below 2.

    Example:
        >>> inputs, targets = adding_problem(np.random.default_rng(0), 1000, 40)
        >>> inputs.shape, targets.shape
        ((1000, 40, 2), (1000, 1))
        >>> bool(abs(targets.var() - ADDING_BASELINE) < 0.02)
        True
    """
    if steps < 2:
        raise ValueError(f"expected steps to be at least 2, found {steps}")
    numbers = random.random((count, steps))
    marks = np.zeros((count, steps))
    rows, half = np.arange(count), steps // 2
    marks[rows, random.integers(0, half, count)] = 1
    marks[rows, random.integers(half, steps, count)] = 1
    targets = (numbers * marks).sum(axis=1, keepdims=True)
    return np.stack([numbers, marks], axis=-1).astype("float32"), targets.astype("float32")


def copy_problem(random: np.random.Generator, count: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten symbols to be said again after `lag` steps: the copy-memory problem of Arjovsky et al. (2016).

    The inputs are ten symbols of eight (1 to 8), `lag - 1` blanks (0), a delimiter (9) that asks for the answer,
    and ten blanks; the targets are `lag + 10` blanks and the ten symbols. A model without memory can at best say
    blanks until the delimiter, and then guess: `copy_baseline(lag)`.

    Args:
        random: the source of the symbols.
        count: how many sequences.
        lag: the steps from a symbol to its copy, less the ten.

    Returns:
        The inputs and the targets, both int32 `(count, lag + 20)`.

    Raises:
        ValueError: `lag` below 1.

    Example:
        >>> inputs, targets = copy_problem(np.random.default_rng(0), 1, 3)
        >>> print(inputs[0], targets[0], sep="\\n")
        [7 6 5 3 3 1 1 1 2 7 0 0 9 0 0 0 0 0 0 0 0 0 0]
        [0 0 0 0 0 0 0 0 0 0 0 0 0 7 6 5 3 3 1 1 1 2 7]
    """
    if lag < 1:
        raise ValueError(f"expected lag to be at least 1, found {lag}")
    symbols = random.integers(1, COPY_SYMBOLS + 1, (count, COPY_LENGTH))
    inputs = np.full((count, lag + 2 * COPY_LENGTH), COPY_BLANK, np.int32)
    targets = inputs.copy()
    inputs[:, :COPY_LENGTH] = symbols
    inputs[:, COPY_LENGTH + lag - 1] = COPY_DELIMITER
    targets[:, -COPY_LENGTH:] = symbols
    return inputs, targets


def copy_baseline(lag: int) -> float:
    """Cross-entropy a step, in nats, of guessing the ten symbols: `10 log 8 / (lag + 20)`.

    Example:
        >>> round(copy_baseline(100), 4)
        0.1733
    """
    return COPY_LENGTH * math.log(COPY_SYMBOLS) / (lag + 2 * COPY_LENGTH)
