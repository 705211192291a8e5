"""All that seqtag uses of Keras's and TensorFlow's private names; no other file uses one.

Made for Keras 3.15 and TensorFlow 2.21. `tests/test_keras_internals.py` names these versions and fails where a name is
gone or does something else. Importing it does not import TensorFlow: operations and layers use it on any backend.
"""

from __future__ import annotations

import math
import random
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import getclosurevars, isfunction
from typing import Any

import keras
from keras.src import backend
from keras.src.backend.common import global_state

Tensor = Any


def custom_gradient(function: Callable[..., tuple[Any, Callable]]) -> Callable[..., Any]:
    """`keras.ops.custom_gradient` whose gradient is freed with the graph that it was traced in.

    TensorFlow keeps the gradient function of each traced call in a table of the process and never removes it. The
    function holds its graph: each fit of a tagger would leave 100 MB.

    Args:
        function: gives its result, and a function of gradients in it that gives those in the arguments.
    """
    differentiable: Callable[..., Any] = keras.ops.custom_gradient(function)
    if keras.config.backend() != "tensorflow":
        return differentiable

    def call(*arguments: Tensor) -> Any:
        result = differentiable(*arguments)
        first = keras.tree.flatten(result)[0]
        if sys.modules["tensorflow"].is_symbolic_tensor(first):
            _keep_gradient_with_graph(first.op)
        return result

    return call


def _keep_gradient_with_graph(operation: Any) -> None:
    """Lets the operation's graph hold its gradient; the table of the process refers to it weakly from now on."""
    name = operation.get_attr("_gradient_op_type").decode()
    table = sys.modules["tensorflow.python.framework.ops"].gradient_registry._registry
    gradient, graph = table[name]["type"], operation.graph
    graph._seqtag_gradients = [*getattr(graph, "_seqtag_gradients", []), gradient]
    reference = weakref.ref(gradient)
    table[name]["type"] = lambda *arguments: reference()(*arguments)  # type: ignore[misc]
    weakref.finalize(graph, table.pop, name, None).atexit = False


@contextmanager
def freed_training_graphs() -> Iterator[None]:
    """Frees the graphs of training steps that were traced in the block, once nobody else holds them.

    Keras's optimizers add the gradients of replicas by an operation that has a gradient of its own, which TensorFlow
    puts into the table that `custom_gradient` speaks of. Nobody differentiates a training step.
    """
    from tensorflow.python.framework.ops import gradient_registry

    table = gradient_registry._registry
    before = set(table)
    try:
        yield
    finally:
        for name in set(table) - before:
            if _is_of_all_reduce(table[name]["type"]):
                del table[name]


def _is_of_all_reduce(gradient: Any) -> bool:
    """Whether an entry of TensorFlow's table is the gradient of a sum over replicas."""
    traced = getclosurevars(gradient).nonlocals.get("tape_grad_fn") if isfunction(gradient) else None
    function = getclosurevars(traced).nonlocals.get("grad_fn") if traced else None
    return getattr(function, "__qualname__", "").startswith("ReplicaContextBase.all_reduce.")


def scan_with_trace(
    step: Callable[[Any, Tensor], tuple[Any, Any]], carry: Any, length: Any, widths: Any, reverse: bool
) -> tuple[Any, Any]:
    """Runs `(carry, trace) = step(carry, t)` over the steps t; gives the last carry, and all traces, time first.

    `keras.ops.scan` does the same on JAX. On TensorFlow it carries all that is traced from step to step, and all that
    is carried through lists: half of the operations of a step of a small recurrence.

    Args:
        step: a step; what it carries and traces is `(batch, ...)`, of one dtype.
        carry: what the first step gets.
        length: the number of steps.
        widths: the last dimension of each tensor of the trace, in its structure.
        reverse: whether it runs from the last step to the first.
    """
    if keras.config.backend() != "tensorflow":
        return keras.ops.scan(step, carry, keras.ops.arange(length), reverse=reverse)  # type: ignore[no-any-return]
    tensorflow = sys.modules["tensorflow"]
    flat = [tensorflow.convert_to_tensor(value) for value in keras.tree.flatten(carry)]
    lists = [
        tensorflow.TensorArray(flat[0].dtype, length, element_shape=(None, width))
        for width in keras.tree.flatten(widths)
    ]

    def body(t: Tensor, flat: list[Tensor], lists: list[Any]) -> tuple:
        new, trace = step(keras.tree.pack_sequence_as(carry, flat), t)
        written = [kept.write(t, value) for kept, value in zip(lists, keras.tree.flatten(trace), strict=True)]
        return t + (-1 if reverse else 1), keras.tree.flatten(new), written

    # The batch's size may be known of some tensors and not of others.
    shapes = [tensorflow.TensorShape([None, *value.shape[1:]]) for value in flat]
    _, flat, lists = tensorflow.while_loop(
        (lambda t, *_: t >= 0) if reverse else (lambda t, *_: t < length),
        body,
        (length - 1 if reverse else 0, flat, lists),
        (tensorflow.TensorShape([]), shapes, [None] * len(lists)),
    )
    traces = [kept.stack() for kept in lists]
    return keras.tree.pack_sequence_as(carry, flat), keras.tree.pack_sequence_as(widths, traces)


