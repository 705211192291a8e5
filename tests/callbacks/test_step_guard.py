"""A batch with a NaN leaves no trace in any variable."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.callbacks import ExplodingGradients, GradientWarning
from seqtag.layers.introspection import kept_states
from seqtag.training import TruncatedBPTT

pytestmark = pytest.mark.filterwarnings("ignore::seqtag.callbacks.GradientWarning")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 3, 2)).astype("float32")
Y = X.sum(axis=2, keepdims=True)
BATCH = 2
BAD = slice(4, 6)  # the third batch


@keras.saving.register_keras_serializable()
class Counter(keras.layers.Layer):
    """Counts batches, and remembers the mean of the last one, which nothing reads."""

    def build(self, shape):
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")
        self.last = self.add_weight(shape=(), initializer="zeros", trainable=False, name="last")

    def call(self, x, training=False):
        if training:
            self.count.assign(self.count + 1)
            self.last.assign(keras.ops.mean(x))
        return x


def build(optimizer, built: bool = True, **options) -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [
        Counter(name="counter"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.GRU(2, stateful=built, return_sequences=True, name="gru"),
        keras.layers.Dense(1, name="out"),
    ]
    model = keras.Sequential([*([keras.Input(batch_shape=(BATCH, 3, 2))] if built else []), *layers])
    model.compile(optimizer, "mse", **{"jit_compile": False, **options})
    return model


def fitted(model: keras.Model, x, y, **arguments) -> keras.Model:
    alarm = ExplodingGradients(check_every=1, **arguments)
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[alarm])
    model.alarms = alarm.alarms
    return model


def all_variables(model: keras.Model) -> dict[str, np.ndarray]:
    found = [*model.variables, *kept_states(model), *model.optimizer.variables]
    return {f"{number} {v.path}": v.numpy() for number, v in enumerate(found) if v.dtype != "uint32"}


def momentum(**options):
    """Unlike Adam's, its updates do not depend on their number, which a refused one counts in."""
    return keras.optimizers.SGD(0.1, momentum=0.9, **options)


@pytest.fixture(
    params=[{}, {"built": False}, {"run_eagerly": True}, {"jit_compile": True}, {"steps_per_execution": 3}],
    ids=str,
    scope="module",
)
def options_and_wanted(request):
    """The way in which Keras runs a step, and all variables after a training without the bad batch."""
    wanted = fitted(build(momentum(), **request.param), np.delete(X, BAD, 0), np.delete(Y, BAD, 0))
    return request.param, list(all_variables(wanted).values())


@pytest.mark.parametrize("fault", ["input", "target"])
def test_a_bad_batch_leaves_no_trace(fault, options_and_wanted):
    """All variables are finite, and what they are after a training without that batch."""
    options, wanted = options_and_wanted
    x, y = X.copy(), Y.copy()
    (x if fault == "input" else y)[BAD.start, 1] = np.nan
    model = fitted(build(momentum(), **options), x, y)
    for (name, ours), theirs in zip(all_variables(model).items(), wanted, strict=True):
        assert np.isfinite(ours).all(), name
        if "iteration" not in name:
            np.testing.assert_allclose(ours, theirs, atol=1e-6, err_msg=name)
    assert model.get_layer("counter").count.numpy() == 5
    assert len(model.alarms) == 1 and model.alarms[0].step == 3
    assert np.isfinite(model.predict(X[:BATCH], verbose=0)).all()


def test_the_last_batch_may_be_the_bad_one():
    """Nothing after it hides what it left."""
    x = X.copy()
    x[-1] = np.inf
    model = fitted(build(momentum()), x, Y)
    wanted = fitted(build(momentum()), X[:-BATCH], Y[:-BATCH])
    for (name, ours), theirs in zip(all_variables(model).items(), all_variables(wanted).values(), strict=True):
        if "iteration" not in name:
            np.testing.assert_allclose(ours, theirs, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("last", [False, True])
def test_sums_of_gradients_stay_finite(last):
    x = X.copy()
    x[BAD if not last else slice(2, 4)] = np.nan
    model = build(momentum(gradient_accumulation_steps=2, use_ema=True))
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: [
            np.isfinite(v).all() or pytest.fail(k) for k, v in all_variables(model).items()
        ]
    )
    alarm = ExplodingGradients(check_every=1)
    model.fit(x, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[alarm, watch])
    assert alarm.alarms and "not finite in" in alarm.alarms[0].message


def test_a_state_that_no_gradient_tells_of_is_put_back_and_named():
    x = X.copy()
    x[BAD.start, 1] = np.nan

    class Ignores(Counter):
        def call(self, x, training=False):
            super().call(x, training=training)
            return keras.ops.where(keras.ops.isfinite(x), x, 0.0)

    model = keras.Sequential([keras.Input((3, 2)), Ignores(name="counter"), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    alarm = ExplodingGradients(check_every=1)
    with pytest.warns(GradientWarning, match="not finite in .*counter/last; they keep those of the batch before"):
        model.fit(x, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[alarm])
    assert model.layers[0].count.numpy() == 5 and np.isfinite(model.layers[0].last.numpy())
    assert model.optimizer.iterations.numpy() == 6


def test_half_precision_keeps_moving_statistics_finite():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build(momentum(use_ema=True))
    finally:
        keras.config.set_dtype_policy("float32")
    x = X.copy()
    x[BAD] = 1e9  # infinite in float16
    fitted(model, x, Y)
    assert all(np.isfinite(value).all() for value in all_variables(model).values())


def test_truncated_backpropagation_is_guarded_too():
    x = X.copy()
    x[0, 1] = np.nan
    model = build(momentum(), run_eagerly=True)
    model.layers[2].stateful = True
    TruncatedBPTT(1).fit(model, x, Y, batch_size=BATCH, shuffle=False, callbacks=[ExplodingGradients(check_every=1)])
    assert all(np.isfinite(value).all() for value in all_variables(model).values())
