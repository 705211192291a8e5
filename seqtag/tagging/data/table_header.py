"""The header of a table of tokens: what separates its fields, and which column is which by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqtag.data.text.fields import split_fields
from seqtag.tagging.data.layouts import LAYOUTS, Layout

_SEPARATORS = ("\t", ";", ",")
# Names that people give to columns, compared by their letters and digits in lower case; the first that is there counts.
SENTENCE_NAMES = (
    "sentence",
    "sentenceid",
    "sentenceidx",
    "sentenceindex",
    "sentenceno",
    "sentencenumber",
    "sentid",
    "sent",
)
TOKEN_NAMES = ("token", "word", "tokens", "words", "form")
TAG_NAMES = ("tag", "nertag", "nertags", "ner", "tags", "label", "labels", "entity", "iob", "bio", "upos", "pos")


def find_column(names: Sequence[str], usual: Sequence[str]) -> int | None:
    """The index of the column that has one of the usual names.

    >>> find_column(["Sentence #", "Word", "POS", "Tag"], TAG_NAMES)
    3
    """
    keys = ["".join(filter(str.isalnum, name.casefold())) for name in names]
    return next((keys.index(name) for name in usual if name in keys), None)


def table_layout(header: str) -> Layout | None:
    """The layout of a table with this first line; None where its names are not those of tokens and tags or sentences.

    >>> table_layout("Sentence #,Word,POS,Tag").columns
    ('Sentence #', 'Word', 'POS', 'Tag')
    """
    names = header_names(header)
    tag, sentence = find_column(names, TAG_NAMES), find_column(names, SENTENCE_NAMES)
    if find_column(names, TOKEN_NAMES) is None or (tag is None and sentence is None):
        return None
    return replace(LAYOUTS["csv"], columns=tuple(names), separator=header_separator(header))


def header_separator(header: str) -> str:
    """What separates the fields of a table: of TAB, semicolon and comma the one that its header has most of."""
    return max(_SEPARATORS, key=header.count)


def header_names(header: str) -> list[str]:
    """The names of a table's columns."""
    return [name.strip() for name in split_fields(header, header_separator(header))]
