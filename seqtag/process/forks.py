"""TensorFlow in forks: it stands still, for good, in a process that was forked from one in which it had run."""

from __future__ import annotations

import os

from seqtag.errors import ForkError
from seqtag.keras_internals import tensorflow_is_running

_cannot_run = False


def check_can_run() -> None:
    """Checks, before TensorFlow is used, that it can run in this process.

    Raises:
        ForkError: the process is a fork of one in which TensorFlow had run.
    """
    if _cannot_run:
        raise ForkError(
            "expected a process of its own for TensorFlow, found a fork of one in which it had run; start processes by"
            " 'spawn' or 'forkserver', or fork before anything is fitted or loaded"
        )


def _after_fork() -> None:
    global _cannot_run
    _cannot_run = _cannot_run or tensorflow_is_running()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=_after_fork)
