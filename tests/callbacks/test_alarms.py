"""Alarms on gradients that were made to explode, to vanish, or to be no numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.callbacks import ExplodingGradients, GradientWarning, VanishingGradients

STEPS = 40
# Beside the one that a test expects.
pytestmark = pytest.mark.filterwarnings("ignore::seqtag.callbacks.GradientWarning")


def fit(x, y, *callbacks, optimizer=None, epochs=1, **options):
    """A model y = w x, whose gradient is 2 (w x - y) x, in batches of one."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="only")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(optimizer or keras.optimizers.SGD(1e-3), loss="mse", **{"jit_compile": False, **options})
    history = model.fit(x, y, batch_size=1, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model, history.history


@pytest.fixture
def data():
    """Forty examples; the one that update 31 sees has a target far out."""
    x, y = np.ones((STEPS, 1), "float32"), np.ones((STEPS, 1), "float32")
    y[30] = 1e4
    return x, y


def weight(model):
    return float(model.get_weights()[0][0, 0])


def without(x, y, update):
    """The weight after all updates but one."""
    w = 0.0
    for n in range(len(x)):
        if n + 1 != update:
            w -= 1e-3 * 2 * (w * x[n, 0] - y[n, 0]) * x[n, 0]
    return w


def test_an_explosion_is_named_and_goes_through_with_warn(data):
    alarm = ExplodingGradients(factor=10)
    with pytest.warns(
        GradientWarning, match="update 31: the gradients' norm is 2e[+]04, .* most in only; updates went"
    ):
        model, _ = fit(*data, alarm)
    assert (alarm.alarms[0].step, alarm.alarms[0].layers) == (31, ("only",))
    assert weight(model) > 10


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"steps_per_execution": 7}], ids=["plain", "jit", "7"])
def test_skip_leaves_out_the_one_update(data, options):
    alarm = ExplodingGradients(factor=10, action="skip")
    with pytest.warns(GradientWarning, match="not updated"):
        model, _ = fit(*data, alarm, **options)
    assert weight(model) == pytest.approx(without(*data, 31), rel=1e-5)
    assert len(alarm.alarms) == 1


def test_moments_do_not_see_a_skipped_update(data):
    x, y = data
    kept = np.arange(STEPS) != 30
    with pytest.warns(GradientWarning):
        ours, _ = fit(x, y, ExplodingGradients(action="skip"), optimizer=keras.optimizers.SGD(1e-3, momentum=0.9))
    theirs, _ = fit(x[kept], y[kept], optimizer=keras.optimizers.SGD(1e-3, momentum=0.9))
    assert weight(ours) == pytest.approx(weight(theirs), rel=1e-5)


@pytest.mark.parametrize("action", ["warn", "skip", "stop", "recover"])
@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_what_is_no_number_never_reaches_the_weights(data, action, fault, tmp_path):
    x, y = data
    y[3] = fault
    saved = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    alarm = ExplodingGradients(action=action, check_every=1)
    with pytest.warns(GradientWarning, match="update 4: gradients are not finite in only"):
        model, _ = fit(x, y, alarm, saved, epochs=2)
    assert np.isfinite(weight(model)) and all(np.isfinite(v.numpy()).all() for v in model.optimizer.variables)
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    assert np.isfinite(loaded.get_weights()[0]).all()


def test_stop_ends_the_training(data):
    with pytest.warns(GradientWarning, match="training stops"):
        model, history = fit(*data, ExplodingGradients(action="stop"), epochs=5)
    assert len(history["loss"]) == 1
    assert weight(model) < 1


def test_recover_goes_back_and_lowers_the_rate(data):
    x, y = data
    alarm = ExplodingGradients(action="recover", check_every=1, keep_every=1000, rate_factor=0.25)
    with pytest.warns(GradientWarning, match="weights of the last good state, learning rate times 0.25"):
        model, _ = fit(x, y, alarm)
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.25e-3)
    # From the weights at the beginning of the epoch, the nine updates after the thirty-first.
    w = 0.0
    for n in range(31, STEPS):
        w -= 0.25e-3 * 2 * (w * x[n, 0] - y[n, 0]) * x[n, 0]
    assert weight(model) == pytest.approx(w, rel=1e-5)


def test_recover_goes_back_to_a_copy_within_the_epoch(data):
    x, y = data
    with pytest.warns(GradientWarning):
        model, _ = fit(x, y, ExplodingGradients(action="recover", check_every=1, keep_every=10))
    assert weight(model) > without(x[:20], y[:20], 0) / 2


