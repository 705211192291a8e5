"""Backtests of simple predictors: figures worked out by hand, baselines against themselves, no look at the future."""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.errors import DataError
from seqtag.forecasting.backtesting import RollingOrigins, backtest
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.evaluation import baselines
from seqtag.forecasting.evaluation.forecast import Forecast

LEVELS = (0.1, 0.5, 0.9)
NAN = math.nan


@pytest.fixture(scope="module")
def table():
    frame = sample_series(4, 150, 1, seed=6)[0].assign(cost=lambda frame: np.arange(float(len(frame))))
    names = CovariateNames(past=("cost",), known=("promotion", "holiday"), static=("region",))
    return read_series(frame, SeriesColumns(covariates=names), frequency="D")


def table_of(**series):
    parts = [
        pd.DataFrame({"unique_id": name, "ds": range(len(values)), "y": values}) for name, values in series.items()
    ]
    return read_series(pd.concat(parts), frequency=1)


def seasonal(season_length, levels=LEVELS):
    """Seasonal naive as a fitter that fits nothing."""

    def predict(table, windows):
        history = windows.history(table.values)
        quantiles = baselines.seasonal_naive_quantiles(history, windows.horizon, season_length, levels)
        return Forecast(baselines.seasonal_naive(history, windows.horizon, season_length), quantiles, levels)

    return lambda train: predict


def constant(value):
    return lambda train: lambda table, windows: Forecast(np.full((len(windows), windows.horizon), float(value)))


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("train_steps", [None, 60])
def test_seasonal_naive_has_exactly_the_figures_of_the_reports_own(table, refit, train_steps):
    origins = RollingOrigins(folds=4, horizon=9, step=5, train_steps=train_steps)
    result = backtest(table, origins, seasonal(7), season_length=7, refit=refit)
    own = result.report.baselines["seasonal_naive"]
    for found, expected in ((result.report.overall, own.overall), (result.report.per_step[8], own.per_step[8])):
        found, expected = dataclasses.asdict(found), dataclasses.asdict(expected)
        if train_steps is not None:  # these quantiles use the training part, the report's all steps
            found, expected = (
                {name: part[name] for name in ("mase", "smape", "rmsse", "mae")} for part in (found, expected)
            )
        assert found == expected
    assert result.report.skill["seasonal_naive"] == 0


def test_nothing_after_the_cutoff_reaches_a_predictor(table):
    seen = []

    def predict(known, windows):
        future = windows.future_steps()
        assert np.isnan(known.values[future]).all()
        assert not known.observed[future].any()
        assert np.isnan(known.past["cost"][future]).all()
        assert known.inserted[future].all()
        for series in range(len(known)):
            rows = known.rows(series)
            mine = windows.series == series
            end = int(windows.ends[mine][0]) if mine.any() else rows.start
            assert np.isnan(known.values[end : rows.stop]).all()
            np.testing.assert_array_equal(known.values[rows.start : end], table.values[rows.start : end])
        np.testing.assert_array_equal(known.known["promotion"][future], table.known["promotion"][future])
        np.testing.assert_array_equal(known.static["region"].codes, table.static["region"].codes)
        with pytest.raises(ValueError, match="read-only"):
            known.values[0] = 0
        seen.append(len(windows))
        return Forecast(np.zeros(future.shape))

    backtest(table, RollingOrigins(folds=3, horizon=5), lambda train: predict, season_length=7)
    assert len(seen) == 3


def test_a_predictor_that_reads_the_future_finds_none():
    table = table_of(a=np.arange(12.0), b=np.arange(9.0))

    def cheat(known, windows):
        return Forecast(windows.future(known.values))

    with pytest.raises(ValueError, match="series 'a' at 6: expected a finite forecast of step 1 in fold 1, found one"):
        backtest(table, RollingOrigins(folds=2, horizon=3), lambda train: cheat, season_length=1)


