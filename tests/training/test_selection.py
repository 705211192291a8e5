from __future__ import annotations

import math

import keras
import pytest

from seqtag.config.fitting import FittingConfig
from seqtag.errors import RunError
from seqtag.training.averaging import WeightAverage
from seqtag.training.measure import Measure
from seqtag.training.schedule import LearningRate
from seqtag.training.selection import DevSelection

LOSS = Measure("loss", is_loss=True)


def selection(values, measure=LOSS, **settings):
    config = FittingConfig(**settings)
    chosen = DevSelection(iter(values).__next__, measure, config, WeightAverage(0.0), LearningRate(config, 1))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    chosen.set_model(model)
    model.stop_training = False
    return chosen


def after(chosen, epochs):
    for epoch in range(epochs):
        chosen.model.set_weights([weight * 0 + epoch for weight in chosen.model.get_weights()])
        chosen.on_epoch_end(epoch, {"loss": 1.0})
    chosen.restore_best()
    return chosen.best_epoch, float(chosen.model.get_weights()[0][0, 0])


@pytest.mark.parametrize(
    ("measure", "best"),
    [(LOSS, 1), (Measure("f1"), 2), (Measure("loss", is_loss=True, keeps_last=True), 3)],
    ids=["loss", "score", "last"],
)
def test_the_weights_of_the_best_epoch_come_back(measure, best):
    assert after(selection([0.5, 0.2, 0.9, 0.4], measure), 4) == (best, float(best))


def test_patience_counts_from_the_best_epoch():
    chosen = selection([0.5, 0.2, 0.9, 0.4], patience=2)
    after(chosen, 3)
    assert not chosen.model.stop_training
    chosen.on_epoch_end(3, {"loss": 1.0})
    assert chosen.model.stop_training


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_dev_loss_that_is_not_finite_ends_the_run_with_advice(value):
    with pytest.raises(RunError, match=r"expected a finite dev loss, found (nan|inf) in epoch 1; lower training"):
        selection([value]).on_epoch_end(0, {"loss": 1.0})
