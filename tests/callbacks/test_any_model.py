"""Every callback in every kind of model that people train, tiny ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import seqtag.callbacks as callbacks
from seqtag.callbacks import (
    ExplodingGradients,
    GradientClipping,
    GradientFlowLogger,
    GradientMonitor,
    ProximalL1,
    VanishingGradients,
)
from seqtag.callbacks.update_hook import UpdateCallback

X = np.random.default_rng(0).normal(size=(6, 3, 2)).astype("float32")
Y = X.sum(axis=(1, 2), keepdims=True)[:, 0]

CALLBACKS = {
    "GradientMonitor": lambda: GradientMonitor(1),
    "GradientClipping": lambda: GradientClipping("norm", 1e-3),
    "ExplodingGradients": lambda: ExplodingGradients(check_every=1),
    "VanishingGradients": lambda: VanishingGradients(every=1, patience=1),
    "GradientFlowLogger": lambda: GradientFlowLogger(X, Y),
    "ProximalL1": lambda: ProximalL1(0.1),
}


def layers() -> list[keras.layers.Layer]:
    return [keras.layers.SimpleRNN(2, name="rnn"), keras.layers.BatchNormalization(), keras.layers.Dense(1, name="out")]


class Subclassed(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.inner = layers()

    def call(self, x, training=False):
        for layer in self.inner:
            x = layer(x, training=training) if layer.name.startswith("batch") else layer(x)
        return x


class OwnStep(Subclassed):
    def train_step(self, data):
        return super().train_step(data)


class PartStep(Subclassed):
    """Trains its last layer alone."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        variables = self.inner[-1].trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


def functional() -> keras.Model:
    """Two inputs and two outputs, by name."""
    a, b = keras.Input((3, 2), name="a"), keras.Input((3, 2), name="b")
    hidden = keras.layers.SimpleRNN(2, name="rnn")(a + b)
    return keras.Model({"a": a, "b": b}, {"y": keras.layers.Dense(1, name="y")(hidden), "z": hidden})


def compiled(model: keras.Model, optimizer=None, **options) -> keras.Model:
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse", **{"jit_compile": False, **options})
    return model


MODELS = {
    "sequential": lambda: compiled(keras.Sequential(layers())),
    "subclassed": lambda: compiled(Subclassed()),
    "eager": lambda: compiled(Subclassed(), run_eagerly=True),
    "own step": lambda: compiled(OwnStep()),
    "part": lambda: compiled(PartStep()),
    "several": lambda: compiled(keras.Sequential(layers()), steps_per_execution=2),
    "jit": lambda: compiled(keras.Sequential(layers()), jit_compile=True),
    "half": lambda: compiled(Subclassed(dtype="mixed_float16"), keras.optimizers.Adam(0.1)),
    "accumulated": lambda: compiled(Subclassed(), keras.optimizers.Adam(0.1, gradient_accumulation_steps=3)),
    "average": lambda: compiled(Subclassed(), keras.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=1)),
}


def test_every_callback_is_in_the_table():
    public = [getattr(callbacks, name) for name in callbacks.__all__]
    assert {c.__name__ for c in public if issubclass(c, keras.callbacks.Callback)} == set(CALLBACKS)


