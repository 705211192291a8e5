"""Training on the measure itself: the expected cost of answers that the network draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqtag.data.text.symbols import END
from seqtag.ops.beam import beam_search
from seqtag.ops.sampling import sample
from seqtag.ops.step_functions import repeat_rows
from seqtag.seq2seq.length_bound import LengthBound
from seqtag.seq2seq.network.network import Seq2SeqNetwork, target_mask

Batch = Mapping[str, tf.Tensor]


class Risk(NamedTuple):
    """What the loss is made of; rows are candidates, those of one source side by side.

    Attributes:
        log_probabilities: of the candidates, with gradients `(batch, candidates)`.
        costs: of the candidates `(batch, candidates)`.
        baseline: the cost of the greedy answer `(batch,)`; zeros where it is not read.
        distinct: True for the first of equal candidates `(batch, candidates)`.
    """

    log_probabilities: tf.Tensor
    costs: tf.Tensor
    baseline: tf.Tensor
    distinct: tf.Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class RiskTraining(keras.Model):
    """A network whose loss is the cost of its own answers.

    Candidates y_1, ..., y_K are drawn from the network. `"minimum_risk"` (Shen et al. 2016, section 3.2) minimises
    their expected cost, the target being a candidate too:

        Σ_k q_k cost(y_k),    q_k = p(y_k)^α / Σ_j p(y_j)^α    over distinct candidates.

    `"self_critical"` (Rennie et al. 2017, section 3) makes candidates likelier that cost less than the greedy answer ŷ:

        1/K Σ_k (cost(y_k) - cost(ŷ)) log p(y_k),    whose gradient is that of REINFORCE.

    The cost is the token error rate of a candidate, its edit distance to the target over the target's length, or 1
    unless it is the target (`"mismatch"`).

    Args:
        network: a fitted network; its weights are trained.
        objective: `"minimum_risk"` or `"self_critical"`.
        cost: `"error_rate"` or `"mismatch"`.
        candidates: K.
        sharpness: α.
        bound: how long a candidate may be.
    """

    def __init__(
        self, network: Seq2SeqNetwork, objective: str, cost: str, candidates: int, sharpness: float, bound: LengthBound
    ) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.cost = cost
        self.candidates = candidates
        self.sharpness = sharpness
        self.bound = bound
        self.seed = keras.random.SeedGenerator()
        self.built = True

    def call(self, batch: Batch, training: bool = False) -> Risk:
        """Draws candidates, and computes their costs and their probabilities."""
        drawn, lengths, greedy, greedy_lengths = self._drawn(batch)
        if self.objective == "minimum_risk":
            drawn, lengths = _with_targets(drawn, lengths, batch)
        count = tf.shape(drawn)[0] // tf.shape(batch["target"])[0]
        rows = {name: tf.repeat(value, count, axis=0) for name, value in batch.items()}
        costs = self._costs(drawn, lengths, rows)
        baseline = self._costs(greedy, greedy_lengths, batch)
        scored = {**rows, "target": drawn, "target_lengths": lengths}
        likelihood = self.network(scored, training=training)
        sums = tf.reduce_sum(tf.where(target_mask(scored), likelihood.log_probabilities, 0.0), axis=1)
        by_source = [-1, count]
        return Risk(tf.reshape(sums, by_source), tf.reshape(costs, by_source), baseline, _distinct(drawn, count))

    def _drawn(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Candidates and greedy answers `(rows, steps)`, with the lengths of both, ends counted."""
        encoded, memory, state = self.network.begin(batch)
        rows = tf.shape(batch["source_lengths"])[0]

        def step(symbols: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
            return self.network.step(symbols, state, encoded, memory, batch.get("copied"))

        steps = self.bound.of(batch["source_lengths"]) + 1
        of_candidates = tf.repeat(steps, self.candidates)
        limits: dict[str, Any] = {"start": END, "end": END}
        samples = sample(
            step,
            repeat_rows(state, self.candidates),
            batch=rows * self.candidates,
            steps=of_candidates,
            seed=self.seed,
            **limits,
        )
        beams = beam_search(step, state, batch=rows, width=1, steps=steps, **limits)
        # One that was cut has no end.
        lengths = tf.minimum(samples.lengths + 1, of_candidates)
        greedy_lengths = tf.minimum(beams.lengths[:, 0] + 1, steps)
        found = (samples.symbols, lengths, beams.symbols[:, 0], greedy_lengths)
        return tuple(map(tf.stop_gradient, found))

    def _costs(self, symbols: tf.Tensor, lengths: tf.Tensor, batch: Batch) -> tf.Tensor:
        """The cost of each row against the target of its row."""
        distances = tf.edit_distance(
            _sparse(symbols, lengths), _sparse(batch["target"], batch["target_lengths"]), normalize=False
        )
        if self.cost == "mismatch":
            return tf.cast(distances > 0, tf.float32)
        return distances / tf.maximum(tf.cast(batch["target_lengths"] - 1, tf.float32), 1.0)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> tf.Tensor:
        """The mean over the sources of the expected cost, or of the loss whose gradient is REINFORCE's."""
        if self.objective == "minimum_risk":
            scores = tf.where(y_pred.distinct, self.sharpness * y_pred.log_probabilities, -float("inf"))
            return tf.reduce_mean(tf.reduce_sum(tf.nn.softmax(scores, axis=1) * y_pred.costs, axis=1))
        advantages = y_pred.costs - y_pred.baseline[:, None]
        return tf.reduce_mean(advantages * y_pred.log_probabilities)


def _with_targets(drawn: tf.Tensor, lengths: tf.Tensor, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    """Candidates with the target of each source before them."""
    sources = tf.shape(batch["target"])[0]
    width = tf.maximum(tf.shape(drawn)[1], tf.shape(batch["target"])[1])
    by_source = tf.reshape(_wide(drawn, width), [sources, -1, width])
    joined = tf.concat([_wide(batch["target"], width)[:, None], by_source], axis=1)
    all_lengths = tf.concat([batch["target_lengths"][:, None], tf.reshape(lengths, [sources, -1])], axis=1)
    return tf.reshape(joined, [-1, width]), tf.reshape(all_lengths, [-1])


def _wide(symbols: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    return tf.pad(symbols, [[0, 0], [0, width - tf.shape(symbols)[1]]], constant_values=END)


def _distinct(drawn: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """True for the first of equal candidates of a source, `(batch, candidates)`."""
    by_source = tf.reshape(drawn, [-1, count, tf.shape(drawn)[1]])
    same = tf.reduce_all(by_source[:, :, None] == by_source[:, None], axis=-1)
    return tf.argmax(tf.cast(same, tf.int32), axis=-1, output_type=tf.int32) == tf.range(count)


def _sparse(symbols: tf.Tensor, lengths: tf.Tensor) -> tf.SparseTensor:
    """Rows without their ends."""
    real = tf.sequence_mask(lengths - 1, tf.shape(symbols)[1])
    # The distance reads the width of both: it is to be the same.
    return tf.RaggedTensor.from_tensor(symbols, tf.reduce_sum(tf.cast(real, tf.int32), axis=1)).to_sparse()
