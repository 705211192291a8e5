"""The layers of a model as its users think of them: which own its weights, and which of them are recurrent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import keras

from seqtag.keras_internals import sublayers

# Layers that count as one, whatever layers they hold. Seqtag's recurrent layers are Keras's too.
WHOLE = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.TimeDistributed)


def weighted_layers(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """The layers that own trainable weights, by name, in the order of the model.

    A recurrent layer and its cell are one entry, and so are a `Bidirectional` and its two layers, and a
    `TimeDistributed` and its layer. Of other layers that hold layers, such as nested models, each inner layer is an
    entry; their own weights have an entry with their own name. Each trainable variable of the model belongs to exactly
    one entry: see `owned_weights`. Where names are the same, the parent's name comes first: `parent/name`.

    Example:
        >>> inside = keras.layers.GRU(4, name="gru"), keras.layers.Dropout(0.1), keras.layers.Dense(1, name="dense")
        >>> model = keras.Sequential([keras.Input((None, 3)), *inside])
        >>> list(weighted_layers(model))
        ['gru', 'dense']
    """
    return {name: layer for name, (layer, weights) in _entries(model).items() if weights}


def owned_weights(model: keras.Model) -> dict[str, list[keras.Variable]]:
    """The trainable variables of each entry of `weighted_layers`; each variable of the model is in one of them."""
    return {name: weights for name, (_, weights) in _entries(model).items() if weights}


def recurrent_layers(model: keras.Model) -> dict[str, tuple[keras.layers.Layer, ...]]:
    """The recurrent layers of a model, `(forward,)` or `(forward, backward)`, under the names of `weighted_layers`.

    A frozen recurrent layer is one of them, since gradients pass through it. A cell that a model runs step by step
    itself is not.

    Example:
        >>> both = keras.layers.Bidirectional(keras.layers.GRU(4), name="both")
        >>> model = keras.Sequential([keras.Input((None, 3)), both])
        >>> [(name, len(layers)) for name, layers in recurrent_layers(model).items()]
        [('both', 2)]
    """
    directions = {name: _directions(layer) for name, (layer, _) in _entries(model).items()}
    return {name: layers for name, layers in directions.items() if layers}


def is_built(model: keras.Model) -> bool:
    """Whether all layers of a model have their weights."""
    return all(layer.built for layer in _all_layers(model))


def build_on(model: keras.Model, x: Any) -> None:
    """Gives a model that has no weights yet those that inputs `x` ask for; states that it keeps are as new."""
    if isinstance(model, keras.Model) and not model.built and not model.weights:
        model(keras.tree.map_structure(keras.ops.convert_to_tensor, x), training=False)
        for state in kept_states(model):
            state.assign(keras.ops.zeros_like(state))


def kept_states(model: keras.Model) -> list[keras.Variable]:
    """The states that `stateful` recurrent layers keep from batch to batch; a model does not list them all itself."""
    states = [getattr(layer, "states", None) for layer in chain(*recurrent_layers(model).values())]
    return [state for state in keras.tree.flatten(states) if state is not None]


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """What a step of training may change beside the trained weights: moving statistics, counters, kept states.

    Neither the states of random generators nor metrics are among them, nor the variables of frozen layers.
    """
    frozen = {id(v) for layer in _all_layers(model) if not layer.trainable for v in layer.variables}
    own = [variable for variable in model.non_trainable_weights if id(variable) not in frozen]
    return list({id(variable): variable for variable in [*own, *kept_states(model)]}.values())


def check_tensorflow(user: str) -> None:
    """Raises unless Keras runs on TensorFlow.

    Raises:
        RuntimeError: if Keras has another backend.
    """
    if keras.config.backend() != "tensorflow":
        raise RuntimeError(f"expected Keras on TensorFlow, found {keras.config.backend()}: {user} is TensorFlow only")


def check_trainable(model: keras.Model) -> None:
    """Raises unless the model is built and has trainable weights.

    Raises:
        TypeError: if it is no Keras model.
        ValueError: if it is not built, or has no trainable weights.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"expected model to be a Keras model, found {type(model).__name__}")
    if not model.built and not model.weights:
        raise ValueError("expected a built model, found one without weights; call it on data or give it an Input")
    if not model.trainable_variables:
        raise ValueError("expected a model with trainable weights, found none")


def check_recurrent(model: keras.Model) -> None:
    """Raises unless the model is built and has trainable weights and recurrent layers.

    Raises:
        TypeError: if it is no Keras model.
        ValueError: if it is not built, has no trainable weights, or has no recurrent layers.
    """
    check_trainable(model)
    if not recurrent_layers(model):
        found = ", ".join(type(layer).__name__ for layer in weighted_layers(model).values())
        raise ValueError(f"expected a model with recurrent layers, found {found}")


def _all_layers(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """A layer and all layers inside of it."""
    yield layer
    for child in sublayers(layer):
        yield from _all_layers(child)


def _entries(model: keras.layers.Layer) -> dict[str, tuple[keras.layers.Layer, list[keras.Variable]]]:
    """All layers with weights of their own, and which of these weights this model trains."""
    waiting = {id(variable) for variable in model.trainable_variables}
    paths, entries = [], []
    for path, layer in _walk(model, (), set()):
        weights = []
        for variable in _own_weights(layer):
            # A variable that several layers share belongs to the first of them.
            if id(variable) in waiting:
                waiting.remove(id(variable))
                weights.append(variable)
        paths.append(path or (layer.name,))
        entries.append((layer, weights))
    return dict(zip(_unique_names(paths), entries, strict=True))


def _walk(
    layer: keras.layers.Layer, path: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], keras.layers.Layer]]:
    """The entries at and below `layer`, each with the names on the path to it; a shared layer comes once."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    if isinstance(layer, WHOLE) or _own_weights(layer):
        yield path, layer
    if not isinstance(layer, WHOLE):
        for child in sublayers(layer):
            yield from _walk(child, (*path, child.name), seen)


def _own_weights(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The weights of a layer that none of its layers holds; all of them for a layer that counts as one."""
    if isinstance(layer, WHOLE):
        return layer.weights
    below = {id(variable) for child in sublayers(layer) for variable in child.weights}
    return [variable for variable in layer.weights if id(variable) not in below]


def _unique_names(paths: list[tuple[str, ...]]) -> list[str]:
    """The last name of each path, with as many names before it as it needs to be unique."""
    names = [path[-1] for path in paths]
    for depth in range(2, max(map(len, paths), default=1) + 1):
        count = Counter(names)
        names = ["/".join(path[-depth:]) if count[name] > 1 else name for name, path in zip(names, paths, strict=True)]
    taken: set[str] = set()
    for index, name in enumerate(names):
        number = 1
        while names[index] in taken:
            names[index] = f"{name}_{number}"
            number += 1
        taken.add(names[index])
    return names


def _directions(layer: keras.layers.Layer) -> tuple[keras.layers.Layer, ...]:
    if isinstance(layer, keras.layers.TimeDistributed):
        return _directions(layer.layer)
    if isinstance(layer, keras.layers.Bidirectional):
        return layer.forward_layer, layer.backward_layer
    return (layer,) if isinstance(layer, keras.layers.RNN) else ()
