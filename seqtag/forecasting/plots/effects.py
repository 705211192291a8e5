"""Effects of covariates as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seqtag.figures import finish, new_figure
from seqtag.forecasting.plots.drawing import BASELINE, FORECAST, OBSERVED, QUIET, check_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_effects(effects: pd.DataFrame, label: str = "increase of the loss when shuffled") -> Figure:
    """Effects of covariates as bars, the largest on top; negative ones have another colour.

    Args:
        effects: `covariate, increase`, and optionally `deviation`, the standard deviation over repeated shuffles.
        label: the name of the axis.

    Raises:
        ValueError: a column is missing, or there are no rows.
    """
    check_columns(effects, ("covariate", "increase"), "effects")
    if not len(effects):
        raise ValueError("expected effects of at least one covariate, found no rows")
    rows = effects.sort_values("increase", kind="stable")
    figure = new_figure(8, 1.1 + 0.32 * len(rows))
    axis = figure.subplots()
    values = rows["increase"].to_numpy(float)
    spread = rows["deviation"].to_numpy(float) if "deviation" in rows else None
    colours = [FORECAST if value >= 0 else BASELINE for value in values]
    axis.barh(np.arange(len(rows)), values, xerr=spread, color=colours, ecolor=QUIET, height=0.7)
    axis.set_yticks(np.arange(len(rows)), rows["covariate"].astype(str))
    axis.axvline(0, color=OBSERVED, linewidth=0.8)
    axis.set_xlabel(label)
    finish(axis, "effects of covariates", along="x")
    return figure
