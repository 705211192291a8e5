"""What the networks of a stored model and its encoders both say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    for member in members:
        config = member["config"]
        encoder, decoder = config["encoder"], config["decoder"]
        source = None if encoders["source"] is None else _size(encoders["source"])
        yield "a vocabulary of sources of size", encoder["num_symbols"], source
        yield "a vocabulary of targets of size", config["num_targets"], _size(encoders["target"])
        yield "vocabularies of features of sizes", encoder["feature_sizes"], [_size(f) for f in encoders["features"]]
        yield "copies", config["copies"], encoders["copies"]
        width = None if encoders["scale"] is None else len(encoders["scale"]["mean"])
        yield "frames of a width of", config["frame_width"], width
        for number in (encoder["layers"], decoder["layers"]):
            if number > MOST_LAYERS:
                raise ValueError(f"{number} layers")


def _size(vocabulary: dict[str, Any]) -> int:
    return FIRST_SYMBOL + len(as_texts(vocabulary["symbols"]))
