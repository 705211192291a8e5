"""Permutation importance of covariates: how much worse a model forecasts when a covariate is shuffled."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.series_order import generator_of
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.metrics import wql
from seqtag.forecasting.model import ForecastingModel

OF_STEPS = ("past", "known")


def permutation_effects(
    model: ForecastingModel, table: SeriesTable, windows: Windows, repeats: int = 3, seed: int = 0
) -> pd.DataFrame:
    """The increase of the weighted quantile loss when each covariate is shuffled.

    A covariate of steps is shifted in a circle within each series by a random number of steps, so that it keeps its
    course but loses its place in time; a static covariate is permuted among the series. The increase shows how much the
    model uses the covariate, and says nothing about causes (Breiman 2001, section 10; Fisher, Rudin and Dominici 2019).

    Args:
        model: the fitted model.
        table: the series.
        windows: the windows to forecast, with futures in the table.
        repeats: how many times each covariate is shuffled.
        seed: the seed of the shuffles.

    Returns:
        A row for each covariate, the largest increase first: `covariate, kind, loss, increase, share`. The share is the
        increase over the loss without shuffling.

    Raises:
        ValueError: `repeats` below 1.
    """
    if repeats < 1:
        raise ValueError(f"expected repeats to be at least 1, found {repeats}")
    target = windows.future(table.values).astype(float)

    def loss(series: SeriesTable) -> float:
        return wql(target, model.forecast(series, windows).quantiles, model.levels)

    reference = loss(table)
    rows = []
    for kind, name in _covariates(table):
        shuffled = float(np.mean([loss(_shuffled(table, kind, name, seed + repeat)) for repeat in range(repeats)]))
        rows.append((name, kind, shuffled, shuffled - reference, (shuffled - reference) / reference))
    frame = pd.DataFrame(rows, columns=["covariate", "kind", "loss", "increase", "share"])
    return frame.sort_values("increase", ascending=False, ignore_index=True)


def _covariates(table: SeriesTable) -> Iterator[tuple[str, str]]:
    for kind in (*OF_STEPS, "static"):
        for name in getattr(table, kind):
            yield kind, name


def _shuffled(table: SeriesTable, kind: str, name: str, seed: int) -> SeriesTable:
    columns: Mapping[str, Column] = getattr(table, kind)
    order = _shifts(table, seed) if kind in OF_STEPS else _permutation(table, seed)
    column = columns[name]
    taken: Column = Categories(column.codes[order], column.symbols) if isinstance(column, Categories) else column[order]
    changes: dict[str, Any] = {kind: MappingProxyType({**columns, name: taken})}
    return dataclasses.replace(table, **changes)


def _shifts(table: SeriesTable, seed: int) -> np.ndarray:
    """For each step, the step whose value it gets: a random shift in a circle within each series."""
    order = np.arange(len(table.values))
    for series, name in enumerate(table.ids):
        rows = table.rows(series)
        length = rows.stop - rows.start
        order[rows] = np.roll(order[rows], generator_of(name, seed).integers(1, length) if length > 1 else 0)
    return order


def _permutation(table: SeriesTable, seed: int) -> np.ndarray:
    """For each series, the series whose value it gets, whatever the order of the table."""
    sorted_by_name = np.argsort(table.ids.astype(str))
    order = np.empty(len(table), np.int64)
    order[sorted_by_name] = sorted_by_name[np.random.default_rng(seed).permutation(len(table))]
    return order
