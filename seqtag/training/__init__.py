"""Fits models of any task: one fit with schedule, averaging, selection and checkpoints, and truncated backpropagation.

The names below are imported at their first use, so that importing one module of this package does not import all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqtag.training.truncated_bptt.chunks import parallel_streams
    from seqtag.training.truncated_bptt.fit import TruncatedBPTT

__all__ = ["TruncatedBPTT", "parallel_streams"]

_HOMES = {
    "TruncatedBPTT": "seqtag.training.truncated_bptt.fit",
    "parallel_streams": "seqtag.training.truncated_bptt.chunks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqtag.training' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
