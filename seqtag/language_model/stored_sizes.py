"""What the networks of a stored model and its encoders both say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqtag.data.text.vocabulary import FIRST_SYMBOL
from seqtag.runs.reading import as_texts

# One for each direction, and more layers than anyone trains.
MOST_DIRECTIONS, MOST_LAYERS = 2, 100


def stored_sizes(networks: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each size by name, as the networks have it and as the encoders have it.

    Raises:
        ValueError: more networks or layers than can be.
    """
    members = networks["members"]
    if not 0 < len(members) <= MOST_DIRECTIONS:
        raise ValueError(f"{len(members)} networks")
    size = FIRST_SYMBOL + len(as_texts(encoders["coder"]["symbols"]))
    for member in members:
        yield "a vocabulary of size", member["config"]["num_symbols"], size
        layers = member["config"]["reader"]["config"]["layers"]
        if layers > MOST_LAYERS:
            raise ValueError(f"{layers} layers")
