"""TensorFlow without the log lines that tell nothing about what seqtag does with it."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Imports TensorFlow, if it is not imported yet, without the lines that its native code logs.

    TensorFlow reads the environment's TF_CPP_MIN_LOG_LEVEL once, in the import, and logs some lines before that. Unless
    the user has set the level, only what ends the process is logged from then on: the levels below hold lines about
    processors and drivers, and what matters is raised as an exception too. The environment is left as it was.
    If the import fails, all that was written meanwhile is shown.
    """
    if "tensorflow" in sys.modules:
        return
    level = os.environ.get(LOG_LEVEL)
    if level == "0":
        import tensorflow

        return
    os.environ.setdefault(LOG_LEVEL, "3")
    try:
        with _native_lines_held_back():
            import tensorflow  # noqa: F401
    finally:
        if level is None:
            del os.environ[LOG_LEVEL]


@contextmanager
def _native_lines_held_back() -> Iterator[None]:
    """Holds back what native code writes to standard error, if that is open, and shows it if the block fails."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    # `sys.stderr` stays the stream that it is: TensorFlow's logger keeps it, and writes to it later.
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def one_trace_a_model() -> Iterator[None]:
    """Keeps back TensorFlow's warnings of functions that are traced often.

    Every model traces its functions once. TensorFlow counts the traces of all models together, and would warn where
    several are fitted in one process.
    """
    logger = logging.getLogger("tensorflow")

    def is_about_something_else(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger.addFilter(is_about_something_else)
    try:
        yield
    finally:
        logger.removeFilter(is_about_something_else)