def is_symbolic(tensor: Tensor) -> bool:
    """Whether the values of a tensor are not known yet, because a graph is traced."""
    # No `match`: TensorFlow translates what a graph calls, and warns of statements that it does not know.
    backend = keras.config.backend()
    if backend == "tensorflow":
        return bool(sys.modules["tensorflow"].is_symbolic_tensor(tensor))
    return backend == "jax" and isinstance(tensor, sys.modules["jax"].core.Tracer)


def traces_for_xla() -> bool:
    """Whether TensorFlow traces a graph at this moment that XLA is to compile."""
    if keras.config.backend() != "tensorflow" or sys.modules["tensorflow"].executing_eagerly():
        return False
    from tensorflow.python.framework.ops import get_default_graph
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    return bool(GraphOrParentsInXlaContext(get_default_graph()))


def runs_on_cores() -> bool:
    """Whether operations of a graph that do not wait for one another run side by side on the cores of a processor."""
    if keras.config.backend() != "tensorflow":
        return False
    return not sys.modules["tensorflow"].config.list_logical_devices("GPU")


def check_in_graph(tensor: Tensor, condition: Tensor, message: str) -> Tensor:
    """The tensor, which a TensorFlow graph gives only where a condition holds; otherwise it raises an error.

    On JAX, and in a graph that XLA compiles, nothing can be raised: there it is the tensor as it is.
    """
    if keras.config.backend() != "tensorflow":
        return tensor
    tensorflow = sys.modules["tensorflow"]
    with tensorflow.control_dependencies([tensorflow.debugging.Assert(condition, [message])]):
        return tensorflow.identity(tensor)


def table_rows(table: keras.Variable, rows: Tensor) -> Tensor:
    """Rows of a table, without a look at the others.

    `keras.ops.take` reads the whole variable first.
    """
    if keras.config.backend() == "tensorflow":
        return sys.modules["tensorflow"].gather(table.value, rows)
    return keras.ops.take(table, rows, axis=0)


def keras_mask(tensor: Tensor) -> Tensor | None:
    """The mask that Keras keeps on a tensor, which it hands to layers and to its own losses; None if there is none."""
    return backend.get_keras_mask(tensor)


def set_keras_mask(tensor: Tensor, mask: Tensor) -> None:
    """Keeps a mask on a tensor, where layers, losses and metrics of Keras read it."""
    backend.set_keras_mask(tensor, mask)


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers that a layer holds: in attributes, in lists and dictionaries of attributes, or as a model's layers.

    Keras shows them publicly for models alone.
    """
    return list(layer._flatten_layers(include_self=False, recursive=False))


def set_untracked(owner: Any, name: str, value: Any) -> None:
    """Sets an attribute of a layer, model or optimizer, and hides it from Keras.

    Keras and TensorFlow otherwise look in every attribute for layers and variables, which they would save.
    """
    object.__setattr__(owner, name, value)


def remove_untracked(owner: Any, name: str) -> None:
    """Takes out what `set_untracked` has set, if it is there; the class's own attribute shows again."""
    vars(owner).pop(name, None)