@pytest.mark.filterwarnings("ignore::seqtag.callbacks.GradientWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_callbacks_start_with_the_first_batch_of_any_model(kind):
    """All of them in one training, for tracing is slow; and each hands over what it promises."""
    used = {name: make() for name, make in CALLBACKS.items()}
    model = MODELS[kind]()
    history = model.fit(X, Y, batch_size=2, verbose=0, callbacks=list(used.values())).history
    assert 0 < history["grad_norm"][0] < np.inf
    assert history["grad_clipped"] == [1.0]
    assert history["zeros"][0] >= 0 and used["ProximalL1"].kernels
    assert used["GradientFlowLogger"].norms["rnn"].shape == (1, 3)
    assert used["VanishingGradients"].last_step.numpy() == (0 if kind == "accumulated" else 2)
    trained = {"rnn", "out"} if kind != "part" else {"out"}
    assert {name.split("/")[1] for name in history if name.startswith("grad_norm/")} >= trained
    assert "train_step" not in vars(model) and model.optimizer.iterations.numpy() in (1, 3)


@pytest.mark.filterwarnings("ignore::seqtag.callbacks.GradientWarning")
def test_a_functional_model_of_several_inputs_and_outputs():
    model = functional()
    model.compile("sgd", {"y": "mse", "z": None}, jit_compile=False)
    x, y = {"a": X, "b": X}, {"y": Y, "z": Y}
    used = [*(make() for name, make in CALLBACKS.items() if name != "GradientFlowLogger"), GradientFlowLogger(x, y)]
    history = model.fit(x, y, batch_size=2, verbose=0, callbacks=used).history
    assert history["grad_norm/rnn"][0] > 0 and history["grad_clipped/y"] == [1.0]


class Adversaries(keras.Model):
    """Two optimizers of its own, kept where the attribute says."""

    def __init__(self, where: str):
        super().__init__()
        self.maker, self.judge = keras.layers.Dense(2), keras.layers.Dense(1)
        optimizers = keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.1)
        if where == "attributes":
            self.maker_optimizer, self.judge_optimizer = optimizers
        elif where == "list":
            self.optimizers = list(optimizers)
        self.hidden = lambda: optimizers

    def call(self, x):
        return self.judge(self.maker(x))

    def train_step(self, data):
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_mean(self(data[0]) ** 2)
        for layer, optimizer in zip((self.maker, self.judge), self.hidden(), strict=True):
            variables = layer.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


@pytest.mark.parametrize("name", [name for name in CALLBACKS if name != "GradientFlowLogger"])
@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("attributes", "by model.optimizer alone, found an update by model.maker_optimizer: {} cannot follow other"),
        ("list", "by model.optimizer alone, found an update by model.optimizers: {} cannot follow other optimizers"),
        ("elsewhere", "to update by model.optimizer, found no update by it: {} cannot follow other optimizers"),
    ],
)
def test_other_optimizers_are_refused(name, where, message):
    model = compiled(Adversaries(where), run_eagerly=True)
    with pytest.raises(ValueError, match=message.format(name)):
        model.fit(X, Y, verbose=0, callbacks=[CALLBACKS[name]()])
    model.fit(X, Y, verbose=0)  # without the callback it trains as before


def test_an_optimizer_of_an_inner_model_that_does_nothing_is_no_matter():
    inner = compiled(keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(2)], name="inner"))
    inner.fit(X, X, verbose=0)
    model = compiled(keras.Sequential([inner, *layers()]))
    assert model.fit(X, Y, verbose=0, callbacks=[GradientMonitor(1)]).history["grad_norm"][0] > 0


def test_a_model_without_weights_says_so():
    model = compiled(keras.Sequential([keras.layers.Flatten()]))
    with pytest.warns(UserWarning, match="trainable"), pytest.raises(ValueError, match="trainable weights, found none"):
        model.fit(X, X[:, :, 0].repeat(2, axis=1), verbose=0, callbacks=[GradientMonitor(1)])


@pytest.mark.parametrize("name", CALLBACKS)
def test_another_backend_is_refused_in_words(name, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    callback = CALLBACKS[name]()
    callback.set_model(compiled(keras.Sequential(layers())))
    with pytest.raises(RuntimeError, match=f"expected Keras on TensorFlow, found jax: {name} is TensorFlow only"):
        callback.on_train_begin()


def test_a_step_may_leave_its_update_to_a_later_one():
    """Without graphs, Python decides when to update."""

    class EverySecond(Subclassed):
        calls = 0

        def train_step(self, data):
            self.calls += 1
            return super().train_step(data) if self.calls % 2 == 0 else {"loss": tf.constant(0.0)}

    class Count(UpdateCallback):
        updates = 0

        def after_update(self, update):
            self.updates += 1

    count = Count()
    compiled(EverySecond(), run_eagerly=True).fit(X, Y, batch_size=1, verbose=0, callbacks=[count])
    assert count.updates == 3
