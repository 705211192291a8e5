"""seqtag: recurrent layers, a CRF, attention, taggers, forecasters and sequence to sequence for Keras 3 and TensorFlow.

The names below are imported at their first use, so that `import seqtag` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqtag.classification.classifier import SequenceClassifier
    from seqtag.forecasting.forecaster import Forecaster
    from seqtag.language_model.language_model import LanguageModel
    from seqtag.seq2seq.seq2seq import Seq2Seq
    from seqtag.tagging.tagger import Tagger

__version__ = "0.1.0"
__all__ = ["Forecaster", "LanguageModel", "Seq2Seq", "SequenceClassifier", "Tagger", "__version__"]

_HOMES = {
    "Forecaster": "seqtag.forecasting.forecaster",
    "LanguageModel": "seqtag.language_model.language_model",
    "Seq2Seq": "seqtag.seq2seq.seq2seq",
    "SequenceClassifier": "seqtag.classification.classifier",
    "Tagger": "seqtag.tagging.tagger",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqtag' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
