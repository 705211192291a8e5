"""What the stored networks of a language model say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

# One for each direction, and more layers than anyone trains.
MOST_DIRECTIONS, MOST_LAYERS = 2, 100


def network_sizes(members: Sequence[dict[str, Any]], num_symbols: int) -> Iterator[tuple[str, Any, Any]]:
    """Each size by name, as the networks have it and as a vocabulary of so many rows has it.

    Args:
        members: the network of each direction as Keras describes it.
        num_symbols: rows of the vocabulary.

    Raises:
        ValueError: more networks or layers than can be.
    """
    if not 0 < len(members) <= MOST_DIRECTIONS:
        raise ValueError(f"{len(members)} networks")
    for member in members:
        yield "a vocabulary of size", member["config"]["num_symbols"], num_symbols
        layers = member["config"]["reader"]["config"]["layers"]
        if layers > MOST_LAYERS:
            raise ValueError(f"{layers} layers")
