"""Imports TensorFlow without the lines that it logs while it is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Imports TensorFlow for the first time with its native log lines kept off the screen.

    They are written before TensorFlow can be told not to. Python's exceptions and warnings pass as ever; so do errors
    that native code logs later, unless TF_CPP_MIN_LOG_LEVEL says something else.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_silenced():
        import tensorflow  # noqa: F401


@contextmanager
def _native_stderr_silenced() -> Iterator[None]:
    """Keeps what native code writes to standard error off the screen."""
    sys.stderr.flush()
    kept = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silence)
