"""Imports TensorFlow without its log lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Imports TensorFlow, if it is not imported yet, without the lines that its native code logs during the import.

    These lines come before any setting can turn them off. Exceptions and warnings of Python are still shown, and errors
    that native code logs later, unless TF_CPP_MIN_LOG_LEVEL is set otherwise.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_silenced():
        import tensorflow  # noqa: F401


@contextmanager
def _native_stderr_silenced() -> Iterator[None]:
    """Discards what native code writes to standard error, if that is open."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
        kept = os.dup(2)
    except OSError:
        yield
        return
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silence)
