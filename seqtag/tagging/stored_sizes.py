"""What the network of a stored tagger and its encoders both say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vocabulary import FIRST_SYMBOL, Vocabulary
from seqtag.models.language_network.sizes import network_sizes
from seqtag.runs.reading import as_texts
from seqtag.tagging.data.gazetteers import PHRASE_ROWS, Gazetteers
from seqtag.tagging.data.schemes import Scheme
from seqtag.tagging.data.tag_codec import MODEL_SCHEME
from seqtag.tagging.language_model import SPACE

# More layers and members than anyone trains, and more tags than a table of all pairs of them has room for.
MOST_LAYERS, MOST_MEMBERS, MOST_TAGS = 100, 100, 16_000


def stored_sizes(network: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each size by name, as the network, or each of its members, has it and as the encoders have it.

    Raises:
        ValueError: more members, layers or tags than can be.
    """
    if "members" not in network:
        yield from _sizes(network, encoders)
        return
    if not 0 < len(network["members"]) <= MOST_MEMBERS:
        raise ValueError(f"{len(network['members'])} networks")
    for member in network["members"]:
        yield from _sizes(member["config"], encoders)


def _sizes(network: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield from _frame_sizes(network, encoders) if "scale" in encoders else _word_sizes(network, encoders)
    further = encoders.get("further", [])
    yield "columns of tags", len(network.get("further_columns", [])), len(further)
    columns = zip([network, *network.get("further_columns", [])], [encoders, *further], strict=True)
    numbers = [(settings["num_tags"], _tags(column["codec"])) for settings, column in columns]
    for found, tags in numbers:
        yield "a number of tags of", found, tags
    of_tags = (("tags", tags, MOST_TAGS) for _, tags in numbers)
    for what, number, most in (*of_tags, ("layers", network["layers"], MOST_LAYERS)):
        if number > most:
            raise ValueError(f"{number} {what}")


def _frame_sizes(network: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    scale = encoders["scale"]
    width = len(scale["mean"])
    yield "deviations of so many numbers", len(scale["deviation"]), width
    yield "frames of a width of", width, encoders["options"]["frame_width"]
    columns = network["representation"]["frame_columns"]
    yield "scaled frames of a width of", columns, width + len(scale["indicated"])


def _word_sizes(network: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    words = network["representation"]
    for what, key, vocabulary in (("words", "num_words", "words"), ("characters", "num_chars", "chars")):
        yield f"a vocabulary of {what} of size", words[key], _size(encoders[vocabulary])
    yield "singletons_from", words["singletons_from"], encoders["words"]["singletons_from"]
    yield "num_buckets", words["num_buckets"], encoders["num_buckets"]
    yield "a table of word vectors of rows", words.get("num_vectors", 0), _vector_rows(encoders.get("vectors"))
    yield from _language_sizes(words.get("language_states"), encoders.get("language_model"))
    sizes = [_size(column) for column in encoders["columns"]]
    sizes += [PHRASE_ROWS] * len(Gazetteers.from_dict(encoders.get("gazetteers")).types)
    yield "vocabularies of columns of sizes", words["column_sizes"], sizes


def _language_sizes(states: dict[str, Any] | None, symbols: dict[str, Any] | None) -> Iterator[tuple[str, Any, Any]]:
    yield "a language model", states is not None, symbols is not None
    if states is not None and symbols is not None:
        yield from network_sizes(states["networks"], _size(symbols))
        yield "the row of the space", states["space"], Vocabulary(as_texts(symbols["symbols"])).index(SPACE)


def _tags(codec: dict[str, Any]) -> int:
    symbols, scheme = as_texts(codec["symbols"]), codec["scheme"]
    return len(symbols) if scheme is None else 1 + len(Scheme(MODEL_SCHEME).prefixes) * len(symbols)


def _vector_rows(vectors: dict[str, Any] | None) -> int:
    if vectors is None:
        return 0
    subwords = Subwords.read(vectors["subwords"])
    return 1 + len(as_texts(vectors["words"])) + (subwords.buckets if subwords else 0)


def _size(vocabulary: dict[str, Any]) -> int:
    return FIRST_SYMBOL + len(as_texts(vocabulary["symbols"]))
