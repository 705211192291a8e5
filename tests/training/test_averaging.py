from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.layers.embedding import Embedding
from seqtag.training.averaging import WeightAverage
from seqtag.training.optimizers import RowAdam, RowNadam, RowUpdates


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


def of_words(optimizer):
    """A table of 50 rows and a dense layer, and batches that look a few rows up, some rows never."""
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), Embedding(50, 4), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.compile(optimizer, "mse")
    rng = np.random.default_rng(1)
    return model, np.minimum(rng.geometric(0.2, (60, 3)), 40), rng.normal(size=(60, 2))


class Loop(keras.callbacks.Callback):
    """The average of all weights, as a plain loop makes it."""

    def __init__(self, momentum, every):
        super().__init__()
        self.momentum, self.every, self.updates = momentum**every, every, 0

    def on_train_begin(self, logs=None):
        self.average = [weight.numpy() for weight in self.model.trainable_variables]

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0:
            self.updates += 1
            rate = 1 - min(self.momentum, (1 + self.updates) / (10 + self.updates))
            pairs = zip(self.average, self.model.trainable_variables, strict=True)
            self.average = [average + rate * (weight.numpy() - average) for average, weight in pairs]


@pytest.mark.parametrize("optimizer", [RowAdam(0.05), RowNadam(0.05), keras.optimizers.SGD(0.05, momentum=0.9)])
def test_rows_that_batches_pass_over_have_the_average_of_a_plain_loop(optimizer):
    model, x, y = of_words(optimizer)
    average, loop = WeightAverage(0.9, every=2), Loop(0.9, every=2)
    checked = []

    class Check(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with average.applied():
                for weight, wanted in zip(self.model.trainable_variables, loop.average, strict=True):
                    np.testing.assert_allclose(weight.numpy(), wanted, rtol=1e-4, atol=1e-6)
                    checked.append(weight)

    # Each epoch goes on from an average that was brought up to date.
    model.fit(x, y, batch_size=2, epochs=3, shuffle=False, verbose=0, callbacks=[average, loop, Check()])
    assert len(checked) == 9
    assert bool(average.last_decay) == isinstance(optimizer, RowUpdates), "only these leave other rows as they are"
