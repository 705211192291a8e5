"""What each covariate is worth to a fitted model: how much worse it forecasts when the covariate is shuffled."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.metrics import wql
from seqtag.forecasting.model import ForecastingModel

STEPWISE = ("past", "known")


def permutation_effects(
    model: ForecastingModel, table: SeriesTable, windows: Windows, repeats: int = 3, seed: int = 0
) -> pd.DataFrame:
    """The weighted quantile loss of windows with each covariate shuffled, beside the loss as it is.

    A column of steps is shifted in a circle within its series, by another length each time, so that it keeps its own
    course and loses its place in time; a static one is dealt out anew among the series. The increase is what the model
    has from the covariate, and says nothing of causes (Breiman 2001, section 10; Fisher, Rudin and Dominici 2019).

    Args:
        model: the fitted model.
        table: the series.
        windows: what is forecast, with futures in the table.
        repeats: how often each is shuffled.
        seed: of the shuffling.

    Returns:
        A row a covariate, the greatest increase first: `covariate, kind, loss, increase, share` (of the loss as it is).

    Raises:
        ValueError: `repeats` below 1.
    """
    if repeats < 1:
        raise ValueError(f"expected repeats to be at least 1, found {repeats}")
    target = windows.future(table.values).astype(float)

    def loss(of: SeriesTable) -> float:
        return wql(target, model.forecast(of, windows).quantiles, model.levels)

    plain = loss(table)
    rows = []
    for kind, name in _covariates(table):
        rng = np.random.default_rng(seed)
        shuffled = float(np.mean([loss(_shuffled(table, kind, name, rng)) for _ in range(repeats)]))
        rows.append((name, kind, shuffled, shuffled - plain, (shuffled - plain) / plain))
    frame = pd.DataFrame(rows, columns=["covariate", "kind", "loss", "increase", "share"])
    return frame.sort_values("increase", ascending=False, ignore_index=True)


def _covariates(table: SeriesTable) -> Iterator[tuple[str, str]]:
    for kind in (*STEPWISE, "static"):
        for name in getattr(table, kind):
            yield kind, name


def _shuffled(table: SeriesTable, kind: str, name: str, rng: np.random.Generator) -> SeriesTable:
    columns: Mapping[str, Column] = getattr(table, kind)
    order = _shifts(table, rng) if kind in STEPWISE else rng.permutation(len(table))
    column = columns[name]
    taken: Column = Categories(column.codes[order], column.symbols) if isinstance(column, Categories) else column[order]
    changes: dict[str, Any] = {kind: MappingProxyType({**columns, name: taken})}
    return dataclasses.replace(table, **changes)


def _shifts(table: SeriesTable, rng: np.random.Generator) -> np.ndarray:
    """For each step, the step whose value it gets: within each series, so many further on, and round its end."""
    order = np.arange(len(table.values))
    for series in range(len(table)):
        rows = table.rows(series)
        length = rows.stop - rows.start
        order[rows] = np.roll(order[rows], rng.integers(1, length) if length > 1 else 0)
    return order
