"""Layouts of files of tagged tokens: how a file is written, the names of its columns, and what separates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from seqtag.data.text.fields import split_fields
from seqtag.errors import ConfigError, DataError, shown


@dataclass(frozen=True)
class Layout:
    r"""How a file of tagged tokens is laid out.

    Args:
        name: the name in a configuration.
        columns: names of the columns, in order.
        separator: ``"\t"`` for exactly one TAB between columns, ``" "`` for a run of spaces and TABs, or
            another character.
        token: the column that holds the tokens.
        tag: the column that holds the tags unless another is chosen; ``None`` when there is none.
        has_ids: whether column 1 numbers the words of a sentence. Such layouts have ``#`` comments, ranges
            (``8-9``) and empty nodes (``8.1``), which are kept but not tagged; in the others a line that
            starts with ``#`` is a token, and a ``-DOCSTART-`` line is kept but not tagged.
        optional: columns that some files of this layout leave out.
        comments: how lines start that are kept but not tagged.
        form: how the file is read: ``"columns"``; ``"table"`` for fields that may be quoted, below a header; or, a
            sentence a line, ``"slashes"``, ``"parallel"`` and ``"json"``.
        sentence: the column of sentence ids, where there is one.
        span_keys: in JSON, the keys of start, end and label of a span; none where spans are lists.
        brackets: columns whose cells are brackets of spans, see `tags_of_brackets`.
        open_ended: whether rows may have further columns, without names.

    >>> LAYOUTS["conll2003"].columns
    ('word', 'pos', 'chunk', 'ner')
    """

    name: str
    columns: tuple[str, ...]
    separator: str
    token: str
    tag: str | None
    has_ids: bool = False
    optional: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    form: str = "columns"
    sentence: str | None = None
    span_keys: tuple[str, ...] = ()
    brackets: tuple[str, ...] = ()
    open_ended: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layout:
        """The layout that `dataclasses.asdict` described, also after a round trip through JSON."""
        values: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        return cls(**values)

    @property
    def comment_prefixes(self) -> tuple[str, ...]:
        """How comments start."""
        return ("#", *self.comments) if self.has_ids else self.comments

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.columns)

    def split(self, text: str) -> list[str]:
        r"""The columns of one line without its line end.

        >>> LAYOUTS["conll2003"].split("EU NNP  B-NP B-ORG ")
        ['EU', 'NNP', 'B-NP', 'B-ORG']
        """
        if self.form == "table":
            return split_fields(text, self.separator)
        return split_columns(text, self.separator)

    def of_width(self, width: int) -> Layout:
        """This layout for rows of `width` columns: without its optional columns if they do not fit, else with them.

        >>> LAYOUTS["conll2002"].of_width(2).columns
        ('word', 'ner')
        """
        absent = self.optional if width == self.width - len(self.optional) else ()
        return replace(self, columns=tuple(c for c in self.columns if c not in absent), optional=())

    def index(self, column: str | int) -> int:
        """The 0-based index of a column given by name (in any case) or by 1-based or negative number.

        A number may lie beyond the last column.

        Raises:
            DataError: no column has this name, or the number is 0 or counts back past column 1.

        >>> [LAYOUTS["conll2003"].index(column) for column in ("ner", 2, "2", -1)]
        [3, 1, 1, 3]
        """
        number = _number(column)
        if number is not None and number != 0 and number >= -self.width:
            return number - 1 if number > 0 else number + self.width
        names = [name.lower() for name in self.columns]
        if number is None and str(column).lower() in names:
            return names.index(str(column).lower())
        raise DataError(f"expected column {shown(column)}, found columns {', '.join(self.columns)}")


def _number(column: str | int) -> int | None:
    try:
        return int(column)
    except ValueError:
        return None


def split_columns(text: str, separator: str) -> list[str]:
    """The columns of a line; `separator` is that of a `Layout`."""
    if separator == "\t":
        return text.split("\t")
    return [field for field in text.replace("\t", " ").split(" ") if field]


_CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")

_CONLL2012 = ("document", "part", "number", "word", "pos", "parse", "lemma", "frameset", "sense", "speaker", "ner")

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("conll2003", ("word", "pos", "chunk", "ner"), " ", token="word", tag="ner"),
        Layout("conll2002", ("word", "pos", "ner"), " ", token="word", tag="ner", optional=("pos",)),
        Layout("conll2000", ("word", "pos", "chunk"), " ", token="word", tag="chunk"),
        Layout("tsv", ("token", "tag"), "\t", token="token", tag="tag"),
        Layout("uner", ("id", "token", "tag", "misc", "annotator"), "\t", token="token", tag="tag", has_ids=True),
        Layout("conllu", _CONLLU, "\t", token="FORM", tag="UPOS", has_ids=True),
        Layout("plain", ("token",), "\t", token="token", tag=None),
        Layout("csv", ("sentence", "token", "tag"), ",", token="token", tag="tag", form="table", sentence="sentence"),
        Layout(
            "conll2012",
            _CONLL2012,
            " ",
            token="word",
            tag="ner",
            comments=("#begin document", "#end document"),
            brackets=("ner",),
            open_ended=True,
        ),
        Layout("jsonl", ("text", "label"), "", token="text", tag="label", form="json"),
        Layout("slashes", ("token", "tag"), " ", token="token", tag="tag", form="slashes"),
        Layout("parallel", ("tokens", "tags"), "\t", token="tokens", tag="tags", form="parallel"),
    )
}


def layout_named(name: str) -> Layout:
    """The layout called `name`.

    Raises:
        ConfigError: there is none.

    >>> layout_named("conllu").tag
    'UPOS'
    """
    if name not in LAYOUTS:
        raise ConfigError(f"expected auto, {', '.join(LAYOUTS)}, found {shown(name)}", setting="data.layout")
    return LAYOUTS[name]
