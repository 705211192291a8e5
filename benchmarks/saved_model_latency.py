"""Latency of one answer of an exported sequence-to-sequence model, in a process that has TensorFlow alone.

    python -m benchmarks.saved_model_latency FOLDER SOURCES

prints the median and the 95th percentile of the milliseconds of single calls, one for each line of the file SOURCES,
after some calls that are not counted.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__all__ = ["latency"]

WARM_UP = 20


def latency(folder: Path, sources: Path) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.saved_model_latency", str(folder), str(sources)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    median, high = json.loads(done.stdout.splitlines()[-1])
    return median, high


def _measure(folder: str, sources: list[str]) -> tuple[float, float]:
    import tensorflow as tf

    answer = tf.saved_model.load(folder).signatures["serving_default"]
    milliseconds = []
    for source in [*sources[:WARM_UP], *sources]:
        began = time.perf_counter()
        answer(source=tf.constant([source]))["target"].numpy()
        milliseconds.append(1000 * (time.perf_counter() - began))
    counted = sorted(milliseconds[WARM_UP:])
    return statistics.median(counted), counted[int(0.95 * (len(counted) - 1))]


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").splitlines())))
