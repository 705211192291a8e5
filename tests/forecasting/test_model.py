"""A model from tables to forecasts, and its JSON, which holds all but the networks."""

from __future__ import annotations

import io
import json
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.errors import DataError
from seqtag.forecasting import model as module
from seqtag.forecasting.calibration.corrections import Corrections
from seqtag.forecasting.calibration.guard import Guard
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.units import SeriesUnits
from seqtag.forecasting.data.windows import Windows, all_windows
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.network.network import ForecastNetwork

COLUMNS = SeriesColumns("shop", "day", "sold", CovariateNames(known=("price",), static=("region",)))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    days = pd.date_range("2024-01-01", periods=30, freq="D")
    shops = [pd.DataFrame({"shop": name, "day": days, "region": name}) for name in "ab"]
    frame = pd.concat(shops, ignore_index=True)
    frame["sold"], frame["price"] = rng.normal(10, 3, size=(2, 60))
    frame.loc[35:45, "sold"] = np.nan
    return read_series(frame, COLUMNS)


@pytest.fixture(scope="module")
def model(table):
    encoder = SeriesEncoder.fit(table)
    network = ForecastNetwork(lookback=5, horizon=2, inputs=encoder.inputs(), units=4)
    network.build()
    blend = Guard(np.random.default_rng(2).dirichlet(np.ones(6), size=(3, 2)), np.arange(2), np.zeros((5, 2, 3)))
    return ForecastingModel(ForecastEnsemble([network]), encoder, COLUMNS, 7, Corrections(blend=blend))


def test_answers_of_many_windows_come_in_batches(model, table, monkeypatch):
    windows = all_windows(table, 5, 2).take(np.arange(25))
    whole = model.outputs(table, windows)
    monkeypatch.setattr(module, "PREDICTION_BATCH", 10)
    parts = model.outputs(table, windows)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    forecast = model.forecast(table, windows)
    np.testing.assert_array_equal(forecast.quantiles, parts.quantiles.astype(float))
    assert forecast.levels == (0.1, 0.5, 0.9) == model.levels and (model.lookback, model.horizon) == (5, 2)


def test_many_windows_are_corrected_by_a_graph_to_the_same(model, table, monkeypatch):
    windows = all_windows(table, 5, 2).take(np.arange(25))
    expected = model.outputs(table, windows)
    monkeypatch.setattr(module, "MANY_NUMBERS", 0)
    for one, other in zip(expected, model.outputs(table, windows), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_json_holds_all_but_the_networks(model, table):
    again = ForecastingModel.from_dict(model.ensemble, json.loads(json.dumps(model.to_dict())))
    assert again.columns == COLUMNS and again.season_length == 7 and again.units is None
    windows = all_windows(table, 5, 2).take(np.arange(5))
    for one, other in zip(model.outputs(table, windows), again.outputs(table, windows), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_history_without_a_value_is_named(model, table):
    windows = Windows(np.array([0, 1]), np.array([20, 43]), np.array([0, 30]), 5, 2)
    with pytest.raises(DataError, match=r"series 'b' at 2024-01-14 .*: expected a value among the 5 steps before"):
        model.outputs(table, windows)


def test_whether_an_answer_depends_on_the_series(model):
    plain = ForecastingModel(model.ensemble, model.encoder, COLUMNS, 7)
    units = SeriesUnits(["a", "b"], np.array([[10.0, 3.0], [12.0, 2.0]]))
    standardised = ForecastingModel(model.ensemble, model.encoder, COLUMNS, 7, units=units)
    assert model.reads_series and standardised.reads_series and not plain.reads_series


def test_a_model_of_standardised_series_takes_and_gives_their_own_units(model, table, tmp_path):
    units = SeriesUnits.fit(table, table.lengths)
    made = ForecastingModel(model.ensemble, model.encoder, COLUMNS, 7, model.corrections, units)
    windows = all_windows(table, 5, 2).take(np.arange(20))
    mean, deviation = units.moments[windows.series].T[..., None]
    plain = ForecastingModel(model.ensemble, model.encoder, COLUMNS, 7, model.corrections)
    inside = plain.outputs(units.standardised(table), windows)
    made.save(tmp_path)
    for found in (made, ForecastingModel.load(tmp_path)):
        point, quantiles, spread = found.outputs(table, windows)
        np.testing.assert_allclose(point, inside.point * deviation + mean, rtol=1e-4)
        np.testing.assert_allclose(
            quantiles, inside.quantiles * deviation[..., None] + mean[..., None], rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(spread, inside.spread * deviation, rtol=1e-4)


def test_a_bundle_holds_no_state_of_an_optimizer(model, table, tmp_path):
    """It would need the class of the optimizer to load, and take twice the room of the weights."""
    member = model.ensemble.members[0]
    member.compile("adam")
    member.optimizer.build(member.trainable_variables)
    model.save(tmp_path)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert "dam" not in archive.read("config.json").decode()
        names: list[str] = []
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))).visit(names.append)
    assert names and not [name for name in names if "optimizer" in name]
    windows = all_windows(table, 5, 2).take(np.arange(5))
    again = ForecastingModel.load(tmp_path)
    for one, other in zip(again.outputs(table, windows), model.outputs(table, windows), strict=True):
        np.testing.assert_array_equal(one, other)
