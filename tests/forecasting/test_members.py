"""The networks of an ensemble: the loss that chooses their epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag.data.series.files import read_series
from seqtag.forecasting.config import ForecastModelConfig
from seqtag.forecasting.data.batches import WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.members import build_network, held_out_loss


def wave(steps):
    y = 20 + 5 * np.sin(2 * np.pi * np.arange(steps) / 7) + np.random.default_rng(steps).normal(size=steps)
    times = pd.date_range("2024-01-01", periods=steps, freq="D")
    return pd.DataFrame({"unique_id": f"of {steps}", "ds": times, "y": y})


def test_the_held_out_loss_is_the_mean_over_all_values(monkeypatch):
    table = read_series(pd.concat(wave(steps) for steps in (70, 60, 50)))
    config = ForecastModelConfig(
        horizon=3, lookback=6, cell="gru", units=4, segment=1, season_length=7, scaling="revin", anchor=False
    )
    parts = split(table, 6, 3, 9)
    encoder = SeriesEncoder.fit(parts.fitted)
    network = build_network(config, parts.fitted, encoder, "float32")
    reader = WindowReader(encoder.encode(table), parts.held_out_windows)
    batch = reader.batch(tf.range(len(parts.held_out_windows), dtype=tf.int64))
    expected = network.compute_loss(batch, None, network(batch))
    monkeypatch.setattr("seqtag.forecasting.members.EVALUATION_BATCH", 4)
    assert held_out_loss(network, reader)() == pytest.approx(float(expected), rel=1e-5)
