"""The cost of monitoring, clipping and guarding the gradients in a training step of a tagger.

`python -m benchmarks.gradient_monitor` trains a BiLSTM-CRF tagger on batches of 32 sentences of 50 words in several
ways. They take turns after each block of steps, so that other load on the machine affects all. It prints the median
milliseconds of a step, and the median ratio to the step without callbacks in the same turn. A block has as many steps
as lie between two measurements of the monitor; it includes the work of the callbacks on the host.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from benchmarks.tables import text_table
from seqtag.callbacks import ExplodingGradients, GradientClipping, GradientMonitor
from seqtag.layers import CRF, Bidirectional, PeepholeLSTM
from seqtag.training.optimizers import RowAdam

WORDS, WIDTH, TAGS = 20_000, 100, 17


def ways(every: int) -> dict[str, tuple[list[keras.callbacks.Callback], dict[str, Any]]]:
    """The ways to train: callbacks, and arguments of the optimizer."""
    return {
        "no callbacks": ([], {}),
        f"GradientMonitor(every={every})": ([GradientMonitor(every)], {}),
        "GradientMonitor(every=1)": ([GradientMonitor(1)], {}),
        "GradientClipping('global_norm', 1)": ([GradientClipping("global_norm", 1.0)], {}),
        "GradientClipping('adaptive')": ([GradientClipping("adaptive")], {}),
        "GradientClipping('percentile')": ([GradientClipping("percentile")], {}),
        "ExplodingGradients(action='skip')": ([ExplodingGradients(action="skip")], {}),
    }


class Training:
    """One tagger and its training, which runs some steps at a time."""

    def __init__(self, callbacks: list[keras.callbacks.Callback], options: dict, batch: int, steps: int) -> None:
        keras.utils.set_random_seed(1)
        words = keras.Input((None,), dtype="int32")
        hidden = keras.layers.Embedding(WORDS, WIDTH)(words)
        hidden = Bidirectional(PeepholeLSTM(200, return_sequences=True))(hidden)
        crf = CRF()
        self.model = keras.Model(words, crf(keras.layers.Dense(TAGS)(hidden)))
        self.model.compile(RowAdam(1e-3, **options), loss=crf.loss, jit_compile=False)
        self.model.optimizer.build(self.model.trainable_variables)
        random = np.random.default_rng(0)
        # Word frequencies as in text: a few words are frequent.
        ids = np.minimum(random.zipf(1.3, size=(64, batch, steps)), WORDS - 1).astype("int32")
        tags = random.integers(0, TAGS, size=ids.shape).astype("int32")
        self.batches = iter(tf.data.Dataset.from_tensor_slices((ids, tags)).repeat())
        self.callbacks = keras.callbacks.CallbackList(callbacks, model=self.model)
        self.model.make_train_function()
        self.callbacks.on_train_begin()
        self.callbacks.on_epoch_begin(0)
        self.step = 0

    def run(self, steps: int) -> float:
        """Milliseconds of a step, with callbacks called as in `fit`."""
        start = time.perf_counter()
        for _ in range(steps):
            self.callbacks.on_train_batch_begin(self.step)
            logs = self.model.train_function(self.batches)
            self.callbacks.on_train_batch_end(self.step, logs)
            self.step += 1
        return 1000 * (time.perf_counter() - start) / steps


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    trainings = {name: Training(*way, options.batch, options.steps) for name, way in ways(options.every).items()}
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for turn in range(options.rounds + 1):
        for name, training in trainings.items():
            milliseconds = training.run(options.every)
            # The first turn traces.
            if turn:
                times[name].append(milliseconds)
    rows = []
    for name, found in times.items():
        ratios = [own / without for own, without in zip(found, times["no callbacks"], strict=True)]
        rows.append([name, f"{statistics.median(found):.2f}", f"{statistics.median(ratios):.3f}"])
    print(f"{options.batch} sentences of {options.steps} words, {options.rounds} turns of {options.every} steps")
    print(text_table(["", "ms a step", "ratio"], rows))


if __name__ == "__main__":
    main()
