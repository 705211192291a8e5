"""What an update of a large embedding costs: Keras's layer and Adam beside ours, which touch the rows of a batch alone.

`python -m benchmarks.sparse_embeddings [--rows 20000 400000] [--width 300]` trains a bag of words (64 texts of 20 words
a batch, words as frequent as Zipf's law has them) for 60 updates in a process of its own for each line, and prints the
median milliseconds of an update in `fit`, without the first ten, and the peak memory of the process.

* `keras`: `keras.layers.Embedding` and `keras.optimizers.Adam`;
* `seqtag`: the embedding and the Adam of seqtag's networks;
* `seqtag, averaged`: the same with an exponential moving average of all weights (`training.ema`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import measure
from benchmarks.tables import markdown_table, text_table

SYSTEMS = "keras", "seqtag", "seqtag, averaged"
TEXTS, WORDS, UPDATES, FIRST = 64, 20, 60, 10


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 400_000])
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--run", nargs=2, metavar=("SYSTEM", "RESULT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        system, result = options.run
        Path(result).write_text(json.dumps(update_seconds(system, options.rows[0], options.width)))
        return
    table = [
        [f"{rows:,}", system, *measured(system, rows, options.width)] for rows in options.rows for system in SYSTEMS
    ]
    print((markdown_table if options.markdown else text_table)(["rows", "system", "ms an update", "peak MB"], table))


def measured(system: str, rows: int, width: int) -> tuple[str, str]:
    """Milliseconds and peak memory of one training in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "seconds.json")
        sizes = ["--rows", str(rows), "--width", str(width)]
        command = [sys.executable, "-m", "benchmarks.sparse_embeddings", *sizes, "--run", system, str(result)]
        peak = measure(command).peak_mb
        return f"{1000 * statistics.median(json.loads(result.read_text())[FIRST:]):.1f}", f"{peak:,.0f}"


def update_seconds(system: str, rows: int, width: int) -> list[float]:
    """The seconds of each update."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np

    from seqtag.layers.embedding import Embedding
    from seqtag.training.averaging import WeightAverage
    from seqtag.training.optimizers import RowAdam

    class Clock(keras.callbacks.Callback):
        """The seconds of each update."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.seconds: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seconds.append(time.perf_counter() - self.began)

    keras.utils.set_random_seed(0)
    ours = system != "keras"
    table = (Embedding if ours else keras.layers.Embedding)(rows, width)
    stack = [table, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((WORDS,), dtype="int32"), *stack])
    model.compile((RowAdam if ours else keras.optimizers.Adam)(1e-3), "mse")
    rng = np.random.default_rng(0)
    texts, targets = rng.zipf(1.3, (TEXTS * UPDATES, WORDS)) % rows, rng.normal(size=(TEXTS * UPDATES, 2))
    clock = Clock()
    # The average comes after the clock has begun and before it has ended.
    averages = [WeightAverage(0.998)] if system == "seqtag, averaged" else []
    model.fit(texts, targets, batch_size=TEXTS, shuffle=False, verbose=0, callbacks=[*averages, clock])
    return clock.seconds


if __name__ == "__main__":
    main()
