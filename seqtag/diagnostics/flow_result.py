"""The result of `gradient_flow`: norms at every step, Jacobians between steps, tables and figures of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtag.diagnostics import jacobians
from seqtag.diagnostics.jacobians import StepBound
from seqtag.diagnostics.recording import Trajectory

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class GradientFlow:
    """The norms of dL/dh_t and dL/dc_t at every step of every recurrent layer; made by `gradient_flow`.

    Arrays are `(time,)`, and `(2, time)` for a bidirectional layer: forward, backward. Step t is the t-th step of the
    layer's input, also in a layer that runs backwards. A step that is real in no row is NaN.

    Attributes:
        loss: L.
        norms: for each layer the norm of the total derivative dL/dh_t: over the units of a row, then the mean over the
            rows in which step t is real.
        cell_norms: the same for dL/dc_t, for the layers whose cell has a second state c.
        bound: the upper bound of `norms` that follows from `‖dh_t/dh_{t-1}‖ <= α γ` of an Elman network; see
            `gradient_flow`.
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
    _jacobian_norms: dict[tuple[str, bool, int], np.ndarray] = field(default_factory=dict, repr=False)

    def jacobian_norms(self, layer: str, *, backward: bool = False, row: int = 0) -> np.ndarray:
        """The spectral norm of `dh_t/dh_k` at `[t, k]`, `(time, time)`, of one row of the batch.

        It is 1 on the diagonal, and zero where step k runs after step t. The Jacobians of the steps from k to t, of all
        states together (h and c), are multiplied, and the block of h of the product is taken: the flow through the
        cell state counts. The first call takes time in proportion to `time² · units³`.

        Args:
            layer: the layer's name, as in `norms`.
            backward: whether to take the backward direction of a bidirectional layer.
            row: the row of the batch.

        Raises:
            ValueError: there is no such layer, direction or row.
        """
        key = layer, backward, row
        if key not in self._jacobian_norms:
            self._jacobian_norms[key] = jacobians.jacobian_norms(*self._row(*key))
        return self._jacobian_norms[key]

    def jacobian_bound(self, layer: str, *, backward: bool = False, row: int = 0) -> np.ndarray:
        """The bound of `jacobian_norms`: `(α γ)^(t - k)` at `[t, k]`, where masked steps between do not count."""
        trajectory, row = self._row(layer, backward, row)
        return jacobians.bound_of_jacobians(trajectory, row, self.step_bounds[layer][int(backward)].rate)

    def real_steps(self, layer: str, row: int = 0) -> np.ndarray:
        """Whether each step of one row is real, bool `(time,)`."""
        trajectory, row = self._row(layer, False, row)
        return trajectory.mask[row]

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
                direction = "backward" if trajectories[0].reverse else "forward"
                yield name, direction, (index,) if len(of_directions) > 1 else ()

    def to_frame(self) -> pd.DataFrame:
        """A row for each step: `layer, direction, step, rows, norm, cell_norm, bound`."""
        import pandas as pd

        parts = []
        for name, direction, index in self.directions():
            norms = self.norms[name][index]
            columns = {
                "layer": name,
                "direction": direction,
                "step": np.arange(len(norms)),
                "rows": self.rows[name],
                "norm": norms,
                "cell_norm": self.cell_norms[name][index] if name in self.cell_norms else np.nan,
                "bound": self.bound[name][index],
            }
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """A row for each direction of each layer, for people.

        `first`, `middle` and `last` are the norms at these steps of the input. `ratio` is the norm at the step that ran
        first over that at the step that ran last: the share of the gradient that is left after the whole way back.
        `bound_ratio` is (α γ) to the power of the number of steps between the two.
        """
        import pandas as pd

        return pd.DataFrame([self._summarised(*direction) for direction in self.directions()])

    def _summarised(self, name: str, direction: str, index: tuple[int, ...]) -> dict[str, Any]:
        norms = self.norms[name][index]
        norms = norms[np.isfinite(norms)]
        first, middle, last = (norms[n] if len(norms) else np.nan for n in (0, len(norms) // 2, -1))
        early, late = (last, first) if direction == "backward" else (first, last)
        step = self.step_bounds[name][index[0] if index else 0]
        with np.errstate(over="ignore"):
            bound_ratio = np.power(step.rate, max(0, len(norms) - 1))
        return {
            "layer": name,
            "direction": direction,
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
            path: where to write the figure, whole or not at all, in the format that its suffix names.
        """
        from seqtag.diagnostics.plots import plot_flow

        rates = {name: [step.rate for step in bounds] for name, bounds in self.step_bounds.items()}
        return plot_flow(self.to_frame(), rates, None if path is None else Path(path))

    def plot_jacobians(self, path: str | os.PathLike[str] | None = None, *, row: int = 0) -> Figure:
        """Draws `jacobian_norms` of every layer and direction over the real steps of one row, and their means by lag.

        Args:
            path: as in `plot`.
            row: the row of the batch.
        """
        from seqtag.diagnostics.plots import plot_jacobians

        matrices = {}
        for name, direction, index in self.directions():
            backward = bool(index and index[0])
            real = np.flatnonzero(self.real_steps(name, row))
            norms = self.jacobian_norms(name, backward=backward, row=row)[np.ix_(real, real)]
            bound = self.jacobian_bound(name, backward=backward, row=row)[np.ix_(real, real)]
            matrices[name, direction] = norms, bound
        return plot_jacobians(matrices, None if path is None else Path(path))
