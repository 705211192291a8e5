"""Checks of what the functions of `seqtag.ops.crf` are called with: ranks, shapes, dtypes and tags.

Shapes that are known are checked at once. What a TensorFlow graph learns as it runs is checked then. Neither XLA nor
`jax.jit` can raise from inside; a tag that no path can have then has probability 0, and its loss is infinite.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from seqtag.keras_internals import check_in_graph, is_symbolic
from seqtag.ops.crf.scores import CRFScores, as_float, as_floats

Tensor = Any


class Chain(NamedTuple):
    """Checked emissions `(batch, time, tags)` and scores as floats, with their mask `(batch, time)` bool."""

    emissions: Tensor
    mask: Tensor
    scores: CRFScores


class Tags(NamedTuple):
    """Checked tags.

    Attributes:
        numbers: `(batch, time)` int32; 0 at masked steps and where no path has the tag, negative where it is not known.
        possible: `(batch, time)` bool, False at real steps whose tag no path has.
    """

    numbers: Tensor
    possible: Tensor


def check_chain(emissions: Tensor, mask: Tensor, scores: CRFScores) -> Chain:
    """Checks emissions, mask and scores against each other.

    Raises:
        ValueError: a rank, a shape or a dtype does not fit, there are no tags, or the emissions are those of a
            functional model, which have no values.

    >>> scores = CRFScores(np.zeros(3), np.zeros((3, 3)), np.zeros(3))
    >>> check_chain(np.zeros((1, 2, 3)), np.ones((2, 2), bool), scores)
    Traceback (most recent call last):
    ...
    ValueError: expected a mask of shape (1, 2) for emissions of shape (1, 2, 3), found (2, 2)
    """
    emissions = check_emissions(emissions)
    count = emissions.shape[-1]
    scores = as_floats(scores)
    for name, score, shape in zip(
        ("start", "transition", "end"), scores, ((count,), (count, count), (count,)), strict=True
    ):
        if not _may_be(score, shape):
            raise ValueError(f"expected {name} scores of shape {shape}, found {static_shape(score)}")
    return Chain(as_float(emissions), check_mask(mask, emissions), scores)


def check_emissions(emissions: Tensor) -> Tensor:
    """Checks emissions alone; see `check_chain`."""
    if isinstance(emissions, keras.KerasTensor):
        raise ValueError(
            "expected emissions with values, found the symbolic tensor of a model: the layer CRFDecoder(crf) gives its "
            "tags; call the methods of a CRF on the model's output, or inside of a layer"
        )
    emissions = ops.convert_to_tensor(emissions)
    _check_numbers("emissions", emissions)
    shape = static_shape(emissions)
    if shape is None or len(shape) != 3 or shape[-1] is None:
        raise ValueError(f"expected emissions of shape (batch, time, tags), found {shape}")
    if shape[-1] == 0:
        raise ValueError(f"expected emissions of at least one tag, found shape {shape}")
    return emissions


def check_mask(mask: Tensor, emissions: Tensor) -> Tensor:
    """The mask as bool, with a flag for each step of the emissions."""
    mask = ops.convert_to_tensor(mask)
    _check_numbers("the mask", mask)
    advice = "; lengths make a mask by np.arange(time) < lengths[:, None]" if len(static_shape(mask) or ()) == 1 else ""
    return ops.cast(_check_steps("a mask", mask, emissions, advice), "bool")


def check_tags(tags: Tensor, chain: Chain, name: str = "tags", unknown: bool = False) -> Tags:
    """Checks tags against emissions: `(batch, time)` or, as Keras's sparse losses take them, `(batch, time, 1)`.

    They may be of any numeric dtype with whole values. What stands at masked steps does not matter.

    Args:
        tags: the tags.
        chain: checked emissions and mask.
        name: what a message calls the tags.
        unknown: whether a tag may be negative, which says that it is not known.

    Raises:
        ValueError: a shape or a dtype does not fit, or, where values are known, a tag that no path has.
    """
    emissions, mask, _ = chain
    tags, count = ops.convert_to_tensor(tags), emissions.shape[-1]
    _check_numbers(name, tags)
    shape = static_shape(tags) or ()
    if len(shape) == 3 and shape[-1] == 1:
        tags = tags[..., 0]
    one_hot = len(shape) == 3 and shape[-1] == count
    advice = f"; np.argmax({name}, axis=-1) makes numbers of one-hot tags" if one_hot else ""
    tags = _check_steps(name, tags, emissions, advice)
    numbers = ops.cast(tags, "int32")
    whole = ops.equal(ops.cast(numbers, tags.dtype), tags)
    possible = whole & (numbers < count) & ((numbers >= 0) | unknown) | ops.logical_not(mask)
    expected = f"expected {name} from 0 to {count - 1}" + (" (negative: not known)" if unknown else "")
    if not is_symbolic(possible):
        for row, step in np.argwhere(~np.asarray(possible))[:1]:
            raise ValueError(f"{expected}, found {np.asarray(tags)[row, step]:g} in row {row}, step {step}")
    else:
        numbers = check_in_graph(numbers, ops.all(possible), f"{expected}, found others")
    return Tags(ops.where(mask & possible, numbers, 0), possible)


def check_like_emissions(name: str, table: Tensor, emissions: Tensor) -> Tensor:
    """A table `(batch, time, tags)` as bool."""
    table = ops.convert_to_tensor(table)
    if not _may_be(table, static_shape(emissions)):
        found = static_shape(table)
        raise ValueError(f"expected {name} of the shape {static_shape(emissions)} of the emissions, found {found}")
    return ops.cast(table, "bool")


def check_spans(starts: Tensor, ends: Tensor, emissions: Tensor) -> tuple[Tensor, Tensor]:
    """The first steps of spans and the steps after their last ones, `(batch, spans)` int32 within the rows."""
    starts, ends = (ops.convert_to_tensor(x) for x in (starts, ends))
    batch, time = tuple(emissions.shape)[:2]
    if not (_may_be(starts, (batch, None)) and _may_be(ends, (batch, None)) and _may_be(ends, static_shape(starts))):
        found = f"found {static_shape(starts)} and {static_shape(ends)}"
        raise ValueError(f"expected starts and ends of one shape ({batch}, spans), {found}")
    for name, steps in (("starts", starts), ("ends", ends)):
        if time is not None and not is_symbolic(steps):
            for row, span in np.argwhere((np.asarray(steps) < 0) | (np.asarray(steps) > time))[:1]:
                found = f"found {np.asarray(steps)[row, span]} in row {row}, span {span}"
                raise ValueError(f"expected {name} from 0 to the {time} steps of the emissions, {found}")
    return ops.cast(starts, "int32"), ops.cast(ends, "int32")


def check_table(name: str, table: Tensor, count: int) -> Tensor:
    """A table `(tags, tags)` as bool."""
    if not _may_be(table := ops.convert_to_tensor(table), (count, count)):
        raise ValueError(f"expected {name} of shape {(count, count)}, found {static_shape(table)}")
    return ops.cast(table, "bool")


def _check_numbers(name: str, tensor: Tensor) -> None:
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if not dtype.startswith(("float", "bfloat", "int", "uint", "bool")):
        raise ValueError(f"expected {name} to be numbers, found {dtype}")


def _check_steps(name: str, tensor: Tensor, emissions: Tensor, advice: str = "") -> Tensor:
    """`tensor (batch, time)`, once it is known to have the batch and the time of the emissions."""
    whole, found = tuple(emissions.shape), static_shape(tensor)
    wanted = whole[:2]
    if not _may_be(tensor, wanted):
        raise ValueError(f"expected {name} of shape {wanted} for emissions of shape {whole}, found {found}{advice}")
    if found is not None and None not in found + wanted:
        return tensor
    sizes = ops.shape(emissions)[:2]
    # Keras retraces a step for other tags with a tensor of no known rank.
    pairs = [(ops.size(tensor), sizes[0] * sizes[1])] if found is None else zip(ops.shape(tensor), sizes, strict=True)
    same = ops.all(ops.stack([ops.equal(*pair) for pair in pairs]))
    tensor = check_in_graph(tensor, same, f"expected {name} of shape (batch, time), as the emissions have")
    # What XLA does not check must at least not be broadcast.
    return ops.reshape(tensor, sizes)


def static_shape(tensor: Tensor) -> tuple[int | None, ...] | None:
    """The static shape, None for a size that is not known; None if the rank is not known."""
    try:
        return tuple(tensor.shape)
    except ValueError:
        return None


def _may_be(tensor: Tensor, wanted: tuple[int | None, ...] | None) -> bool:
    found = static_shape(tensor)
    if found is None or wanted is None:
        return True
    return len(found) == len(wanted) and all(
        None in sizes or sizes[0] == sizes[1] for sizes in zip(found, wanted, strict=True)
    )
