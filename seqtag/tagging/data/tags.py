"""What a tag is, which schemes of tags there are, and what a span is."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from seqtag.errors import shown

# Stands for a tag that is not known. No file and no list of tags has it as a tag of its own.
UNKNOWN_TAG = ""
_PREFIXES = {"IO": "I", "IOB1": "BI", "IOB2": "BI", "IOBES": "BIES", "BILOU": "BILU"}
_ALL_PREFIXES = frozenset("BIESLU")


class Scheme(StrEnum):
    """How tags mark the ends of spans; a member equals its name, which is read in any case.

    - IO: ``I`` inside; spans of one type that touch are one.
    - IOB1: ``I`` inside, ``B`` only where a span touches one of its own type before it.
    - IOB2: ``B`` begins, ``I`` continues.
    - IOBES: ``B`` begins, ``I`` continues, ``E`` ends, ``S`` is a span of one token.
    - BILOU: IOBES with ``L`` for ``E`` and ``U`` for ``S``.

    >>> Scheme("iob2") is Scheme.IOB2
    True
    """

    IO = "IO"
    IOB1 = "IOB1"
    IOB2 = "IOB2"
    IOBES = "IOBES"
    BILOU = "BILOU"

    @classmethod
    def _missing_(cls, value: object) -> Scheme:
        for member in cls:
            if member.value == str(value).upper():
                return member
        raise ValueError(f"expected one of {', '.join(cls)}, found {shown(value)}")

    @property
    def prefixes(self) -> str:
        """The letters that may stand before a hyphen.

        >>> Scheme.BILOU.prefixes
        'BILU'
        """
        return _PREFIXES[self.value]


class Span(NamedTuple):
    """Tokens ``start`` to ``end`` (exclusive) make an entity or chunk of this type."""

    type: str
    start: int
    end: int


class TagError(ValueError):
    """A tag that is not of a scheme; `tag` says which, so that a caller who knows the file can name its line."""

    def __init__(self, message: str, tag: str) -> None:
        super().__init__(message)
        self.tag = tag


@lru_cache(maxsize=65536)
def split_tag(tag: str) -> tuple[str, str]:
    """A tag's prefix and type.

    Raises:
        TagError: the tag is neither ``O`` nor a known prefix, a hyphen and a type.

    >>> split_tag("B-protein-DNA"), split_tag("O")
    (('B', 'protein-DNA'), ('O', ''))
    """
    if tag == "O":
        return "O", ""
    if tag[1:2] == "-" and tag[0] in _ALL_PREFIXES and len(tag) > 2:
        return tag[0], tag[2:]
    raise TagError(f"expected O or a tag such as B-LOC, found {shown(tag)}", tag)


def is_span_tag(tag: str) -> bool:
    """Whether `split_tag` can read a tag.

    >>> is_span_tag("B-LOC"), is_span_tag("NOUN")
    (True, False)
    """
    try:
        split_tag(tag)
    except TagError:
        return False
    return True
