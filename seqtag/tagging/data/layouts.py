"""Layouts of column files: the names of the columns, what separates them, and how to detect a layout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import ConfigError, DataError, shown

_DETECTION_LINES = 200
_CHUNK_TYPES = frozenset(("NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"))
_ROW_ID = re.compile(r"\d+(?:[-.]\d+)?\t")


@dataclass(frozen=True)
class Layout:
    r"""How a column file is laid out.

    Args:
        name: the name in a configuration.
        columns: names of the columns, in order.
        separator: ``"\t"`` for exactly one TAB between columns, ``" "`` for a run of spaces and TABs.
        token: the column that holds the tokens.
        tag: the column that holds the tags unless another is chosen; ``None`` when there is none.
        has_ids: whether column 1 numbers the words of a sentence. Such layouts have ``#`` comments, ranges
            (``8-9``) and empty nodes (``8.1``), which are kept but not tagged; in the others a line that
            starts with ``#`` is a token, and a ``-DOCSTART-`` line is kept but not tagged.
        optional: columns that some files of this layout leave out.

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

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.columns)

    def split(self, text: str) -> list[str]:
        r"""The columns of one line without its line end.

        >>> LAYOUTS["conll2003"].split("EU NNP  B-NP B-ORG ")
        ['EU', 'NNP', 'B-NP', 'B-ORG']
        """
        return _split(text, self.separator)

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


def _split(text: str, separator: str) -> list[str]:
    if separator == "\t":
        return text.split("\t")
    return [field for field in text.replace("\t", " ").split(" ") if field]


_CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")

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


def detect_layout(source: Source, encoding: str = "utf-8") -> Layout:
    """Detects the layout of a file from its first lines; a stream is read up to there.

    Raises:
        DataError: the file cannot be read or holds no token.
    """
    lines = list(islice(read_lines(source, encoding), _DETECTION_LINES))
    layout = layout_of_lines(lines)
    if layout is None:
        raise DataError(nothing_found(lines), source_name(source))
    return layout


def nothing_found(lines: Sequence[str]) -> str:
    """The message for a file without a single token."""
    what = "only blank lines and comments" if any(lines) else "an empty file"
    return f"expected sentences, found {what}"


def layout_of_lines(lines: Sequence[str]) -> Layout | None:
    r"""Detects the layout from the first lines of a file; ``None`` when they hold no token.

    Rows that match no known layout get one named ``columns``: ``token`` first (after the ids, where there are any),
    ``tag`` last, ``column2`` and so on between.

    >>> layout_of_lines(["EU NNP B-NP B-ORG\n"]).name, layout_of_lines(["#hashtag\tO\n"]).name
    ('conll2003', 'tsv')
    """
    texts = [line.lstrip("\ufeff").rstrip("\r\n") for line in lines]
    texts = [text for text in texts if text.strip(" \t") and not text.startswith("-DOCSTART-")]
    if numbered := _numbered(texts):
        return numbered
    if not texts:
        return None
    separator = "\t" if "\t" in texts[0] else " "
    return _unnumbered([_split(text, separator) for text in texts], separator)


def _numbered(texts: Sequence[str]) -> Layout | None:
    """The layout if all lines are comments or start with a word's number, ``None`` otherwise."""
    rows = [text for text in texts if _ROW_ID.match(text)]
    comments = [text for text in texts if text.startswith("#")]
    if not rows or len(rows) + len(comments) < len(texts):
        return None
    width = rows[0].count("\t") + 1
    if width < 3 and all("\t" in text for text in comments):  # "1<TAB>O" is a token and its tag
        return None
    for name in ("conllu", "uner"):
        if LAYOUTS[name].width == width:
            return LAYOUTS[name]
    columns = ("id", *_generic_columns(width - 1, offset=1))
    return Layout("columns", columns, "\t", columns[1], columns[-1] if width > 2 else None, has_ids=True)


def _unnumbered(rows: Sequence[Sequence[str]], separator: str) -> Layout:
    width = len(rows[0])
    if width == 1:
        return LAYOUTS["plain"]
    if width == 2:
        return LAYOUTS["tsv"] if separator == "\t" else LAYOUTS["conll2002"].of_width(2)
    if width == 3:
        types = {row[-1].partition("-")[2] for row in rows} - {""}
        name = "conll2000" if types and types <= _CHUNK_TYPES else "conll2002"
        return replace(LAYOUTS[name].of_width(3), separator=separator)
    if width == 4:
        return replace(LAYOUTS["conll2003"], separator=separator)
    columns = _generic_columns(width)
    return Layout("columns", columns, separator, columns[0], columns[-1])


def _generic_columns(width: int, offset: int = 0) -> tuple[str, ...]:
    """``token``, then numbered names, then ``tag`` when there is room for one."""
    middle = [f"column{number + offset}" for number in range(2, width)]
    return ("token", *middle, "tag") if width > 1 else ("token",)
