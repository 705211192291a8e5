"""L1 penalties by a proximal step after each update: weights become exactly zero under any optimizer."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from seqtag.callbacks.update_hook import Update, UpdateCallback, Weight, inner_optimizer
from seqtag.errors import did_you_mean
from seqtag.ops.proximal import group_soft_threshold, soft_threshold

Strength = float | Mapping[str, float]


class ProximalL1(UpdateCallback):
    """Makes kernels sparse, and whole rows of embeddings zero, in any `fit`.

    After every update of the weights, with the learning rate lr of that update,

        W  <-  sign(W) max(|W| - lr * strength, 0)                  for kernels,
        e  <-  e max(0, 1 - lr * row_strength / |e|_2)              for each row of an embedding,

    which is proximal gradient descent (Parikh and Boyd 2014, section 4.2; forward-backward splitting of Duchi and
    Singer 2009) on the loss + strength * |W|_1 + row_strength * sum of the rows' norms, the penalties of the lasso and
    of the group lasso (Yuan and Lin 2006). Under gradient descent the weights go to the minimum of that sum. Adam
    scales the steps of the loss but not those of the penalty, as with decoupled weight decay (Loshchilov and Hutter
    2019): the strength is then a share of Adam's own step. Above 1 no weight is left; below, those weights become zero
    whose gradients differ from batch to batch. An `"l1"` regularizer only adds a subgradient to the optimizer's step:
    it leaves weights that are small, and hardly any that are zero.

    The step on embeddings reads and writes whole tables, also the rows that no batch looked up. It therefore comes
    every `row_every` updates, with the sum of the thresholds since the last one, and once more before validation and at
    the end of every epoch. For a row without a gradient in between, this gives the same result; a row with one differs
    by no more than the sum of the thresholds. `row_every=1` is the exact method. List this callback before those that
    score or save the weights at the end of an epoch.

    Args:
        strength: the strength of the penalty on kernels. One number is for all variables called `kernel`,
            `recurrent_kernel`, `filters` and the like, and never for biases, peepholes or gains. The keys of a mapping
            are names of layers, for all kernels inside, or patterns of paths below the model, such as
            `"*/recurrent_kernel"`, for the variables that they match; the first key that fits a variable counts.
        row_strength: the strength of the penalty on the norms of the rows of embeddings, in the same forms.
        row_every: updates from one step on the embeddings to the next.

    Raises:
        TypeError: a strength is no number.
        ValueError: a strength is negative or not finite; `row_every` is below 1; in the first step, a key fits no
            weight, or the model has no weight for a strength above zero.

    Adds to the logs of an epoch:
        `zeros`: the share of the weights under a penalty that are zero.

    Example:

        >>> keras.utils.set_random_seed(0)
        >>> x = keras.random.normal((64, 8))
        >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> fitted = model.fit(x, x[:, :1], epochs=40, verbose=0, callbacks=[ProximalL1(0.2)])
        >>> (model.layers[0].kernel.numpy() != 0).ravel().tolist()
        [True, False, False, False, False, False, False, False]
    """

    def __init__(self, strength: Strength = 0.0, row_strength: Strength = 0.0, *, row_every: int = 10) -> None:
        super().__init__()
        _check_strength("strength", strength)
        _check_strength("row_strength", row_strength)
        if not isinstance(row_every, int) or row_every < 1:
            raise ValueError(f"expected row_every to be at least 1, found {row_every!r}")
        self.strength = strength
        self.row_strength = row_strength
        self.row_every = row_every

    def create_state(self) -> None:
        """Chooses the variables, and creates the sum of learning rates since the last step on embeddings."""
        weights = {weight.name.removeprefix(f"{self.model.name}/"): weight for weight in self.weights}
        self.kernels = _chosen(weights, "strength", self.strength, is_kernel)
        self.tables = _chosen(weights, "row_strength", self.row_strength, is_table)
        self.pending = tf.Variable(0.0, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def adjust(self, update: Update) -> None:
        """Takes the proximal step."""
        rate = tf.cast(inner_optimizer(self.model.optimizer).learning_rate, tf.float32)
        for variable, strength in self.kernels:
            weights = tf.convert_to_tensor(variable.value)
            variable.assign(soft_threshold(weights, tf.cast(rate * strength, weights.dtype)))
        if self.tables:
            self.pending.assign_add(rate)
            due = tf.equal((update.step + 1) % self.row_every, 0)
            tf.cond(due, self._settle, lambda: None)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Takes the step on embeddings that is due before validation."""
        if self.started and self.tables:
            self._settle()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Takes the step on embeddings that is due, and counts the zeros."""
        super().on_epoch_end(epoch, logs)
        if self.tables:
            self._settle()
        if logs is not None and self.kernels + self.tables:
            values = [variable.numpy() for variable, _ in self.kernels + self.tables]
            logs["zeros"] = sum(int((v == 0).sum()) for v in values) / sum(v.size for v in values)

    def _settle(self) -> None:
        """Takes the step on embeddings, for all updates since the last one."""
        due = tf.convert_to_tensor(self.pending)
        for variable, strength in self.tables:
            table = tf.convert_to_tensor(variable.value)
            variable.assign(group_soft_threshold(table, due * strength))
        self.pending.assign(0.0)


def is_kernel(variable: keras.Variable) -> bool:
    """Whether a variable is, by its name, a matrix or filter that multiplies inputs; peepholes multiply elementwise."""
    return (
        ("kernel" in variable.name or "filters" in variable.name)
        and "peephole" not in variable.name
        and _is_2d(variable)
    )


def is_table(variable: keras.Variable) -> bool:
    """Whether a variable is an embedding's table."""
    return variable.name == "embeddings" and _is_2d(variable)


