"""One update of a model's weights from a window of steps, one score of it, and the passes that consist of them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.callbacks.update_hook import inner_optimizer
from seqtag.errors import RunError
from seqtag.keras_internals import keras_mask, set_keras_mask
from seqtag.training.truncated_bptt.carried_state import CarriedState, CarriedTensors
from seqtag.training.truncated_bptt.chunks import Chunk, Sequences, Window, WindowShape, counts, plan_chunks

UPDATES_BETWEEN_CHECKS = 100

Logs = dict[str, tf.Tensor]


class WindowStep:
    """What is done with each window of a pass, in one graph; the state goes on from window to window.

    Args:
        model: a built and compiled model.
        shape: what a window is.
        rows: sequences side by side.

    Raises:
        TypeError, ValueError: see `TruncatedBPTT.fit`.
    """

    def __init__(self, model: keras.Model, shape: WindowShape, rows: int) -> None:
        self.carried = CarriedState(model, rows)
        _check_compiled(model)
        self.model = model
        self.shape = shape
        self.rows = rows
        self.graph: Callable[..., tuple[Logs, tf.Tensor]] = self.step
        if not model.run_eagerly:
            self.graph = tf.function(self.step, jit_compile=bool(model.jit_compile), autograph=False)

    def count(self, lengths: np.ndarray, order: np.ndarray) -> int:
        """How many windows a pass in this order has."""
        return sum(counts(chunk, self.shape) for chunk in self._plan(lengths, order))

    def run(self, data: Sequences, order: np.ndarray) -> Iterator[tuple[Logs, tf.Tensor]]:
        """One pass over all sequences: the metrics so far and the loss of every window, once that is done."""
        self.model.reset_metrics()
        for window in data.windows(self._plan(data.lengths, order), self.shape):
            # Where a sequence begins within the window, the states must be cut.
            cuts = self.shape.cuts(at_chunks=bool(window.fresh[2:].any()))
            yield self.graph(*keras.tree.map_structure(_as_tensor, tuple(window), none_is_leaf=False), cuts)

    def results(self) -> dict[str, float]:
        """The loss and the metrics of the pass."""
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def step(
        self, x: Any, y: Any, sample_weight: Any, real: tf.Tensor, fresh: tf.Tensor, cuts: tuple[int, ...]
    ) -> tuple[Logs, tf.Tensor]:
        """Works on the window of these fields, calling the model from each of `cuts` to the next."""
        raise NotImplementedError

    def _plan(self, lengths: np.ndarray, order: np.ndarray) -> Iterator[Chunk]:
        return plan_chunks(lengths, self.rows, self.shape.k1, order)

    def _call(self, states: CarriedTensors, window: Window, start: int, end: int, training: bool = True) -> Any:
        """The model's outputs for these steps of a window, from the states on."""
        if start % self.shape.k1 == 0:
            states.reset(window.fresh[start // self.shape.k1])
        inputs = keras.tree.map_structure(lambda inputs: inputs[:, start:end], window.x)
        outputs = self.model(inputs, training=training)
        for output in keras.tree.flatten(outputs):
            if len(output.shape) < 2 or output.shape[1] != end - start:
                raise ValueError(
                    f"expected an output for every step, (batch, {end - start}, ...), found {tuple(output.shape)}; "
                    "is return_sequences=True?"
                )
        return outputs

    def _loss(self, window: Window, outputs: Any) -> tuple[Any, tf.Tensor]:
        """The outputs that count, with a mask of those that are real, as losses and metrics read it; and the loss."""

        def counted(output: tf.Tensor) -> tf.Tensor:
            mask = keras_mask(output)
            output = output[:, -self.shape.loss_steps :]
            real = window.real if mask is None else window.real & mask[:, -self.shape.loss_steps :]
            set_keras_mask(output, real)
            return output

        outputs = keras.tree.map_structure(counted, outputs)
        weight = window.sample_weight
        return outputs, self.model.compute_loss(x=window.x, y=window.y, y_pred=outputs, sample_weight=weight)

    def _logs(self, window: Window, outputs: Any, loss: tf.Tensor) -> Logs:
        """Counts a window into the metrics, which are means over the real targets."""
        targets = tf.reduce_sum(tf.cast(window.real, tf.float32))
        next(metric for metric in self.model.metrics if metric.name == "loss").update_state(loss, targets)
        weight = window.sample_weight
        return self.model.compute_metrics(x=window.x, y=window.y, y_pred=outputs, sample_weight=weight)


class WindowUpdate(WindowStep):
    """One update of the weights from each window; see `WindowStep`."""

    def __init__(self, model: keras.Model, shape: WindowShape, rows: int) -> None:
        super().__init__(model, shape, rows)
        # Variables that the first trace makes would have it traced twice.
        model.optimizer.build(model.trainable_variables)

    def run_epoch(
        self, data: Sequences, order: np.ndarray, callbacks: keras.callbacks.CallbackList
    ) -> dict[str, float]:
        """One pass over all sequences, and its loss and metrics.

        Raises:
            RunError: if the loss is no longer finite.
        """
        windows = self.run(data, order)
        losses: deque[tf.Tensor] = deque(maxlen=2)
        for number in range(self.count(data.lengths, order)):
            callbacks.on_train_batch_begin(number)
            logs, loss = next(windows)
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
        """Runs a window, updates the weights, and moves the carried state one chunk on."""
        model, window = self.model, Window(x, y, sample_weight, real, fresh)
        calls = list(pairwise(cuts))
        with self.carried.in_layers() as states:
            if self.shape.lead:
                self._call(states, window, *calls.pop(0))
            with tf.GradientTape() as tape:
                for start, end in calls:
                    outputs = self._call(states, window, start, end)
                    if end == self.shape.k1:
                        next_state = states.values
                outputs, loss = self._loss(window, outputs)
                scaled = model.optimizer.scale_loss(loss)
            states.check_calls(len(cuts) - 1)
        gradients = tape.gradient(scaled, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        self.carried.assign(next_state)
        return self._logs(window, outputs, loss), loss


class WindowScore(WindowStep):
    """The loss and metrics of each window of one chunk, nothing learnt; see `WindowStep`."""

    def run_pass(self, data: Sequences) -> dict[str, float]:
        """One pass over all sequences, and its loss and metrics."""
        for _ in self.run(data, np.arange(len(data.lengths))):
            pass
        return self.results()

    def step(
        self, x: Any, y: Any, sample_weight: Any, real: tf.Tensor, fresh: tf.Tensor, cuts: tuple[int, ...]
    ) -> tuple[Logs, tf.Tensor]:
        """Runs and scores a window of one chunk, and keeps its last state."""
        window = Window(x, y, sample_weight, real, fresh)
        with self.carried.in_layers() as states:
            outputs, loss = self._loss(window, self._call(states, window, 0, self.shape.k1, training=False))
            states.check_calls(1)
        self.carried.assign(states.values)
        return self._logs(window, outputs, loss), loss


def _check_compiled(model: keras.Model) -> None:
    if not model.compiled:
        raise ValueError("expected a compiled model, found one without optimizer and loss")
    inner_optimizer(model.optimizer)
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas > 1:
        raise ValueError(f"expected a model on one device, found a strategy of {replicas} replicas")


def _check_finite(losses: Iterable[tf.Tensor], number: int) -> None:
    """Raises if none of the newest losses is finite: one alone may be a bad batch that an alarm has kept out."""
    values = [float(loss) for loss in losses]
    if not any(map(math.isfinite, values)):
        raise RunError(f"expected a finite loss, found {values[-1]} in update {number + 1} of the epoch")


def _as_tensor(value: np.ndarray) -> tf.Tensor:
    floating = np.issubdtype(value.dtype, np.floating)
    return tf.convert_to_tensor(value, keras.config.floatx() if floating else None)
