"""Tables, text and files of a backtest, against the rows of the long frame."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from seqtag.data.series.files import read_series
from seqtag.errors import RunError
from seqtag.forecasting.backtesting import RollingOrigins, backtest, write_result
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.evaluation.evaluate import evaluate_forecasts
from seqtag.forecasting.evaluation.forecast import Forecast

LEVELS = (0.1, 0.5, 0.9)
MODELS = ["forecast", "seasonal_naive", "naive", "drift", "mean", "theta"]


@pytest.fixture(scope="module")
def table():
    frame = sample_series(3, 120, 1, seed=9)[0]
    frame["ds"] = frame["ds"].dt.tz_localize("Europe/Berlin")
    return read_series(frame[["unique_id", "ds", "y"]], frequency="D")


@pytest.fixture(scope="module")
def result(table):
    """A backtest of random quantiles; the second series is too short for the first fold."""
    source = np.random.default_rng(2)

    def predict(known, windows):
        quantiles = np.sort(source.normal(100, 20, size=(len(windows), windows.horizon, 3)), axis=-1)
        return Forecast.of_quantiles(quantiles, LEVELS)

    min_train_steps = int(table.lengths.min()) - 10
    origins = RollingOrigins(folds=3, horizon=5, min_train_steps=min_train_steps)
    return backtest(table, origins, lambda train: predict, season_length=7)


def test_the_long_frame_has_what_came_and_what_was_forecast(table, result):
    frame = result.forecasts
    assert list(frame.columns) == ["unique_id", "fold", "cutoff", "step", "ds", "y", "forecast", "q0.1", "q0.5", "q0.9"]
    truth = table.to_frame().set_index(["unique_id", "ds"])["y"]
    met = truth.reindex(pd.MultiIndex.from_frame(frame[["unique_id", "ds"]]))
    np.testing.assert_array_equal(frame["y"], met)
    assert str(frame["ds"].dt.tz) == "Europe/Berlin"
    assert (frame["ds"].dt.tz_localize(None) - frame["cutoff"].dt.tz_localize(None)).dt.days.tolist() == frame[
        "step"
    ].tolist()
    last = frame[frame["fold"] == 3].groupby("unique_id")["ds"].max()
    assert last.to_dict() == table.to_frame().groupby("unique_id")["ds"].max().to_dict()
    assert len(frame) == 5 * (9 - len(result.left_out[1]))
    np.testing.assert_array_equal(frame["q0.1"], result.forecast.quantiles[..., 0].ravel())
    assert (frame["forecast"] == frame["q0.5"]).all()


def test_cuts_are_the_metrics_of_their_rows(result):
    frame = result.forecasts
    frame["error"] = (frame["y"] - frame["forecast"]).abs()
    for cut, column in ((result.by_series, "unique_id"), (result.by_step, "step"), (result.by_fold, "fold")):
        found = cut()
        assert found.index.name == column
        assert found["mae"].to_dict() == pytest.approx(frame.groupby(column)["error"].mean().to_dict())
        assert found["observed"].to_dict() == frame.groupby(column)["error"].count().to_dict()
        for model in MODELS[1:]:
            assert cut(model).shape == found.shape
            assert not np.allclose(cut(model)["mae"], found["mae"])
    np.testing.assert_allclose(result.by_step("mean")["mae"], [s.mae for s in result.report.baselines["mean"].per_step])
    with pytest.raises(
        ValueError, match="expected model to be one of forecast, seasonal_naive, naive, drift, mean, theta, found"
    ):
        result.by_fold("arima")


def test_a_report_for_each_fold_is_that_of_its_rows_alone(result):
    assert list(result.folds) == [1, 2, 3]
    for number, report in result.folds.items():
        rows = np.flatnonzero(result.fold == number)
        histories = [result.histories[row] for row in rows]
        alone = evaluate_forecasts(result.target[rows], result.forecast.cut(rows, slice(None)), histories, 7)
        found, wanted = report.to_metrics(), alone.to_metrics()
        # Sums over rows of another width are rounded in another order.
        assert found.pop("theta")["per_step"]["mase"] == pytest.approx(wanted.pop("theta")["per_step"]["mase"])
        assert found.pop("skill") == pytest.approx(wanted.pop("skill"))
        assert found == wanted
        assert result.by_fold()["mase"][number] == pytest.approx(alone.overall.mase)
        assert result.by_fold("drift")["mase"][number] == pytest.approx(alone.baselines["drift"].overall.mase)


def test_the_summary_sets_the_naive_rules_beside_and_names_the_season(result):
    summary = result.summary()
    assert summary.index.tolist() == MODELS
    assert {"mase", "smape", "rmsse", "mae", "rmse", "wql", "crps", "coverage"} < set(summary.columns)
    assert summary["season_length"].tolist() == ["7"] * len(MODELS)
    assert summary.attrs == {"season_length": "7", "coverage_of": 0.8}
    assert summary.loc["drift", "mase"] == result.report.baselines["drift"].overall.mase
    assert summary.loc["forecast", "coverage"] == result.report.overall.coverage[0.8]
    assert math.isnan(summary.loc["mean", "wql"])


def test_the_text_names_season_folds_and_what_is_left_out(result):
    lines = result.to_text().splitlines()
    assert lines[0] == "backtest of 3 folds, horizon 5, season 7; fitted in each."
    left = ", ".join(f"{len(series)} in fold {fold}" for fold, series in result.left_out.items())
    assert lines[1] == f"series left out as too short or without a value: {left}."
    assert "coverage of the 80% interval" in lines[2]
    start = lines.index(next(line for line in lines if line.startswith("fold ")))
    assert [line.split()[0] for line in lines[start + 1 :]] == ["1", "2", "3"]


def test_many_folds_are_shown_by_some_of_them():
    table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(90), "y": np.arange(90.0) ** 1.5}))

    def last(known, windows):
        return Forecast(windows.history(known.values)[:, -1:])

    result = backtest(table, RollingOrigins(folds=70, horizon=1), lambda train: last, season_length=1, refit=20)
    lines = result.to_text().splitlines()
    assert lines[0] == "backtest of 70 folds, horizon 1, season 1; fitted in fold 1, 21, 41, 61."
    assert lines[-25].split()[:3] == ["fold", "of", "70"]
    assert [lines[-24].split()[0], lines[-1].split()[0]] == ["1", "70"]
    assert len(result.folds) == 70
    every = backtest(table, RollingOrigins(folds=70, horizon=1), lambda train: last, season_length=1, refit=10)
    assert every.to_text().splitlines()[0].endswith("fitted in fold 1, 11, 21, ... 61.")


def test_metrics_are_json_and_hold_the_folds(result):
    found = json.loads(json.dumps(result.to_metrics(), allow_nan=False))
    assert found["mase"] == result.report.overall.mase
    assert found["seasonal_naive"]["mase"] == result.report.baselines["seasonal_naive"].overall.mase
    assert found["per_fold"]["mae"] == result.by_fold()["mae"].tolist()
    assert (found["folds"], found["fitted"], found["season_lengths"]) == (3, [1, 2, 3], [7])
    assert found["left_out"] == {str(fold): list(series) for fold, series in result.left_out.items()}
    assert found["left_out"]["1"]
    assert found["fit_seconds"] >= 0
    assert found["predict_seconds"] >= 0


def test_what_is_written(result, tmp_path):
    folder = tmp_path / "new" / "backtest"
    write_result(result, folder)
    tables = {"summary", "by_series", "by_step", "by_fold", "forecasts"}
    names = {f"{name}.csv" for name in tables} | {"metrics.json", "backtest.png", "forecast.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert json.loads((folder / "metrics.json").read_text()) == result.to_metrics()
    for name in tables - {"forecasts"}:
        found = pd.read_csv(folder / f"{name}.csv", index_col=0, dtype={"season_length": str})
        pd.testing.assert_frame_equal(found, getattr(result, name)())
    forecasts = pd.read_csv(folder / "forecasts.csv")
    assert list(forecasts.columns) == list(result.forecasts.columns)
    np.testing.assert_allclose(forecasts["q0.9"], result.forecasts["q0.9"])
    for name in ("backtest.png", "forecast.png"):
        assert imread(folder / name).ndim == 3
    write_result(result, tmp_path, forecasts=False)
    assert not (tmp_path / "forecasts.csv").exists()


def test_a_fault_at_the_last_file_leaves_all_older_ones(result, tmp_path, monkeypatch):
    (tmp_path / "summary.csv").write_text("old")

    def fails(figure, path, format):
        path.write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(Figure, "savefig", fails)
    with pytest.raises(OSError, match="no space left"):
        write_result(result, tmp_path)
    assert (tmp_path / "summary.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["summary.csv"]


def test_a_run_is_not_written_into(result, tmp_path):
    (tmp_path / "encoders.json").touch()
    with pytest.raises(RunError, match="expected a folder of its own for the output, found a run"):
        write_result(result, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["encoders.json"]


def test_tables_have_the_ids_of_the_frame():
    frame = pd.DataFrame({"unique_id": pd.Series([7] * 9 + [3] * 9, dtype="Int64"), "ds": [*range(9)] * 2, "y": 1.0})

    def last_value(known, windows):
        return Forecast(windows.history(known.values)[:, -1:].repeat(2, axis=1))

    result = backtest(read_series(frame), RollingOrigins(2, 2), lambda train: last_value, season_length=1)
    assert result.forecasts["unique_id"].dtype == "Int64" and result.by_series().index.dtype == "Int64"
    assert result.by_series().index.tolist() == [7, 3]
