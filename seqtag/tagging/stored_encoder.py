"""What turns words or frames of numbers into a network's input, as a bundle stores it."""

from __future__ import annotations

from typing import Any

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder


def encoder_to_dict(encoder: WordEncoder | FrameScale) -> dict[str, Any]:
    """What `encoder_from_dict` reads back, as JSON can hold it."""
    if isinstance(encoder, FrameScale):
        return {"scale": encoder.to_dict()}
    return {
        "words": encoder.words.to_dict(),
        "chars": encoder.chars.to_dict(),
        "num_buckets": encoder.num_buckets,
        "vectors": None if encoder.vectors is None else encoder.vectors.to_dict(),
        "language_model": None if encoder.symbols is None else encoder.symbols.to_dict(),
    }


def encoder_from_dict(data: dict[str, Any]) -> WordEncoder | FrameScale:
    """The encoder that `encoder_to_dict` described."""
    if "scale" in data:
        return FrameScale.from_dict(data["scale"])
    words, chars = Vocabulary.from_dict(data["words"]), Vocabulary.from_dict(data["chars"])
    vectors, symbols = map(data.get, ("vectors", "language_model"))  # which models of earlier versions do not have
    lookup = None if vectors is None else VectorLookup.from_dict(vectors)
    return WordEncoder(
        words, chars, data["num_buckets"], lookup, None if symbols is None else Vocabulary.from_dict(symbols)
    )