def test_a_quiet_training_raises_no_alarm(data):
    x, y = data
    y[30] = 1.0
    alarm = ExplodingGradients(action="skip")
    model, _ = fit(x, y, alarm)
    assert alarm.alarms == [] and weight(model) == pytest.approx(without(x, y, 0), rel=1e-5)


def test_a_new_level_becomes_the_usual_one(data):
    """Half of the memory above, and the median follows."""
    x, y = data
    y[:], y[25:] = 1.0, 1000.0
    alarm = ExplodingGradients(factor=10, action="skip", memory=20, check_every=1)
    with pytest.warns(GradientWarning):
        fit(x, y, alarm)
    assert {a.step for a in alarm.alarms} == set(range(26, 36))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 1.0}, "expected factor to be above 1, found 1.0"),
        ({"action": "panic"}, "expected action to be one of warn, skip, stop, recover, found 'panic'"),
        ({"memory": 5}, "expected memory to be at least 20, found 5"),
        ({"check_every": 0}, "expected check_every to be at least 1, found 0"),
        ({"keep_every": 0}, "expected keep_every to be at least 1, found 0"),
        ({"rate_factor": 1.0}, "expected rate_factor to be between 0 and 1, found 1.0"),
    ],
)
def test_arguments_of_exploding_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExplodingGradients(**arguments)


def test_recover_needs_a_rate_to_lower(data):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(ValueError, match="expected a constant learning rate beside action='recover', found a schedule"):
        fit(*data, ExplodingGradients(action="recover"), optimizer=keras.optimizers.SGD(schedule))


def deep(scale):
    """Five layers; the gradient on its way back through each but the last is multiplied by `scale`."""
    layers = [
        keras.layers.Dense(4, name=f"layer_{n}", kernel_initializer=keras.initializers.Orthogonal(scale, seed=n))
        for n in range(5)
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(keras.optimizers.SGD(1e-6), loss="mse", jit_compile=False)
    # Inputs of zeros leave gradients to the biases alone.
    return model, np.zeros((60, 4)), np.random.default_rng(0).normal(size=(60, 4))


def test_vanishing_layers_are_named_once():
    model, x, y = deep(0.1)
    alarm = VanishingGradients(share=0.02, every=2, patience=3)
    with pytest.warns(GradientWarning, match=r"update 7: the gradient of layer_0 is 1.0e-04 of that of later layers"):
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[alarm])
    assert [a.layers for a in alarm.alarms] == [("layer_0",), ("layer_1",), ("layer_2",)]


def test_healthy_layers_raise_no_alarm():
    model, x, y = deep(1.0)
    alarm = VanishingGradients(share=0.02, every=2, patience=3)
    model.fit(x, y, batch_size=2, verbose=0, callbacks=[alarm])
    assert alarm.alarms == []


@pytest.mark.parametrize(("scale", "alarms"), [(0.3, ["rnn"]), (1.0, [])])
def test_vanishing_steps_are_named(scale, alarms):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, 30, 2)).astype("float32"), random.normal(size=(8, 1))
    kernel = keras.initializers.Orthogonal(scale, seed=1)
    layer = keras.layers.SimpleRNN(4, activation="linear", recurrent_initializer=kernel, name="rnn")
    model = keras.Sequential([keras.Input((30, 2)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-6), loss="mse", jit_compile=False)
    alarm = VanishingGradients(share=1e-6, action="stop", data=(x, y))
    if alarms:
        with pytest.warns(
            GradientWarning, match=r"the gradient of rnn at early steps is .* at late ones; training stops"
        ):
            history = model.fit(x, y, epochs=3, verbose=0, callbacks=[alarm]).history
    else:
        history = model.fit(x, y, epochs=3, verbose=0, callbacks=[alarm]).history
    assert [a.layers for a in alarm.alarms] == [(name,) for name in alarms]
    assert len(history["loss"]) == (1 if alarms else 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 0.0}, "expected share to be between 0 and 1, found 0.0"),
        ({"action": "skip"}, "expected action to be one of warn, stop, found 'skip'"),
        ({"every": 0}, "expected every to be at least 1, found 0"),
        ({"patience": 0}, "expected patience to be at least 1, found 0"),
    ],
)
def test_arguments_of_vanishing_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        VanishingGradients(**arguments)
