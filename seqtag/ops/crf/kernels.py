"""Whether compiled kernels run the recursions of a CRF: decided here for all that this folder computes."""

from __future__ import annotations

from typing import Any

from seqtag.keras_internals import runs_on_cores
from seqtag.native import crf as native
from seqtag.ops.crf.scores import CRFScores


def is_native(emissions: Any, scores: CRFScores) -> bool:
    """Whether the kernels run these scores, else TensorFlow's own loops or JAX's."""
    return runs_on_cores() and native.can_run(emissions, scores)
