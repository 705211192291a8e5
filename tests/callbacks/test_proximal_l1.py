from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Lasso, MultiTaskLasso

from seqtag.callbacks.proximal_l1 import ProximalL1
from seqtag.callbacks.update_hook import weights_of
from seqtag.layers import Bidirectional, PeepholeLSTM

RATE = 0.05
# Ways to run the same training, how far the numbers may be from NumPy's, and how many steps make an update.
WAYS = {
    "plain": ({}, {}, 1e-6, 1),
    "compiled": ({"jit_compile": True}, {}, 1e-5, 1),
    "several steps at once": ({"steps_per_execution": 4}, {}, 1e-6, 1),
    "accumulated": ({}, {"gradient_accumulation_steps": 2}, 1e-6, 2),
    "half precision": ({"dtype": "mixed_float16"}, {}, 3e-3, 1),
}


def regression(rows=40, features=6, seed=0):
    """Inputs and targets of which three features know nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features)).astype("float32")
    weights = np.array([2.0, -1.0, 0.5] + [0.0] * (features - 3))
    return x, (x @ weights + 0.1 * rng.normal(size=rows)).astype("float32")[:, None]


def linear(features=6, optimizer=None, dtype=None, regularizer=None, **compiled):
    """A model whose gradient is known."""
    keras.utils.set_random_seed(1)
    layer = keras.layers.Dense(1, use_bias=False, kernel_regularizer=regularizer, dtype=dtype, name="dense")
    model = keras.Sequential([keras.Input((features,)), layer])
    model.compile(optimizer or keras.optimizers.SGD(RATE), "mse", **{"jit_compile": False} | compiled)
    return model


def lookup(rows=5, width=2, optimizer=None, **compiled):
    """Sums embeddings, so that the gradient of a row is known."""
    keras.utils.set_random_seed(2)
    layers = [keras.layers.Embedding(rows, width, name="table"), keras.layers.Lambda(lambda e: e[:, 0])]
    model = keras.Sequential([keras.Input((1,), dtype="int32"), *layers])
    model.compile(optimizer or keras.optimizers.SGD(RATE), product, **{"jit_compile": False} | compiled)
    return model


def product(target, output):
    """A loss whose gradient does not depend on the weights."""
    return keras.ops.sum(target * output, axis=-1)


def shrink(weights, threshold):
    return np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)


def shrink_rows(table, threshold):
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return table * np.maximum(0, 1 - threshold / np.maximum(lengths, 1e-12))


def fit(model, x, y, *callbacks, **arguments):
    arguments = {"batch_size": 10, "shuffle": False, "verbose": 0} | arguments
    return model.fit(x, y, callbacks=list(callbacks), **arguments)


def kernel_of(model):
    return model.get_layer("dense").kernel.numpy()


# What it does.


def test_adam_with_a_subgradient_makes_small_weights_and_the_proximal_step_zeros():
    x, y = regression(400, 20)
    noise = np.random.default_rng(9).normal(size=y.shape)
    data = tf.data.Dataset.from_tensor_slices((x, y + noise)).repeat().batch(20)
    penalty = 0.5
    subgradient = linear(20, keras.optimizers.Adam(0.01), regularizer=keras.regularizers.L1(penalty))
    proximal = linear(20, keras.optimizers.Adam(0.01))
    several = {"steps_per_epoch": 600, "shuffle": False, "verbose": 0}
    subgradient.fit(data, **several)
    history = proximal.fit(data, **several, callbacks=[ProximalL1(penalty)]).history
    assert (kernel_of(subgradient) == 0).sum() == 0
    assert (kernel_of(proximal)[3:] == 0).all()
    assert (kernel_of(proximal)[:3] != 0).all()
    assert history["zeros"][-1] == 17 / 20


@pytest.mark.parametrize("alpha", [0.05, 0.4])
def test_gradient_descent_ends_at_the_lasso_of_scikit_learn(alpha):
    x, y = regression()
    expected = Lasso(alpha, fit_intercept=False, tol=1e-10).fit(x.astype(float), y[:, 0]).coef_
    model = linear(steps_per_execution=100)
    data = tf.data.Dataset.from_tensors((x, y)).repeat()
    # Theirs is half the mean square.
    model.fit(data, steps_per_epoch=600, shuffle=False, verbose=0, callbacks=[ProximalL1(2 * alpha)])
    np.testing.assert_allclose(kernel_of(model)[:, 0], expected, atol=1e-5)
    assert ((kernel_of(model)[:, 0] == 0) == (expected == 0)).all()
    assert 0 < (expected == 0).sum() < 6


@pytest.mark.parametrize("row_every", [1, 4])
def test_rows_of_an_embedding_end_at_the_group_lasso_of_scikit_learn(row_every):
    rng = np.random.default_rng(4)
    ids = rng.integers(0, 8, (60, 3))
    counts = np.stack([np.bincount(row, minlength=9) for row in ids]).astype(float)
    truth = rng.normal(size=(9, 2)) * (np.arange(9) < 4)[:, None]
    y = (counts @ truth + 0.1 * rng.normal(size=(60, 2))).astype("float32")
    alpha = 0.12
    expected = MultiTaskLasso(alpha, fit_intercept=False, tol=1e-10).fit(counts, y).coef_.T
    layers = [keras.layers.Embedding(9, 2, name="table"), keras.layers.Lambda(lambda e: keras.ops.sum(e, 1))]
    model = keras.Sequential([keras.Input((3,), dtype="int32"), *layers])
    model.compile(keras.optimizers.SGD(0.05), "mse", steps_per_execution=100, jit_compile=False)
    data = tf.data.Dataset.from_tensors((ids, y)).repeat()
    # The mean is over two columns, theirs is half of one over rows.
    callback = ProximalL1(row_strength=alpha, row_every=row_every)
    model.fit(data, steps_per_epoch=2000, shuffle=False, verbose=0, callbacks=[callback])
    found = model.get_layer("table").embeddings.numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4 if row_every == 1 else row_every * 0.05 * alpha)
    zero_rows = (expected == 0).all(axis=1)
    assert ((found == 0).all(axis=1) == zero_rows).all()
    assert 2 < zero_rows.sum() < 8, "one row no batch looked up, others were not worth it"


# However it runs.


@pytest.mark.parametrize("way", WAYS)
def test_every_update_is_followed_by_its_step(way):
    compiled, optimized, tolerance, every = WAYS[way]
    x, y = regression()
    model = linear(optimizer=keras.optimizers.SGD(RATE, **optimized), **compiled)
    expected = kernel_of(model).astype(float)
    fit(model, x, y, ProximalL1(0.7), epochs=3)
    batches = list(zip(np.split(x, 4), np.split(y, 4), strict=True)) * 3
    for start in range(0, len(batches), every):
        gradient = np.mean([2 * a.T @ (a @ expected - b) / len(a) for a, b in batches[start : start + every]], axis=0)
        expected = shrink(expected - RATE * gradient, RATE * 0.7)
    found = kernel_of(model)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    assert ((found == 0) == (np.abs(expected) == 0)).all()
    assert 0 < (found == 0).sum() < 6


@pytest.mark.parametrize(
    "compiled", [{}, {"jit_compile": True}, {"steps_per_execution": 5}], ids=["plain", "compiled", "several"]
)
@pytest.mark.parametrize("row_every", [1, 3])
def test_rows_wait_for_the_sum_of_their_thresholds(row_every, compiled):
    ids = np.random.default_rng(0).integers(0, 4, (70, 1))
    targets = np.random.default_rng(1).normal(size=(70, 2)).astype("float32")
    model = lookup(**compiled)
    expected = model.get_layer("table").embeddings.numpy().astype(float)
    fit(model, ids, targets, ProximalL1(row_strength=0.05, row_every=row_every), epochs=2)
    waiting = 0
    for step in range(14):
        batch = slice(step % 7 * 10, step % 7 * 10 + 10)
        np.subtract.at(expected, ids[batch, 0], RATE * targets[batch] / 10)
        waiting += 1
        if (step + 1) % row_every == 0 or step % 7 == 6:
            expected = shrink_rows(expected, waiting * RATE * 0.05)
            waiting = 0
    found = model.get_layer("table").embeddings.numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_row_that_no_batch_looks_up_goes_the_same_way_however_long_it_waits():
    ids, targets = np.zeros((60, 1), int), np.ones((60, 2), "float32")
    ends = []
    for row_every in (1, 4, 1000):
        model = lookup(optimizer=keras.optimizers.SGD(RATE))
        table = model.get_layer("table").embeddings
        table.assign(np.float32([[1, 1], [3, -4], [0.1, 0.1], [-0.6, 0.8], [0, 0]]))
        fit(model, ids, targets, ProximalL1(row_strength=2.0, row_every=row_every))
        ends.append(table.numpy()[1:])
    # Six steps shorten a row by 0.6 together.
    expected = [[3 * 4.4 / 5, -4 * 4.4 / 5], [0, 0], [-0.6 * 0.4, 0.8 * 0.4], [0, 0]]
    for found in ends:
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert not found[[1, 3]].any()


def test_a_distribution_strategy_ends_where_none_does():
    x, y = regression()
    ids = np.arange(40)[:, None] % 5
    targets = np.random.default_rng(1).normal(size=(40, 2)).astype("float32")
    # All the virtual devices there are; one has to do where nobody asked for more.
    strategy = tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices("CPU")])
    callbacks = [ProximalL1(0.7), ProximalL1(row_strength=0.5, row_every=3)]
    for make, callback, data in ((linear, callbacks[0], (x, y)), (lookup, callbacks[1], (ids, targets))):
        alone = make()
        fit(alone, *data, callback, epochs=2)
        with strategy.scope():
            together = make()
        fit(together, *data, callback, epochs=2)
        for one, other in zip(alone.get_weights(), together.get_weights(), strict=True):
            np.testing.assert_allclose(other, one, atol=1e-5)


def test_the_rate_is_that_of_the_update():
    x, y = regression()
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01])
    model = linear(optimizer=keras.optimizers.SGD(schedule))
    expected = kernel_of(model).astype(float)
    fit(model, x, y, ProximalL1(1.0), epochs=2)
    for step in range(8):
        a, b = x[step % 4 * 10 :][:10], y[step % 4 * 10 :][:10]
        rate = 0.1 if step <= 2 else 0.05 if step <= 5 else 0.01
        expected = shrink(expected - rate * 2 * a.T @ (a @ expected - b) / 10, rate)
    np.testing.assert_allclose(kernel_of(model), expected, atol=1e-6)


def test_validation_sees_rows_up_to_date():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append(self.model.get_layer("table").embeddings.numpy())

    model = lookup()
    ids, targets = np.zeros((20, 1), int), np.zeros((20, 2), "float32")
    callbacks = [ProximalL1(row_strength=100.0, row_every=50), Watch()]
    fit(model, ids, targets, *callbacks, validation_data=(ids, targets))
    assert len(seen) == 1 and not seen[0].any()


# On what.


def tagger_like():
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Embedding(7, 3, name="words"),
        Bidirectional(PeepholeLSTM(4, return_sequences=True, layer_norm=True, name="peephole_lstm"), name="both"),
        keras.layers.GRU(3, name="gru"),
        keras.layers.Dense(2, name="out"),
    ]
    model = keras.Sequential([keras.Input((5,), dtype="int32"), *layers], name="tagger")
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    for variable in model.trainable_variables:
        variable.assign(np.ones(variable.shape))
    return model


def strengths(**arguments):
    """The penalties by the paths of the weights they are on."""
    callback = ProximalL1(**arguments)
    callback.set_model(tagger_like())
    callback.start(weights_of(callback.model))
    pairs = callback.kernels + callback.tables
    return {variable.path.removeprefix("tagger/"): strength for variable, strength in pairs}


def test_a_number_is_for_all_kernels_and_for_nothing_else():
    found = strengths(strength=0.1)
    cells = ["both/peephole_lstm", "both/peephole_lstm_backward"]
    recurrent = [f"{cell}/cell/{name}" for cell in cells for name in ("kernel", "recurrent_kernel")]
    gru = ["gru/gru_cell/kernel", "gru/gru_cell/recurrent_kernel"]
    assert found == dict.fromkeys([*recurrent, *gru, "out/kernel"], 0.1)
    assert strengths(row_strength=0.1) == {"words/embeddings": 0.1}
    assert strengths() == {}


def test_names_of_layers_patterns_of_paths_and_the_first_that_fits():
    assert strengths(strength={"out": 0.5}) == {"out/kernel": 0.5}
    found = strengths(strength={"gru/*/recurrent_kernel": 0, "gru": 0.2, "both": 0.3})
    assert found.pop("gru/gru_cell/kernel") == 0.2
    assert set(found.values()) == {0.3} and len(found) == 4
    assert strengths(strength={"*/bias": 1})["out/bias"] == 1.0, "a pattern means what it matches"
    assert strengths(row_strength={"words": 0.4}) == {"words/embeddings": 0.4}


def test_the_optimizer_is_left_as_it_was():
    x, y = regression()
    model = linear()
    fit(model, x, y, ProximalL1(100.0))
    assert not kernel_of(model).any()
    fit(model, x, y)
    assert kernel_of(model).all(), "without the callback there is no penalty any more"


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"strength": -1}, ValueError, "expected strength to be zero or more, found -1"),
        ({"row_strength": {"a": -0.5}}, ValueError, "expected row_strength to be zero or more, found -0.5"),
        ({"strength": float("nan")}, ValueError, "expected strength to be zero or more, found nan"),
        ({"strength": "l1"}, TypeError, "expected strength to be a number or a mapping to numbers, found 'l1'"),
        ({"strength": {"a": True}}, TypeError, "found True"),
        ({"row_every": 0}, ValueError, "expected row_every to be at least 1, found 0"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        ProximalL1(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strength": {"dens": 1}}, "expected strength to name layers or match paths, found 'dens', did you mean 'den"),
        ({"strength": {"*/kernle": 1}}, r"found '\*/kernle'; layers: dense"),
        ({"row_strength": 1}, "expected a model with trainable weights for row_strength, found none of that kind"),
        ({"row_strength": {"dense": 1}}, "expected row_strength to name layers or match paths, found 'dense'"),
    ],
)
def test_what_the_model_does_not_have(arguments, message):
    x, y = regression()
    with pytest.raises(ValueError, match=message):
        fit(linear(), x, y, ProximalL1(**arguments))


def test_a_model_without_trainable_weights():
    model = linear()
    model.get_layer("dense").trainable = False
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="expected a model with trainable weights, found none"):
        fit(model, *regression(), ProximalL1(0.1))
