"""The recursions of a CRF as operations of TensorFlow, without gradients: who asks for expectations has one in them."""

from __future__ import annotations

from typing import Any, NamedTuple

from seqtag.native.library import operations, shared_float


class Expectations(NamedTuple):
    """Those of `seqtag.ops.crf.expectations`."""

    log_partition: Any
    marginals: Any
    first: Any
    transitions: Any
    last: Any


def can_run(emissions: Any, scores: tuple[Any, Any, Any]) -> bool:
    """Whether the kernels are there, for these dtypes."""
    return shared_float(emissions, *scores) and operations() is not None


def expectations(emissions: Any, mask: Any, scores: tuple[Any, Any, Any]) -> Expectations:
    """What the paths of each row are expected to be.

    Args:
        emissions: `(batch, time, tags)`.
        mask: bool `(batch, time)`.
        scores: `start (tags,)`, `transitions (tags, tags)`, `end (tags,)`.
    """
    start, transitions, end = scores
    found = operations().seqtag_crf_expectations(
        emissions=emissions, mask=mask, start=start, transitions=transitions, end=end
    )
    batch, time, tags = emissions.shape
    shapes = ((batch,), (batch, time, tags), (batch, tags), (batch, tags, tags), (batch, tags))
    for value, shape in zip(found, shapes, strict=True):
        value.set_shape(shape)
    return Expectations(*found)


def best_path(emissions: Any, mask: Any, scores: tuple[Any, Any, Any]) -> Any:
    """The tags of the best path, int32 `(batch, time)`, 0 at masked steps; see `expectations` for the arguments."""
    start, transitions, end = scores
    path = operations().seqtag_crf_best_path(
        emissions=emissions, mask=mask, start=start, transitions=transitions, end=end
    )
    path.set_shape(emissions.shape[:2])
    return path
