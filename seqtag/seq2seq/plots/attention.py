"""Heat maps of attention: where the decoder looked in the source while it wrote each symbol of its answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqtag.figures import new_figure
from seqtag.seq2seq.symbol_labels import symbol_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage

MAX_PANELS = 12
MAX_LABELS = 40
# Inches of a symbol and of what stands around a heat map, and the bounds of a panel.
CELL, AROUND = 0.24, 1.2
SMALLEST, LARGEST = 2.4, 11.0
# Inches of a figure of several panels: its width, and the height of a panel.
WIDEST, HIGHEST_OF_SEVERAL = 16.0, 6.0
COLOUR_MAP = "viridis"
NO_VALUE = "#ececec"  # the colour where there is no number
# Labels that are longer than this do not fit side by side above a column.
SHORT_LABEL = 2


class Alignment(NamedTuple):
    """The attention of one answer.

    Attributes:
        source: the symbols of the source; None for frames, which are numbered.
        target: the symbols of the answer.
        weights: `(target steps, source steps)`; each row sums to 1 as a rule.
    """

    source: Sequence[str] | None
    target: Sequence[str]
    weights: np.ndarray


def plot_attention(
    source_symbols: Sequence[str] | None,
    target_symbols: Sequence[str],
    weights: np.ndarray,
    ax: Axes | None = None,
) -> Figure | SubFigure:
    r"""A heat map of the attention of one answer: the source from left to right, the answer from top to bottom.

    Spaces are shown as ``␣``; control characters, and combining marks that stand alone, are escaped. Of long
    sequences, only some symbols have a label, at even distances.

    Args:
        source_symbols: the symbols of the source; None for frames, which are numbered from 0.
        target_symbols: the symbols of the answer.
        weights: `(target steps, source steps)`.
        ax: where to draw; a new figure unless given.

    Returns:
        The figure that the heat map is in.

    Raises:
        ValueError: `weights` does not have a row for each symbol of the answer and a column for each of the source.

    Example:

        >>> figure = plot_attention(["A", " "], ["AH"], np.array([[0.9, 0.1]]))
        >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
        ['A', '␣']
    """
    alignment = _checked(Alignment(source_symbols, target_symbols, weights))
    if ax is None:
        figure = new_figure(*_size([alignment]))
        ax = figure.subplots()
    ax.figure.colorbar(_draw(ax, alignment, _highest([alignment])), ax=ax, pad=0.02, label="weight")
    return ax.figure


def plot_alignments(alignments: Sequence[Alignment], max_panels: int = MAX_PANELS) -> Figure:
    """Heat maps of several answers, with the same colours for the same weights.

    Args:
        alignments: the answers, each drawn as by `plot_attention`.
        max_panels: the most answers to show.

    Raises:
        ValueError: there is nothing to show, or the weights of an answer are not those of its symbols.
    """
    shown = [_checked(alignment) for alignment in alignments[:max_panels]]
    if not shown:
        raise ValueError("expected at least one answer to show, found none")
    columns = 1 if len(shown) == 1 else 2 if len(shown) <= 8 else 3
    rows = -(-len(shown) // columns)
    width, height = _size(shown)
    figure = new_figure(min(columns * width, WIDEST), rows * min(height, HIGHEST_OF_SEVERAL))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    highest = _highest(shown)
    for axis, alignment in zip(axes, shown, strict=False):
        image = _draw(axis, alignment, highest)
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    figure.colorbar(image, ax=list(axes), pad=0.02, label="weight")
    return figure


def _checked(alignment: Alignment) -> Alignment:
    source, target, weights = alignment.source, alignment.target, np.asarray(alignment.weights, float)
    steps = "any number of" if source is None else str(len(source))
    if weights.ndim != 2 or weights.shape[0] != len(target) or (source is not None and weights.shape[1] != len(source)):
        raise ValueError(f"expected weights of {len(target)} target and {steps} source steps, found {weights.shape}")
    return Alignment(source, target, weights)


def _size(alignments: Sequence[Alignment]) -> tuple[float, float]:
    """Width and height of a panel in inches."""
    steps = np.max([alignment.weights.shape for alignment in alignments], axis=0)
    height, width = np.clip(CELL * steps + AROUND, SMALLEST, LARGEST)
    return float(width), float(height)


def _highest(alignments: Sequence[Alignment]) -> float:
    """The weight of the strongest colour."""
    finite = [alignment.weights[np.isfinite(alignment.weights)] for alignment in alignments]
    return max((float(weights.max()) for weights in finite if weights.size), default=0.0) or 1.0


def _draw(axis: Axes, alignment: Alignment, highest: float) -> AxesImage:
    import matplotlib

    weights = np.ma.masked_invalid(alignment.weights)
    if not weights.size:
        axis.text(0.5, 0.5, "no symbols", transform=axis.transAxes, ha="center", va="center")
        weights = np.ma.masked_all((1, 1))
    colours = matplotlib.colormaps[COLOUR_MAP].with_extremes(bad=NO_VALUE)
    image = axis.imshow(weights, aspect="auto", interpolation="nearest", cmap=colours, vmin=0.0, vmax=highest)
    steps = range(alignment.weights.shape[1])
    source = [str(step) for step in steps] if alignment.source is None else list(map(symbol_label, alignment.source))
    _label(axis.xaxis, source, 90 if any(len(label) > SHORT_LABEL for label in source) else 0)
    _label(axis.yaxis, list(map(symbol_label, alignment.target)))
    axis.set_xlabel("source")
    axis.set_ylabel("answer")
    return image


def _label(axis: Axis, labels: Sequence[str], rotation: float = 0) -> None:
    """Writes labels at their steps; at even distances where there are too many."""
    ticks = range(0, len(labels), math.ceil(len(labels) / MAX_LABELS) or 1)
    # A dollar is a symbol as others are, and begins no formula.
    axis.set_ticks(ticks, [labels[tick] for tick in ticks], parse_math=False, fontsize=8, rotation=rotation)
