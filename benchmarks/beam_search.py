"""The cost of beam search: `python -m benchmarks.beam_search`.

It prints the median time of a step of greedy search and of beams of 5 and 10, and the ratios to greedy: for a decoder
of one GRU with additive attention, and for a step function that does next to nothing, to show what the search itself
costs. All run in turns in one process, as graphs whose batch and steps are dynamic. Nothing ends early.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.tables import text_table
from seqtag.ops.attention import additive_scores, attention_weights
from seqtag.ops.beam import beam_search
from seqtag.ops.recurrence import GRUWeights, RNNState, gru_step
from seqtag.ops.step_functions import Step

WIDTHS = (1, 5, 10)
START, END = 1, 0


def weights(*shape: int) -> tf.Tensor:
    """A random matrix that keeps the size of what it is multiplied with."""
    return tf.random.stateless_normal(shape, (0, len(shape))) / shape[0] ** 0.5


def bare(vocabulary: int) -> Callable[[int, int], tuple[Step, tf.Tensor]]:
    """A step function that looks the log-probabilities up, and nothing else."""
    table = tf.nn.log_softmax(weights(vocabulary, vocabulary) - 99 * tf.one_hot(END, vocabulary))
    return lambda batch, width: (lambda symbols, state: (tf.gather(table, symbols), state), tf.zeros((batch, 1)))


def decoder(vocabulary: int, units: int, source: int) -> Callable[[int, int], tuple[Step, tf.Tensor]]:
    """A GRU that reads the last symbol and the last context, and attends to a source."""
    embedding = weights(vocabulary, units)
    kernel, recurrent = weights(2 * units, 3 * units), GRUWeights(weights(units, 3 * units), tf.zeros(3 * units))
    query_kernel, vector = weights(units, units), weights(units, 1)[:, 0]
    combine, project = weights(2 * units, units), weights(units, vocabulary)

    def of_batch(batch: int, width: int) -> tuple[Step, tf.Tensor]:
        memory = tf.random.stateless_normal((batch, source, units), (1, 2))
        keys = memory @ query_kernel

        def step(symbols: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            hidden, context = state
            inputs = tf.concat([tf.gather(embedding, symbols), context], axis=-1) @ kernel
            hidden, _ = gru_step(inputs, RNNState(hidden), recurrent)
            # The beams of a row are queries to one memory, which is not repeated.
            queries = tf.reshape(hidden @ query_kernel, (batch, width, units))
            context = attention_weights(additive_scores(queries, keys, vector)) @ memory
            context = tf.reshape(context, (batch * width, units))
            output = tf.tanh(tf.concat([hidden, context], axis=-1) @ combine)
            logits = output @ project - 99 * tf.one_hot(END, vocabulary)
            return tf.nn.log_softmax(logits), (hidden, context)

        return step, (tf.zeros((batch, units)), tf.zeros((batch, units)))

    return of_batch


def measure(of_batch: Callable, batch: int, steps: int, repeats: int, alpha: float) -> dict[int, float]:
    """The median seconds of a step for each width."""

    def search(width: int) -> Callable:
        @tf.function(autograph=False, input_signature=[tf.TensorSpec((), "int32"), tf.TensorSpec((), "int32")])
        def run(batch: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
            step, state = of_batch(batch, width)
            found = beam_search(step, state, batch=batch, start=START, end=END, width=width, steps=steps, alpha=alpha)
            return found.symbols

        return run

    searches = {width: search(width) for width in WIDTHS}
    seconds: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for run in searches.values():
        run(batch, 2)
    for _ in range(repeats):
        for width, run in searches.items():
            started = time.perf_counter()
            run(batch, steps)
            seconds[width].append((time.perf_counter() - started) / steps)
    return {width: statistics.median(times) for width, times in seconds.items()}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--source", type=int, default=30, help="steps of the source")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--alpha", type=float, default=0.6, help="length normalisation")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--vocabularies", type=int, nargs="+", default=[50, 2000])
    options = parser.parse_args()
    rows = []
    for vocabulary in options.vocabularies:
        steps = {"bare": bare(vocabulary), "decoder": decoder(vocabulary, options.units, options.source)}
        for batch in options.batches:
            for name, of_batch in steps.items():
                medians = measure(of_batch, batch, options.steps, options.repeats, options.alpha)
                times = [f"{1e3 * seconds:.2f}" for seconds in medians.values()]
                ratios = [f"{seconds / medians[1]:.1f}" for width, seconds in medians.items() if width > 1]
                rows.append([f"{vocabulary:,} symbols, batch {batch}, {name}", *times, *ratios])
    header = ["", "greedy, ms a step", "beam 5", "beam 10", "5 / greedy", "10 / greedy"]
    print(text_table(header, rows))


if __name__ == "__main__":
    main()
