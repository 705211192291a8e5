"""Gazetteers: lists of names with their types, which a tagger finds in sentences before it tags them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqtag.data.text.lines import read_lines
from seqtag.data.text.vocabulary import FIRST_SYMBOL, UNKNOWN
from seqtag.errors import DataError, did_you_mean, shown
from seqtag.runs.config_file import resolve_path
from seqtag.runs.reading import as_texts, check_room
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.tag_codec import TagCodec

SETTING = "model.gazetteers"
# What a token is of a phrase, as a row of a column's vocabulary: of none, its beginning, inside, end, or all of it.
NONE = UNKNOWN
BEGIN, INSIDE, END, WHOLE = range(FIRST_SYMBOL, FIRST_SYMBOL + 4)
PHRASE_ROWS = FIRST_SYMBOL + 4


@dataclass(frozen=True)
class Gazetteers:
    """The phrases of each type, without their spaces, so that it does not matter how a text is split into tokens.

    Attributes:
        phrases: by type, sorted.

    >>> Gazetteers.from_dict(Gazetteers({"LOC": ["NewYork"]}).to_dict())
    Gazetteers(phrases={'LOC': ['NewYork']})
    """

    phrases: Mapping[str, Sequence[str]]

    @property
    def types(self) -> list[str]:
        """The types that have phrases."""
        return list(self.phrases)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"phrases": {kind: list(phrases) for kind, phrases in self.phrases.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Gazetteers:
        """The gazetteers that `to_dict` described; None, of a bundle without any, for none.

        Raises:
            TypeError: phrases that are no lists of texts.
        """
        phrases = {} if data is None else data["phrases"]
        return cls({kind: as_texts(listed) for kind, listed in phrases.items()})


def gazetteer_paths(config: TaggingConfig) -> list[Path]:
    """The files of `model.gazetteers`."""
    return [resolve_path(path, config.data.root) for path in config.model.gazetteers]


def read_gazetteers(paths: Sequence[Path], codecs: Sequence[TagCodec]) -> Gazetteers:
    """Reads files of lines `type TAB phrase`; a phrase may have several types.

    Args:
        paths: of the files, in UTF-8.
        codecs: of the columns of tags, whose entity types or labels they are.

    Raises:
        DataError: a file cannot be read, or a line has no phrase, or a type that the tagger does not have; no file has
            a phrase.
        ConfigError: a bundle has no room for so many phrases.
    """
    types = [symbol for codec in codecs for symbol in codec.symbols]
    found: dict[str, set[str]] = {}
    for path in paths:
        for number, line in enumerate(read_lines(path), 1):
            text = line.lstrip("\ufeff").rstrip("\r\n")
            if not text.strip():
                continue
            kind, tab, phrase = text.partition("\t")
            if not tab or "\t" in phrase or not phrase.strip():
                raise DataError(f"expected a type, a TAB and a phrase, found {shown(text)}", path, number)
            if kind not in types:
                hint = did_you_mean(kind, types, "types")
                raise DataError(f"expected a type of the training file, found {shown(kind)}{hint}", path, number)
            found.setdefault(kind, set()).add("".join(phrase.split()))
    if paths and not found:
        raise DataError("expected phrases, found none", paths[0])
    check_room((phrase for phrases in found.values() for phrase in phrases), SETTING, "leave some out")
    return Gazetteers({kind: sorted(found[kind]) for kind in sorted(found)})
