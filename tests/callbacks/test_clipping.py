"""Clipping in `fit`: against the update written out, against Keras's own, and what it refuses."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.callbacks import GradientClipping, GradientMonitor
from seqtag.keras_internals import replaced_update


def fit(tiny, *callbacks, optimizer=None, epochs=1, **options):
    model = tiny.build()
    model.compile(optimizer or keras.optimizers.SGD(1.0), loss="mse", **{"jit_compile": False, **options})
    history = model.fit(
        tiny.x, tiny.y, batch_size=tiny.batch, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks)
    )
    return model, history.history


def one_update(tiny, clipping, **options):
    """What one update at rate 1 has taken off each weight; and the gradient, dense, and the weights before."""
    tiny.x, tiny.y = tiny.x[: tiny.batch], tiny.y[: tiny.batch]
    model, history = fit(tiny, clipping, **options)
    (step,) = tiny.written_out(keras.optimizers.SGD(1.0), tiny.x, tiny.y)
    taken = [before - after for before, after in zip(step["before"], model.get_weights(), strict=True)]
    return taken, step["gradients"], step["before"], history


def norm(values):
    return float(np.sqrt(sum((value.astype("float64") ** 2).sum() for value in values)))


def assert_close(found, wanted):
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"run_eagerly": True}], ids=["plain", "jit", "eager"])
def test_global_norm(tiny, options):
    taken, gradients, _, history = one_update(tiny, GradientClipping("global_norm", 0.5), **options)
    assert_close(taken, [gradient * 0.5 / norm(gradients) for gradient in gradients])
    assert history["grad_clipped"] == [1.0]


def test_norm(tiny):
    taken, gradients, _, history = one_update(tiny, GradientClipping("norm", 0.5))
    assert_close(taken, [gradient * min(1, 0.5 / norm([gradient])) for gradient in gradients])
    assert history["grad_clipped/out"] == [1.0]


def test_value(tiny):
    taken, gradients, _, _ = one_update(tiny, GradientClipping("value", 0.05))
    assert_close(taken, [np.clip(gradient, -0.05, 0.05) for gradient in gradients])


def test_adaptive_units_are_columns_of_kernels_and_rows_of_embeddings(tiny):
    taken, gradients, weights, _ = one_update(tiny, GradientClipping("adaptive", 0.1))
    axes = [(1,), *[tuple(range(max(1, gradient.ndim - 1))) for gradient in gradients[1:]]]
    wanted = []
    for gradient, weight, axis in zip(gradients, weights, axes, strict=True):
        size = np.sqrt((gradient**2).sum(axis=axis, keepdims=True))
        allowed = 0.1 * np.maximum(np.sqrt((weight**2).sum(axis=axis, keepdims=True)), 1e-3)
        wanted.append(gradient * np.minimum(1, allowed / np.maximum(size, 1e-30)))
    assert_close(taken, wanted)


def test_percentile_of_the_norms_so_far(tiny):
    share, norms = 40.0, []

    class Norms(GradientMonitor):
        def on_train_batch_end(self, batch, logs=None):
            norms.append(float(self.norm_sum.numpy()))

    model, history = fit(tiny, Norms(), GradientClipping("percentile", share), optimizer=keras.optimizers.SGD(0.01))
    norms = np.diff([0.0, *norms])
    bounds = [np.percentile(norms[: n + 1], share) for n in range(len(norms))]
    assert history["grad_clipped"] == [np.mean([n > b * (1 + 1e-5) for n, b in zip(norms, bounds, strict=True)])]
    # The same updates written out give the same weights.
    written = tiny.build()
    for n, bound in enumerate(bounds):
        batch = slice(n * tiny.batch, (n + 1) * tiny.batch)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((written(tiny.x[batch]) - tiny.y[batch]) ** 2)
        gradients = tape.gradient(loss, [v.value for v in written.trainable_variables])
        dense = [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]
        for variable, gradient in zip(written.trainable_variables, dense, strict=True):
            variable.assign_sub(0.01 * gradient * min(1, bound / norm(dense)))
    assert_close(model.get_weights(), written.get_weights())


def test_keras_clips_dense_gradients_alike():
    x, y = np.random.default_rng(0).normal(size=(2, 12, 4)).astype("float32")

    def fitted(optimizer, callbacks):
        keras.utils.set_random_seed(4)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), keras.layers.Dense(4)])
        model.compile(optimizer, loss="mse", jit_compile=False)
        model.fit(x, y, batch_size=3, shuffle=False, verbose=0, callbacks=callbacks)
        return model.get_weights()

    theirs = fitted(keras.optimizers.Adam(0.01, global_clipnorm=0.2), [])
    assert_close(fitted(keras.optimizers.Adam(0.01), [GradientClipping("global_norm", 0.2)]), theirs)


def test_the_threshold_may_follow_a_schedule(tiny):
    falling = keras.optimizers.schedules.PiecewiseConstantDecay([2], [1e6, 1e-9])
    _, history = fit(tiny, GradientClipping("global_norm", falling))
    # Updates 0 to 2 under the first threshold, 3 to 5 under the second.
    assert history["grad_clipped"] == [0.5]


def test_nothing_stays_in_the_optimizer(tiny):
    model, _ = fit(tiny, GradientClipping("global_norm", 1e-9))
    before = model.get_weights()
    model.fit(tiny.x, tiny.y, verbose=0)
    assert any(abs(a - b).max() > 1e-6 for a, b in zip(model.get_weights(), before, strict=True))


def test_what_broke_off_does_not_stay_in_the_next_fit(tiny):
    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = tiny.build()
    model.compile(keras.optimizers.SGD(0.01), loss="mse", jit_compile=False)
    with pytest.raises(KeyboardInterrupt):
        model.fit(tiny.x, tiny.y, verbose=0, callbacks=[GradientClipping("global_norm", 1e-9), Break()])
    before = model.get_weights()
    model.fit(tiny.x, tiny.y, verbose=0)
    assert any(abs(a - b).max() > 1e-6 for a, b in zip(model.get_weights(), before, strict=True))
    assert replaced_update(model.optimizer) is None
    assert "make_train_function" not in vars(model)
    history = model.fit(tiny.x, tiny.y, verbose=0, callbacks=[GradientClipping("global_norm", 1e9)]).history
    assert history["grad_clipped"] == [0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "norms"}, "expected by to be one of global_norm, norm, value, adaptive, percentile, found 'norms'"),
        ({"threshold": 0}, "expected threshold to be above zero, found 0"),
        ({"threshold": -1.0}, "expected threshold to be above zero, found -1.0"),
        ({"threshold": float("nan")}, "expected threshold to be above zero, found nan"),
        ({"by": "percentile", "threshold": 101}, "expected threshold to be a percentile of at most 100, found 101"),
        ({"by": "percentile", "memory": 0}, "expected memory to be at least 1, found 0"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        GradientClipping(**arguments)


@pytest.mark.parametrize("own", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_two_clippings_are_refused(tiny, own):
    with pytest.raises(ValueError, match=f"does not clip beside GradientClipping, found {own}=1.0; leave {own} out"):
        fit(tiny, GradientClipping(), optimizer=keras.optimizers.SGD(0.1, **{own: 1.0}))


def test_two_callbacks_are_refused_and_leave_nothing(tiny):
    optimizer = keras.optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="expected one GradientClipping, found two; leave one out"):
        fit(tiny, GradientClipping("value"), GradientClipping("norm"), optimizer=optimizer)
    assert replaced_update(optimizer) is None
