"""What the networks of a stored classifier and its encoders both say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vocabulary import FIRST_SYMBOL
from seqtag.runs.reading import as_texts

# More layers and members than anyone trains.
MOST_LAYERS, MOST_MEMBERS = 100, 100


def stored_sizes(network: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each size by name, as the network has it and as the encoders have it.

    Raises:
        ValueError: more layers or members than can be.
    """
    members = network["members"]
    if not 0 < len(members) <= MOST_MEMBERS:
        raise ValueError(f"{len(members)} networks")
    labels = encoders["labels"]
    for member in members:
        config = member["config"]
        yield "a number of labels of", config["num_labels"], len(labels["labels"])
        yield "several labels", config["several"], labels["several"]
        if "frames" in encoders:
            scale = encoders["frames"]
            yield "frames of a width of", config["frame_width"], len(scale["mean"]) + len(scale["indicated"])
        else:
            yield from _sizes_of_text(config["representation"], encoders["text"])
        if config["layers"] > MOST_LAYERS:
            raise ValueError(f"{config['layers']} layers")
    hasher = encoders["text"]["ngrams"] if "text" in encoders else None
    yield from _sizes_of_ngrams(network["ngrams"], hasher, len(labels["labels"]))


def _sizes_of_text(words: dict[str, Any], text: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "a vocabulary of words of size", words["num_words"], _size(text["words"])
    yield "a vocabulary of characters of size", words["num_chars"], _size(text["chars"])
    yield "singletons_from", words["singletons_from"], text["words"]["singletons_from"]
    yield "num_buckets", words["num_buckets"], text["num_buckets"]
    yield "a table of word vectors of rows", words["num_vectors"], _vector_rows(text["vectors"])


def _sizes_of_ngrams(
    found: dict[str, Any] | None, hasher: dict[str, Any] | None, labels: int
) -> Iterator[tuple[str, Any, Any]]:
    yield "n-grams", found is not None, hasher is not None
    if found is not None and hasher is not None:
        rows = sum(hasher[rows] for kind, rows in (("words", "word_rows"), ("characters", "char_rows")) if hasher[kind])
        yield "a table of n-grams of rows", found["num_rows"], 1 + rows
        yield "scores of n-grams of width", found["num_labels"], labels


def _vector_rows(vectors: dict[str, Any] | None) -> int:
    if vectors is None:
        return 0
    subwords = Subwords.read(vectors["subwords"])
    return 1 + len(as_texts(vectors["words"])) + (subwords.buckets if subwords else 0)


def _size(vocabulary: dict[str, Any]) -> int:
    return FIRST_SYMBOL + len(as_texts(vocabulary["symbols"]))
