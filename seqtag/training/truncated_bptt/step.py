"""The update of a model's weights from one unroll, the score of one unroll, and passes over all unrolls."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.callbacks.update_hook import inner_optimizer, run_training_step
from seqtag.errors import RunError
from seqtag.keras_internals import keras_mask, set_keras_mask
from seqtag.training.truncated_bptt.carried_state import CarriedState, CarriedTensors
from seqtag.training.truncated_bptt.chunks import Chunk, Sequences, Unroll, UnrollShape, counts, plan_chunks
from seqtag.training.truncated_bptt.step_wise import check_step_wise

UPDATES_BETWEEN_CHECKS = 100

Logs = dict[str, tf.Tensor]


class UnrollStep:
    """Runs each unroll of a pass in one graph, and carries the state from one unroll to the next.

    Args:
        model: a built and compiled model.
        shape: the shape of an unroll.
        rows: the number of sequences side by side.

    Raises:
        TypeError, ValueError: see `TruncatedBPTT.fit`.
    """

    def __init__(self, model: keras.Model, shape: UnrollShape, rows: int) -> None:
        self.carried = CarriedState(model, rows)
        _check_compiled(model)
        self.model = model
        self.shape = shape
        self.rows = rows
        self.graph: Callable[..., tuple[Logs, tf.Tensor]] = self.step
        if not model.run_eagerly:
            self.graph = tf.function(self.step, jit_compile=bool(model.jit_compile), autograph=False)

    def check_step_wise(self, data: Sequences) -> None:
        """Raises an error if the model looks across steps that chunks of these sequences cut apart.

        Raises:
            ValueError: it does; the message names the layer.
        """
        steps = min(2 * self.shape.k1, data.lengths.max())
        # Where a model gives its number of steps, it can be run on no other.
        for tensor in keras.tree.flatten(getattr(self.model, "inputs", None) or ()):
            steps = tensor.shape[1] or steps
        if steps > 1 and (data.lengths != self.shape.k1).any():
            check_step_wise(self.model, data.beginnings(self.rows, steps), self.carried.layers.values())

    def count(self, lengths: np.ndarray, order: np.ndarray) -> int:
        """The number of unrolls of a pass in this order."""
        return sum(counts(chunk, self.shape) for chunk in self._plan(lengths, order))

    def run(self, data: Sequences, order: np.ndarray) -> Iterator[tuple[Logs, tf.Tensor]]:
        """One pass over all sequences: after each unroll the metrics so far, and the unroll's loss."""
        self.model.reset_metrics()
        for unroll in data.unrolls(self._plan(data.lengths, order), self.shape):
            # If a sequence starts within the unroll, its row is reset there, between two calls.
            cuts = self.shape.cuts(at_chunks=bool(unroll.fresh[2:].any()))
            yield self.graph(*keras.tree.map_structure(_as_tensor, tuple(unroll), none_is_leaf=False), cuts)

    def results(self) -> dict[str, float]:
        """The loss and the metrics of the pass."""
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def step(
        self, x: Any, y: Any, sample_weight: Any, real: tf.Tensor, fresh: tf.Tensor, cuts: tuple[int, ...]
    ) -> tuple[Logs, tf.Tensor]:
        """Runs the unroll of these fields; a call of the model goes from each of `cuts` to the next."""
        raise NotImplementedError

    def _plan(self, lengths: np.ndarray, order: np.ndarray) -> Iterator[Chunk]:
        return plan_chunks(lengths, self.rows, self.shape.k1, order)

    def _call(self, states: CarriedTensors, unroll: Unroll, start: int, end: int, training: bool = True) -> Any:
        """The model's outputs for these steps of an unroll; they go on from `states`."""
        if start % self.shape.k1 == 0:
            states.reset(unroll.fresh[start // self.shape.k1])
        inputs = keras.tree.map_structure(lambda inputs: inputs[:, start:end], unroll.x)
        outputs = self.model(inputs, training=training)
        for output in keras.tree.flatten(outputs):
            if len(output.shape) < 2 or output.shape[1] != end - start:
                raise ValueError(
                    f"expected an output for every step, (batch, {end - start}, ...), found {tuple(output.shape)}; "
                    "is return_sequences=True?"
                )
        return outputs

    def _loss(self, unroll: Unroll, outputs: Any) -> tuple[Any, tf.Tensor]:
        """The outputs that count, with a mask of the real ones for losses and metrics; and the loss."""

        def counted(output: tf.Tensor) -> tf.Tensor:
            mask = keras_mask(output)
            output = output[:, -self.shape.loss_steps :]
            real = unroll.real if mask is None else unroll.real & mask[:, -self.shape.loss_steps :]
            set_keras_mask(output, real)
            return output

        outputs = keras.tree.map_structure(counted, outputs)
        weight = unroll.sample_weight
        return outputs, self.model.compute_loss(x=unroll.x, y=unroll.y, y_pred=outputs, sample_weight=weight)

    def _logs(self, unroll: Unroll, outputs: Any, loss: tf.Tensor) -> Logs:
        """Adds an unroll to the metrics, which are means over the real targets."""
        targets = tf.reduce_sum(tf.cast(unroll.real, tf.float32))
        next(metric for metric in self.model.metrics if metric.name == "loss").update_state(loss, targets)
        weight = unroll.sample_weight
        return self.model.compute_metrics(x=unroll.x, y=unroll.y, y_pred=outputs, sample_weight=weight)


class UnrollUpdate(UnrollStep):
    """One update of the weights from each unroll; see `UnrollStep`."""

    def __init__(self, model: keras.Model, shape: UnrollShape, rows: int) -> None:
        super().__init__(model, shape, rows)
        # If the first trace created the optimizer's variables, a second trace would be needed.
        model.optimizer.build(model.trainable_variables)

    def run_epoch(
        self, data: Sequences, order: np.ndarray, callbacks: keras.callbacks.CallbackList
    ) -> dict[str, float]:
        """One pass over all sequences, and its loss and metrics.

        Raises:
            RunError: the loss is not finite in two updates in a row.
        """
        unrolls = self.run(data, order)
        losses: deque[tf.Tensor] = deque(maxlen=2)
        for number in range(self.count(data.lengths, order)):
            callbacks.on_train_batch_begin(number)
            logs, loss = next(unrolls)
            losses.append(loss)
            if (number + 1) % UPDATES_BETWEEN_CHECKS == 0:
                _check_finite(losses, number)
            callbacks.on_train_batch_end(number, logs)
            if self.model.stop_training:
                break
        _check_finite(losses, number)
        return self.results()

    def step(
        self, x: Any, y: Any, sample_weight: Any, real: tf.Tensor, fresh: tf.Tensor, cuts: tuple[int, ...]
    ) -> tuple[Logs, tf.Tensor]:
        """Runs an unroll, updates the weights, and carries the state one chunk further."""
        unroll = Unroll(x, y, sample_weight, real, fresh)
        return run_training_step(self.model, partial(self._update, unroll, cuts))

    def _update(self, unroll: Unroll, cuts: tuple[int, ...]) -> tuple[Logs, tf.Tensor]:
        model = self.model
        calls = list(pairwise(cuts))
        with self.carried.in_layers() as states:
            if self.shape.lead:
                self._call(states, unroll, *calls.pop(0))
            with tf.GradientTape() as tape:
                for start, end in calls:
                    outputs = self._call(states, unroll, start, end)
                    if end == self.shape.k1:
                        next_state = states.values
                outputs, loss = self._loss(unroll, outputs)
                scaled = model.optimizer.scale_loss(loss)
            states.check_calls(len(cuts) - 1)
        gradients = tape.gradient(scaled, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        self.carried.assign(next_state)
        return self._logs(unroll, outputs, loss), loss


class UnrollScore(UnrollStep):
    """The loss and metrics of each unroll of one chunk, without an update; see `UnrollStep`."""

    def run_pass(self, data: Sequences) -> dict[str, float]:
        """One pass over all sequences, and its loss and metrics."""
        for _ in self.run(data, np.arange(len(data.lengths))):
            pass
        return self.results()

    def step(
        self, x: Any, y: Any, sample_weight: Any, real: tf.Tensor, fresh: tf.Tensor, cuts: tuple[int, ...]
    ) -> tuple[Logs, tf.Tensor]:
        """Runs and scores an unroll of one chunk, and keeps its last state."""
        unroll = Unroll(x, y, sample_weight, real, fresh)
        with self.carried.in_layers() as states:
            outputs, loss = self._loss(unroll, self._call(states, unroll, 0, self.shape.k1, training=False))
            states.check_calls(1)
        self.carried.assign(states.values)
        return self._logs(unroll, outputs, loss), loss


def _check_compiled(model: keras.Model) -> None:
    if not model.compiled:
        raise ValueError("expected a compiled model, found one without optimizer and loss")
    inner_optimizer(model.optimizer)
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas > 1:
        raise ValueError(f"expected a model on one device, found a strategy of {replicas} replicas")


def _check_finite(losses: Iterable[tf.Tensor], number: int) -> None:
    """Raises an error if none of the newest losses is finite; a single one may be of a batch that an alarm kept out."""
    values = [float(loss) for loss in losses]
    if not any(map(math.isfinite, values)):
        raise RunError(f"expected a finite loss, found {values[-1]} in update {number + 1} of the epoch")


def _as_tensor(value: np.ndarray) -> tf.Tensor:
    floating = np.issubdtype(value.dtype, np.floating)
    return tf.convert_to_tensor(value, keras.config.floatx() if floating else None)
