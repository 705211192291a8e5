"""Figures of gradient flow from arrays and frames: heat maps over the steps, curves with the bound, a whole training.

`path` is where a figure is written, whole or not at all, in the format that its suffix names; None writes no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtag.diagnostics.jacobians import by_lag
from seqtag.figures import new_figure, save_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORWARD, BACKWARD = "#1f5a9d", "#c4542b"
COLOURS = {"forward": FORWARD, "backward": BACKWARD}
NO_VALUE = "#ececec"  # the colour where there is no number, or zero
COLOUR_MAP = "viridis"
# The colours and curves reach this far below the largest value: not much further down, float32 ends.
DECADES = 30
# How far above the norms the axis follows a bound that explodes.
DECADES_OF_BOUND = 3


def plot_flow(steps: pd.DataFrame, rates: Mapping[str, Sequence[float]], path: Path | None = None) -> Figure:
    """A heat map of all layers and directions over the steps, and for each layer the curves with the bound.

    Args:
        steps: a row for each step of each direction of each layer: `layer, direction, norm, cell_norm, bound`.
        rates: α γ of each direction of each layer.
        path: see the module.
    """
    layers = dict(iter(steps.groupby("layer", sort=False)))
    directions = dict(iter(steps.groupby(["layer", "direction"], sort=False)))
    panels = -(-len(layers) // 2) if len(layers) > 1 else 1
    heat = 0.9 + 0.42 * len(directions)
    figure = new_figure(10, heat + 2.9 * panels)
    above, below = figure.subfigures(2, 1, height_ratios=[heat, 2.9 * panels], squeeze=False).ravel()
    above.suptitle("Norm of dL/dh at each step", x=0.01, ha="left", fontsize=12, weight="bold")
    _draw_rows(above.subplots(), {", ".join(key): rows["norm"].to_numpy() for key, rows in directions.items()})
    axes = below.subplots(panels, 2 if len(layers) > 1 else 1, squeeze=False).ravel()
    for axis, (name, rows) in zip(axes, layers.items(), strict=False):
        _draw_curves(axis, rows)
        found = " and ".join(f"{rate:.3g}" for rate in rates[name] if np.isfinite(rate))
        axis.set_title(f"{name}:  α γ = {found}" if found else name, loc="left", fontsize=10, weight="bold")
    for axis in axes[len(layers) :]:
        axis.set_axis_off()
    return _saved(figure, path)


def plot_jacobians(
    matrices: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]], path: Path | None = None
) -> Figure:
    """For each layer and direction the norms of dh_t/dh_k as a heat map, and their means by lag with the bound.

    Args:
        matrices: the norms and their bound at `[t, k]`, of each `(layer, direction)`.
        path: see the module.
    """
    figure = new_figure(10, 0.5 + 3.3 * len(matrices))
    parts = figure.subfigures(len(matrices), 1, squeeze=False).ravel()
    for part, ((name, direction), (norms, bound)) in zip(parts, matrices.items(), strict=True):
        part.suptitle(f"Norm of dh_t/dh_k: {name}, {direction}", x=0.01, ha="left", fontsize=12, weight="bold")
        left, right = part.subplots(1, 2, width_ratios=[1, 1.25])
        _draw_matrix(left, norms)
        _draw_lags(right, norms, bound, direction)
    return _saved(figure, path)


def plot_training(norms: Mapping[str, np.ndarray], epochs: np.ndarray, path: Path | None = None) -> Figure:
    """For each layer and direction a heat map over epochs and steps.

    Args:
        norms: `(epochs, time)` of each layer, or `(epochs, 2, time)` of a bidirectional one: forward, backward.
        epochs: their numbers.
        path: see the module.
    """
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
        ticks = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), 8)).round().astype(int))
        axis.set_yticks(ticks, [str(epochs[n]) for n in ticks])
        figure.colorbar(image, ax=axis, pad=0.01, aspect=12)
    axis.set_xlabel("step")
    return _saved(figure, path)


def _saved(figure: Figure, path: Path | None) -> Figure:
    if path is not None:
        save_figure(figure, path)
    return figure


def _extent(values: np.ndarray) -> tuple[float, float]:
    """From the smallest number above zero to the largest, over `DECADES` at most."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return 0.1, 1.0
    top = float(positive.max())
    return min(max(float(positive.min()), top * 10.0**-DECADES), top / 2), top


def _draw_heat(axis: Axes, values: np.ndarray, extent: tuple[float, float]) -> Any:
    import matplotlib
    from matplotlib.colors import LogNorm

    colours = matplotlib.colormaps[COLOUR_MAP].with_extremes(bad=NO_VALUE, under=matplotlib.colormaps[COLOUR_MAP](0.0))
    masked = np.ma.masked_where(~np.isfinite(values) | (values <= 0), values)
    return axis.imshow(masked, aspect="auto", norm=LogNorm(*extent), cmap=colours, interpolation="nearest")


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


def _draw_curves(axis: Axes, layer: pd.DataFrame) -> None:
    drawn = []
    for direction, rows in layer.groupby("direction", sort=False):
        norms, cells, bound = (rows[column].to_numpy() for column in ("norm", "cell_norm", "bound"))
        steps, colour = np.arange(len(norms)), COLOURS[str(direction)]
        drawn.append(norms)
        axis.plot(steps, _positive(norms), color=colour, linewidth=2, label=f"dL/dh, {direction}")
        if np.any(np.isfinite(cells)):
            drawn.append(cells)
            axis.plot(steps, _positive(cells), color=colour, linewidth=1.2, linestyle=":", label=f"dL/dc, {direction}")
        if np.any(np.isfinite(_positive(bound))):
            label = f"bound, {direction}"
            axis.plot(steps, _positive(bound), color=colour, linewidth=1.2, linestyle="--", alpha=0.75, label=label)
    _finish_curves(axis, np.concatenate(drawn))
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
    """The values, with NaN for those that have no logarithm."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _draw_matrix(axis: Axes, norms: np.ndarray) -> None:
    image = _draw_heat(axis, norms, _extent(norms))
    axis.set_xlabel("k")
    axis.set_ylabel("t")
    axis.figure.colorbar(image, ax=axis, pad=0.01)


def _draw_lags(axis: Axes, norms: np.ndarray, bound: np.ndarray, direction: str) -> None:
    reverse = direction == "backward"
    means, bounds = by_lag(norms, reverse), _positive(by_lag(bound, reverse))
    lags = np.arange(len(means))
    axis.plot(lags, _positive(means), color=COLOURS[direction], linewidth=2, label="mean over all t")
    if np.any(np.isfinite(bounds)):
        axis.plot(
            lags, bounds, color=COLOURS[direction], linewidth=1.2, linestyle="--", alpha=0.75, label="bound (α γ)^lag"
        )
    axis.set_xlabel("lag |t - k|")
    _finish_curves(axis, means)
