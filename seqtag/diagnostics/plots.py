"""Pictures of gradient flow: heat maps over the steps, curves beside the bound, and the course of a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtag.diagnostics.jacobians import by_lag
from seqtag.figures import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from seqtag.diagnostics.flow_result import GradientFlow

FORWARD, BACKWARD = "#1f5a9d", "#c4542b"
COLOURS = {"forward": FORWARD, "backward": BACKWARD}
NOTHING = "#ececec"  # what stands where there is no number, or zero
MAP = "viridis"
# What is smaller than the largest by more is drawn as if it were so: float32 ends soon after.
DECADES = 30
# How far above the norms a bound that explodes is followed.
DECADES_OF_BOUND = 3


def plot_flow(flow: GradientFlow, path: Path | None = None) -> Figure:
    """A heat map of all layers and directions over the steps, and for each layer the curves with the bound."""
    directions = list(flow.directions())
    panels = -(-len(flow.norms) // 2) if len(flow.norms) > 1 else 1
    heat = 0.9 + 0.42 * len(directions)
    figure = new_figure(10, heat + 2.9 * panels)
    above, below = figure.subfigures(2, 1, height_ratios=[heat, 2.9 * panels], squeeze=False).ravel()
    rows = {f"{name}, {way}": flow.norms[name][index] for name, way, index in directions}
    above.suptitle("Norm of dL/dh at each step", x=0.01, ha="left", fontsize=12, weight="bold")
    _draw_rows(above.subplots(), rows)
    axes = below.subplots(panels, 2 if len(flow.norms) > 1 else 1, squeeze=False).ravel()
    for axis, name in zip(axes, flow.norms, strict=False):
        _draw_curves(axis, flow, name)
    for axis in axes[len(flow.norms) :]:
        axis.set_axis_off()
    return _written(figure, path)


def plot_jacobians(flow: GradientFlow, row: int = 0, path: Path | None = None) -> Figure:
    """For each layer and direction the norms of dh_t/dh_k as a heat map, and their means by lag with the bound."""
    directions = list(flow.directions())
    figure = new_figure(10, 0.5 + 3.3 * len(directions))
    parts = figure.subfigures(len(directions), 1, squeeze=False).ravel()
    for part, (name, way, _) in zip(parts, directions, strict=True):
        backward = way == "backward" and len(flow.step_bounds[name]) > 1
        real = np.flatnonzero(flow.real_steps(name, row))
        norms = flow.jacobian_norms(name, backward=backward, row=row)[np.ix_(real, real)]
        bound = flow.jacobian_bound(name, backward=backward, row=row)[np.ix_(real, real)]
        part.suptitle(f"Norm of dh_t/dh_k: {name}, {way}", x=0.01, ha="left", fontsize=12, weight="bold")
        left, right = part.subplots(1, 2, width_ratios=[1, 1.25])
        _draw_matrix(left, norms)
        _draw_lags(right, norms, bound, way)
    return _written(figure, path)


def plot_training(norms: Mapping[str, np.ndarray], epochs: np.ndarray, path: Path | None = None) -> Figure:
    """For each layer and direction a heat map of `norms[name] (epochs, time)` or `(epochs, 2, time)`."""
    rows = {}
    for name, values in norms.items():
        both = {f"{name}, forward": values[:, 0], f"{name}, backward": values[:, 1]}
        rows.update(both if values.ndim == 3 else {name: values})
    figure = new_figure(10, 0.4 + 2.6 * len(rows))
    figure.suptitle("Norm of dL/dh at each step, epoch by epoch", x=0.01, ha="left", fontsize=12, weight="bold")
    extent = _extent(np.concatenate([values.ravel() for values in rows.values()]))
    for axis, (title, values) in zip(np.atleast_1d(figure.subplots(len(rows), 1)), rows.items(), strict=True):
        image = _draw_heat(axis, values, extent)
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_ylabel("epoch")
        shown = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), 8)).round().astype(int))
        axis.set_yticks(shown, [str(epochs[n]) for n in shown])
        figure.colorbar(image, ax=axis, pad=0.01, aspect=12)
    axis.set_xlabel("step")
    return _written(figure, path)


def _written(figure: Figure, path: Path | None) -> Figure:
    if path is not None:
        save_figure(figure, path)
    return figure


def _extent(values: np.ndarray) -> tuple[float, float]:
    """From the smallest number above zero to the largest, over `DECADES` at most."""
    shown = values[np.isfinite(values) & (values > 0)]
    if not len(shown):
        return 0.1, 1.0
    top = float(shown.max())
    return min(max(float(shown.min()), top * 10.0**-DECADES), top / 2), top


def _draw_heat(axis: Axes, values: np.ndarray, extent: tuple[float, float]) -> Any:
    import matplotlib
    from matplotlib.colors import LogNorm

    colours = matplotlib.colormaps[MAP].with_extremes(bad=NOTHING, under=matplotlib.colormaps[MAP](0.0))
    shown = np.ma.masked_where(~np.isfinite(values) | (values <= 0), values)
    return axis.imshow(shown, aspect="auto", norm=LogNorm(*extent), cmap=colours, interpolation="nearest")


def _draw_rows(axis: Axes, rows: dict[str, np.ndarray]) -> None:
    longest = max(map(len, rows.values()))
    padded = [np.pad(values, (0, longest - len(values)), constant_values=np.nan) for values in rows.values()]
    image = _draw_heat(axis, np.stack(padded), _extent(np.concatenate(list(rows.values()))))
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_yticks(np.arange(1, len(rows)) - 0.5, minor=True)
    axis.grid(which="minor", axis="y", color="white", linewidth=2)
    axis.tick_params(which="minor", length=0)
    axis.set_xlabel("step")
    axis.figure.colorbar(image, ax=axis, pad=0.01, aspect=8)


def _draw_curves(axis: Axes, flow: GradientFlow, name: str) -> None:
    shown = []
    for layer, way, index in flow.directions():
        if layer != name:
            continue
        norms, colour = flow.norms[name][index], COLOURS[way]
        steps = np.arange(len(norms))
        shown.append(norms)
        axis.plot(steps, _positive(norms), color=colour, linewidth=2, label=f"dL/dh, {way}")
        if name in flow.cell_norms:
            cells = flow.cell_norms[name][index]
            shown.append(cells)
            axis.plot(steps, _positive(cells), color=colour, linewidth=1.2, linestyle=":", label=f"dL/dc, {way}")
        bound = _positive(flow.bound[name][index])
        if np.any(np.isfinite(bound)):
            axis.plot(steps, bound, color=colour, linewidth=1.2, linestyle="--", alpha=0.75, label=f"bound, {way}")
    _finish_curves(axis, np.concatenate(shown))
    rates = " and ".join(f"{step.rate:.3g}" for step in flow.step_bounds[name] if np.isfinite(step.rate))
    axis.set_title(f"{name}:  α γ = {rates}" if rates else name, loc="left", fontsize=10, weight="bold")
    axis.set_xlabel("step")


def _finish_curves(axis: Axes, norms: np.ndarray) -> None:
    low, high = _extent(norms)
    axis.set_yscale("log")
    bounds = np.concatenate([np.ravel(line.get_ydata()) for line in axis.lines])
    bounds = bounds[np.isfinite(bounds)]
    axis.set_ylim(low / 2, 2 * min(bounds.max(initial=high), high * 10.0**DECADES_OF_BOUND))
    axis.grid(True, which="major", color="#dddddd", linewidth=0.6)
    axis.set_ylabel("norm")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)


def _positive(values: np.ndarray) -> np.ndarray:
    """NaN where a logarithm has nothing to show."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _draw_matrix(axis: Axes, norms: np.ndarray) -> None:
    image = _draw_heat(axis, norms, _extent(norms))
    axis.set_xlabel("k")
    axis.set_ylabel("t")
    axis.figure.colorbar(image, ax=axis, pad=0.01)


def _draw_lags(axis: Axes, norms: np.ndarray, bound: np.ndarray, way: str) -> None:
    reverse = way == "backward"
    means, bounds = by_lag(norms, reverse), _positive(by_lag(bound, reverse))
    lags = np.arange(len(means))
    axis.plot(lags, _positive(means), color=COLOURS[way], linewidth=2, label="mean over all t")
    if np.any(np.isfinite(bounds)):
        axis.plot(lags, bounds, color=COLOURS[way], linewidth=1.2, linestyle="--", alpha=0.75, label="bound (α γ)^lag")
    axis.set_xlabel("lag |t - k|")
    _finish_curves(axis, means)
