"""The private names of Keras and TensorFlow that seqtag uses are there and do what seqtag needs."""

from __future__ import annotations

import ast
import gc
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context as tf_context
from tensorflow.python.framework import ops as tf_ops

import seqtag
from seqtag import keras_internals as internals

# What `keras_internals.py` was made for. Other versions may serve: the tests below tell.
MADE_FOR = "Keras 3.15 and TensorFlow 2.21"

ROOT = Path(seqtag.__file__).parent
OPTIMIZER = keras.optimizers.Optimizer
# Each private method, and what it is for.
METHODS = [
    (keras.Layer, "_flatten_layers", "the layers inside a layer"),
    (OPTIMIZER, "_clip_gradients", "clipping after the sum over replicas"),
    (OPTIMIZER, "_distributed_tf_update_step", "a place in the update, called once for all replicas"),
    (OPTIMIZER, "_get_variable_index", "the moments of a variable"),
]
# Public names of a named tuple.
NAMED_TUPLE = {"_fields", "_replace", "_asdict", "_make"}


@pytest.mark.parametrize(("owner", "name", "purpose"), METHODS)
def test_private_methods_are_there(owner, name, purpose):
    found = f"Keras {keras.__version__} and TensorFlow {tf.__version__}"
    assert callable(getattr(owner, name, None)), f"{name}, for {purpose}, is gone in {found}; made for {MADE_FOR}"


