"""Off by one: the newest value reaches the forecast in every mode, and what lies before the lookback never does."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag.data.series.files import read_series
from seqtag.forecasting.data.batches import WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.windows import last_windows
from seqtag.forecasting.network.network import ForecastNetwork

LOOKBACK, HORIZON, STEPS = 6, 5, 20
OUTPUTS, SEGMENTS = ("parallel", "direct", "recursive"), (1, 3, 4)
SCALINGS = ("none", "mean", "last", "standard", "revin", "es_rnn")
CELLS = ("gru", "lstm", "peephole_lstm", "simple_rnn")
# Every pair of output and segment with every scaling, the cells and stacks in turn.
MODES = list(itertools.product(OUTPUTS, SEGMENTS, SCALINGS))


def counting():
    """Three series 0, 1, 2, ...: one as it is, one whose newest value is moved, one with others before the lookback."""
    values = np.repeat(np.arange(STEPS, dtype=float)[None], 3, axis=0)
    values[1, -1] += 0.5
    values[2, : STEPS - LOOKBACK] += 100
    ids, steps = np.repeat(list("abc"), STEPS), np.tile(np.arange(STEPS), 3)
    return read_series(pd.DataFrame({"unique_id": ids, "ds": steps, "y": values.ravel()}), frequency=1)


@pytest.fixture(scope="module")
def table():
    return counting()


def network_of(number, inputs, output, segment, scaling):
    network = ForecastNetwork(
        lookback=LOOKBACK,
        horizon=HORIZON,
        inputs=inputs,
        units=5,
        cell=CELLS[number % 4],
        dilations=((1,), (1, 2), (2, 1))[number % 3],
        residual=number % 2 == 0,
        bidirectional=number % 5 == 0,
        segment=segment,
        output=output,
        scaling=scaling,
        moments=[[9.5, 6.0]] * 3 if scaling in ("last", "standard") else None,
        smoothing={"season_length": 2, "logarithmic": False} if scaling == "es_rnn" else None,
    )
    network.build()
    for weight in network.decoder.trainable_weights:  # biases and positions away from zero
        weight.assign(weight + tf.random.stateless_normal(weight.shape, [1, number], stddev=0.3))
    return network


@pytest.mark.parametrize("number", range(len(MODES)), ids=["-".join(map(str, mode)) for mode in MODES])
def test_every_step_feels_the_newest_value_and_nothing_before_the_lookback(number, table):
    encoder = SeriesEncoder.fit(table)
    reader = WindowReader(encoder.encode(table), last_windows(table, LOOKBACK, HORIZON))
    network = network_of(number, encoder.inputs(), *MODES[number])
    plain, moved, before = network.forecast(reader.batch(tf.range(3))).quantiles.numpy()
    assert (np.abs(moved - plain).max(axis=-1) > 1e-4).all()
    np.testing.assert_allclose(before, plain, rtol=1e-5)
