"""Forecasts from carried states against the network that reads every window from its first step on."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.forecasting.config import ForecastModelConfig
from seqtag.forecasting.data.batches import WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.units import SeriesUnits
from seqtag.forecasting.data.windows import all_windows, with_history
from seqtag.forecasting.members import build_network
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.prediction.predict import predict
from seqtag.forecasting.series_file import load_tail, save_tail
from seqtag.forecasting.stateful import windows as module

STEPS = 30


@pytest.fixture(scope="module")
def table():
    random, frames = np.random.default_rng(4), []
    for number, length in enumerate((STEPS, 21, 6)):
        y = 30 + 10 * number + np.cumsum(random.normal(size=length))
        y = np.where(random.random(length) < 0.2, np.nan, y)
        days = pd.date_range("2024-01-01", periods=length, freq="D")
        frames.append(pd.DataFrame({"unique_id": f"s{number}", "ds": days, "y": y}))
    return read_series(pd.concat(frames))


def built(table, members=1, lookback=STEPS, **options):
    """A model with random weights whose windows are as long as the longest series."""
    keras.utils.set_random_seed(3)
    plain = {"cell": "gru", "units": 4, "segment": 1, "season_length": 7, "anchor": False}
    config = ForecastModelConfig(horizon=3, lookback=lookback, stateful=True, calendar=True, **plain | options)
    encoder = SeriesEncoder.fit(table, True)
    networks = [build_network(config, table, encoder, "float32") for _ in range(members)]
    return ForecastingModel(ForecastEnsemble(networks), encoder, SeriesColumns(), season_length=7)


@pytest.mark.parametrize(
    "options",
    [
        {"scaling": "standard", "cell": "lstm", "layers": 2, "output": "recursive", "members": 2},
        {"scaling": "none", "cell": "gru", "output": "direct", "head": "student_t"},
        {"scaling": "none", "cell": "peephole_lstm", "head": "negative_binomial", "series_width": 2},
    ],
    ids=lambda options: options["cell"],
)
def test_all_windows_are_answered_in_one_reading(table, options, monkeypatch):
    model = built(table, **options)
    windows = with_history(table, all_windows(table, STEPS, 3, min_history=1))
    windows = windows.take(np.random.default_rng(1).permutation(len(windows)))
    batch = WindowReader(model.encoder.encode(table), windows, False).batch(tf.range(len(windows), dtype=tf.int64))
    expected = model.ensemble(batch)
    for batch_size, steps in ((512, 512), (2, 4)):
        monkeypatch.setattr(module, "BATCH", batch_size)
        monkeypatch.setattr(module, "STEPS", steps)
        for one, other in zip(model.outputs(table, windows), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_steps_before_the_lookback_count_and_units_are_given_back(table):
    model = built(table, scaling="none")
    units = SeriesUnits.fit(table, table.lengths)
    within, short = (all_windows(table, lookback, 3, min_history=1).take(np.array([9, 20])) for lookback in (STEPS, 2))
    assert within.ends.tolist() == short.ends.tolist() and set(within.series) == {0}
    inside = model.outputs(units.standardised(table), within).point
    mean, deviation = units.of(["s0"])[0]
    model = ForecastingModel(model.ensemble, model.encoder, model.columns, 7, units=units)
    np.testing.assert_allclose(model.outputs(table, short).point, mean + deviation * inside, rtol=1e-5)


def test_steps_beyond_the_horizon_are_read_on(table):
    found = predict(built(table, scaling="standard"), table, 8)
    assert len(found) == 24 and np.isfinite(found.iloc[:, 2:]).all(axis=None)


def test_a_run_keeps_all_steps_that_the_state_has_read(table, tmp_path):
    model = built(table, lookback=4, scaling="none")
    save_tail(tmp_path, model, table)
    np.testing.assert_array_equal(load_tail(tmp_path, model).values, table.values)
