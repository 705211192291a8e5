"""A seed for a block of code, which leaves the random state of the user's process as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from seqtag.keras_internals import global_random_state
from seqtag.process.forks import check_can_run


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block Python, NumPy, TensorFlow and Keras draw from `seed`; afterwards they go on as if without it.

    An operation of TensorFlow with a seed of its own, such as `tf.random.uniform([], seed=1)`, is the exception: it
    starts again.

    Example:
        >>> random.seed(7)
        >>> with seeded(1):
        ...     inside = random.random()
        >>> random.random() == random.Random(7).random(), inside == random.Random(1).random()
        (True, True)
    """
    check_can_run()
    python, numpy, restore = random.getstate(), np.random.get_state(), global_random_state()  # noqa: NPY002
    try:
        keras.utils.set_random_seed(seed)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        restore()
