"""Seconds and peak memory of a command, measured from outside its process.

`python -m benchmarks.processes RESULT COMMAND ...` runs the command and writes its seconds and peak memory
to the JSON file RESULT. It is a small process between the measuring program and the command, because on Linux the
peak of a process starts with the memory of its parent: otherwise the peak of a command would never be below that of a
measuring program with TensorFlow. This module therefore imports only small parts of the standard library.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Usage", "measure", "median_seconds"]


class Usage(NamedTuple):
    """Seconds from start to end, and the most memory that was resident, in MB of 2^20 bytes."""

    seconds: float
    peak_mb: float


def measure(command: Sequence[str]) -> Usage:
    """Runs a command, and discards its output.

    Raises:
        SystemExit: the command fails; the message has its standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "usage.json")
        launcher = [sys.executable, "-m", "benchmarks.processes", str(result), *command]
        done = subprocess.run(launcher, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"error: {' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
        return Usage(**json.loads(result.read_text()))


def median_seconds(command: Sequence[str], repeats: int) -> float:
    """The median time of a command from start to end."""
    return statistics.median(measure(command).seconds for _ in range(repeats))


def _launch(result: Path, command: Sequence[str]) -> int:
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    result.write_text(json.dumps({"seconds": seconds, "peak_mb": usage.ru_maxrss / 1024}))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_launch(Path(sys.argv[1]), sys.argv[2:]))
