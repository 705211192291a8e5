"""Cures for vanishing and exploding gradients, on two problems that need a memory, at growing lags.

    python -m benchmarks.long_lags [--problem adding copy] [--lags 100 200 400] [--only 'tanh-*' peephole-chrono]
        [--steps N] [--seeds N] [--markdown]

trains every cure on each problem and lag (`seqtag.diagnostics.long_lags`) until the lag is solved or the steps are
used up. It prints a line at the end of each run, then a table for each problem: the steps and seconds to the solution,
or the last loss as a share of the baseline. The baseline is the loss of a model without memory. A lag is solved when
the loss on 500 fixed sequences is below 0.01 (adding, whose baseline is 1/6) or below a tenth of the baseline (copy);
the loss is computed every 100 steps. Everything takes about an hour on two cores; `--lags` and `--only` choose a part.

All cures are trained in the same way, on new sequences at every step: Adam, batches of 50, `GradientClipping` at a
global norm of 1 unless the cure has none; adding with 64 units and a learning rate of 0.002, copy with 128 units and
0.005. No cure was tuned on its own. With one seed, a solution near the last step may be luck: use `--seeds`.
"""

from __future__ import annotations

import argparse
import fnmatch
import itertools
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from benchmarks.tables import markdown_table, text_table
from seqtag.callbacks import GradientClipping
from seqtag.diagnostics.long_lags import ADDING_BASELINE, COPY_CLASSES, adding_problem, copy_baseline, copy_problem
from seqtag.layers import GRU, PeepholeLSTM, SimpleRNN

BATCH = 50
STEPS_BETWEEN_TESTS = 100
TEST_SEQUENCES = 500
CLIP_NORM = 1.0


@dataclass(frozen=True)
class Cure:
    """A recurrent layer with its options, the number of such layers, and whether gradients are clipped.

    With `chrono` the biases of its gates are spread over the lag.
    """

    layer: Callable[..., keras.layers.Layer]
    options: dict[str, Any]
    layers: int = 1
    chrono: bool = False
    clip: bool = True

    def build(self, units: int, lag: int) -> list[keras.layers.Layer]:
        """The layers, which give an output for every step."""
        chrono = {"forget_bias": "chrono", "chrono_steps": lag} if self.chrono else {}
        return [self.layer(units, return_sequences=True, **self.options, **chrono) for _ in range(self.layers)]


def _rnn(activation: str, initializer: Any, **options: Any) -> dict[str, Any]:
    return {"activation": activation, "recurrent_initializer": initializer, **options}


# Le, Jaitly and Hinton 2015, section 4: the identity, and small weights for the inputs.
IRNN = _rnn("relu", "identity", kernel_initializer=keras.initializers.RandomNormal(stddev=0.001))
CURES = {
    "tanh-glorot": Cure(SimpleRNN, _rnn("tanh", "glorot_uniform")),
    "tanh-he": Cure(SimpleRNN, _rnn("tanh", "he_normal")),
    "tanh-orthogonal": Cure(SimpleRNN, _rnn("tanh", "orthogonal")),
    "tanh-orthogonal-unclipped": Cure(SimpleRNN, _rnn("tanh", "orthogonal"), clip=False),
    "tanh-identity": Cure(SimpleRNN, _rnn("tanh", "identity")),
    "tanh-layer-norm": Cure(SimpleRNN, _rnn("tanh", "orthogonal", layer_norm=True)),
    "tanh-3-layers": Cure(SimpleRNN, _rnn("tanh", "orthogonal"), layers=3),
    "tanh-3-layers-residual": Cure(SimpleRNN, _rnn("tanh", "orthogonal", residual=True), layers=3),
    "relu-he": Cure(SimpleRNN, _rnn("relu", "he_normal")),
    "relu-orthogonal": Cure(SimpleRNN, _rnn("relu", "orthogonal")),
    "relu-identity": Cure(SimpleRNN, _rnn("relu", "identity")),
    "relu-identity-small": Cure(SimpleRNN, IRNN),
    "relu-identity-small-unclipped": Cure(SimpleRNN, IRNN, clip=False),
    "leaky-relu-orthogonal": Cure(SimpleRNN, _rnn("leaky_relu", "orthogonal")),
    "leaky-relu-identity": Cure(SimpleRNN, _rnn("leaky_relu", "identity")),
    "gru": Cure(GRU, {}),
    "lstm": Cure(PeepholeLSTM, {"peephole": False}),
    "lstm-chrono": Cure(PeepholeLSTM, {"peephole": False}, chrono=True),
    "peephole": Cure(PeepholeLSTM, {}),
    "peephole-chrono": Cure(PeepholeLSTM, {}, chrono=True),
    "peephole-chrono-unclipped": Cure(PeepholeLSTM, {}, chrono=True, clip=False),
}


@dataclass(frozen=True)
class Problem:
    """A problem: `draw(random, count, lag)` gives inputs and targets; `solved` is a share of the baseline."""

    draw: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
    baseline: Callable[[int], float]
    solved: float
    loss: Any
    head: Callable[[int], list[keras.layers.Layer]]
    units: int
    learning_rate: float
    lags: tuple[int, ...]
    steps: int