@pytest.mark.parametrize(
    ("refit", "lengths"), [(True, [4, 6, 8, 10]), (1, [4, 6, 8, 10]), (False, [4]), (2, [4, 8]), (3, [4, 10]), (9, [4])]
)
def test_fits_see_the_training_part_of_their_fold_alone(refit, lengths):
    table = table_of(a=np.arange(12.0))
    fitted = []

    def fitter(train):
        fitted.append(train.values.tolist())
        mean = train.values.mean()
        return lambda known, windows: Forecast(np.full((len(windows), 2), mean))

    result = backtest(table, RollingOrigins(folds=4, horizon=2), fitter, season_length=1, refit=refit)
    assert fitted == [list(range(length)) for length in lengths]
    assert result.fitted == tuple((length - 2) // 2 for length in lengths)
    latest = [max(length for length in lengths if length <= cutoff) for cutoff in (4, 6, 8, 10)]
    assert result.forecast.point[:, 0].tolist() == [(length - 1) / 2 for length in latest]


def test_scores_of_several_rows_a_series_worked_by_hand():
    table = table_of(a=[1.0, 3.0, 2.0, 6.0, 5.0, 9.0], b=[0.0, 2.0, 4.0, NAN])
    result = backtest(table, RollingOrigins(folds=2, horizon=1), constant(4), season_length=1)
    # a: |5 - 4| over (2 + 1 + 4) / 3, |9 - 4| over (2 + 1 + 4 + 1) / 4; b: |4 - 4| over 2, then no value
    scaled = {"a": [3 / 7, 5 / 2], "b": [0.0]}
    overall = result.report.overall
    assert overall.mase == pytest.approx((3 / 7 + 5 / 2 + 0) / 3)
    assert overall.rmsse == pytest.approx((1 / 7**0.5 + 5 / (22 / 4) ** 0.5 + 0) / 3)
    assert overall.smape == pytest.approx((200 / 9 + 1000 / 13 + 0) / 3)
    assert overall.mae == pytest.approx((1 + 5 + 0) / 3)
    assert overall.rmse == pytest.approx((26 / 3) ** 0.5)
    assert overall.observed == 3
    series = result.by_series()
    assert series["mase"].to_dict() == pytest.approx({name: np.mean(figures) for name, figures in scaled.items()})
    assert result.by_fold()["mase"].to_dict() == pytest.approx({1: (3 / 7 + 0) / 2, 2: 5 / 2})
    # naive: |5 - 6|, |9 - 5|; |4 - 2|
    assert result.by_series("naive")["mae"].to_dict() == {"a": 2.5, "b": 2.0}
    assert result.by_fold("naive")["mae"].to_dict() == {1: 1.5, 2: 4.0}


def test_scores_are_utilsforecasts():
    losses = pytest.importorskip("utilsforecast.losses")
    source = np.random.default_rng(4)
    table = table_of(**{name: source.normal(50, 9, size) for name, size in (("a", 60), ("b", 41), ("c", 75))})
    result = backtest(table, RollingOrigins(folds=4, horizon=6, step=4), seasonal(7), season_length=7)
    frame, history = result.forecasts.rename(columns={"forecast": "model"}), table.to_frame()
    rows = frame["unique_id"] + "-" + frame["fold"].astype(str)
    known = [
        history[(history["unique_id"] == part["unique_id"].iloc[0]) & (history["ds"] <= part["cutoff"].iloc[0])].assign(
            unique_id=row
        )
        for row, part in frame.groupby(rows)
    ]
    frame["unique_id"] = rows

    def theirs(name, **options):
        return getattr(losses, name)(frame, options.pop("models", ["model"]), **options)["model"]

    overall, scaled = result.report.overall, {"seasonality": 7, "train_df": pd.concat(known)}
    assert len(known) == 12
    assert overall.mase == pytest.approx(theirs("mase", **scaled).mean())
    assert overall.rmsse == pytest.approx(theirs("rmsse", **scaled).mean())
    assert overall.smape == pytest.approx(200 * theirs("smape").mean())
    assert overall.mae == pytest.approx(theirs("mae").mean())
    assert overall.rmse == pytest.approx(theirs("mse").mean() ** 0.5)
    named = {"models": {"model": [f"q{level}" for level in LEVELS]}, "quantiles": np.array(LEVELS)}
    pinball = theirs("mqloss", **named).mean()
    assert overall.crps == pytest.approx(2 * pinball)
    assert overall.wql == pytest.approx(2 * pinball / frame["y"].abs().mean())
    frame = frame.assign(**{"model-lo-80": frame["q0.1"], "model-hi-80": frame["q0.9"]})
    assert overall.coverage[0.8] == pytest.approx(theirs("coverage", level=80).mean())


def test_levels_are_chosen_and_ordered(table):
    origins = RollingOrigins(folds=2, horizon=3)
    every = backtest(table, origins, seasonal(7), season_length=7)
    some = backtest(table, origins, seasonal(7), season_length=7, levels=(0.9, 0.1))
    assert some.forecast.levels == (0.9, 0.1)
    np.testing.assert_array_equal(some.forecast.quantiles, every.forecast.quantiles[..., [2, 0]])
    np.testing.assert_array_equal(some.forecast.point, every.forecast.point)
    none = backtest(table, origins, seasonal(7), season_length=7, levels=())
    assert none.forecast.levels == ()
    assert list(none.forecasts.columns) == ["unique_id", "fold", "cutoff", "step", "ds", "y", "forecast"]
    with pytest.raises(ValueError, match=r"expected level 0\.2 in fold 1, found levels \(0\.1, 0\.5, 0\.9\)"):
        backtest(table, origins, seasonal(7), season_length=7, levels=(0.1, 0.2))


def test_every_fold_gives_the_levels_of_the_first(table):
    fits = iter([seasonal(7), seasonal(7, (0.1, 0.9))])
    with pytest.raises(ValueError, match=r"expected level 0\.5 in fold 2, found levels \(0\.1, 0\.9\)"):
        backtest(table, RollingOrigins(folds=2, horizon=3), lambda train: next(fits)(train), season_length=7)


def test_a_season_for_each_series():
    table = table_of(a=[1.0, 5.0] * 4, b=[1.0, 2.0, 3.0] * 3)
    result = backtest(table, RollingOrigins(folds=2, horizon=1), constant(0), season_length=(2, 3))
    assert result.report.baselines["seasonal_naive"].overall.mae == 0
    assert result.report.season_lengths == (2, 3)
    assert result.summary()["season_length"].tolist() == ["2, 3"] * 6


def test_faults_of_a_predictor_are_named():
    table, origins = table_of(a=np.arange(9.0), b=np.arange(9.0)), RollingOrigins(folds=2, horizon=2)
    with pytest.raises(TypeError, match="expected a Forecast from the predictor in fold 1, found ndarray"):
        backtest(table, origins, lambda train: lambda known, windows: np.zeros((2, 2)), season_length=1)
    with pytest.raises(ValueError, match=r"expected forecasts \(2, 2\) in fold 1, found shape \(1, 2\)"):
        backtest(table, origins, lambda train: lambda known, windows: Forecast(np.zeros((1, 2))), season_length=1)
    infinite = Forecast(np.zeros((2, 2)), np.array([[[0.0], [0.0]], [[0.0], [math.inf]]]), (0.5,))
    with pytest.raises(ValueError, match="series 'b' at 6: expected a finite forecast of step 2 in fold 1"):
        backtest(table, origins, lambda train: lambda known, windows: infinite, season_length=1)


def test_wrong_arguments():
    table, origins = table_of(a=np.arange(9.0)), RollingOrigins(folds=2, horizon=2)
    for refit in (0, -1):
        with pytest.raises(ValueError, match=f"expected refit to be True, False or at least 1, found {refit}"):
            backtest(table, origins, constant(0), season_length=1, refit=refit)
    with pytest.raises(ValueError, match="expected season lengths of at least 1, found 0"):
        backtest(table, origins, constant(0), season_length=0)
    with pytest.raises(ValueError, match="expected one season length or one for each of 1 series, found 2"):
        backtest(table, origins, constant(0), season_length=(1, 2))
    with pytest.raises(DataError, match="series 'a': expected 1 steps with a value and 10 more for fold 1 of 5"):
        backtest(table, RollingOrigins(folds=5, horizon=2), constant(0), season_length=1)


def test_a_missing_value_needs_no_forecast():
    table = table_of(a=[1.0, 2.0, 4.0, NAN, 5.0])
    point = Forecast(np.array([[NAN, 4.0]]))
    result = backtest(table, RollingOrigins(1, 2), lambda train: lambda known, windows: point, season_length=1)
    assert result.report.overall.mae == 1.0


class Recorded:
    """Replaces the live line and keeps what it shows."""

    lines: ClassVar[list[str]] = []
    closed = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        type(self).closed += 1

    def show(self, text, at_once=False):
        self.lines.append(text())


def test_the_line_names_fold_and_task_and_is_removed(monkeypatch):
    monkeypatch.setattr(sys.modules[backtest.__module__], "LiveLine", Recorded)
    monkeypatch.setattr(Recorded, "lines", [])
    table, origins = table_of(a=np.arange(9.0)), RollingOrigins(folds=2, horizon=2)
    backtest(table, origins, constant(0), season_length=1)
    assert Recorded.lines == [
        "backtest: fold 1 of 2  fitting",
        "backtest: fold 1 of 2  forecasting",
        "backtest: fold 2 of 2  fitting  0:00 left",
        "backtest: fold 2 of 2  forecasting  0:00 left",
    ]
    closed = Recorded.closed
    with pytest.raises(TypeError):
        backtest(table, origins, lambda train: lambda known, windows: None, season_length=1)
    assert Recorded.closed == closed + 1
    lines = len(Recorded.lines)
    backtest(table, origins, constant(0), season_length=1, progress=False)
    assert len(Recorded.lines) == lines
