"""The report of forecasts: what goes into metrics.json, and the tables."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from seqtag.forecasting.evaluation.evaluate import evaluate_forecasts
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.evaluation.report import INTERVALS, METRICS, ForecastReport


def report_of(horizon: int = 3, levels: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)) -> ForecastReport:
    source = np.random.default_rng(2)
    quantiles = np.sort(source.normal(size=(4, horizon, len(levels))), axis=-1)
    histories = [source.normal(size=length) for length in (9, 12, 6, 8)]
    histories[1][:] = 3.0
    return evaluate_forecasts(
        source.normal(size=(4, horizon)), Forecast.of_quantiles(quantiles, levels), histories, [2, 2, 1, 1]
    )


def test_metrics_hold_the_contract_overall_by_step_and_beside_seasonal_naive():
    report = report_of()
    found = json.loads(json.dumps(report.to_metrics(), allow_nan=False))
    contract = {"mase", "smape", "rmse", "mae", "mse", "wql", "coverage"}
    for entry in (found, found["seasonal_naive"]):
        assert contract <= entry.keys()
        assert contract <= entry["per_step"].keys()
        assert all(isinstance(entry[name], float) for name in contract)
        assert {len(values) for values in entry["per_step"].values()} == {3}
    assert found["mase"] == report.overall.mase
    assert found["coverage"] == found["intervals"]["0.8"] == report.overall.coverage[0.8]
    assert found["coverage_of"] == 0.8
    assert list(found["intervals"]) == ["0.95", "0.9", "0.8", "0.5", "0.1"]
    assert found["per_step"]["mae"] == [scores.mae for scores in report.per_step]
    assert found["per_step"]["coverage"][1] == report.per_step[1].coverage[0.8]
    assert found["per_step"]["observed"] == [4, 4, 4]
    assert found["drift"]["smape"] == report.baselines["drift"].overall.smape
    assert found["season_lengths"] == [1, 2]
    assert found["rows"] == 4
    assert found["unscaled"] == 1
    assert found["skill"]["mean"] == report.skill["mean"]
    assert found["owa"] == report.owa


def test_what_is_not_known_is_none_in_json():
    report = evaluate_forecasts(np.array([[2.0]]), Forecast(np.array([[1.0]])), [[5.0, 5.0]], season_lengths=1)
    found = json.loads(json.dumps(report.to_metrics(), allow_nan=False))
    for name in ("mase", "rmsse", "wql", "crps", "coverage", "owa", "coverage_of"):
        assert found[name] is None
    assert found["per_step"]["mase"] == [None]
    assert found["skill"] == dict.fromkeys(("seasonal_naive", "naive", "drift", "mean", "theta"))
    assert found["mae"] == 1.0


def test_the_text_names_season_interval_and_what_was_left_out():
    lines = report_of().to_text().splitlines()
    assert lines[0] == "4 forecasts, 12 observed values; season 1, 2; coverage of the 80% interval."
    assert lines[1] == "left out of mase and rmsse, the history constant or too short: 1."
    assert lines[2].split() == list(METRICS)
    assert [line.split()[0] for line in lines[3:9]] == ["forecast", "seasonal_naive", "naive", "drift", "mean", "theta"]
    assert lines[5].split()[-3:] == ["-", "-", "-"]
    assert lines[9].startswith("skill (MASE): seasonal_naive ")
    shares = ", ".join(f"{report_of().overall.coverage[nominal]:.1%} in {nominal:.0%}" for nominal in INTERVALS)
    assert lines[10] == f"coverage of intervals: {shares}"
    assert lines[12].split() == ["step", *METRICS]
    assert [line.split()[0] for line in lines[13:]] == ["1", "2", "3"]
    assert len({len(line) for line in lines[2:9]}) == 1


def test_figures_of_the_text_are_those_of_the_report():
    report = report_of()
    row = report.to_text().splitlines()[3].split()
    assert float(row[1]) == pytest.approx(report.overall.mase, rel=1e-3)
    assert float(row[-1]) == pytest.approx(report.overall.coverage[0.8], rel=1e-3)


def test_a_long_horizon_shows_some_steps_the_first_and_last_among_them():
    lines = report_of(horizon=200).to_text().splitlines()
    table = lines[lines.index("") + 1 :]
    steps = [int(line.split()[0]) for line in table[1:]]
    assert table[0].split()[:3] == ["step", "of", "200"]
    assert len(steps) == 24
    assert steps[0] == 1
    assert steps[-1] == 200
    assert steps == sorted(steps)


def test_text_without_an_interval_promises_none():
    report = evaluate_forecasts(np.array([[2.0]]), Forecast(np.array([[1.0]])), [[5.0, 6.0]], season_lengths=1)
    assert report.to_text().splitlines()[0] == "1 forecasts, 1 observed values; season 1."


def test_a_single_level_has_no_interval():
    assert math.isnan(report_of(levels=(0.5,)).overall.named_coverage())
    assert report_of(levels=(0.5,)).to_metrics()["coverage_of"] is None
