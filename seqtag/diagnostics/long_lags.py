"""Two problems that need a memory over any lag: adding and copying (Hochreiter and Schmidhuber 1997).

Every batch is drawn from a NumPy generator, so that a model cannot memorise examples. For both, the lowest loss without
a memory is known: a model that gets far below it has solved the lag.
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

    It is the form of Le, Jaitly and Hinton (2015), with one mark in each half, as in Arjovsky, Shah and Bengio (2016).
    On average the first number must be kept for half of the steps. Always answering 1 has a mean squared error of 1/6,
    `ADDING_BASELINE`.

    Args:
        random: the generator of all numbers and places.
        count: the number of sequences.
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
    """Ten symbols that must be repeated after `lag` steps: the copy problem of Arjovsky et al. (2016).

    The inputs are ten symbols (1 to 8), `lag - 1` blanks (0), a delimiter (9) that asks for the answer, and ten blanks.
    The targets are `lag + 10` blanks and the ten symbols. Without a memory a model can at best answer blanks until the
    delimiter, and then guess: `copy_baseline(lag)`.

    Args:
        random: the generator of the symbols.
        count: the number of sequences.
        lag: the steps from a symbol to its copy, minus ten.

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
