"""An alarm for gradients that are not finite or unusually large, which keeps them from the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar, get_args

import keras
import numpy as np
import tensorflow as tf

from seqtag.callbacks.alarms import Alarm
from seqtag.callbacks.last_good import LastGood
from seqtag.callbacks.norm_history import NormHistory
from seqtag.callbacks.row_gradients import dense_part
from seqtag.callbacks.step_guard import StepGuard
from seqtag.callbacks.update_hook import Update, UpdateCallback, inner_optimizer
from seqtag.keras_internals import learning_rate_variable
from seqtag.layers.introspection import is_built
from seqtag.ops.gradients import norm, percentile

Result = TypeVar("Result")

Action = Literal["warn", "skip", "stop", "recover"]
# There is no alarm about large norms before this many norms are known.
WARM_UP = 20


class ExplodingGradients(UpdateCallback):
    """Raises an alarm when a gradient is not finite, or the global norm is above `factor` times its running median.

    The norm is that before clipping. Each alarm gives a `GradientWarning` that names the layers with the fault, and is
    kept in `alarms`. An update with a value that is not finite is never applied, whatever the action: neither weights
    nor moments change. What the model changes as it runs goes back as well (moving statistics of batch normalisation,
    kept states of recurrent layers), so that the batch leaves no trace and no NaN is ever saved. Only the metrics of
    the epoch tell of it. Of the other updates that raise an alarm,

    - `"warn"` applies all;
    - `"skip"` applies none;
    - `"stop"` applies none and ends the training;
    - `"recover"` applies none, restores the weights and moments of the last good state, and multiplies the learning
      rate by `rate_factor`. That state is copied at the beginning of every epoch and then every `keep_every` batches.

    Updates are judged in the graph, before they are applied. The callback reads the result every `check_every` batches
    and at the end of the epoch; the warning comes then. Under mixed_float16, an overflow that Keras's loss scaling
    finds, and mends by itself, is no alarm. Where gradients are accumulated, a batch whose gradients are not finite
    does not enter the sum; if it is the last one of an update, this update is left out. The median is over the last
    `memory` norms that were finite.

    Args:
        factor: above 1.
        action: what an alarm does.
        memory: the number of norms that the median is over.
        check_every: batches between two readings.
        keep_every: batches between two copies for `"recover"`.
        rate_factor: between 0 and 1.

    Raises:
        ValueError: an argument is out of its range; when training begins, `"recover"` and a learning rate that follows
            a schedule; in the first step, the model has no trainable weights or updates by other optimizers.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4), keras.layers.Dense(1)])
        >>> model.compile("sgd", loss="mse")
        >>> alarm = ExplodingGradients(action="skip")
        >>> fitted = model.fit(tf.ones((8, 5, 3)), tf.ones((8, 1)), verbose=0, callbacks=[alarm])
        >>> alarm.alarms
        []
    """

    def __init__(
        self,
        factor: float = 10.0,
        action: Action = "warn",
        *,
        memory: int = 100,
        check_every: int = 10,
        keep_every: int = 200,
        rate_factor: float = 0.5,
    ) -> None:
        super().__init__()
        if not factor > 1:
            raise ValueError(f"expected factor to be above 1, found {factor}")
        if action not in get_args(Action):
            raise ValueError(f"expected action to be one of {', '.join(get_args(Action))}, found {action!r}")
        if not 0 < rate_factor < 1:
            raise ValueError(f"expected rate_factor to be between 0 and 1, found {rate_factor}")
        if memory < WARM_UP:
            raise ValueError(f"expected memory to be at least {WARM_UP}, found {memory}")
        for name, value in (("check_every", check_every), ("keep_every", keep_every)):
            if value < 1:
                raise ValueError(f"expected {name} to be at least 1, found {value}")
        self.factor = factor
        self.action = action
        self.memory = memory
        self.check_every = check_every
        self.keep_every = keep_every
        self.rate_factor = rate_factor
        self.alarms: list[Alarm] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Joins the optimizer's update."""
        super().on_train_begin(logs)
        self.alarms = []
        self.last_good = LastGood(self.model)
        with self.model.distribute_strategy.scope():
            self.guard = StepGuard(self.model)

    def check_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Going back lowers the learning rate, which must be a variable."""
        if self.action == "recover" and learning_rate_variable(optimizer) is None:
            raise ValueError("expected a constant learning rate beside action='recover', found a schedule")

    def create_state(self) -> None:
        """The last norms, and the figures of the first bad update since the last reading."""
        self.history = NormHistory(self.memory)
        self.bad = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.bad_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.median = tf.Variable(0.0, trainable=False)
        self.weight_norms = tf.Variable(tf.zeros(len(self.weights)), trainable=False)
        self.judged = self.weights

    def around_step(self, step: Callable[[], Result]) -> Result:
        """Runs the step, after which no variable has a value that is not finite."""
        return self.guard.run(step)

    def before_update(self, update: Update) -> None:
        """Judges the update, and records it if it is bad."""
        self.judged = update.weights
        finite = tf.math.is_finite(update.global_norm)
        count = self.history.count
        median = percentile(self.history.norms, tf.maximum(count, 1), 50.0)
        exploded = (count >= WARM_UP) & (update.global_norm > self.factor * median)
        bad = ~finite | exploded
        allowed = finite if self.action == "warn" else ~bad
        update.notes[self] = allowed
        self.guard.refused.assign(~allowed)
        tf.cond(bad & (self.bad == 0), lambda: self._note(update, median), lambda: None)
        self.bad.assign_add(tf.cast(bad, tf.int64))
        self.history.add(update.global_norm)

    def _note(self, update: Update, median: tf.Tensor) -> None:
        norms = tf.stack([norm(dense_part(gradient)) for gradient in update.gradients])
        self.bad_step.assign(update.step)
        self.median.assign(median)
        self.weight_norms.assign(tf.pad(norms, [[0, len(self.weights) - len(update.weights)]]))

    def allows(self, update: Update) -> tf.Tensor:
        """Allows finite gradients; of the large ones, those that the action applies."""
        return update.notes[self]

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Copies the weights for `"recover"`."""
        self.last_check = self.last_kept = 0
        if self.started or is_built(self.model):
            self._keep()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Reads every `check_every` batches, and copies the weights every `keep_every` if all was well."""
        if not self.last_good.values:
            # The model has got its weights from this batch, and a bad update is never applied.
            self._keep()
        if batch - self.last_check < self.check_every:
            return
        self.last_check = batch
        if not self._check() and batch - self.last_kept >= self.keep_every:
            self.last_kept = batch
            self._keep()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reads what happened since the last reading."""
        super().on_epoch_end(epoch, logs)
        self._check()

    def _keep(self) -> None:
        if self.action == "recover":
            self.last_good.keep()

    def _check(self) -> bool:
        """Whether there were bad updates since the last reading; acts on them."""
        count = int(self.bad.numpy()) if self.started else 0
        faults = self.guard.take_faults()
        if not count:
            self._warn_of_states(faults)
            return bool(faults)
        alarm = self._alarm(count)
        self.alarms.append(alarm)
        self.bad.assign(0)
        if self.action == "stop":
            self.model.stop_training = True
        elif self.action == "recover":
            self.last_good.restore()
            optimizer = inner_optimizer(self.model.optimizer)
            optimizer.learning_rate = float(optimizer.learning_rate.numpy()) * self.rate_factor
        alarm.warn()
        return True

    def _warn_of_states(self, faults: list[str]) -> None:
        """Tells of variables that a batch made not finite though the gradients were."""
        if faults:
            layers = tuple(dict.fromkeys(path.rpartition("/")[0] or path for path in faults))
            step = int(inner_optimizer(self.model.optimizer).iterations.numpy())
            found = f"values are not finite in {', '.join(faults)}; they keep those of the batch before"
            self.alarms.append(Alarm(step, layers, f"update {step} or shortly before: {found}"))
            self.alarms[-1].warn()

    def _alarm(self, count: int) -> Alarm:
        norms = self.weight_norms.numpy()[: len(self.judged)]
        names = np.array([weight.layer for weight in self.judged])
        finite = np.isfinite(norms).all()
        step = int(self.bad_step.numpy()) + 1
        if finite:
            layers: tuple[str, ...] = (str(names[norms.argmax()]),)
            total, median = float(np.linalg.norm(norms.astype("float64"))), float(self.median.numpy())
            found = f"the gradients' norm is {total:.3g}, {total / median:.3g} times its median, most in {layers[0]}"
        else:
            layers = tuple(dict.fromkeys(str(name) for name in names[~np.isfinite(norms)]))
            found = f"gradients are not finite in {', '.join(layers)}"
        more = f", and {count - 1} more since" if count > 1 else ""
        return Alarm(step, layers, f"update {step}: {found}{more}; {self._consequence(finite)}")

    def _consequence(self, finite: bool) -> str:
        match self.action:
            case "warn":
                return "updates went on" if finite else "not updated"
            case "skip":
                return "not updated"
            case "stop":
                return "not updated, training stops"
            case _:
                return f"weights of the last good state, learning rate times {self.rate_factor:g}"
