"""Figures of matplotlib without `pyplot`: drawing opens no window and changes no setting of the user's process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from seqtag.files.writing import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches; matplotlib is imported here.

    >>> new_figure(4, 3).get_size_inches().tolist()
    [4.0, 3.0]
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def finish(axis: Axes, title: str, along: Literal["x", "y"] = "y") -> None:
    """Draws the title and the grid that all panels have."""
    axis.set_title(title, loc="left", fontsize=10, weight="bold")
    axis.grid(True, axis=along, color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.01)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes a figure in the format that the suffix of `path` names, PNG without one, whole or not at all."""
    with atomic_write(path) as aside:
        # Without the format, matplotlib would add a suffix to a name that has none.
        figure.savefig(aside, format=os.path.splitext(path)[1][1:] or "png")
