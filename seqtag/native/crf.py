"""The recursions of a CRF as operations of TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from seqtag.native.library import kept_away, operations, shared_float


def can_run(emissions: Any, scores: tuple[Any, Any, Any]) -> bool:
    """Whether the kernels are there, for these dtypes."""
    return shared_float(emissions, *scores) and operations() is not None


def expectations(
    emissions: Any, mask: Any, scores: tuple[Any, Any, Any], portable: Callable[..., tuple[Any, ...]]
) -> tuple[Any, ...]:
    """What the paths of each row are expected to be: the fields of `seqtag.ops.crf.expectations.Expectations`.

    The gradient of the log-partition is in what is returned. Who differentiates the rest, such as marginals, gets the
    gradient of `portable`, which is then run beside.

    Args:
        emissions: `(batch, time, tags)`.
        mask: bool `(batch, time)`.
        scores: `start (tags,)`, `transitions (tags, tags)`, `end (tags,)`.
        portable: computes the same by other operations, from emissions, mask, start, transitions and end.
    """
    _register_gradient(portable)
    start, transitions, end = scores
    found = operations().seqtag_crf_expectations(
        emissions=emissions, mask=mask, start=start, transitions=transitions, end=end
    )
    batch, time, tags = emissions.shape
    shapes = ((batch,), (batch, time, tags), (batch, tags), (batch, tags, tags), (batch, tags))
    for value, shape in zip(found, shapes, strict=True):
        value.set_shape(shape)
    return tuple(found)


@cache
def _register_gradient(portable: Callable[..., tuple[Any, ...]]) -> None:
    """Tells TensorFlow the gradient, once in a process."""
    tf = sys.modules["tensorflow"]

    @tf.RegisterGradient("SeqtagCrfExpectations")
    def gradient(op: Any, *d_outputs: Any) -> list[Any]:
        emissions, mask, *scores = op.inputs
        with kept_away(), tf.GradientTape() as tape:
            tape.watch([emissions, *scores])
            found = portable(emissions, mask, *scores)
        given = [tf.zeros_like(one) if d is None else d for one, d in zip(found, d_outputs, strict=True)]
        d_emissions, *d_scores = tape.gradient(found, [emissions, *scores], given)
        return [d_emissions, None, *d_scores]


def best_path(emissions: Any, mask: Any, scores: tuple[Any, Any, Any]) -> Any:
    """The tags of the best path, int32 `(batch, time)`, 0 at masked steps; see `expectations` for the arguments."""
    start, transitions, end = scores
    path = operations().seqtag_crf_best_path(
        emissions=emissions, mask=mask, start=start, transitions=transitions, end=end
    )
    path.set_shape(emissions.shape[:2])
    return path
