"""The course of a training: loss and dev measure by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqtag.figures import finish, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOSS, DEV = "#1f5a9d", "#c4542b"


def plot_learning_curve(history: Sequence[Mapping[str, Any]] | pd.DataFrame, measure: str = "dev measure") -> Figure:
    """Two panels: the loss of the training data by epoch, and the dev measure, with the chosen epoch marked.

    An ensemble has a line for each of its members.

    Args:
        history: a row for each epoch, with `epoch, loss, dev, best`, and `member` where there are several: the
            `history_` of an estimator, or the frame of a run's `history.csv`.
        measure: the name of the dev measure.

    Raises:
        ValueError: there are no epochs, or a column is missing.

    Example:

        >>> rows = [{"epoch": n, "loss": 3.5 - n, "dev": 0.2 * n, "best": 0.2 * n} for n in (1, 2)]
        >>> figure = plot_learning_curve(rows, measure="exact_match")
        >>> [axis.get_title(loc="left") for axis in figure.axes]
        ['loss', 'exact_match']
    """
    import pandas as pd

    frame = pd.DataFrame(history)
    if frame.empty:
        raise ValueError("expected the history of at least one epoch, found none")
    absent = [name for name in ("epoch", "loss", "dev", "best") if name not in frame]
    if absent:
        raise ValueError(f"expected columns epoch, loss, dev, best in history, found no {absent[0]!r}")
    figure = new_figure(10, 3.4)
    left, right = figure.subplots(1, 2)
    members = [frame] if "member" not in frame else [rows for _, rows in frame.groupby("member", sort=True)]
    for number, rows in enumerate(members):
        strength = 1 - 0.6 * number / len(members)
        left.plot(rows["epoch"], rows["loss"], color=LOSS, alpha=strength, marker="o", markersize=3, label="loss")
        right.plot(rows["epoch"], rows["dev"], color=DEV, alpha=strength, marker="o", markersize=3, label="dev")
        _mark_chosen(right, rows)
    for axis, title in ((left, "loss"), (right, measure)):
        finish(axis, title)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_xlabel("epoch")
    return figure


def _mark_chosen(axis: Axes, rows: pd.DataFrame) -> None:
    """Marks the first epoch with the best dev measure, whose weights are kept."""
    chosen = rows[rows["dev"] == rows["best"].iloc[-1]].iloc[:1]
    axis.plot(chosen["epoch"], chosen["dev"], "o", color=DEV, markersize=8, markerfacecolor="none", label="chosen")