def nodes(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def private_names(path, context, kinds):
    """The names with one leading underscore that a file reads (`ast.Load`) or sets (`ast.Store`)."""
    found = [node for node in nodes(path) if isinstance(node, kinds) and isinstance(node.ctx, context)]
    return {name for node in found if is_private(name := getattr(node, "attr", None) or node.id)}


def test_no_other_file_uses_private_names():
    files = [path for path in ROOT.rglob("*.py") if path.name != "keras_internals.py"]
    own = NAMED_TUPLE.union(*(private_names(path, ast.Store, ast.Attribute | ast.Name) for path in files))
    own |= {node.name for path in files for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for path in files:
        assert private_names(path, ast.Load, ast.Attribute) <= own, path
        modules = [node.module or "" for node in nodes(path) if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in nodes(path) if isinstance(node, ast.Import) for alias in node.names]
        assert not [name for name in modules if name.startswith(("keras.src", "tensorflow.python"))], path


def test_masks_go_to_the_layer_behind():
    tensor = keras.ops.ones((2, 3, 4))
    assert internals.keras_mask(tensor) is None
    mask = keras.ops.convert_to_tensor([[True, True, False], [True, False, False]])
    internals.set_keras_mask(tensor, mask)
    assert internals.keras_mask(tensor) is mask
    assert internals.keras_mask(keras.layers.Dropout(0.5)(tensor)) is mask


def test_sublayers_are_found_wherever_they_are_kept():
    class Holder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.one = keras.layers.Dense(1, name="one")
            self.more = [keras.layers.Dense(1, name="two"), keras.Sequential([keras.layers.Dense(1)], name="three")]
            self.named = {"four": keras.layers.Dense(1, name="four")}

    assert {layer.name for layer in internals.sublayers(Holder())} == {"one", "two", "three", "four"}


def test_an_untracked_attribute_is_not_part_of_the_layer():
    layer = keras.layers.Dense(1)
    internals.set_untracked(layer, "extra", keras.Variable(1.0))
    internals.set_untracked(layer, "compute_mask", lambda inputs, mask=None: "replaced")
    assert layer.extra.numpy() == 1.0
    assert not layer.variables
    assert layer.compute_mask(None) == "replaced"
    for _ in range(2):
        internals.remove_untracked(layer, "extra")
        internals.remove_untracked(layer, "compute_mask")
    assert not hasattr(layer, "extra")
    assert layer.compute_mask(None, None) is None


def test_the_learning_rate_is_a_variable_unless_it_follows_a_schedule():
    rate = internals.learning_rate_variable(keras.optimizers.SGD(0.5))
    assert rate is not None
    assert float(rate.numpy()) == 0.5
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    assert internals.learning_rate_variable(keras.optimizers.SGD(schedule)) is None


@pytest.mark.parametrize("accumulated", [None, 2])
def test_moments_are_all_variables_but_rate_and_count(accumulated):
    optimizer = keras.optimizers.Adam(0.1, gradient_accumulation_steps=accumulated)
    weights = [keras.Variable(np.ones(3, "float32"), name=name) for name in ("a", "b")]
    optimizer.build(weights)
    names = [variable.name for variable in internals.moment_variables(optimizer)]
    assert len(names) == len(optimizer.variables) - 2
    assert not {"iteration", "learning_rate"} & set(names)


def test_sums_of_gradients_are_those_of_an_optimizer_that_accumulates():
    weight = keras.Variable([1.0, 2.0])
    plain, summing = keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    for optimizer in (plain, summing):
        assert internals.accumulated_gradients(optimizer) == []
        optimizer.apply([tf.constant([4.0, 8.0])], [weight])
    assert internals.accumulated_gradients(plain) == []
    (total,) = internals.accumulated_gradients(summing)
    np.testing.assert_allclose(total.numpy(), [4.0, 8.0])


def test_a_graph_knows_no_values_and_checks_when_it_runs():
    @tf.function(autograph=False)
    def positive(x):
        assert internals.is_symbolic(x)
        return internals.check_in_graph(x, x > 0, "expected a positive number")

    assert not internals.is_symbolic(tf.constant(1.0))
    assert positive(tf.constant(1.0)) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a positive number"):
        positive(tf.constant(-1.0))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_with_a_trace_is_that_of_keras_with_the_trace_carried(reverse):
    values = tf.constant(np.random.default_rng(0).normal(size=(5, 2, 3)), "float32")

    def step(carry, t):
        new = 0.5 * carry + values[t]
        return new, (new, tf.concat([carry, new], axis=-1))

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def run(start):
        return internals.scan_with_trace(step, start, 5, (3, 6), reverse)

    start = tf.ones((2, 3))
    last, (states, pairs) = run(start)
    wanted_last, wanted = keras.ops.scan(lambda s, t: (step(s, t)[0],) * 2, start, tf.range(5), reverse=reverse)
    np.testing.assert_allclose(last, wanted_last)
    np.testing.assert_allclose(states, wanted)
    np.testing.assert_allclose(pairs[..., 3:], wanted)
    for eager, traced in zip(
        internals.scan_with_trace(step, start, 5, (3, 6), reverse)[1], (states, pairs), strict=True
    ):
        np.testing.assert_allclose(eager, traced, atol=1e-6)


def test_a_processor_runs_operations_side_by_side():
    assert internals.runs_on_cores() == (not tf.config.list_logical_devices("GPU"))


@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.Nadam])
def test_adams_moments_of_a_variable(kind):
    optimizer, first, second = kind(beta_1=0.5, beta_2=0.75), keras.Variable([1.0]), keras.Variable([2.0, 3.0])
    optimizer.apply([tf.constant([4.0]), tf.constant([2.0, 6.0])], [first, second])
    assert internals.variable_index(optimizer, second) == 1
    # The loop over replicas hands over TensorFlow's variables.
    assert internals.variable_index(optimizer, second.value) == 1
    assert internals.trained_variable(optimizer, second.value) is second
    m, v = internals.adam_moments(optimizer, second.value)
    np.testing.assert_allclose(m.numpy(), [1.0, 3.0])
    np.testing.assert_allclose(v.numpy(), [1.0, 9.0])


def test_nadams_product_of_momentum_coefficients():
    optimizer, weight = keras.optimizers.Nadam(beta_1=0.5), keras.Variable([1.0])
    optimizer.build([weight])
    assert float(internals.nadam_product(optimizer)) == 1.0
    for _ in range(2):
        optimizer.apply([tf.constant([4.0])], [weight])
    assert float(internals.nadam_product(optimizer)) == pytest.approx(
        0.5**2 * (1 - 0.5 * 0.96**1) * (1 - 0.5 * 0.96**2)
    )


