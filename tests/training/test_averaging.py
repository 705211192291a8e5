from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.training.averaging import WeightAverage


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    return model


def follow(model, average, values):
    average.set_model(model)
    average.on_train_begin()
    for step, value in enumerate(values):
        model.trainable_variables[0].assign([[value]])
        average.on_train_batch_end(step)


def test_the_average_is_that_of_a_plain_loop(model):
    values = np.random.default_rng(0).normal(size=40)
    average = WeightAverage(0.9, every=2)
    follow(model, average, values)
    expected, updates = 0.0, 0
    for step, value in enumerate(values, 1):
        if step % 2 == 0:
            updates += 1
            momentum = min(0.9**2, (1 + updates) / (10 + updates))
            expected += (1 - momentum) * (value - expected)
    assert average.average[0].numpy().item() == pytest.approx(expected, rel=1e-5)


def test_constant_weights_are_their_own_average(model):
    average = WeightAverage(0.99)
    follow(model, average, [3.0] * 2000)
    assert average.average[0].numpy().item() == pytest.approx(3.0, rel=1e-4)


def test_the_average_is_there_within_the_block_alone(model):
    average = WeightAverage(0.5, every=1)
    follow(model, average, [1.0, 2.0, 8.0])
    with pytest.raises(RuntimeError), average.applied():
        inside = model.trainable_variables[0].numpy().item()
        raise RuntimeError
    assert 1.0 < inside < 8.0
    assert model.trainable_variables[0].numpy().item() == 8.0


def test_before_its_first_update_the_average_is_of_nothing_and_not_applied(model):
    average = WeightAverage(0.99, every=5)
    follow(model, average, [1.0, 2.0, 8.0])
    with average.applied():
        assert model.trainable_variables[0].numpy().item() == 8.0


def test_where_the_weights_are_zero_so_is_their_average(model):
    average = WeightAverage(0.5, every=1)
    follow(model, average, [3.0, 2.0, 0.0])
    assert average.average[0].numpy().item() > 0
    with average.applied():
        assert model.trainable_variables[0].numpy().item() == 0.0
    follow(model, average, [1.0])
    with average.applied():
        assert model.trainable_variables[0].numpy().item() == average.average[0].numpy().item() > 0


def test_no_momentum_no_average(model):
    average = WeightAverage(0.0)
    follow(model, average, [1.0, 2.0])
    assert average.average == []
    with average.applied():
        assert model.trainable_variables[0].numpy().item() == 2.0
