"""An alarm for gradients that vanish on the way to the early layers of a model, or to early steps of its sequences."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import tensorflow as tf

from seqtag.callbacks.alarms import Alarm
from seqtag.callbacks.row_gradients import dense_part
from seqtag.callbacks.update_hook import Update, UpdateCallback
from seqtag.diagnostics import gradient_flow
from seqtag.ops.gradients import squared_norm


class VanishingGradients(UpdateCallback):
    """Raises an alarm when early layers, or early steps, get less than `share` of the gradient of late ones.

    Layers: in every `every`-th update, the root mean square of a layer's gradient before clipping is compared with the
    largest of the layers after it. An alarm is raised when the ratio is under `share` in `patience` measurements in a
    row. Of an embedding, the rows of the batch count.

    Steps: with `data`, at the end of every epoch, the norms of dL/dh_t of the recurrent layers are compared (see
    `seqtag.diagnostics.gradient_flow`): the mean over the tenth of the steps that a direction ran first, with the mean
    over the tenth that it ran last.

    An alarm gives a `GradientWarning` that names the layer, and is kept in `alarms`. The same alarm comes again only
    after the ratio was above `share` in between.

    Args:
        share: between 0 and 1.
        action: `"warn"`, or `"stop"`, which also ends the training.
        data: a batch `(x, y)` that the model takes; None compares no steps.
        every: updates from one measurement of the layers to the next.
        patience: the number of measurements in a row for an alarm.

    Raises:
        ValueError: an argument is out of its range; with `data`, the model has no recurrent layers.
    """

    def __init__(
        self,
        share: float = 1e-4,
        action: Literal["warn", "stop"] = "warn",
        *,
        data: tuple[Any, Any] | None = None,
        every: int = 10,
        patience: int = 3,
    ) -> None:
        super().__init__()
        if not 0 < share < 1:
            raise ValueError(f"expected share to be between 0 and 1, found {share}")
        if action not in ("warn", "stop"):
            raise ValueError(f"expected action to be one of warn, stop, found {action!r}")
        for name, value in (("every", every), ("patience", patience)):
            if value < 1:
                raise ValueError(f"expected {name} to be at least 1, found {value}")
        self.share = share
        self.action = action
        self.data = data
        self.every = every
        self.patience = patience
        self.alarms: list[Alarm] = []

    def create_state(self) -> None:
        """For each layer the number of low measurements in a row, and the ratio of the last one."""
        self.layers = list(dict.fromkeys(weight.layer for weight in self.weights))
        self.low = tf.Variable(tf.zeros(len(self.layers), tf.int64), trainable=False)
        self.shares = tf.Variable(tf.ones(len(self.layers)), trainable=False)
        self.last_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.alarms = []
        self.warned: set[str] = set()

    def before_update(self, update: Update) -> None:
        """Measures the layers, if it is time."""
        due = update.step % self.every == 0
        tf.cond(due, lambda: self._measure(update), lambda: None)
        self.last_step.assign(update.step)

    def _measure(self, update: Update) -> None:
        sums = dict.fromkeys(self.layers, tf.constant(0.0))
        sizes = dict.fromkeys(self.layers, tf.constant(0.0))
        for weight, gradient in zip(update.weights, update.gradients, strict=True):
            values = dense_part(gradient)
            sums[weight.layer] += tf.cast(squared_norm(values), tf.float32)
            sizes[weight.layer] += tf.cast(tf.size(values), tf.float32)
        means = [tf.sqrt(sums[layer] / tf.maximum(sizes[layer], 1.0)) for layer in self.layers]
        shares = [tf.constant(1.0)]
        greatest = means[-1]
        for mean in reversed(means[:-1]):
            # If no gradient comes from later layers, none can vanish on its way.
            shares.append(tf.where(greatest > 0, mean / greatest, 1.0))
            greatest = tf.maximum(greatest, mean)
        found = tf.stack(shares[::-1])
        self.low.assign(tf.where(found < self.share, self.low + 1, tf.zeros_like(self.low)))
        self.shares.assign(found)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts counting batches."""
        self.last_check = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Reads the measurements when there may be enough for an alarm."""
        if self.started and batch - self.last_check >= self.every * self.patience:
            self.last_check = batch
            self._check_layers()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reads the measurements, and compares steps if there are data."""
        super().on_epoch_end(epoch, logs)
        self._check_layers()
        if self.data is not None:
            self._check_steps(*self.data)

    def _check_layers(self) -> None:
        low = self.low.numpy() >= self.patience
        shares = self.shares.numpy()
        for layer, is_low, share in zip(self.layers, low, shares, strict=True):
            self._judge(layer, bool(is_low), f"the gradient of {layer} is {share:.1e} of that of later layers")

    def _check_steps(self, x: Any, y: Any) -> None:
        flow = gradient_flow(self.model, x, y)
        for name, norms in flow.norms.items():
            for direction, row in zip(("", " backward"), np.atleast_2d(norms), strict=False):
                # NaN stands for a step that no sequence of the batch has.
                real = row[np.isfinite(row)]
                towards_end = real[::-1] if direction else real
                tenth = max(1, len(real) // 10)
                late = towards_end[-tenth:].mean()
                share = towards_end[:tenth].mean() / late if late > 0 else 1.0
                found = f"the gradient of {name}{direction} at early steps is {share:.1e} of that at late ones"
                self._judge(f"{name}{direction}, steps", share < self.share, found, layer=name)

    def _judge(self, what: str, is_low: bool, found: str, layer: str | None = None) -> None:
        if not is_low:
            self.warned.discard(what)
            return
        if what in self.warned:
            return
        self.warned.add(what)
        step = int(self.last_step.numpy()) + 1
        stops = "; training stops" if self.action == "stop" else ""
        alarm = Alarm(step, (layer or what,), f"update {step}: {found}{stops}")
        self.alarms.append(alarm)
        if self.action == "stop":
            self.model.stop_training = True
        alarm.warn()
