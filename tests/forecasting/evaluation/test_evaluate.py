"""Evaluation of forecasts: scores against the metrics of the same rows, bad input, and the published figures of M3."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from seqtag.errors import DataError
from seqtag.forecasting.calibration.quantile_function import values_at
from seqtag.forecasting.evaluation import baselines, metrics
from seqtag.forecasting.evaluation.evaluate import baseline_forecasts, evaluate_forecasts
from seqtag.forecasting.evaluation.forecast import Forecast

NAN = math.nan
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
ENDS = (0.025, 0.05, 0.1, 0.25, 0.45, 0.55, 0.75, 0.9, 0.95, 0.975)
SEASONS = {"YEARLY": 1, "QUARTERLY": 4, "MONTHLY": 12, "OTHER": 1}


@pytest.fixture
def windows() -> dict:
    """Two windows of each of three series, with missing targets."""
    source = np.random.default_rng(5)
    target = source.normal(9, 3, size=(6, 4))
    target[source.random(target.shape) < 0.2] = NAN
    return {
        "target": target,
        "forecast": Forecast.of_quantiles(np.sort(source.normal(9, 3, size=(6, 4, 5)), axis=-1), LEVELS),
        "histories": [source.normal(9, 3, size=length) for length in (8, 12, 9, 13, 20, 24)],
        "season_lengths": [4, 4, 1, 1, 3, 3],
        "ids": ["a", "a", "b", "b", "c", "c"],
    }


def expected(made: dict, rows: list[int], steps: list[int], forecast: Forecast | None = None) -> dict:
    """The scores of some rows and steps, from the metrics themselves."""
    forecast = forecast or made["forecast"]
    target, point = made["target"][np.ix_(rows, steps)], forecast.point[np.ix_(rows, steps)]
    scale = metrics.scales([made["histories"][row] for row in rows], [made["season_lengths"][row] for row in rows])
    quantiles = forecast.quantiles[np.ix_(rows, steps)] if forecast.levels else forecast.quantiles
    pairs = {0.95: (0, 9), 0.9: (1, 8), 0.8: (2, 7), 0.5: (3, 6), 0.1: (4, 5)} if forecast.levels else {}
    order = np.argsort(forecast.levels)
    ends = values_at(np.array(ENDS), quantiles[..., None, order], np.sort(forecast.levels)) if pairs else quantiles
    return {
        "mase": metrics.mase(target, point, scale.mean),
        "smape": metrics.smape(target, point),
        "rmsse": metrics.rmsse(target, point, scale.rms),
        "mae": metrics.mae(target, point),
        "rmse": metrics.rmse(target, point),
        "mse": metrics.mse(target, point),
        "wql": metrics.wql(target, quantiles, forecast.levels),
        "crps": metrics.crps(target, quantiles, forecast.levels),
        "coverage": {
            nominal: metrics.coverage(target, ends[..., low], ends[..., high]) for nominal, (low, high) in pairs.items()
        },
        "observed": int(np.sum(~np.isnan(target))),
        "unscaled": 0,
    }


def same(found: object, wanted: dict) -> None:
    figures = asdict(found)
    assert figures.pop("coverage") == pytest.approx(wanted["coverage"])
    assert figures == pytest.approx({name: wanted[name] for name in figures}, nan_ok=True)


def test_every_cut_has_the_metrics_of_its_rows_and_steps(windows):
    report = evaluate_forecasts(**windows)
    every, steps = list(range(6)), list(range(4))
    same(report.overall, expected(windows, every, steps))
    assert len(report.per_step) == 4
    for step, scores in enumerate(report.per_step):
        same(scores, expected(windows, every, [step]))
    assert list(report.per_series) == ["a", "b", "c"]
    for number, scores in enumerate(report.per_series.values()):
        same(scores, expected(windows, [2 * number, 2 * number + 1], steps))
    assert report.season_lengths == (1, 3, 4)
    assert report.rows == 6


def test_the_naive_rules_are_scored_on_the_same_values(windows):
    report = evaluate_forecasts(**windows)
    rules = baseline_forecasts(windows["histories"], 4, windows["season_lengths"], LEVELS)
    assert list(report.baselines) == list(rules) == ["seasonal_naive", "naive", "drift", "mean", "theta"]
    for name, rule in rules.items():
        same(report.baselines[name].overall, expected(windows, list(range(6)), list(range(4)), rule))
        same(report.baselines[name].per_step[2], expected(windows, list(range(6)), [2], rule))
        assert report.skill[name] == pytest.approx(1 - report.overall.mase / report.baselines[name].overall.mase)
    seasonal = report.baselines["seasonal_naive"].overall
    ratios = report.overall.smape / seasonal.smape, report.overall.mase / seasonal.mase
    assert report.owa == pytest.approx(sum(ratios) / 2)


def test_seasonal_naive_has_no_skill_over_itself(windows):
    itself = baseline_forecasts(windows["histories"], 4, windows["season_lengths"], LEVELS)["seasonal_naive"]
    report = evaluate_forecasts(**{**windows, "forecast": itself})
    same(report.overall, asdict(report.baselines["seasonal_naive"].overall))
    assert report.skill["seasonal_naive"] == pytest.approx(0)
    assert report.owa == pytest.approx(1)


def test_the_order_of_rows_and_of_levels_does_not_matter(windows):
    order, levels = [3, 0, 5, 1, 4, 2], [2, 4, 0, 3, 1]
    quantiles = windows["forecast"].quantiles[order][..., levels]
    turned = {
        "target": windows["target"][order],
        "forecast": Forecast.of_quantiles(quantiles, [LEVELS[level] for level in levels]),
        **{key: [windows[key][row] for row in order] for key in ("histories", "season_lengths", "ids")},
    }
    before, after = evaluate_forecasts(**windows), evaluate_forecasts(**turned)
    same(after.overall, asdict(before.overall))
    for name in "abc":
        same(after.per_series[name], asdict(before.per_series[name]))


def test_a_constant_history_is_left_out_of_the_scaled_metrics_and_counted():
    target, forecast = np.array([[1.0, 2.0], [5.0, 7.0]]), Forecast(np.array([[1.0, 4.0], [5.0, 5.0]]))
    report = evaluate_forecasts(target, forecast, [[0.0, 2.0, 4.0], [5.0, 5.0]], 1, ids=["moves", "rests"])
    assert report.overall.mase == 0.5
    assert report.overall.mae == 1.0
    assert report.overall.unscaled == 1
    assert report.per_series["moves"].unscaled == 0
    assert math.isnan(report.per_series["rests"].mase)
    assert report.per_series["rests"].mae == 1.0


def test_a_row_without_targets_is_not_counted_as_left_out():
    target, forecast = np.array([[1.0, NAN], [NAN, NAN]]), Forecast(np.ones((2, 2)))
    report = evaluate_forecasts(target, forecast, [[5.0, 5.0], [5.0, 5.0]], season_lengths=1)
    assert report.overall.unscaled == report.per_step[0].unscaled == 1
    assert report.per_step[1].unscaled == report.per_step[1].observed == 0


def test_points_alone_have_no_score_of_quantiles():
    report = evaluate_forecasts(np.array([[3.0]]), Forecast(np.array([[2.0]])), [[1.0, 2.0]], season_lengths=1)
    assert report.overall.mae == 1.0
    assert math.isnan(report.overall.wql)
    assert report.overall.coverage == {}
    assert math.isnan(report.overall.named_coverage())


def test_coverage_is_nominal_where_the_forecast_is_the_distribution_of_the_values():
    """Values of two exponential distributions back to back, whose quantile function is the one that is assumed."""
    draws = np.random.default_rng(2).laplace(size=(20_000, 1))
    laplace = np.log([0.2, 0.5])
    quantiles = np.broadcast_to([laplace[0], laplace[1], *-laplace[::-1]], (20_000, 1, 4))
    forecast = Forecast(np.zeros((20_000, 1)), quantiles, (0.1, 0.25, 0.75, 0.9))
    report = evaluate_forecasts(draws, forecast, [[0.0, 1.0]] * 20_000, season_lengths=1)
    for nominal in (0.95, 0.9, 0.8, 0.5):
        assert report.overall.coverage[nominal] == pytest.approx(nominal, abs=0.012)


def test_single_precision_is_scored_in_double():
    point = np.full((1, 1), 1e8, np.float32)
    report = evaluate_forecasts(np.array([[1e8 + 1]]), Forecast(point), [[1.0, 2.0]], season_lengths=1)
    assert report.overall.mae == 1.0


def test_a_point_of_its_own_beside_quantiles(windows):
    own = Forecast(windows["forecast"].point + 1, windows["forecast"].quantiles, LEVELS)
    moved, before = (evaluate_forecasts(**{**windows, "forecast": f}).overall for f in (own, windows["forecast"]))
    assert moved.wql == before.wql
    assert moved.mae != before.mae


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros((6, 3))}, r"expected targets of shape \(6, 4\) as the forecasts, found \(6, 3\)"),
        ({"histories": [[1.0]]}, "expected 6 histories, one for each row, found 1"),
        ({"ids": ["a"]}, "expected 6 ids, one for each row, found 1"),
        ({"season_lengths": 0}, "expected season lengths of at least 1, found 0"),
        ({"target": np.full((6, 4), math.inf)}, "expected finite or missing targets, found inf in row 0, step 1"),
        ({"forecast": Forecast(np.full((6, 4), NAN))}, "expected finite forecasts, found nan in row 0, step 1"),
    ],
)
def test_bad_input_is_named(windows, change, message):
    with pytest.raises(ValueError, match=message):
        evaluate_forecasts(**{**windows, "target": np.ones((6, 4)), **change})


def test_a_quantile_that_is_not_finite_is_named(windows):
    windows["forecast"].quantiles[4, 1, 3] = math.inf
    windows["target"][4, 1] = 2.0
    with pytest.raises(ValueError, match="expected finite forecasts, found inf in row 4, step 2"):
        evaluate_forecasts(**windows)
    windows["target"][4, 1] = NAN
    assert evaluate_forecasts(**windows).overall.observed == np.sum(~np.isnan(windows["target"]))


@pytest.mark.filterwarnings("error")
def test_a_history_that_is_all_missing_or_infinite_is_named():
    target, forecast = np.ones((2, 1)), Forecast(np.ones((2, 1)))
    with pytest.raises(DataError, match="expected an observed value in history 1, found none of 2"):
        evaluate_forecasts(target, forecast, [[1.0, 2.0], [NAN, NAN]], 1)
    with pytest.raises(DataError, match="expected finite or missing values in history 0, found inf"):
        evaluate_forecasts(target, forecast, [[math.inf, math.inf], [1.0]], 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Forecast(np.zeros(3)), r"expected point forecasts \(rows, horizon\), found shape \(3,\)"),
        (
            lambda: Forecast(np.zeros((2, 3)), np.zeros((2, 3, 1)), (0.1, 0.9)),
            r"expected quantiles of shape \(2, 3, 2\), found \(2, 3, 1\)",
        ),
        (lambda: Forecast(np.zeros((2, 3)), np.zeros((2, 3, 1))), "expected the levels of the quantiles, found none"),
        (lambda: Forecast.of_quantiles(np.zeros((2, 3, 1)), (1.5,)), r"expected a level of 0\.5 .* found \(1\.5,\)"),
        (lambda: Forecast.of_quantiles(np.zeros((2, 3)), (0.5,)), r"expected quantiles \(rows, horizon, 1\)"),
        (
            lambda: Forecast.of_quantiles(np.zeros((2, 3, 2)), (0.5, 1.0)),
            "expected quantile levels between 0 and 1, found 1",
        ),
        (
            lambda: Forecast.of_quantiles(np.zeros((2, 3, 2)), (0.5, 0.5)),
            "expected rising quantile levels, found 0.5 after 0.5",
        ),
    ],
)
def test_a_bad_forecast_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def m3() -> tuple[list[np.ndarray], np.ndarray, list[int]]:
    """Histories, targets (NaN beyond a series' own horizon) and seasons of M3, or a skip."""
    root = os.environ.get("SEQTAG_DATA")
    path = Path(root or "", "m3", "M3.csv")
    if not root or not path.exists():
        pytest.skip("m3/M3.csv is not under SEQTAG_DATA")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    target = np.full((len(rows), 18), NAN)
    for row, entry in enumerate(rows):
        target[row, : int(entry["h"])] = entry["test"].split()
    histories = [np.array(entry["train"].split(), dtype=float) for entry in rows]
    return histories, target, [SEASONS[entry["period"]] for entry in rows]


def test_seasonal_naive_has_its_published_figures_on_m3():
    """Averages over the series: the figures that forecasts of M3 are compared with."""
    histories, target, season_lengths = m3()
    levels = tuple(np.arange(1, 10) / 10)
    forecast = baseline_forecasts(histories, 18, season_lengths, levels)["seasonal_naive"]
    report = evaluate_forecasts(
        target, forecast, histories, season_lengths, ids=[f"season {season_length}" for season_length in season_lengths]
    )
    assert report.rows == 3003
    assert report.season_lengths == (1, 4, 12)
    assert round(report.overall.smape, 2) == 15.19
    assert round(report.overall.mase, 3) == 1.764
    assert report.overall.unscaled == 0
    monthly = report.per_series["season 12"]
    assert round(monthly.smape, 2) == 17.23
    assert round(monthly.mase, 3) == 1.146
    assert round(monthly.wql, 4) == 0.1208


def test_scores_by_series_are_utilsforecasts_on_m3():
    """MASE and sMAPE of drift by series, on the real file."""
    losses = pytest.importorskip("utilsforecast.losses")
    import pandas as pd

    histories, target, season_lengths = m3()
    quarterly = [row for row, season_length in enumerate(season_lengths) if season_length == 4][:50]
    frames = [pd.DataFrame({"unique_id": row, "ds": range(8), "y": target[row, :8]}) for row in quarterly]
    known = [pd.DataFrame({"unique_id": row, "y": histories[row]}) for row in quarterly]
    for at, row in enumerate(known):
        row["ds"] = np.arange(-len(row), 0)
        frames[at]["drift"] = baselines.drift([histories[quarterly[at]]], 8)[0]
    frame, train = pd.concat(frames), pd.concat(known)
    mase = losses.mase(frame, ["drift"], seasonality=4, train_df=train).set_index("unique_id")["drift"]
    smape = losses.smape(frame, ["drift"]).set_index("unique_id")["drift"]
    drift = Forecast(baselines.drift([histories[row] for row in quarterly], 8))
    report = evaluate_forecasts(target[quarterly, :8], drift, [histories[row] for row in quarterly], 4, ids=quarterly)
    for row in quarterly:
        assert report.per_series[row].mase == pytest.approx(mase[row])
        assert report.per_series[row].smape == pytest.approx(200 * smape[row])