def _is_2d(variable: keras.Variable) -> bool:
    return len(variable.shape) >= 2


def _check_strength(argument: str, strength: Any) -> None:
    for value in strength.values() if isinstance(strength, Mapping) else [strength]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"expected {argument} to be a number or a mapping to numbers, found {value!r}")
        if not 0 <= value < math.inf:
            raise ValueError(f"expected {argument} to be zero or more, found {value}")


def _chosen(
    weights: dict[str, Weight], argument: str, strength: Strength, is_meant: Callable[[keras.Variable], bool]
) -> list[tuple[keras.Variable, float]]:
    """The variables under a penalty, and its strength; `weights` are by their paths below the model."""
    if not isinstance(strength, Mapping):
        found = [(weight.variable, float(strength)) for weight in weights.values() if is_meant(weight.variable)]
        if strength and not found:
            raise ValueError(f"expected a model with trainable weights for {argument}, found none of that kind")
        return found if strength else []
    chosen: dict[str, float] = {}
    for key, value in strength.items():
        fitting = [path for path, weight in weights.items() if _fits(key, path, weight, is_meant)]
        if not fitting:
            raise ValueError(
                f"expected {argument} to name layers or match paths, found {key!r}{_nearest(key, weights)}"
            )
        for path in fitting:
            chosen.setdefault(path, float(value))
    return [(weights[path].variable, value) for path, value in chosen.items() if value]


def _fits(key: str, path: str, weight: Weight, is_meant: Callable[[keras.Variable], bool]) -> bool:
    if any(sign in key for sign in "*?["):
        return fnmatch.fnmatchcase(path, key)
    return is_meant(weight.variable) and key in _layers(path, weight)


def _layers(path: str, weight: Weight) -> list[str]:
    """The names of the layers around a weight."""
    return [weight.layer, *path.split("/")[:-1]]


def _nearest(key: str, weights: dict[str, Weight]) -> str:
    names = dict.fromkeys(name for path, weight in weights.items() for name in _layers(path, weight))
    return did_you_mean(key, names, "layers")
