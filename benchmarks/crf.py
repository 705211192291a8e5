"""The cost of the CRF: `python -m benchmarks.crf`.

It compares forward and backward of the negative log-likelihood with the recursion that is differentiated step by step,
and Viterbi with the argmax of a softmax. All run in turns in one process; read the medians and ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import tensorflow as tf
from keras import ops

from seqtag.layers import CRF

SHAPES = [(32, 50, 17), (64, 25, 9), (32, 50, 50)]
REPEATS = 50
LONG = 50_000


def main() -> None:
    """Print a table for each shape, and the time of one long row."""
    for batch, length, tags in SHAPES:
        print(f"batch {batch}, time {length}, tags {tags}")
        medians = measure(candidates(batch, length, tags))
        first = next(iter(medians.values()))
        for name, seconds in medians.items():
            print(f"  {name:<44}{seconds * 1e3:8.2f} ms  {seconds / first:6.2f}")
    decode_long()


def candidates(batch: int, length: int, tags: int) -> dict[str, Callable[[], object]]:
    """The functions to measure; they take no arguments."""
    emissions = tf.random.stateless_normal((batch, length, tags), (0, 1)) * 3
    gold = tf.random.stateless_uniform((batch, length), (1, 2), 0, tags, tf.int32)
    lengths = tf.random.stateless_uniform((batch, 1), (3, 4), length // 2, length + 1, tf.int32)
    mask = tf.range(length)[None] < lengths
    layer = CRF(initializer="random_normal")
    layer(emissions)
    # The first tag has a very low emission, and every other tag follows it alone: sums of products would vanish.
    onward = [[True] * tags] + [[True] + [False] * (tags - 1)] * (tags - 1)
    trapped = CRF(constraints=([True] * tags, onward, [True] * tags), initializer="random_normal")
    trapped(emissions)
    drowned = emissions - 400.0 * tf.one_hot(0, tags)

    def step(loss: Callable[[tf.Tensor], tf.Tensor], scores: tf.Tensor) -> Callable[[], object]:
        @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, tags))])
        def train(scores: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(scores)
                total = tf.reduce_mean(loss(scores))
            return tape.gradient(total, [scores, *(w.value for w in layer.weights)])

        return lambda: train(scores)

    def exact(scores: tf.Tensor) -> tf.Tensor:
        return layer.negative_log_likelihood(scores, gold, mask=mask)

    def in_log_space(scores: tf.Tensor) -> tf.Tensor:
        return trapped.negative_log_likelihood(scores, gold, mask=mask)

    def softmax(scores: tf.Tensor) -> tf.Tensor:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(gold, scores)
        return tf.reduce_sum(tf.where(mask, losses, 0.0), axis=1)

    def stepwise(scores: tf.Tensor) -> tf.Tensor:
        return log_partition_step_by_step(layer, scores, mask)

    decode = tf.function(lambda scores: layer.decode(scores, mask=mask), autograph=False)
    both = tf.function(lambda scores: layer.marginals(scores, mask=mask), autograph=False)
    return {
        "loss, forward and backward": step(exact, emissions),
        "loss where sums are too small for products": step(in_log_space, drowned),
        "log-partition by logsumexp and autodiff": step(stepwise, emissions),
        "softmax, forward and backward": step(softmax, emissions),
        "Viterbi": lambda: decode(emissions),
        "marginals": lambda: both(emissions),
    }


def log_partition_step_by_step(layer: CRF, emissions: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The textbook recursion, as tutorials write it."""

    def step(state: tf.Tensor, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        emission, real = inputs
        sums = ops.logsumexp(state[:, :, None] + layer.transitions, axis=1) + emission
        return tf.where(real[:, None], sums, state)

    rows = tf.transpose(emissions, (1, 0, 2))
    states = tf.scan(step, (rows[1:], tf.transpose(mask)[1:]), initializer=rows[0] + layer.start)
    return ops.logsumexp(states[-1] + layer.end, axis=-1)


def measure(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each function; they run in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(REPEATS):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: median(seconds) for name, seconds in times.items()}


def decode_long() -> None:
    """Decode one row of many tokens."""
    layer = CRF(initializer="random_normal")
    emissions = tf.random.stateless_normal((1, LONG, 17), (0, 1))
    layer(emissions)
    decode = tf.function(layer.decode, autograph=False, reduce_retracing=True)
    decode(emissions[:, :10])
    started = time.perf_counter()
    decode(emissions)
    print(f"Viterbi over one row of {LONG} tokens, 17 tags: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
