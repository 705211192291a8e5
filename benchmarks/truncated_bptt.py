"""Memory and time of truncated and of full backpropagation, over the length of the sequence.

`python -m benchmarks.truncated_bptt` trains a character model (embedding, peephole LSTM, softmax; 8 rows) for two
passes over sequences of growing length, each length in its own process. It prints the peak memory of the process and
the seconds per 1,000 steps of the second pass, which has no tracing. Full backpropagation makes one update in a pass,
truncated backpropagation one every 100 steps. Lengths that need too much memory for full backpropagation are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import measure
from benchmarks.tables import text_table

ROWS, SYMBOLS, UNITS, CHUNK = 8, 64, 128, 100
# About 1.5 GB of memory for each 10,000 steps.
LONGEST_FULL = 10_000


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--run", nargs=3, metavar=("METHOD", "LENGTH", "RESULT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        method, length, result = arguments.run
        Path(result).write_text(json.dumps(train(method, int(length))))
        return
    rows = []
    for length in [CHUNK, *arguments.lengths]:
        for method in ("truncated", "full"):
            if method == "truncated" or length <= LONGEST_FULL:
                rows.append([f"{length:,}", method, *measured(method, length)])
                print(" ".join(rows[-1]), file=sys.stderr)
    print(text_table(["steps", "backpropagation", "peak MB", "s / 1,000 steps"], rows))


def measured(method: str, length: int) -> tuple[str, str]:
    """Peak memory and seconds per 1,000 steps of one training in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "seconds.json")
        command = [sys.executable, "-m", "benchmarks.truncated_bptt", "--run", method, str(length), str(result)]
        peak = measure(command).peak_mb
        return f"{peak:,.0f}", f"{1_000 * json.loads(result.read_text()) / length:.2f}"


def train(method: str, length: int) -> float:
    """The seconds of the second pass over sequences of this length."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np

    from seqtag.layers import PeepholeLSTM
    from seqtag.training import TruncatedBPTT

    class PassClock(keras.callbacks.Callback):
        """The seconds of the last pass."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.perf_counter() - self.began

    keras.utils.set_random_seed(0)
    stack = [
        keras.layers.Embedding(SYMBOLS, 32),
        PeepholeLSTM(UNITS, return_sequences=True),
        keras.layers.Dense(SYMBOLS),
    ]
    model = keras.Sequential([keras.Input((None,), dtype="int32"), *stack])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=False)
    ids = np.random.default_rng(0).integers(0, SYMBOLS, size=(ROWS, length + 1), dtype="int32")
    x, y = ids[:, :-1], ids[:, 1:]
    clock = PassClock()
    if method == "full":
        model.fit(x, y, batch_size=ROWS, epochs=2, callbacks=[clock], verbose=0)
    else:
        TruncatedBPTT(CHUNK).fit(model, x, y, epochs=2, callbacks=[clock])
    return clock.seconds


if __name__ == "__main__":
    main()
