"""The anchor's weights against scikit-learn's ridge regression, and what a network adds to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.linear_model import Ridge

from seqtag.data.series.files import read_series
from seqtag.forecasting.config import ForecastModelConfig
from seqtag.forecasting.data.batches import WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.members import build_network
from seqtag.forecasting.ridge import PENALTIES, fit_anchor

LOOKBACK, HORIZON = 14, 3


def made(missing=0.0):
    rng = np.random.default_rng(1)
    frames = []
    for name in "abc":
        y = 50 + 5 * np.sin(2 * np.pi * np.arange(90) / 7) + np.cumsum(rng.normal(size=90))
        y[rng.random(90) < missing] = np.nan
        frames.append(pd.DataFrame({"unique_id": name, "ds": np.arange(90), "y": y}))
    table = read_series(pd.concat(frames), frequency=1)
    config = ForecastModelConfig(
        horizon=HORIZON,
        lookback=LOOKBACK,
        cell="gru",
        units=4,
        segment=1,
        season_length=7,
        scaling="seasonal",
        anchor=True,
    )
    parts = split(table, LOOKBACK, HORIZON, 9)
    encoder = SeriesEncoder.fit(parts.fitted)
    network = build_network(config, parts.fitted, encoder, "float32")
    readers = [
        WindowReader(encoder.encode(of), windows)
        for of, windows in ((parts.fitted, parts.training_windows), (table, parts.held_out_windows))
    ]
    return network, readers


def scaled(network, reader):
    parts = network.scaled_windows(reader.batch(tf.range(len(reader.windows), dtype=tf.int64)))
    return [part.numpy() for part in parts]


def test_the_weights_are_those_of_a_ridge_regression():
    network, (fitted, scored) = made()
    history, future, seen, varies = scaled(network, fitted)
    assert varies.all() and not seen.all(), "the last windows reach past the end"
    fit_anchor(network, fitted, scored)
    kernel, bias = network.anchor.kernel.numpy(), network.anchor.bias.numpy()
    size = np.mean(np.square(history, dtype=float))
    candidates = []
    for penalty in PENALTIES:
        ridge = Ridge(alpha=penalty * size * len(history)).fit(history.astype(float), future)
        ridge.fit(history.astype(float), np.where(seen, future, ridge.predict(history)))
        away = np.abs(ridge.predict(scaled(network, scored)[0]) - scaled(network, scored)[1])
        candidates.append((away.mean(), ridge))
    best = min(candidates, key=lambda one: one[0])[1]
    np.testing.assert_allclose(kernel, best.coef_.T, atol=1e-3)
    np.testing.assert_allclose(bias, best.intercept_, atol=1e-3)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_an_anchor_moves_the_centre_alone_and_is_not_trained(missing):
    network, (fitted, scored) = made(missing)
    batch = scored.batch(tf.range(5, dtype=tf.int64))
    before = network(batch)["raw"].numpy()
    fit_anchor(network, fitted, scored)
    after = network(batch)["raw"].numpy()
    moved = network.anchor(network.scaled_windows(batch)[0]).numpy()
    np.testing.assert_allclose(after[..., 0] - before[..., 0], moved, atol=1e-5)
    np.testing.assert_array_equal(after[..., 1:], before[..., 1:])
    assert np.abs(moved).max() > 0.1
    assert not network.anchor.trainable_variables and len(network.anchor.variables) == 2


def test_windows_in_which_nothing_varies_leave_the_map_at_zero():
    network, _ = made()
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(90), "y": 3.0})
    table = read_series(frame, frequency=1)
    parts = split(table, LOOKBACK, HORIZON, 9)
    encoded = SeriesEncoder.fit(table).encode(table)
    fit_anchor(network, WindowReader(encoded, parts.training_windows), WindowReader(encoded, parts.held_out_windows))
    assert not network.anchor.kernel.numpy().any()
