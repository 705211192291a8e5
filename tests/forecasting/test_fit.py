"""Fitting a forecaster: simple series are forecast as expected, and odd series are fitted or named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError, DataWarning
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.fit import check_counts, fit_forecasting_model, takes_logarithms
from seqtag.forecasting.network.network import ForecastNetwork
from seqtag.forecasting.prediction.predict import predict


def table_of(**series):
    frames = [
        pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=len(y), freq="D"), "y": y})
        for name, y in series.items()
    ]
    return read_series(pd.concat(frames))


def config_of(model=(), training=(), **options):
    plain = {"horizon": 3, "lookback": 6, "segment": 1, "scaling": "revin", "guard": "none"}
    sections = {"model": {**plain, **dict(model)}, "training": {"validation_steps": 3, **dict(training)}}
    return ForecastingConfig.model_validate({"task": "forecasting", **sections, **options})


def fit(table, epochs=2, training=None, seed=1, **config):
    settings = {"epochs": epochs, "patience": None, "learning_rate": 0.02, **(training or {})}
    return fit_forecasting_model(table, config_of({"units": 6, **config}, settings, seed=seed))


def wave(steps, phase=0.0):
    noise = np.random.default_rng(int(10 * phase)).normal(size=steps)
    return 20 + 5 * np.sin(2 * np.pi * np.arange(steps) / 7 + phase) + noise


@pytest.mark.parametrize(("output", "segment"), [("parallel", 2), ("direct", 1), ("recursive", 1)])
def test_a_series_that_counts_is_forecast_to_count_on(output, segment):
    table = table_of(a=np.arange(80.0), b=np.arange(100, 160.0))
    model, *_ = fit(table, 30, output=output, segment=segment, scaling="last", training={"ema": 0.9})
    found = predict(model, table)["forecast"].to_numpy().reshape(2, 3)
    np.testing.assert_allclose(found, [[80, 81, 82], [160, 161, 162]], atol=0.75)


def test_odd_series_are_fitted_with_others():
    """A constant one, one of a single value, one of zeros, one with missing values at both ends."""
    gaps = np.r_[np.nan, wave(40), np.nan, np.nan]
    table = table_of(wave=wave(40), constant=np.full(40, 7.0), single=[3.0], zeros=np.zeros(40), gaps=gaps)
    with pytest.warns(DataWarning, match="fitted on no window of 1 series that have too few .*, such as 'single'$"):
        model, result, report = fit(table, guard="blend", training={"min_history": 1})
    frame = predict(model, table, 5)
    numbers = frame.set_index("unique_id")[["forecast", "q0.1", "q0.9"]]
    assert np.isfinite(numbers).all(axis=None)
    assert np.isfinite([row["loss"] for row in result.history]).all() and np.isfinite(report.overall.mae)
    assert set(report.per_series) == {"wave", "constant", "zeros", "gaps"}
    for name, value in (("constant", 7), ("zeros", 0)):
        assert (numbers.loc[name] == value).all(axis=None), "no width is invented"
    assert (numbers.loc["wave", "q0.9"] > numbers.loc["wave", "q0.1"]).all()


def test_small_movements_on_large_levels_are_forecast():
    """A wave of 5 at a million, and a meter that rises by a twentieth in a step."""
    noise = np.random.default_rng(1).normal(size=(2, 120))
    wave = 1e6 + 5 * np.sin(2 * np.pi * np.arange(120) / 7) + 0.5 * noise[0]
    meter = 250_030 + 0.05 * np.arange(120) + 0.01 * noise[1]
    table = table_of(wave=wave, meter=meter)
    model, *_ = fit(table, 30, scaling="last", lookback=14)
    numbers = predict(model, table).set_index("unique_id")[["q0.1", "forecast", "q0.9"]]
    expected = 1e6 + 5 * np.sin(2 * np.pi * np.arange(120, 123) / 7)
    assert np.abs(numbers.loc["wave", "forecast"] - expected).max() < 4
    assert np.abs(numbers.loc["meter", "forecast"] - 250_036).max() < 1
    width = numbers["q0.9"] - numbers["q0.1"]
    assert width["wave"].between(0, 15).all() and width["meter"].between(0, 4).all()


def test_a_constant_series_alone_is_forecast_as_it_is():
    table = table_of(a=np.full(40, 7.0))
    model, result, report = fit(table, 1, scaling="last")
    assert (predict(model, table, 5)[["forecast", "q0.1", "q0.9"]] == 7).all(axis=None)
    assert [row["loss"] for row in result.history] == [0] and report.overall.mae == 0


def test_counts_are_not_below_zero():
    values = np.arange(40.0)
    values[8] = -2
    table = table_of(good=np.arange(30.0), bad=values)
    message = r"series 'bad' at 2024-01-09 .*: expected a count for head 'negative_binomial', found -2"
    with pytest.raises(DataError, match=message):
        fit(table, head="negative_binomial", scaling="mean")
    check_counts(table_of(a=[0, np.nan, 2, 3]))


def test_counts_are_forecast_as_counts():
    table = table_of(a=np.random.default_rng(1).poisson(3, 60), b=np.zeros(60))
    model, *_ = fit(table, 3, head="negative_binomial", scaling="mean", conformal=False)
    frame = predict(model, table)
    quantiles = frame[["q0.1", "q0.5", "q0.9"]].to_numpy()
    assert (quantiles >= 0).all() and np.isfinite(quantiles).all()
    np.testing.assert_allclose(quantiles, quantiles.round(), atol=1e-4)


@pytest.fixture(scope="module")
def waves():
    return table_of(a=wave(70), b=wave(60, 0.5), c=wave(50, 1.0))


@pytest.fixture(scope="module")
def fitted(waves):
    return fit(waves, 3, ensemble_size=2, guard="blend")


@pytest.fixture(scope="module")
def alone(waves):
    """The first member of `fitted`, on the same series with series and rows in another order."""
    shuffled = read_series(waves.to_frame()[::-1])
    assert shuffled.ids.tolist() != waves.ids.tolist()
    return fit(shuffled, 3, guard="blend")


def test_the_same_seed_gives_the_same_bits_whatever_the_order_of_series_and_rows(fitted, alone):
    """The first member of an ensemble is the network that would be fitted alone."""
    alone, result, _ = alone
    for one, other in zip(alone.ensemble.get_weights(), fitted[0].ensemble.members[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [row["dev"] for row in result.history] == [row["dev"] for row in fitted[1].history[:3]]


def test_a_level_is_added_to_the_answers_and_changes_nothing_else(alone, waves):
    """Training, the guard, the calibration and sample paths."""
    moved = dataclasses.replace(waves, values=waves.values + 2.0**33)
    model, result, report = fit(moved, 3, guard="blend")
    np.testing.assert_allclose([r["dev"] for r in result.history], [r["dev"] for r in alone[1].history], rtol=1e-3)
    np.testing.assert_allclose(report.overall.mase, alone[2].overall.mase, rtol=1e-3)
    found, expected = (
        predict(of, table, 5)[["forecast", "q0.1", "q0.9"]] for of, table in ((model, moved), (alone[0], waves))
    )
    np.testing.assert_allclose(found - 2.0**33, expected, atol=0.01)


def test_a_network_is_traced_once_for_training_and_once_for_all_answers(waves, monkeypatch):
    traces, call = [], ForecastNetwork.call
    monkeypatch.setattr(ForecastNetwork, "call", lambda *args, **options: traces.append(1) or call(*args, **options))
    model, *_ = fit(waves, 2, guard="blend")
    predict(model, waves)
    assert len(traces) == 2


def test_ratios_are_fitted_where_series_move_beside_their_level():
    assert takes_logarithms(table_of(a=wave(40), b=np.full(40, 7.0)))
    assert not takes_logarithms(table_of(a=wave(40), b=np.zeros(40)))
    assert not takes_logarithms(table_of(a=1e6 + wave(40)))


def test_members_differ_and_their_epochs_are_told(fitted):
    model, result, _ = fitted
    one, other = (member.get_weights() for member in model.ensemble.members)
    assert any((a != b).any() for a, b in zip(one, other, strict=True))
    assert [row["member"] for row in result.history] == [1, 1, 1, 2, 2, 2]


def test_nothing_is_fitted_on_what_is_held_out_until_the_refit(waves):
    """Other values in the last steps change scores and corrections, but weights only where all steps are fitted on."""
    values = waves.values.copy()
    values[waves.offsets[1:, None] - 1 - np.arange(3)] += 50
    changed = read_series(waves.to_frame().assign(y=values))
    one, other = (fit(table, 1, training={"keep": "last"})[0] for table in (waves, changed))
    refitted = fit(waves, 1, training={"keep": "last", "refit": True})[0]
    for a, b in zip(one.ensemble.get_weights(), other.ensemble.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.corrections.to_dict() != other.corrections.to_dict()
    assert refitted.corrections.to_dict() == one.corrections.to_dict()
    pairs = zip(refitted.ensemble.get_weights(), one.ensemble.get_weights(), strict=True)
    assert any((a != b).any() for a, b in pairs)