def learning_rate_variable(optimizer: keras.optimizers.Optimizer) -> keras.Variable | None:
    """The variable that holds the learning rate; None if the rate follows a schedule.

    `optimizer.learning_rate` gives a value of the schedule instead.
    """
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def moment_variables(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """The variables of an optimizer except its count of updates and its learning rate.

    `optimizer.iterations` is no variable where gradients are accumulated.
    """
    others = {id(optimizer._iterations), id(optimizer._learning_rate)}
    return [variable for variable in optimizer.variables if id(variable) not in others]


def trained_variable(optimizer: keras.optimizers.Optimizer, variable: Any) -> keras.Variable:
    """The variable of Keras among those that the optimizer was built with; takes TensorFlow's variable too."""
    return optimizer._trainable_variables[variable_index(optimizer, variable)]


def trained_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables that the optimizer was built with."""
    return list(optimizer._trainable_variables)


def accumulated_gradients(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables in which an optimizer sums gradients until its next update; none where it does not."""
    return [variable for variable in getattr(optimizer, "_accumulated_gradients", ()) if variable is not None]


def variable_index(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """The place of a variable among those that the optimizer was built with; takes TensorFlow's variable too."""
    return optimizer._get_variable_index(variable)


def adam_moments(optimizer: keras.optimizers.Optimizer, variable: Any) -> tuple[keras.Variable, keras.Variable]:
    """Adam's and Nadam's averages of a variable's gradient and of its square."""
    index = variable_index(optimizer, variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def nadam_product(optimizer: keras.optimizers.Nadam) -> keras.Variable:
    """The product of Nadam's momentum coefficients up to this step."""
    return optimizer._u_product


class ReplacedUpdate:
    """Puts a function in the place of an optimizer's update until `restore`.

    Keras on TensorFlow applies gradients in this order: unscale, accumulate, clip, sum over the replicas, update. While
    the update is replaced, clipping changes nothing, and
    `update(distribution, pairs of a gradient and its variable, learning rate)` is called once for all replicas. So
    the function can clip after the sum.

    Attributes:
        clip: the optimizer's own clipping: gradients in, gradients out.
        apply: the optimizer's own update, with the arguments of `update`.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, update: Callable[..., None]) -> None:
        self.optimizer = optimizer
        self.clip: Callable[[list], list] = optimizer._clip_gradients
        self.apply: Callable[..., None] = optimizer._distributed_tf_update_step
        set_untracked(optimizer, "_clip_gradients", lambda gradients: gradients)
        set_untracked(optimizer, "_distributed_tf_update_step", update)

    def restore(self) -> None:
        """Gives the optimizer its own methods back."""
        for name in ("_clip_gradients", "_distributed_tf_update_step"):
            remove_untracked(self.optimizer, name)


def replaced_update(optimizer: keras.optimizers.Optimizer) -> Any:
    """The function that a `ReplacedUpdate` has put in place; None if there is none."""
    return vars(optimizer).get("_distributed_tf_update_step")


def tensorflow_is_running() -> bool:
    """Whether TensorFlow has started its threads in this process, which it does for its first operation."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context = None if module is None else module.context_safe()
    return context is not None and context._initialized


def global_random_state() -> Callable[[], None]:
    """Remembers the global random state of Keras and TensorFlow, and returns a function that brings it back.

    `keras.utils.set_random_seed` replaces the generators, so it is enough to keep the old ones. If Keras has not
    created its generator yet, it will seed it from Python's `random`, whose state the caller must restore.
    """
    from tensorflow.python.eager.context import context

    kept = {name: global_state.get_global_attribute(name) for name in ("global_random_seed", "global_seed_generator")}
    eager = context()
    seed, generator = eager._seed, vars(eager).get("_rng")

    def restore() -> None:
        for name, value in kept.items():
            global_state.set_global_attribute(name, value)
        # It also forgets the kernels that have drawn in the meantime.
        eager._set_global_seed(seed)
        eager._rng = generator

    return restore


def weight_shapes(build: Callable[[], keras.Model], most: int) -> list[tuple[int, ...]]:
    """The shapes of the weights of a model, found without memory for their values.

    States of random generators are no weights. Inside a stateless scope Keras lists variables instead of creating their
    values.

    Args:
        build: makes the built model.
        most: how many numbers the weights may have; building stops where there are more.

    Raises:
        ValueError: there are more.
    """
    listed = "uninitialized_variables"
    kept, drawn, limited = global_state.get_global_attribute(listed), random.getstate(), _Limited(most)
    global_state.set_global_attribute(listed, limited)
    try:
        with keras.StatelessScope(initialize_variables=False), warnings.catch_warnings(action="ignore"):
            model = build()
    finally:
        global_state.set_global_attribute(listed, kept)
        random.setstate(drawn)
    # Keras turns what `build` of a model raises into a warning.
    limited.check()
    return [tuple(variable.shape) for variable in model.variables if not _is_random_state(variable)]


class _Limited(list):
    """A list of variables that refuses more than some numbers in all."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most

    def append(self, variable: Any) -> None:
        self.left -= 0 if _is_random_state(variable) else math.prod(variable.shape)
        self.check()
        super().append(variable)

    def check(self) -> None:
        """Raises a ValueError where there were more numbers."""
        if self.left < 0:
            raise ValueError("a network of more weights than its file has")


def _is_random_state(variable: Any) -> bool:
    return variable.name == "seed_generator_state"
