"""`BacktestResult`: the forecasts of a backtest, and their scores by series, by horizon step and by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation import metrics
from seqtag.forecasting.evaluation.evaluate import baseline_forecasts, evaluate_forecasts, group_scores
from seqtag.forecasting.evaluation.forecast import Forecast, quantile_names
from seqtag.forecasting.evaluation.histories import Prefixes
from seqtag.forecasting.evaluation.report import (
    METRICS,
    ForecastReport,
    Scores,
    named_interval,
    score_lines,
    spaced_indices,
)

FORECAST = "forecast"


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """The forecasts of a backtest and their scores.

    A row is the forecast of one series from one cutoff. MASE and RMSSE scale each row by its history, which is
    everything before its cutoff, and the baselines read the same history, even if the model was fitted on a part of it.

    Attributes:
        table: the series.
        windows: the window of each row, fold after fold.
        fold: int64 `(rows,)`, the fold of each row, from 1.
        forecast: the forecasts of all rows.
        season_lengths: the season length of each series.
        left_out: the series that a fold leaves out because they are too short or have no value, by fold.
        fitted: the folds in which the model was fitted; empty for a model that was fitted before.
        fit_seconds: the seconds of all fits.
        predict_seconds: the seconds of all forecasts.
    """

    table: SeriesTable
    windows: Windows
    fold: np.ndarray
    forecast: Forecast
    season_lengths: tuple[int, ...]
    left_out: Mapping[int, tuple[Any, ...]]
    fitted: tuple[int, ...]
    fit_seconds: float
    predict_seconds: float

    @cached_property
    def target(self) -> np.ndarray:
        """The observed values, `(rows, horizon)`, NaN where missing."""
        return self.windows.future(self.table.values).astype(float)

    @cached_property
    def histories(self) -> Prefixes:
        """The history of each row: everything before its cutoff."""
        values = [self.table.values[self.table.rows(series)] for series in range(len(self.table))]
        return Prefixes(values, self.windows.series, self.windows.ends - self.windows.first)

    @cached_property
    def report(self) -> ForecastReport:
        """The scores of the forecasts and of the baselines over all folds."""
        return self._report(np.arange(len(self.fold)))

    @cached_property
    def folds(self) -> dict[int, ForecastReport]:
        """A report for each fold; `by_fold` is faster where there are many."""
        return {number: self._report(np.flatnonzero(self.fold == number)) for number in np.unique(self.fold).tolist()}

    @property
    def forecasts(self) -> pd.DataFrame:
        """Every forecast value: `unique_id, fold, cutoff, step, ds, y, forecast` and a column for each quantile.

        `cutoff` is the time of the last known step. The frame is made anew for each call, because it is several times
        as large as the forecasts.
        """
        rows, horizon = self.target.shape
        times = self.table.times
        frame = pd.DataFrame(
            {
                "unique_id": self.table.named(np.repeat(self.windows.series, horizon)),
                "fold": np.repeat(self.fold, horizon),
                "cutoff": self.table.to_timestamps(np.repeat(times[self.windows.ends - 1], horizon)),
                "step": np.tile(np.arange(1, horizon + 1), rows),
                "ds": self.table.to_timestamps(self.windows.future(times).ravel()),
                "y": self.target.ravel(),
                FORECAST: self.forecast.point.ravel(),
            }
        )
        for column, name in enumerate(quantile_names(self.forecast.levels)):
            frame[name] = self.forecast.quantiles[..., column].ravel()
        return frame

    def summary(self) -> pd.DataFrame:
        """Every metric over all folds, with a row for the forecasts and one for each baseline.

        `attrs["coverage_of"]` is the nominal coverage of the interval in the column `coverage`.
        """
        baselines = {name: scores.overall for name, scores in self.report.baselines.items()}
        frame = _frame({FORECAST: self.report.overall, **baselines}, "model")
        frame["season_length"] = self._seasons_text
        frame.attrs = {"season_length": self._seasons_text, "coverage_of": named_interval(self.report.overall.coverage)}
        return frame

    def by_series(self, model: str = FORECAST) -> pd.DataFrame:
        """The metrics of each series, over all folds; `model` is `forecast` or a baseline."""
        found = dict(sorted(self._by(self.windows.series, model).items()))
        frame = _frame(found, "unique_id")
        return frame.set_axis(pd.Index(self.table.named(np.array(list(found))), name="unique_id"))

    def by_step(self, model: str = FORECAST) -> pd.DataFrame:
        """The metrics of each horizon step, from 1; `model` is `forecast` or a baseline."""
        self._check_model(model)
        steps = self.report.per_step if model == FORECAST else self.report.baselines[model].per_step
        return _frame(dict(enumerate(steps, start=1)), "step")

    def coverage_by_step(self) -> pd.DataFrame:
        """The coverage of each central interval at each horizon step; the columns are the nominal coverages."""
        steps = self.report.per_step
        index = pd.RangeIndex(1, len(steps) + 1, name="step")
        return pd.DataFrame([dict(scores.coverage) for scores in steps], index=index)

    def by_fold(self, model: str = FORECAST) -> pd.DataFrame:
        """The metrics of each fold; `model` is `forecast` or a baseline."""
        return _frame(self._of_folds if model == FORECAST else self._by(self.fold, model), "fold")

    def scaled_quantile_loss(self) -> float:
        """The mean over folds of `metrics.scaled_quantile_loss`, which needs no baseline."""
        scales = metrics.scales(self.histories, self._season_lengths_of_rows).mean
        quantiles, levels = self.forecast.quantiles, self.forecast.levels
        rows_of = [self.fold == number for number in np.unique(self.fold)]
        found = [
            metrics.scaled_quantile_loss(self.target[rows], quantiles[rows], levels, scales[rows]) for rows in rows_of
        ]
        return float(np.mean(found))

    def to_text(self) -> str:
        """The backtest as text: tables of the models, the steps and the folds."""
        count, horizon = int(self.fold[-1]), self.windows.horizon
        fitted = "each" if len(self.fitted) == count else f"fold {_listed(self.fitted)}" if self.fitted else "none"
        lines = [f"backtest of {count} folds, horizon {horizon}, season {self._seasons_text}; fitted in {fitted}."]
        if self.left_out:
            short = ", ".join(f"{len(series)} in fold {fold}" for fold, series in self.left_out.items())
            lines.append(f"series left out as too short or without a value: {short}.")
        all_folds = list(self._of_folds.items())
        chosen = {str(fold): scores for fold, scores in (all_folds[at] for at in spaced_indices(len(all_folds)))}
        title = "fold" if len(chosen) == len(all_folds) else f"fold of {len(all_folds)}"
        return "\n".join([*lines, self.report.to_text(), "", *score_lines(title, chosen)])

    def to_metrics(self) -> dict[str, Any]:
        """An entry of `metrics.json`: that of the report, `per_fold` with a list for each metric, and the seconds."""
        folds = [scores.to_metrics() for scores in self._of_folds.values()]
        return {
            **self.report.to_metrics(),
            "per_fold": {name: [fold[name] for fold in folds] for name in (*METRICS, "observed")},
            "folds": len(folds),
            "fitted": list(self.fitted),
            "left_out": {str(fold): [str(name) for name in series] for fold, series in self.left_out.items()},
            "fit_seconds": self.fit_seconds,
            "predict_seconds": self.predict_seconds,
        }

    @property
    def _seasons_text(self) -> str:
        return ", ".join(map(str, sorted(set(self.season_lengths))))

    @cached_property
    def _season_lengths_of_rows(self) -> list[int]:
        return [self.season_lengths[series] for series in self.windows.series]

    @cached_property
    def _baselines(self) -> dict[str, Forecast]:
        levels, horizon = self.forecast.levels, self.windows.horizon
        return baseline_forecasts(self.histories, horizon, self._season_lengths_of_rows, levels)

    @cached_property
    def _of_folds(self) -> dict[int, Scores]:
        return self._by(self.fold, FORECAST)

    def _report(self, rows: np.ndarray) -> ForecastReport:
        forecast = self.forecast.cut(rows, slice(None))
        season_lengths = [self._season_lengths_of_rows[row] for row in rows]
        rules = {name: found.cut(rows, slice(None)) for name, found in self._baselines.items()}
        return evaluate_forecasts(self.target[rows], forecast, self.histories.take(rows), season_lengths, rules=rules)

    def _by(self, groups: np.ndarray, model: str) -> dict[int, Scores]:
        self._check_model(model)
        forecast = self.forecast if model == FORECAST else self._baselines[model]
        scales = metrics.scales(self.histories, self._season_lengths_of_rows)
        return group_scores(self.target, forecast, scales, groups.tolist())

    def _check_model(self, model: str) -> None:
        known = (FORECAST, *self._baselines)
        if model not in known:
            raise ValueError(f"expected model to be one of {', '.join(known)}, found {model!r}")


def _frame(scores: Mapping[Any, Scores], name: str) -> pd.DataFrame:
    """A row of metrics for each of the scores, with the number of values behind them."""
    rows = [{**vars(row), "coverage": row.named_coverage()} for row in scores.values()]
    return pd.DataFrame(rows, index=pd.Index(list(scores), name=name), columns=[*METRICS, "observed", "unscaled"])


def _listed(folds: Sequence[int]) -> str:
    """The folds as text, the first few where there are many.

    >>> _listed([1, 4]), _listed(range(1, 100, 2))
    ('1, 4', '1, 3, 5, ... 99')
    """
    return ", ".join(map(str, folds)) if len(folds) < 5 else f"{folds[0]}, {folds[1]}, {folds[2]}, ... {folds[-1]}"
