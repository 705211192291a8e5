"""Truncated backpropagation through time."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.callbacks.update_hook import inner_optimizer
from seqtag.errors import RunError
from seqtag.training.carried_state import CarriedState, CarriedTensors
from seqtag.training.chunks import Sequences, Window, WindowShape, counts, plan_chunks
from seqtag.training.stream_progress import StreamProgress

UPDATES_BETWEEN_CHECKS = 100


class TruncatedBPTT:
    """Fits a recurrent model on long sequences, each gradient going back a bounded number of steps.

    The model runs forward `k1` steps; the gradient of the loss of these steps, taken over the last `k2` steps, updates
    the weights; the state goes on, without its past, to the next `k1` steps (Williams and Peng 1990, there BPTT(h; h')
    with h = k2 and h' = k1; Sutskever 2013, section 2.8.6). So the loss at step t of an update at step T is
    differentiated as if the state at T - k2 were a constant:

        dL_t/dW ≈ sum over k from T - k2 + 1 to t of dL_t/dh_t · dh_t/dh_k · ∂h_k/∂W   for T - k1 < t <= T

    Memory and time of an update grow with `k2`, not with the length of the sequence, which may be a `numpy.memmap`.

    - `k1 = k2` cuts the sequence into pieces. With both the length of the sequence, it is full backpropagation.
    - `k2 > k1` sends every error back at least `k2 - k1 + 1` steps. The last `k2` steps are run again with the weights
      as they are then, so that the gradient is exact for them; each target counts in one update.
    - `k2 < k1` counts the targets of the last `k2` of every `k1` steps, and carries the state alone over the others.

    Any Keras model that gives an output for every step will do, if its recurrent layers run forwards in time: ours,
    stateful or not, or Keras's with `stateful=True` and the number of rows as their batch. The model itself, its
    `stateful` layers' own states included, is untouched but for its weights, also for callbacks that use it meanwhile.
    Moving statistics (batch normalisation) advance, and dropout masks are drawn, with every call of the model: one to
    three in a window where no sequence begins, one a chunk elsewhere.

    Args:
        k1: steps from one update to the next.
        k2: steps that a gradient goes back over; `k1` by default.

    Raises:
        TypeError: `k1` or `k2` is not a whole number.
        ValueError: `k1` or `k2` is below 1.

    Example:
        >>> from seqtag.layers import GRU
        >>> keras.utils.set_random_seed(0)
        >>> x = np.random.default_rng(0).normal(size=(2, 1000, 1))
        >>> y = np.cumsum(x, axis=1) > 0
        >>> layers = [GRU(4, return_sequences=True), keras.layers.Dense(1, activation="sigmoid")]
        >>> model = keras.Sequential([keras.Input((None, 1)), *layers])
        >>> model.compile("adam", "binary_crossentropy")
        >>> history = TruncatedBPTT(k1=20, k2=40).fit(model, x, y, epochs=2)
        >>> history.history["loss"][1] < history.history["loss"][0]
        True
    """

    def __init__(self, k1: int, k2: int | None = None) -> None:
        self.k1 = _whole("k1", k1)
        self.k2 = self.k1 if k2 is None else _whole("k2", k2)

    def fit(
        self,
        model: keras.Model,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        lengths: Sequence[int] | None = None,
        batch_size: int = 32,
        epochs: int = 1,
        shuffle: bool = True,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        verbose: bool = True,
    ) -> keras.callbacks.History:
        """Fits a compiled model; loss, metrics, optimizer, loss scaling and regularisers are those of `compile`.

        Every row of a batch works through one sequence, a chunk of `k1` steps at a time, and takes the next one, with a
        state of zeros, at the first chunk after the end. Where a sequence ends within a chunk, the rest repeats its
        last step and is masked as Keras masks outputs: the loss is the mean over the real targets.

        Args:
            model: a built and compiled model.
            x: inputs: an array `(sequences, time, ...)`, a list of arrays `(time, ...)` of any lengths, or a dict of
                these for a model with several inputs. `parallel_streams` makes several rows of one long sequence.
            y: the same, with a target for every step.
            sample_weight: the same, a number for every step.
            lengths: how many steps each sequence of a padded `x` has, `(sequences,)`; all by default.
            batch_size: rows; no more than there are sequences.
            epochs: passes over all sequences.
            shuffle: whether the sequences come in another order in every epoch.
            seed: decides the order.
            callbacks: as in Keras's `fit`; a batch is an update.
            verbose: whether to show updates a second, loss and time left on standard error, where that is a terminal.

        Returns:
            The `History`: `loss` (mean over the targets) and the metrics of each epoch.

        Raises:
            TypeError: if the model is no Keras model, or its optimizer not a Keras one.
            ValueError: if the model is not built, not compiled, without trainable weights or recurrent layers, with a
                recurrent layer that cannot carry its state on, or with an output that is not one a step; if `x`, `y`,
                `sample_weight` and `lengths` do not fit one another, or `k1` or `k2` is beyond the longest sequence.
            RunError: if the loss is no longer finite.
        """
        data = Sequences.of(x, y, sample_weight, lengths)
        self._check_lengths(data.lengths)
        rows = min(_whole("batch_size", batch_size), len(data.lengths))
        update = WindowUpdate(model, WindowShape(self.k1, self.k2), rows)
        progress = [StreamProgress()] if verbose else []
        callback_list = keras.callbacks.CallbackList(
            [*(callbacks or []), *progress],
            add_history=True,
            model=model,
            verbose=0,
            epochs=epochs,
            steps=update.count(data.lengths, _order(len(data.lengths), shuffle, seed, 0)),
        )
        model.stop_training = False
        # Callbacks may change the optimizer here; the update is traced after that.
        callback_list.on_train_begin()
        logs: dict[str, float] = {}
        try:
            for epoch in range(epochs):
                callback_list.on_epoch_begin(epoch)
                logs = update.run_epoch(data, _order(len(data.lengths), shuffle, seed, epoch), callback_list)
                callback_list.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
        finally:
            for callback in progress:
                callback.close()
        model.optimizer.finalize_variable_values(model.trainable_variables)
        callback_list.on_train_end(logs)
        return model.history

    def _check_lengths(self, lengths: np.ndarray) -> None:
        for name, steps in (("k1", self.k1), ("k2", self.k2)):
            if steps > lengths.max():
                raise ValueError(
                    f"expected {name} to be at most the {lengths.max()} steps of the longest sequence, found {steps}"
                )


class WindowUpdate:
    """One update of a model's weights from one window, and the passes that consist of them.

    Args:
        model: a built and compiled model.
        shape: what an update sees.
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
        # Variables that the first trace makes would have it traced twice.
        model.optimizer.build(model.trainable_variables)
        self.step: Callable[..., tuple[dict[str, tf.Tensor], tf.Tensor]] = self._step
        if not model.run_eagerly:
            self.step = tf.function(self._step, jit_compile=bool(model.jit_compile), autograph=False)

    def count(self, lengths: np.ndarray, order: np.ndarray) -> int:
        """How many updates a pass in this order has."""
        return sum(counts(chunk, self.shape) for chunk in self._plan(lengths, order))

    def run_epoch(
        self, data: Sequences, order: np.ndarray, callbacks: keras.callbacks.CallbackList
    ) -> dict[str, float]:
        """One pass over all sequences.

        Raises:
            RunError: if the loss is no longer finite.
        """
        self.model.reset_metrics()
        self.carried.reset()
        number, loss = 0, None
        for number, window in enumerate(data.windows(self._plan(data.lengths, order), self.shape)):
            callbacks.on_train_batch_begin(number)
            # A chunk in the middle of the window that begins a sequence is where its state must be cut.
            cuts = self.shape.cuts(at_chunks=bool(window.fresh[2:].any()))
            logs, loss = self.step(*keras.tree.map_structure(_as_tensor, tuple(window), none_is_leaf=False), cuts)
            if number % UPDATES_BETWEEN_CHECKS == 0:
                _check_finite(loss, number)
            callbacks.on_train_batch_end(number, logs)
            if self.model.stop_training:
                break
        _check_finite(loss, number)
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def _plan(self, lengths: np.ndarray, order: np.ndarray) -> Any:
        return plan_chunks(lengths, self.rows, self.shape.k1, order)

    def _step(
        self, x: Any, y: Any, sample_weight: Any, real: tf.Tensor, fresh: tf.Tensor, cuts: tuple[int, ...]
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
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
                outputs = keras.tree.map_structure(lambda output: self._counted(output, real), outputs)
                loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=sample_weight)
                scaled = model.optimizer.scale_loss(loss)
            states.check_calls(len(cuts) - 1)
        gradients = tape.gradient(scaled, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        self.carried.assign(next_state)
        targets = tf.reduce_sum(tf.cast(real, tf.float32))
        next(metric for metric in model.metrics if metric.name == "loss").update_state(loss, sample_weight=targets)
        return model.compute_metrics(x=x, y=y, y_pred=outputs, sample_weight=sample_weight), loss

    def _call(self, states: CarriedTensors, window: Window, start: int, end: int) -> Any:
        """The model's outputs for these steps of a window, from the states on."""
        if start % self.shape.k1 == 0:
            states.reset(window.fresh[start // self.shape.k1])
        outputs = self.model(keras.tree.map_structure(lambda inputs: inputs[:, start:end], window.x), training=True)
        for output in keras.tree.flatten(outputs):
            if len(output.shape) < 2 or output.shape[1] != end - start:
                raise ValueError(
                    f"expected an output for every step, (batch, {end - start}, ...), found {tuple(output.shape)}; "
                    "is return_sequences=True?"
                )
        return outputs

    def _counted(self, output: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
        """The steps of an output that count, with a mask of those that are real, as losses and metrics read it."""
        mask = getattr(output, "_keras_mask", None)
        output = output[:, -self.shape.loss_steps :]
        output._keras_mask = real if mask is None else real & mask[:, -self.shape.loss_steps :]
        return output


def _whole(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"expected {name} to be a whole number, found {value!r}") from None
    if number < 1:
        raise ValueError(f"expected {name} to be at least 1, found {number}")
    return number


def _check_compiled(model: keras.Model) -> None:
    if not model.compiled:
        raise ValueError("expected a compiled model, found one without optimizer and loss")
    inner_optimizer(model.optimizer)
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas > 1:
        raise ValueError(f"expected a model on one device, found a strategy of {replicas} replicas")


def _check_finite(loss: tf.Tensor, number: int) -> None:
    value = float(loss)
    if not math.isfinite(value):
        raise RunError(f"expected a finite loss, found {value} in update {number + 1} of the epoch")


def _order(count: int, shuffle: bool, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count) if shuffle else np.arange(count)


def _as_tensor(value: np.ndarray) -> tf.Tensor:
    floating = np.issubdtype(value.dtype, np.floating)
    return tf.convert_to_tensor(value, keras.config.floatx() if floating else None)
