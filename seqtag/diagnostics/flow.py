"""How gradients flow back through the recurrent layers of a model, step by step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.diagnostics import jacobians
from seqtag.diagnostics.jacobians import StepBound
from seqtag.diagnostics.recording import Trajectory, recorded
from seqtag.layers.inventory import check_recurrent, recurrent_layers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class GradientFlow:
    """The norms of dL/dh_t and dL/dc_t at every step of every recurrent layer; made by `gradient_flow`.

    Arrays are `(time,)`, and `(2, time)` for a bidirectional layer: forward, backward. Step t is the t-th of the
    layer's input, for a layer that runs backwards too. A step that is real in no row is NaN.

    Attributes:
        loss: L.
        norms: for each layer the norm of the total derivative dL/dh_t: over the units of each row, and the mean of
            that over the rows whose step t is real.
        cell_norms: the same of dL/dc_t, for the layers whose cell has a second state c.
        bound: what `‖dh_t/dh_{t-1}‖ <= α γ` of an Elman network promises for `norms`; see `gradient_flow`.
        rows: how many rows are real at each step.
        step_bounds: α and γ of each direction of each layer.
    """

    loss: float
    norms: dict[str, np.ndarray]
    cell_norms: dict[str, np.ndarray]
    bound: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    step_bounds: dict[str, tuple[StepBound, ...]]
    _trajectories: dict[str, tuple[list[Trajectory], ...]] = field(repr=False)

    def jacobian_norms(self, layer: str, *, backward: bool = False, row: int = 0) -> np.ndarray:
        """The spectral norm of `dh_t/dh_k` at `[t, k]`, `(time, time)`, of one row of the batch.

        1 on the diagonal, and zero where k comes after t in the order of running. It is the product of the Jacobians
        of all states, h and c, of each step between, of which the block of h counts: what flows through the cell
        state is in it. Takes time in proportion to `time² · units³`.

        Args:
            layer: the layer's name, as in `norms`.
            backward: whether of the backward direction of a bidirectional layer.
            row: which row of the batch.

        Raises:
            ValueError: on a layer, direction or row that is not there.
        """
        return jacobians.jacobian_norms(*self._row(layer, backward, row))

    def jacobian_bound(self, layer: str, *, backward: bool = False, row: int = 0) -> np.ndarray:
        """`(α γ)^(t - k)` at `[t, k]`, beside `jacobian_norms`; masked steps between are not counted."""
        trajectory, row = self._row(layer, backward, row)
        return jacobians.bound_of_jacobians(trajectory, row, self.step_bounds[layer][int(backward)].rate)

    def _row(self, layer: str, backward: bool, row: int) -> tuple[Trajectory, int]:
        if layer not in self._trajectories:
            raise ValueError(f"expected layer to be one of {', '.join(self._trajectories)}, found {layer!r}")
        directions = self._trajectories[layer]
        if backward and len(directions) == 1:
            raise ValueError(f"expected backward to be False for a layer of one direction, {layer}, found True")
        rest = row
        for trajectory in directions[int(backward)]:
            if 0 <= rest < len(trajectory.mask):
                return trajectory, rest
            rest -= len(trajectory.mask)
        raise ValueError(f"expected row to be at least 0 and below {row - rest}, found {row}")

    def directions(self) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Each layer's name, `forward` or `backward`, and the index of that direction into the layer's arrays."""
        for name, of_directions in self._trajectories.items():
            for index, trajectories in enumerate(of_directions):
                way = "backward" if trajectories[0].reverse else "forward"
                yield name, way, (index,) if len(of_directions) > 1 else ()

    def to_frame(self) -> pd.DataFrame:
        """A row for each step: `layer, direction, step, rows, norm, cell_norm, bound`."""
        import pandas as pd

        parts = []
        for name, way, index in self.directions():
            norms = self.norms[name][index]
            columns = {
                "layer": name,
                "direction": way,
                "step": np.arange(len(norms)),
                "rows": self.rows[name],
                "norm": norms,
                "cell_norm": self.cell_norms[name][index] if name in self.cell_norms else np.nan,
                "bound": self.bound[name][index],
            }
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """A row for each direction of each layer, for reading.

        `first`, `middle` and `last` are norms at these steps of the input. `ratio` is that of the step that was run
        first to the one run last: the share of the gradient that is left after the whole way back. `bound_ratio` is
        (α γ) to the power of the steps between.
        """
        import pandas as pd

        return pd.DataFrame([self._summarised(*direction) for direction in self.directions()])

    def _summarised(self, name: str, way: str, index: tuple[int, ...]) -> dict[str, Any]:
        norms = self.norms[name][index]
        norms = norms[np.isfinite(norms)]
        first, middle, last = (norms[n] if len(norms) else np.nan for n in (0, len(norms) // 2, -1))
        early, late = (last, first) if way == "backward" else (first, last)
        step = self.step_bounds[name][index[0] if index else 0]
        with np.errstate(over="ignore"):
            bound_ratio = np.power(step.rate, max(0, len(norms) - 1))
        return {
            "layer": name,
            "direction": way,
            "steps": len(norms),
            "first": first,
            "middle": middle,
            "last": last,
            "ratio": early / late if late else np.nan,
            "bound_ratio": bound_ratio,
            "alpha": step.alpha,
            "gamma": step.gamma,
            "radius": step.radius,
        }

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draws a heat map of all layers over the steps, and each layer's curves with the bound.

        Args:
            path: where to write the figure, whole or not at all; its suffix decides the format.
        """
        from seqtag.diagnostics.plots import plot_flow

        return plot_flow(self, None if path is None else Path(path))


def gradient_flow(
    model: keras.Model, x: Any, y: Any = None, *, loss: Any = None, sample_weight: Any = None
) -> GradientFlow:
    """How much of the loss's gradient arrives at every step of the recurrent layers of a model.

    For each recurrent layer, direction and step the norm of the total derivative dL/dh_t: by what is made of h_t at
    once, and by all later states that come of it,

        dL/dh_t = ∂L/∂h_t + dL/dh_{t+1} · ∂h_{t+1}/∂h_t,

    and of dL/dc_t where there is a cell state. Where h_{t+1} = φ(x W + h_t U + b), an Elman network, the last factor
    is no larger than α γ, the spectral norm of U times the greatest slope of φ, so that

        bound_t = ‖∂L/∂h_t‖ + α γ bound_{t+1},    bound_T = ‖dL/dh_T‖,

    is never below the norm (row by row, then the mean over rows). Where the loss reads the last step alone this is
    `‖dL/dh_T‖ (α γ)^(T-t)`: with α γ < 1 a promise that the gradient vanishes (Bengio, Simard and Frasconi 1994;
    Pascanu, Mikolov and Bengio 2013, section 2.1), with α γ > 1 leave to explode. For a gated cell, α is of the whole
    recurrent kernel and γ of the activation of the candidate: that is what an Elman network with such a kernel would
    promise, and the gates go around it. Nor does it know of layer norm.

    The model runs as in prediction, dropout off, and is left as it was: weights, kept states, seeds. Its recurrent
    layers may be those of seqtag and Keras, `keras.layers.RNN` over any cell, in both directions, in
    `TimeDistributed`, and in other layers and models. Of a layer that is called several times all calls count as
    rows. A masked step counts in no norm. It runs step by step without a graph: at some 1 ms a step of a layer, for
    a batch and not for all data.

    Args:
        model: a built model with recurrent layers; compiled, unless `loss` is given or it has a `compute_loss`.
        x: what the model is called on: an array, or a list or dictionary of arrays.
        y: what the loss takes.
        loss: a Keras loss, its name, or a function of `(y, y_pred)`; the model's own `compute_loss` by default.
        sample_weight: a weight for each row or step.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: if it is not built, has no trainable weights or no recurrent layers, or no loss can be computed.

    Example:
        >>> import numpy as np
        >>> keras.utils.set_random_seed(1)
        >>> inside = keras.layers.SimpleRNN(4, name="rnn"), keras.layers.Dense(1)
        >>> model = keras.Sequential([keras.Input((8, 2)), *inside])
        >>> flow = gradient_flow(model, np.ones((3, 8, 2)), np.ones((3, 1)), loss="mse")
        >>> flow.norms["rnn"].shape, bool(np.all(flow.norms["rnn"] <= flow.bound["rnn"] * 1.0001))
        ((8,), True)
    """
    check_recurrent(model)
    compute_loss = _loss_function(model, loss)
    layers = recurrent_layers(model)
    x, y, sample_weight = keras.tree.map_structure(_tensor, (x, y, sample_weight))
    with _left_as_it_was(model), tf.GradientTape() as tape, recorded(chain(*layers.values()), tape) as found:
        value = tf.reduce_sum(compute_loss(x, y, model(x, training=False), sample_weight))
    trajectories = {name: tuple(found[id(layer)] for layer in both) for name, both in layers.items()}
    # A layer that the model did not call on its way is left out.
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
    """Gives kept states, seeds and metrics the values back that they had, and runs Python in graph functions."""
    # Keras's stateful layers keep their states where no model sees them.
    states = [getattr(layer, "states", None) for layer in chain(*recurrent_layers(model).values())]
    kept = [state for state in keras.tree.flatten(states) if state is not None]
    variables = [*model.non_trainable_variables, *model.metrics_variables, *kept]
    values = [tf.convert_to_tensor(variable.value) for variable in variables]
    eagerly = tf.config.functions_run_eagerly()
    try:
        tf.config.run_functions_eagerly(True)
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


@dataclass(frozen=True)
class _RowNorms:
    """Norms over the units, `(rows, time)`, of all calls of a layer in one direction."""

    total: np.ndarray  # dL/dh_t
    direct: np.ndarray  # of it, by the output of step t alone
    cell: np.ndarray | None  # dL/dc_t
    mask: np.ndarray
    reverse: bool

    @classmethod
    def of(cls, trajectories: list[Trajectory], gradients: list[dict[str, list[tf.Tensor]]]) -> _RowNorms:
        """Those of all calls, one below the other, short ones padded."""
        length = max(trajectory.mask.shape[1] for trajectory in trajectories)

        def rows(name: str) -> np.ndarray:
            return np.concatenate([_padded(_norms(part[name]), length) for part in gradients])

        mask = np.concatenate([_padded(trajectory.mask, length) for trajectory in trajectories])
        cell = rows("cell") if gradients[0]["cell"] else None
        return cls(rows("total"), rows("direct"), cell, mask, trajectories[0].reverse)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Over the real rows of each step, `(time,)`; NaN where there is none."""
        count = self.mask.sum(axis=0)
        sums = np.where(self.mask, values, 0.0).sum(axis=0)
        return np.divide(sums, count, out=np.full(len(count), np.nan), where=count > 0)

    def bound(self, rate: float) -> np.ndarray:
        """The recursion of `gradient_flow`, from the step run last to the one run first, over real steps."""
        bounds = np.zeros_like(self.total)
        after, begun = np.zeros(len(bounds)), np.zeros(len(bounds), bool)
        steps = range(bounds.shape[1])
        for t in steps if self.reverse else reversed(steps):
            with np.errstate(over="ignore"):
                here = np.where(begun, self.direct[:, t] + rate * after, self.total[:, t])
            after = np.where(self.mask[:, t], here, after)
            begun |= self.mask[:, t]
            bounds[:, t] = after
        return self.mean(bounds)


def _norms(gradients: list[tf.Tensor]) -> np.ndarray:
    """`(rows, time)` of a gradient `(rows, ...)` for each step."""
    # In float64, where the square of a tiny number is not zero.
    values = np.stack([gradient.numpy().astype(np.float64) for gradient in gradients], axis=1)
    return np.sqrt(np.square(values).reshape(*values.shape[:2], -1).sum(axis=-1))


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.pad(values, [(0, 0), (0, length - values.shape[1])])


def _differentiate(
    tape: tf.GradientTape, value: tf.Tensor, trajectories: dict[str, tuple[list[Trajectory], ...]]
) -> dict[str, list[list[dict[str, list[tf.Tensor]]]]]:
    """The gradients of the loss in all states and outputs, for each call of each direction of each layer."""

    def sources(trajectory: Trajectory) -> dict[str, list[tf.Tensor]]:
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
    gradients: dict[str, list[list[dict[str, list[tf.Tensor]]]]],
) -> GradientFlow:
    norms, cell_norms, bound, rows = {}, {}, {}, {}
    for name, both in trajectories.items():
        found = [_RowNorms.of(*pair) for pair in zip(both, gradients[name], strict=True)]
        norms[name] = _stacked([part.mean(part.total) for part in found])
        cells = [part.mean(part.cell) for part in found if part.cell is not None]
        if cells:
            cell_norms[name] = _stacked(cells)
        bound[name] = _stacked([part.bound(step.rate) for part, step in zip(found, bounds[name], strict=True)])
        rows[name] = found[0].mask.sum(axis=0)
    return GradientFlow(loss, norms, cell_norms, bound, rows, bounds, trajectories)


def _stacked(directions: list[np.ndarray]) -> np.ndarray:
    return np.stack(directions) if len(directions) > 1 else directions[0]
