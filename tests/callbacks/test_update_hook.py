"""The hook into Keras's optimizer: fails when a version of Keras no longer works as the hook needs it."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.callbacks import ExplodingGradients, GradientClipping, GradientMonitor
from seqtag.callbacks.update_hook import UpdateCallback, inner_optimizer, weights_of
from seqtag.keras_internals import moment_variables

# Two replicas on one CPU: TensorFlow must be told before it starts, so in a process of its own.
TWO_REPLICAS = """
import json
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from seqtag.callbacks import ExplodingGradients, GradientClipping, GradientMonitor

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
found = {}

def fit(name, x, y, callbacks, **optimizer):
    with strategy.scope():
        keras.utils.set_random_seed(1)
        layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="only")
        model = keras.Sequential([keras.Input((1,)), layer])
        model.compile(keras.optimizers.SGD(1.0, **optimizer), loss="mse", jit_compile=False)
    history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0, callbacks=callbacks).history
    found[name] = {"weight": float(model.get_weights()[0][0, 0]), **{k: v[0] for k, v in history.items()}}

# The replicas' gradients are -10 and -2: their mean, as Keras scales losses, is -6.
x, y = np.ones((2, 1)), np.array([[5.0], [1.0]])
fit("plain", x, y, [GradientMonitor(1)])
fit("keras", x, y, [], global_clipnorm=1.0)
fit("own", x, y, [GradientMonitor(1)], global_clipnorm=1.0)
fit("norm", x, y, [GradientClipping("global_norm", 1.0), GradientMonitor(1)])
fit("percentile", x, y, [GradientClipping("percentile", 50.0), GradientMonitor(1)])
# What is not finite on the second replica alone.
fit("bad", x, np.array([[5.0], [np.inf]]), [ExplodingGradients(action="skip"), GradientMonitor(1)])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def two_replicas():
    done = subprocess.run([sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_reduced_gradient_is_measured(two_replicas):
    assert two_replicas["plain"]["grad_norm"] == pytest.approx(6.0)
    assert two_replicas["plain"]["weight"] == pytest.approx(6.0)


def test_clipping_comes_after_the_sum_over_replicas(two_replicas):
    assert two_replicas["norm"]["weight"] == pytest.approx(1.0)
    assert two_replicas["norm"]["grad_norm"] == pytest.approx(6.0)
    assert two_replicas["norm"]["grad_clipped"] == 1.0
    # The first norm is its own percentile.
    assert two_replicas["percentile"]["weight"] == pytest.approx(6.0)


def test_the_optimizers_own_clipping_is_put_right_too(two_replicas):
    """Keras alone clips the halves of both replicas to 1 each and adds them."""
    assert two_replicas["keras"]["weight"] == pytest.approx(2.0)
    assert two_replicas["own"]["weight"] == pytest.approx(1.0)
    assert two_replicas["own"]["grad_norm"] == pytest.approx(6.0)


def test_a_fault_of_any_replica_is_kept_out(two_replicas):
    assert two_replicas["bad"]["weight"] == 0.0
    assert two_replicas["bad"]["grad_non_finite"] == 1


class Watch(UpdateCallback):
    """Keeps what it was shown in a run without graphs."""

    def __init__(self):
        super().__init__()
        self.updates, self.after = [], []

    def before_update(self, update):
        self.updates.append(update)

    def after_update(self, update):
        self.after.append([variable.numpy() for variable in update.variables])


def test_updates_show_weights_gradients_and_what_they_become(tiny):
    model, watch = tiny.build(), Watch()
    model.compile(keras.optimizers.SGD(1.0, clipvalue=1e-3), loss="mse", run_eagerly=True)
    model.fit(tiny.x, tiny.y, batch_size=tiny.batch, shuffle=False, verbose=0, callbacks=[watch])
    first = watch.updates[0]
    assert [weight.name for weight in first.weights] == [
        "words/embeddings",
        "gru/gru_cell/kernel",
        "gru/gru_cell/recurrent_kernel",
        "gru/gru_cell/bias",
        "out/kernel",
        "out/bias",
    ]
    assert [weight.layer for weight in first.weights] == ["words", "gru", "gru", "gru", "out", "out"]
    assert [int(update.step) for update in watch.updates] == list(range(6))
    (step, *_) = tiny.written_out(keras.optimizers.SGD(1.0, clipvalue=1e-3), tiny.x, tiny.y)
    for shown, wanted in zip(first.gradients, step["gradients"], strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(shown).numpy(), wanted, rtol=1e-4, atol=1e-6)
    # Of an embedding, Keras clips each slice before those of a row are summed.
    for shown in first.clipped[1:]:
        assert abs(shown.numpy()).max() <= 1e-3 * (1 + 1e-6)
    rows = first.gradients[0].indices.numpy()
    assert len(rows) == len(set(rows))
    for found, wanted in zip(watch.after[0], step["after"], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_a_weight_without_a_gradient_is_not_shown():
    class Half(keras.layers.Layer):
        def build(self, shape):
            self.used = self.add_weight(shape=(1,), name="used")
            self.unused = self.add_weight(shape=(1,), name="unused")

        def call(self, inputs):
            return inputs * self.used

    model, watch = keras.Sequential([keras.Input((1,)), Half(name="half")]), Watch()
    model.compile("sgd", loss="mse", run_eagerly=True)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=[watch])
    assert [weight.name for weight in watch.updates[0].weights] == ["half/used"]


def test_moments_stay_when_an_update_is_not_allowed(tiny):
    class Never(UpdateCallback):
        def allows(self, update):
            return tf.constant(False)

    model = tiny.build()
    model.compile(keras.optimizers.Adam(), loss="mse", jit_compile=False)
    before = model.get_weights()
    model.fit(tiny.x, tiny.y, verbose=0, callbacks=[Never()])
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    moments = moment_variables(model.optimizer)
    assert moments and all((moment.numpy() == 0).all() for moment in moments)


def test_an_optimizer_that_is_not_keras_is_refused():
    with pytest.raises(TypeError, match="expected optimizer to be a Keras optimizer, found object"):
        inner_optimizer(object())


def test_every_weight_has_its_layer(tiny):
    assert {weight.layer for weight in weights_of(tiny.build())} == {"words", "gru", "out"}


@pytest.mark.parametrize(
    "callback",
    [GradientClipping("global_norm", 1.0), GradientMonitor(1), ExplodingGradients()],
    ids=["clip", "monitor", "alarm"],
)
@pytest.mark.parametrize("optimizer", ["built", "without moments"])
def test_a_training_step_is_traced_once_where_the_optimizer_creates_nothing(callback, optimizer):
    traced = []

    class Counted(keras.Sequential):
        def train_step(self, data):
            traced.append(data)
            return super().train_step(data)

    model = Counted([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam" if optimizer == "built" else keras.optimizers.SGD(0.01), "mse")
    if optimizer == "built":
        model.optimizer.build(model.trainable_variables)
    model.fit(np.ones((8, 3)), np.ones((8, 1)), batch_size=4, epochs=2, verbose=0, callbacks=[callback])
    assert len(traced) == 1