def test_the_global_random_state_is_brought_back():
    def draws():
        return [float(tf.random.uniform([])), float(keras.random.uniform([]))]

    keras.utils.set_random_seed(1)
    first, second = draws(), draws()
    keras.utils.set_random_seed(1)
    assert draws() == first
    restore = internals.global_random_state()
    keras.utils.set_random_seed(1)
    assert draws() == first
    restore()
    assert draws() == second


def test_a_replaced_update_gets_unclipped_gradients_and_can_be_put_back():
    optimizer, weight, seen = keras.optimizers.SGD(1.0, clipvalue=1.0), keras.Variable([0.0]), []

    def update(distribution, pairs, rate):
        (gradient, variable) = pairs[0]
        seen.append(gradient.numpy().tolist())
        replaced.apply(distribution, [(replaced.clip([gradient])[0] / 2, variable)], rate)

    assert internals.replaced_update(optimizer) is None
    replaced = internals.ReplacedUpdate(optimizer, update)
    assert internals.replaced_update(optimizer) is update
    optimizer.apply([tf.constant([-8.0])], [weight])
    assert seen == [[-8.0]]
    assert weight.numpy().tolist() == [0.5]
    replaced.restore()
    assert internals.replaced_update(optimizer) is None
    optimizer.apply([tf.constant([-8.0])], [weight])
    assert len(seen) == 1
    assert weight.numpy().tolist() == [1.5]


def test_a_custom_gradient_is_freed_with_its_graph():
    @internals.custom_gradient
    def doubled(x):
        return 2 * x, lambda upstream: 10 * upstream

    def traced():
        @tf.function
        def gradient(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.cond(x > 0, lambda: doubled(x), lambda: x)
            return tape.gradient(y, x)

        assert gradient(tf.constant(1.0)) == 10 and gradient(tf.constant(-1.0)) == 1
        return weakref.ref(gradient.get_concrete_function(tf.constant(1.0)).graph)

    table = tf_ops.gradient_registry.list()
    before = set(table)
    graph = traced()
    gc.collect()
    assert graph() is None
    assert set(table) == before
    with tf.GradientTape() as tape:
        x = tf.Variable(3.0)
        y = doubled(x)
    assert (y, tape.gradient(y, x)) == (6, 10), "without a graph"


def dense(units: int) -> keras.Model:
    model = keras.Sequential([keras.layers.Dropout(0.5), keras.layers.Dense(units)])
    model.build((None, 3))
    return model


def test_shapes_of_weights_are_found_without_their_memory():
    """Of 10**12 numbers; random states are no weights, and variables made later have their values."""
    assert internals.weight_shapes(lambda: dense(10**12), 5 * 10**12) == [(3, 10**12), (10**12,)]
    with pytest.raises(ValueError, match="more weights than its file has"):
        internals.weight_shapes(lambda: dense(10**12), 10**12)
    with keras.StatelessScope():
        pass
    assert dense(2).get_weights()[0].shape == (3, 2)


def test_whether_tensorflow_has_run_is_known(monkeypatch):
    tf.constant(1)
    assert internals.tensorflow_is_running()
    monkeypatch.setattr(tf_context, "context_safe", lambda: None)
    assert not internals.tensorflow_is_running()


def test_the_graph_of_a_training_step_is_freed_with_its_model():
    table = tf_ops.gradient_registry._registry
    before = set(table)
    with internals.freed_training_graphs():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("adam", "mse", jit_compile=False)
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        assert set(table) - before, "TensorFlow no longer registers the sum over replicas: the block can go"
    assert set(table) == before


def test_a_graph_for_xla_is_known_while_it_is_traced():
    def traced(compiled):
        found = []

        @tf.function(jit_compile=compiled)
        def outer():
            inner()
            tf.while_loop(lambda t: t < 2, lambda t: (found.append(internals.traces_for_xla()), t + 1)[1:], [0])
            return tf.constant(1)

        @tf.function
        def inner():
            found.append(internals.traces_for_xla())

        outer.get_concrete_function()
        return found

    assert traced(True) == [True, True]
    assert traced(None) == [False, False]
    assert not internals.traces_for_xla()
