"""A fit draws from its own seed, and the user's process draws afterwards as if there had been no fit."""

from __future__ import annotations

import random

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag import Forecaster, Tagger
from seqtag.training.seeding import seeded


def draws():
    """One number of each source of random numbers that a process has."""
    return [
        random.random(),
        float(np.random.random()),  # noqa: NPY002
        float(tf.random.uniform([])),
        float(keras.random.uniform([])),
        keras.random.SeedGenerator().next().numpy().tolist(),
    ]


def fit_tagger():
    sentences = [(["Ann", "saw", "Paris"], ["B-PER", "O", "B-LOC"])] * 4
    training = {"epochs": 1, "ema": 0.0}
    model = Tagger(units=2, word_dim=2, cell="gru", head="softmax", char_encoder="none", training=training)
    model.fit(sentences, validation_data=sentences)
    return [variable.numpy() for variable in model.model_.network.trainable_variables]


def fit_forecaster():
    times = pd.date_range("2026-01-01", periods=60, freq="D")
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": np.sin(np.arange(60.0))})
    model = Forecaster(horizon=2, lookback=8, units=2, members=[], training={"epochs": 1, "windows_per_epoch": 16})
    return [model.fit(frame).predict()["forecast"].to_numpy()]


def draw_within_a_seed():
    with seeded(5):
        return draws()


@pytest.mark.parametrize("work", [draw_within_a_seed, fit_tagger, fit_forecaster])
def test_the_random_state_is_as_before_and_the_work_does_not_depend_on_it(work):
    keras.utils.set_random_seed(5)
    draws()
    expected = [draws(), draws()]
    keras.utils.set_random_seed(5)
    draws()
    states = random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    result = work()
    assert (random.getstate(), repr(np.random.get_state())) == states  # noqa: NPY002
    assert [draws(), draws()] == expected
    assert all(np.array_equal(a, b) for a, b in zip(result, work(), strict=True))


def test_within_the_block_a_seed_gives_the_numbers_of_keras():
    keras.utils.set_random_seed(3)
    expected = draws()
    keras.utils.set_random_seed(4)
    with seeded(3):
        assert draws() == expected


def test_the_state_comes_back_after_a_fault_too():
    keras.utils.set_random_seed(6)
    expected = draws()
    keras.utils.set_random_seed(6)
    with pytest.raises(ValueError, match="within"), seeded(1):
        raise ValueError("within")
    assert draws() == expected
