"""What the networks of a stored model and its encoders both say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqtag.data.text.vocabulary import FIRST_SYMBOL
from seqtag.models.language_network.sizes import network_sizes
from seqtag.runs.reading import as_texts


def stored_sizes(networks: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each size by name, as the networks have it and as the encoders have it.

    Raises:
        ValueError: more networks or layers than can be.
    """
    yield from network_sizes(networks["members"], FIRST_SYMBOL + len(as_texts(encoders["coder"]["symbols"])))
