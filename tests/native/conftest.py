"""The compiled library, with its threads and instruction sets as a test wants them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pytest

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.native.library import PATH, library

INSTRUCTIONS = ("avx512", "avx2", "sse2", "base")


@pytest.fixture
def kernels() -> Iterator[ctypes.CDLL]:
    """The library that this process uses; its threads and instructions are set back afterwards."""
    if library().operations is None:
        pytest.skip(f"no compiled kernels: {library().reason}")
    found = ctypes.CDLL(str(PATH))
    found.seqtag_instructions.restype = ctypes.c_char_p
    instructions, threads = found.seqtag_instructions(), found.seqtag_threads()
    yield found
    found.seqtag_use_instructions(instructions)
    found.seqtag_set_threads(threads)


@pytest.fixture
def each_setting(kernels: ctypes.CDLL) -> Callable:
    """`each_setting(f, threads=(1, 2))`: what f() gives with each instruction set of this processor, by threads."""

    def call(function: Callable, threads: tuple[int, ...] = (1,)) -> dict[tuple[str, int], list]:
        found = {}
        for name in INSTRUCTIONS:
            if kernels.seqtag_use_instructions(name.encode()):
                for count in threads:
                    kernels.seqtag_set_threads(count)
                    found[name, count] = function()
        return found

    return call
