"""Pictures of gradient flow: what they show, and that they show it where numbers vanish, explode or are missing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from matplotlib.image import imread

from seqtag.diagnostics import gradient_flow
from seqtag.diagnostics.plots import plot_training
from seqtag.layers import Bidirectional, PeepholeLSTM, SimpleRNN

TIME = 6


@pytest.fixture
def flow():
    keras.utils.set_random_seed(2)
    lengths = keras.Input((TIME, 3)), keras.Input((TIME,), dtype="bool")
    hidden = Bidirectional(PeepholeLSTM(3, return_sequences=True), name="both")(lengths[0], mask=lengths[1])
    model = keras.Model(lengths, SimpleRNN(2, name="elman")(hidden))
    mask = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]], bool)
    data = [np.random.default_rng(0).normal(size=(2, TIME, 3)), mask]
    return gradient_flow(model, data, np.ones((2, 2)), loss="mse")


def images(figure):
    return [np.asarray(image.get_array()) for axis in figure.get_axes() for image in axis.get_images()]


def curves(figure):
    axes = [axis for axis in figure.get_axes() if axis.get_legend() is not None]
    return {axis.get_title(loc="left"): {line.get_label(): line.get_ydata() for line in axis.lines} for axis in axes}


def test_the_heat_map_holds_all_directions_and_the_curves_their_bounds(flow, tmp_path):
    figure = flow.plot(tmp_path / "flow.png")
    [heat] = images(figure)
    np.testing.assert_array_equal(heat[:2, :4], flow.norms["both"][:, :4])
    np.testing.assert_array_equal(heat[2], flow.norms["elman"])
    [both, elman] = curves(figure).values()
    assert set(both) == {f"{what}, {way}" for what in ("dL/dh", "dL/dc", "bound") for way in ("forward", "backward")}
    np.testing.assert_array_equal(both["dL/dh, backward"], flow.norms["both"][1])
    np.testing.assert_array_equal(both["dL/dc, forward"], flow.cell_norms["both"][0])
    np.testing.assert_array_equal(elman["bound, forward"], flow.bound["elman"])
    assert imread(tmp_path / "flow.png").shape[2] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["flow.png"]


def test_jacobians_are_drawn_over_the_real_steps_of_a_row(flow, tmp_path):
    figure = flow.plot_jacobians(tmp_path / "jacobians.pdf")
    forward, backward, elman = images(figure)
    assert forward.shape == backward.shape == elman.shape == (4, 4)
    np.testing.assert_array_equal(backward, flow.jacobian_norms("both", backward=True)[:4, :4])
    drawn = [line.get_ydata() for axis in figure.get_axes() for line in axis.lines if "mean" in line.get_label()]
    for lags, matrix in zip(drawn, (forward, backward.T, elman), strict=True):
        assert lags[1] == pytest.approx(np.mean([matrix[t, t - 1] for t in range(1, len(matrix))]))
    assert (tmp_path / "jacobians.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("scale", [1e-12, 0.0, 1e3])
def test_what_vanishes_and_what_explodes_can_be_drawn(scale, tmp_path):
    identity = keras.initializers.Constant(scale)
    layer = SimpleRNN(1, activation="linear", recurrent_initializer=identity, name="rnn")
    model = keras.Sequential([keras.Input((40, 1)), layer, layers.Dense(1)])
    flow = gradient_flow(model, 1e-30 * np.ones((1, 40, 1)), np.ones((1, 1)), loss="mse")
    with np.errstate(all="raise", under="ignore"):
        figure = flow.plot(tmp_path / "flow.png")
    low, high = next(axis for axis in figure.get_axes() if axis.get_legend() is not None).get_ylim()
    assert 0 < low < high < np.inf


def test_a_training_is_drawn_epoch_by_step(tmp_path):
    values = np.arange(1.0, 13.0).reshape(2, 2, 3)
    figure = plot_training({"both": values, "one": values[:, 0]}, np.array([3, 6]), tmp_path / "training.png")
    for drawn, wanted in zip(images(figure), (values[:, 0], values[:, 1], values[:, 0]), strict=True):
        np.testing.assert_array_equal(drawn, wanted)
    titles = [axis.get_title(loc="left") for axis in figure.get_axes()]
    assert titles[:3] == ["both, forward", "both, backward", "one"]
    assert [label.get_text() for label in figure.get_axes()[0].get_yticklabels()] == ["3", "6"]
    assert (tmp_path / "training.png").exists()
