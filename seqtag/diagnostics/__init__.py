"""Measures gradients on their way back through time, and zeros of weights.

`bptt` is a reference in NumPy; importing it needs neither TensorFlow nor Keras. `gradient_flow` measures a Keras model
and is imported at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqtag.diagnostics.flow import gradient_flow
    from seqtag.diagnostics.flow_result import GradientFlow

__all__ = ["GradientFlow", "bptt", "gradient_flow"]

_HOMES = {"GradientFlow": "seqtag.diagnostics.flow_result", "gradient_flow": "seqtag.diagnostics.flow"}


def __getattr__(name: str) -> Any:
    if name == "bptt":
        return import_module("seqtag.diagnostics.bptt")
    if name not in _HOMES:
        raise AttributeError(f"module 'seqtag.diagnostics' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
