"""The compiled library: whether there is one, and what it is set to."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from seqtag.errors import ConfigError
from seqtag.keras_internals import traces_for_xla
from seqtag.native.compile import LIBRARY as PATH
from seqtag.native.compile import source_hash

SWITCH = "SEQTAG_NATIVE"
_kept_away: ContextVar[bool] = ContextVar("kept_away", default=False)


class Library(NamedTuple):
    """The library, or why there is none.

    Attributes:
        operations: TensorFlow's module of its operations; None where there is none.
        reason: why, in words.
        instructions: the instruction set that it uses, such as `"avx2"`.
        threads: how many threads it works with.
    """

    operations: Any
    reason: str
    instructions: str = ""
    threads: int = 0


@cache
def library() -> Library:
    """The library, loaded when it is first asked for.

    Raises:
        ConfigError: `SEQTAG_NATIVE` is none of 0, 1 and require, or it is require and there is no library.
    """
    wanted = os.environ.get(SWITCH, "1")
    if wanted not in ("0", "1", "require"):
        raise ConfigError(f"expected 0, 1 or require, found {wanted!r}", setting=SWITCH)
    found = Library(None, f"{SWITCH}=0 keeps it away") if wanted == "0" else _load()
    if wanted == "require" and found.operations is None:
        raise ConfigError(f"expected the compiled kernels, found none: {found.reason}", setting=SWITCH)
    return found


def _load() -> Library:
    if not PATH.exists():
        return Library(
            None, f"{PATH} is not there: it is built where the package is installed with a C++ compiler at hand"
        )
    import tensorflow as tf

    try:
        operations = tf.load_op_library(str(PATH))
    except (tf.errors.OpError, OSError) as error:
        return Library(None, f"{PATH} cannot be loaded: {str(error).splitlines()[0]}")
    functions = ctypes.CDLL(str(PATH))
    functions.seqtag_instructions.restype = functions.seqtag_source_hash.restype = ctypes.c_char_p
    if functions.seqtag_source_hash().decode() != source_hash():
        return Library(None, f"{PATH} was built of other sources; python -m seqtag.native.compile builds it anew")
    functions.seqtag_set_threads(threads())
    return Library(operations, "it is there", functions.seqtag_instructions().decode(), functions.seqtag_threads())


def threads() -> int:
    """How many threads TensorFlow gives to an operation: as configured, else as many as this process has cores."""
    import tensorflow as tf

    configured = tf.config.threading.get_intra_op_parallelism_threads()
    configured = configured or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return configured or cores


def shared_float(*tensors: Any) -> bool:
    """Whether all of these are float32, or all float64."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return False
    dtypes = {tf.as_dtype(tensor.dtype) for tensor in tensors}
    return dtypes in ({tf.float32}, {tf.float64})


@contextmanager
def kept_away() -> Iterator[None]:
    """What is traced inside has no kernel of ours: graphs that are to run where seqtag is not installed."""
    token = _kept_away.set(True)
    try:
        yield
    finally:
        _kept_away.reset(token)


def operations() -> Any:
    """The operations of the library; None where they are not there or not to be used, in what XLA compiles among it."""
    if _kept_away.get() or "tensorflow" not in sys.modules or traces_for_xla():
        return None
    return library().operations