def draw_copy(random: np.random.Generator, count: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """The copy-memory problem with its symbols as unit vectors."""
    symbols, targets = copy_problem(random, count, lag)
    return np.eye(COPY_CLASSES, dtype="float32")[symbols], targets


PROBLEMS = {
    "adding": Problem(
        draw=adding_problem,
        baseline=lambda lag: ADDING_BASELINE,
        solved=0.01 / ADDING_BASELINE,
        loss="mse",
        head=lambda steps: [keras.layers.Cropping1D((steps - 1, 0)), keras.layers.Flatten(), keras.layers.Dense(1)],
        units=64,
        learning_rate=0.002,
        lags=(100, 200, 400),
        steps=3000,
    ),
    "copy": Problem(
        draw=draw_copy,
        baseline=copy_baseline,
        solved=0.1,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        head=lambda steps: [keras.layers.Dense(COPY_CLASSES)],
        units=128,
        learning_rate=0.005,
        lags=(20, 60),
        steps=4000,
    ),
}


@dataclass(frozen=True)
class Run:
    """The end of a run: its loss as a share of the baseline, and the share of steps whose gradient was clipped."""

    solved: bool
    share: float
    steps: int
    seconds: float
    clipped: float


class StopAt(keras.callbacks.Callback):
    """Stops when the test loss is below a level, or is not finite."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = level

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Computes the test loss every 100 steps."""
        loss = (logs or {})["val_loss"]
        self.model.stop_training = loss < self.level or not math.isfinite(loss)


def run(problem: Problem, cure: Cure, lag: int, steps: int, seed: int) -> Run:
    """Trains until the lag is solved or the steps are used up."""
    keras.utils.set_random_seed(seed)
    tests = problem.draw(np.random.default_rng(10_000 + seed), TEST_SEQUENCES, lag)
    model = build(problem, cure, lag, tests[0].shape[1:])
    baseline = problem.baseline(lag)
    clipping = [GradientClipping("global_norm", CLIP_NORM)] if cure.clip else []
    start = time.perf_counter()
    history = model.fit(
        batches(problem, lag, seed, tests),
        steps_per_epoch=STEPS_BETWEEN_TESTS,
        shuffle=False,
        epochs=steps // STEPS_BETWEEN_TESTS,
        validation_data=tests,
        validation_batch_size=BATCH,
        callbacks=[*clipping, StopAt(problem.solved * baseline)],
        verbose=0,
    ).history
    share = history["val_loss"][-1] / baseline
    return Run(
        solved=share < problem.solved,
        share=share if math.isfinite(share) else math.inf,
        steps=STEPS_BETWEEN_TESTS * len(history["val_loss"]),
        seconds=time.perf_counter() - start,
        clipped=statistics.fmean(history.get("grad_clipped", [0.0])),
    )


def build(problem: Problem, cure: Cure, lag: int, shape: tuple[int, ...]) -> keras.Model:
    """The compiled model; XLA is used if the recurrent layers allow it."""
    layers = cure.build(problem.units, lag)
    model = keras.Sequential([keras.Input(shape, batch_size=BATCH), *layers, *problem.head(shape[0])])
    optimizer = keras.optimizers.Adam(problem.learning_rate)
    model.compile(optimizer, problem.loss, jit_compile=all(layer.supports_jit for layer in layers))
    return model


def batches(problem: Problem, lag: int, seed: int, like: tuple[np.ndarray, np.ndarray]) -> tf.data.Dataset:
    """An endless stream of new batches."""
    random = np.random.default_rng(seed)

    def drawn() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            yield problem.draw(random, BATCH, lag)

    signature = tuple(tf.TensorSpec((BATCH, *array.shape[1:]), array.dtype) for array in like)
    return tf.data.Dataset.from_generator(drawn, output_signature=signature).prefetch(2)


def line(name: str, lag: int, cure: str, seed: int, result: Run) -> str:
    """The line that is printed at the end of a run."""
    verdict = "solved" if result.solved else "failed"
    return (
        f"{name} {lag:4d}  {cure:30s} seed {seed}  {verdict}  {result.steps:5d} steps {result.seconds:6.0f} s"
        f"  loss {percent(result.share):>8s}, {result.clipped:4.0%} of the steps clipped"
    )


def percent(share: float) -> str:
    """The text of a loss; of one that has exploded the size means nothing."""
    return f"{share:.0%}" if share < 10 else "exploded"


def cell(results: list[Run]) -> str:
    """The cell of one cure at one lag: how many seeds solved it, and medians over them."""
    solved = [result for result in results if result.solved]
    if not solved:
        said = f"fails ({percent(statistics.median(result.share for result in results))})"
    else:
        steps = statistics.median(result.steps for result in solved)
        said = f"{steps:.0f} ({statistics.median(result.seconds for result in solved):.0f} s)"
    return said if len(results) == 1 else f"{len(solved)}/{len(results)}: {said}"


def main() -> None:
    """Prints lines and tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problem", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--lags", type=int, nargs="+", help="by default those of the problem")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="CURE", help="names or patterns of cures")
    parser.add_argument("--steps", type=int, help="at most; by default those of the problem")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    for pattern in options.only:
        if not fnmatch.filter(CURES, pattern):
            parser.error(f"expected --only to name cures of {', '.join(CURES)}, found {pattern}")
    cures = [name for name in CURES if any(fnmatch.fnmatch(name, pattern) for pattern in options.only)]
    for name in options.problem:
        problem = PROBLEMS[name]
        lags, steps = options.lags or problem.lags, options.steps or problem.steps
        results: dict[tuple[str, int], list[Run]] = {}
        for cure, lag, seed in itertools.product(cures, lags, range(options.seeds)):
            result = run(problem, CURES[cure], lag, steps, seed)
            results.setdefault((cure, lag), []).append(result)
            print(line(name, lag, cure, seed, result), flush=True)
            keras.backend.clear_session()
        rows = [[cure, *[cell(results[cure, lag]) for lag in lags]] for cure in cures]
        table = (markdown_table if options.markdown else text_table)([name, *map(str, lags)], rows)
        print(f"\n{table}\n", flush=True)


if __name__ == "__main__":
    main()
