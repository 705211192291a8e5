"""Measures how gradients flow back through the recurrent layers of a model, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.diagnostics.flow_result import GradientFlow
from seqtag.diagnostics.jacobians import StepBound
from seqtag.diagnostics.recording import Trajectory, recorded
from seqtag.diagnostics.row_norms import Gradients, RowNorms
from seqtag.layers.introspection import build_on, check_recurrent, check_tensorflow, kept_states, recurrent_layers


def gradient_flow(
    model: keras.Model, x: Any, y: Any = None, *, loss: Any = None, sample_weight: Any = None
) -> GradientFlow:
    """Measures how much of the loss's gradient arrives at every step of the recurrent layers of a model.

    For each recurrent layer, direction and step it computes the norm of the total derivative dL/dh_t, which has a part
    from the output of step t and a part from the later states:

        dL/dh_t = ∂L/∂h_t + dL/dh_{t+1} · ∂h_{t+1}/∂h_t

    and the norm of dL/dc_t for cells with a cell state c. In an Elman network, h_{t+1} = φ(x W + h_t U + b), the last
    factor has a norm of at most α γ: the spectral norm of U times the greatest slope of φ. Therefore

        bound_t = ‖∂L/∂h_t‖ + α γ bound_{t+1},    bound_T = ‖dL/dh_T‖,

    is never below the norm (for each row; then the mean over rows is taken). If the loss reads the last step alone,
    this is `‖dL/dh_T‖ (α γ)^(T-t)`: with α γ < 1 the gradient must vanish (Bengio, Simard and Frasconi 1994; Pascanu,
    Mikolov and Bengio 2013, section 2.1), with α γ > 1 it may explode. For a gated cell, α is that of the whole
    recurrent kernel and γ that of the candidate's activation: the bound is that of an Elman network with this kernel,
    and the gates may exceed it. Layer normalisation is not part of the bound either.

    The model runs as in prediction, without dropout. Its weights, kept states and seeds are not changed. Its recurrent
    layers may be those of seqtag and Keras, and `keras.layers.RNN` over any cell: in both directions, in
    `TimeDistributed`, and inside other layers and models. If a layer is called several times, all calls count as rows.
    A masked step counts in no norm. Everything runs step by step and without a graph, in some milliseconds for each
    step of a layer: use it on one batch, not on all data. Under `mixed_float16` small gradients become zero, because
    they pass through products in half precision.

    Args:
        model: a model with recurrent layers; compiled, unless `loss` is given or it has a `compute_loss`. If it has no
            weights yet, the batch gives it the first ones.
        x: the model's inputs: an array, or a list or dictionary of arrays.
        y: the targets, as the loss takes them.
        loss: a Keras loss, its name, or a function of `(y, y_pred)`; the model's own `compute_loss` by default.
        sample_weight: a weight for each row or step.

    Raises:
        RuntimeError: Keras does not run on TensorFlow.
        TypeError: `model` is no Keras model.
        ValueError: the model has no trainable weights or no recurrent layers, or has no loss.

    Example:
        >>> import numpy as np
        >>> keras.utils.set_random_seed(1)
        >>> inside = keras.layers.SimpleRNN(4, name="rnn"), keras.layers.Dense(1)
        >>> model = keras.Sequential([keras.Input((8, 2)), *inside])
        >>> flow = gradient_flow(model, np.ones((3, 8, 2)), np.ones((3, 1)), loss="mse")
        >>> flow.norms["rnn"].shape, bool(np.all(flow.norms["rnn"] <= flow.bound["rnn"] * 1.0001))
        ((8,), True)
    """
    check_tensorflow("gradient_flow")
    build_on(model, x)
    check_recurrent(model)
    compute_loss = _loss_function(model, loss)
    layers = recurrent_layers(model)
    x, y, sample_weight = keras.tree.map_structure(_tensor, (x, y, sample_weight))
    with _left_as_it_was(model), tf.GradientTape() as tape, recorded(chain(*layers.values()), tape) as found:
        value = tf.reduce_sum(compute_loss(x, y, model(x, training=False), sample_weight))
    trajectories = {name: tuple(found[id(layer)] for layer in both) for name, both in layers.items()}
    # A layer that the model did not call is left out.
    trajectories = {name: both for name, both in trajectories.items() if all(both)}
    bounds = {name: tuple(StepBound.of(layer.cell) for layer in layers[name]) for name in trajectories}
    return _flow(float(value), trajectories, bounds, _differentiate(tape, value, trajectories))


def _tensor(values: Any) -> tf.Tensor | None:
    return None if values is None else tf.convert_to_tensor(values)


def _loss_function(model: keras.Model, loss: Any) -> Callable[..., tf.Tensor]:
    """`(x, y, y_pred, sample_weight) -> L`."""
    if loss is None:
        own = type(model).compute_loss is not keras.Model.compute_loss
        if not own and getattr(model, "loss", None) is None:
            raise ValueError("expected a compiled model with a loss, or loss=, found neither")
        return lambda x, y, y_pred, weight: model.compute_loss(
            x=x, y=y, y_pred=y_pred, sample_weight=weight, training=False
        )
    function = keras.losses.get(loss)
    if not isinstance(function, keras.losses.Loss):
        function = _MeanLoss(function)
    return lambda x, y, y_pred, weight: function(y, y_pred, sample_weight=weight)


class _MeanLoss(keras.losses.Loss):
    """The mean over rows and steps of a function of `(y, y_pred)`."""

    def __init__(self, function: Callable) -> None:
        super().__init__()
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred)


@contextmanager
def _left_as_it_was(model: keras.Model) -> Iterator[None]:
    """Restores kept states, seeds and metrics after the block, and runs graph functions as Python within it."""
    variables = [*model.non_trainable_variables, *model.metrics_variables, *kept_states(model)]
    values = [tf.convert_to_tensor(variable.value) for variable in variables]
    eagerly = tf.config.functions_run_eagerly()
    try:
        tf.config.run_functions_eagerly(True)
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _differentiate(
    tape: tf.GradientTape, value: tf.Tensor, trajectories: dict[str, tuple[list[Trajectory], ...]]
) -> dict[str, list[list[Gradients]]]:
    """The gradients of the loss with respect to all states and outputs, by layer, direction and call."""

    def sources(trajectory: Trajectory) -> Gradients:
        carry = trajectory.carry
        return {
            "total": [after[trajectory.hidden] for after in trajectory.after],
            "direct": trajectory.outputs,
            "cell": [] if carry is None else [after[carry] for after in trajectory.after],
        }

    nested = {
        name: [[sources(trajectory) for trajectory in calls] for calls in both] for name, both in trajectories.items()
    }
    return tape.gradient(value, nested, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _flow(
    loss: float,
    trajectories: dict[str, tuple[list[Trajectory], ...]],
    bounds: dict[str, tuple[StepBound, ...]],
    gradients: dict[str, list[list[Gradients]]],
) -> GradientFlow:
    norms, cell_norms, bound, rows = {}, {}, {}, {}
    for name, both in trajectories.items():
        found = [RowNorms.of(*pair) for pair in zip(both, gradients[name], strict=True)]
        norms[name] = _stacked([part.mean(part.total) for part in found])
        cells = [part.mean(part.cell) for part in found if part.cell is not None]
        if cells:
            cell_norms[name] = _stacked(cells)
        bound[name] = _stacked([part.bound(step.rate) for part, step in zip(found, bounds[name], strict=True)])
        rows[name] = found[0].mask.sum(axis=0)
    return GradientFlow(loss, norms, cell_norms, bound, rows, bounds, trajectories)


def _stacked(directions: list[np.ndarray]) -> np.ndarray:
    return np.stack(directions) if len(directions) > 1 else directions[0]
