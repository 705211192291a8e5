"""Compiles the kernels: `python -m seqtag.native.compile`.

The build of the package runs it too (`hatch_build.py`), so that it needs nothing but Python's own library and a C++
compiler: `$CXX`, else c++, g++ or clang++.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "source"
LIBRARY = FOLDER / "kernels.so"
# A faster approximation of products and sums is not asked for: the exponential would lose its last digits.
FLAGS = ("-O3", "-std=c++17", "-fPIC", "-fvisibility=hidden", "-ffp-contract=fast", "-Wall", "-Wextra")
# Instruction sets: name, width of a register in bytes, flags. The plainest comes first: where several files hold the
# same inline function, the linker takes the first one, which every processor can run.
X86 = (
    ("base", 16, ["-march=x86-64"]),
    ("v3", 32, ["-march=x86-64-v3"]),
    ("v4", 64, ["-march=x86-64-v4"]),
)
OTHERS: tuple[tuple[str, int, list[str]], ...] = (("base", 16, []),)
# What is compiled once; `kernels.cc` is compiled for each of them.
ONCE = ("variants.cc", "pool.cc", "recurrence.cc", "recurrence_ops.cc", "crf.cc", "crf_ops.cc", "settings.cc")


def source_hash() -> str:
    """Tells sources apart; the library keeps that of its own, so that nobody runs one that was made of others."""
    found = hashlib.sha256()
    for path in sorted(SOURCE.iterdir()):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def is_of_these_sources(path: Path = LIBRARY) -> bool:
    """Whether a library is there and was made of the sources that are."""
    return path.exists() and source_hash().encode() in path.read_bytes()


def compiler() -> str | None:
    """The compiler's command; None where there is none."""
    return next(filter(None, map(shutil.which, filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++")))), None)


def commands(command: str, folder: Path, flags: tuple[str, ...] = FLAGS) -> dict[Path, list[str]]:
    """What compiles each object file of a folder."""
    known = f'-DSEQTAG_SOURCE_HASH="{source_hash()}"'
    found = {folder / f"{Path(source).stem}.o": [command, *flags, known, "-c", str(SOURCE / source)] for source in ONCE}
    variants = X86 if platform.machine().lower() in ("x86_64", "amd64") else OTHERS
    for name, width, target in variants:
        defined = [f"-DSEQTAG_VECTOR_BYTES={width}", f"-DSEQTAG_VARIANT=variant_{name}"]
        found[folder / f"kernels_{name}.o"] = [command, *flags, *target, *defined, "-c", str(SOURCE / "kernels.cc")]
    return {path: [*words, "-o", str(path)] for path, words in found.items()}


def compile_library(path: Path = LIBRARY) -> Path:
    """Compiles the kernels into a library, written aside and renamed.

    Raises:
        FileNotFoundError: there is no compiler.
        subprocess.CalledProcessError: it failed.
    """
    command = compiler()
    if command is None:
        raise FileNotFoundError("expected a C++ compiler ($CXX, c++, g++ or clang++), found none")
    with tempfile.TemporaryDirectory() as folder:
        jobs = commands(command, Path(folder))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_run, jobs.values()))
        made = path.with_suffix(".partial")
        undefined = ["-Wl,-undefined,dynamic_lookup"] if sys.platform == "darwin" else []
        _run([command, "-shared", *undefined, *map(str, jobs), "-pthread", "-o", str(made)])
    made.replace(path)
    return path


def _run(words: list[str]) -> None:
    subprocess.run(words, check=True)


if __name__ == "__main__":
    print(compile_library())
