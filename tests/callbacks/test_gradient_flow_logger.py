"""Gradient flow over a training: the numbers of each epoch, the files, and a training that does not notice."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

from seqtag.callbacks import GradientFlowLogger
from seqtag.diagnostics import gradient_flow
from seqtag.layers import GRU, Bidirectional

TIME = 5
RANDOM = np.random.default_rng(4)
X, Y = RANDOM.normal(size=(12, TIME, 2)), RANDOM.normal(size=(12, 1))


def model():
    keras.utils.set_random_seed(7)
    inside = Bidirectional(GRU(3, return_sequences=True, dropout=0.2), name="both"), layers.LSTM(2, name="lstm")
    model = keras.Sequential([keras.Input((TIME, 2)), *inside, layers.Dropout(0.3), layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    return model


def fit(*callbacks, epochs=3):
    fitted = model()
    history = fitted.fit(X, Y, batch_size=4, epochs=epochs, callbacks=list(callbacks), verbose=0, shuffle=False)
    return fitted, history.history


class Flows(keras.callbacks.Callback):
    """What the logger shall find."""

    def on_train_begin(self, logs=None):
        self.flows = []

    def on_epoch_end(self, epoch, logs=None):
        self.flows.append(gradient_flow(self.model, X[:4], Y[:4]))


def test_the_norms_are_those_of_the_model_at_the_end_of_each_epoch():
    flows, logger = Flows(), GradientFlowLogger(X[:4], Y[:4])
    fit(flows, logger)
    assert logger.epochs == [1, 2, 3]
    assert (logger.norms["both"].shape, logger.norms["lstm"].shape) == ((3, 2, TIME), (3, TIME))
    for name, norms in logger.norms.items():
        np.testing.assert_array_equal(norms, [flow.norms[name] for flow in flows.flows])
    assert np.any(logger.norms["lstm"][0] != logger.norms["lstm"][2])
    assert list(logger.to_frame()["epoch"].unique()) == [1, 2, 3]


def test_a_training_is_the_same_with_it_and_without():
    plain, history = fit(epochs=2)
    watched, watched_history = fit(GradientFlowLogger(X[:4], Y[:4]), epochs=2)
    assert history == watched_history
    for weight, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_files_of_every_second_epoch(tmp_path):
    logger = GradientFlowLogger(X[:4], Y[:4], every=2, folder=tmp_path / "flow", log_dir=tmp_path / "logs")
    fit(logger, epochs=4)
    assert logger.epochs == [2, 4]
    table = pd.read_csv(tmp_path / "flow" / "gradient_flow.csv")
    assert list(table.columns) == ["epoch", "layer", "direction", "step", "rows", "norm", "cell_norm", "bound"]
    assert len(table) == 2 * 3 * TIME
    last = table[(table["epoch"] == 4) & (table["layer"] == "both") & (table["direction"] == "backward")]
    np.testing.assert_allclose(last["norm"], logger.norms["both"][1, 1])
    assert sorted(path.name for path in (tmp_path / "flow").iterdir()) == ["gradient_flow.csv", "gradient_flow.png"]
    [events] = (tmp_path / "logs").iterdir()
    scalars = {
        (event.step, value.tag): float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    backward = logger.norms["both"][0, 1]
    assert scalars[2, "gradient_flow/both/backward/ratio"] == pytest.approx(backward[-1] / backward[0])
    assert scalars[4, "gradient_flow/lstm/forward/run_last"] == pytest.approx(logger.norms["lstm"][1, -1])


def test_each_fit_begins_anew():
    logger = GradientFlowLogger(X[:4], Y[:4])
    fit(logger, epochs=2)
    fit(logger, epochs=1)
    assert logger.epochs == [1]
    assert logger.norms["lstm"].shape == (1, TIME)


def test_bad_input():
    with pytest.raises(ValueError, match="expected every to be at least 1, found 0"):
        GradientFlowLogger(X, Y, every=0)
    dense = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    dense.compile(loss="mse")
    with pytest.raises(ValueError, match="expected a model with recurrent layers, found Dense"):
        dense.fit(X[:, 0], Y, callbacks=[GradientFlowLogger(X[:, 0], Y)], verbose=0)
