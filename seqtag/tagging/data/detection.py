"""Detection of a file's layout from its first lines."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError
from seqtag.tagging.data.brackets import is_bracketed
from seqtag.tagging.data.layouts import LAYOUTS, Layout, split_columns
from seqtag.tagging.data.one_line import layout_of_sentence_lines
from seqtag.tagging.data.table_header import table_layout

# How many lines are looked at. If none of them holds a token, more are, up to the first that does.
DETECTION_LINES = 200
_LONGEST_HEADER = 1 << 16
BLANK = " \t\r\n\ufeff"
WORD_GROUP = re.compile(r"\d+-\d+|\d+\.\d+")
_ROW_ID = re.compile(r"\d+(?:[-.]\d+)?\t")
_CHUNK_TYPES = frozenset(("NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"))


def detect_layout(source: Source, encoding: str = "utf-8") -> Layout:
    """Detects the layout of a file from its first lines; a stream is read up to there.

    Raises:
        DataError: the file cannot be read or holds no token.
    """
    lines = head_of(read_lines(source, encoding))
    layout = layout_of_lines(lines)
    if layout is None:
        raise DataError(nothing_found(lines), source_name(source))
    return layout


def is_table_of_tokens(path: str) -> bool:
    """Whether a file is a table whose header names tokens, beside tags or sentences; False for what cannot be read."""
    try:
        # The names that are looked for are the same bytes in every encoding but UTF-16, which a mark announces.
        with open(path, "rb") as file:
            start = file.readline(_LONGEST_HEADER)
    except (OSError, ValueError):
        return False
    text = start.decode("utf-16" if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "latin-1", errors="ignore")
    return table_layout(text.removeprefix(BOM_UTF8.decode("latin-1")).strip()) is not None


def head_of(lines: Iterator[str]) -> list[str]:
    """The first lines, enough to detect the layout."""
    head: list[str] = []
    found = False
    for line in lines:
        head.append(line)
        found = found or not (line.startswith("#") or line.strip(BLANK) == "")
        if found and len(head) >= DETECTION_LINES:
            break
    return head


def nothing_found(lines: Sequence[str]) -> str:
    """The message for a file without a single token."""
    rows = [line.strip(BLANK) for line in lines if line.strip(BLANK)]
    if any(WORD_GROUP.match(row) for row in rows):
        return "expected sentences, found only ranges of words and empty nodes"
    return f"expected sentences, found {'only blank lines and comments' if any(lines) else 'an empty file'}"


def layout_of_lines(lines: Iterable[str], comments: tuple[str, ...] = ()) -> Layout | None:
    r"""Detects the layout from the first lines of a file; ``None`` when they hold no token.

    Rows that match no known layout get one named ``columns``: ``token`` first (after the ids, where there are any),
    ``tag`` last, ``column2`` and so on between.

    Args:
        lines: the lines.
        comments: how further lines start that hold no token.

    >>> layout_of_lines(["EU NNP B-NP B-ORG\n"]).name, layout_of_lines(["#hashtag\tO\n"]).name
    ('conll2003', 'tsv')
    """
    texts = [line.lstrip("\ufeff").rstrip("\r\n") for line in lines]
    documents = LAYOUTS["conll2012"].comments
    texts = [text for text in texts if not text.startswith(("-DOCSTART-", *documents, *comments))]
    rows = [text for text in texts if text.strip(" \t")]
    if rows and (found := table_layout(rows[0]) or layout_of_sentence_lines(rows)):
        return found
    if rows and all(map(_is_of_ontonotes, rows)):
        return LAYOUTS["conll2012"]
    if numbered := _numbered(rows) or _numbered_by_spaces(texts):
        return numbered
    if not rows:
        return None
    separator = "\t" if "\t" in rows[0] else " "
    return _unnumbered([split_columns(text, separator) for text in rows], separator)


def _is_of_ontonotes(text: str) -> bool:
    """Whether a row has the word's number in column 3, and brackets or stars in columns 6 and 11."""
    row = split_columns(text, " ")
    return len(row) >= LAYOUTS["conll2012"].width and row[2].isdecimal() and "*" in row[5] and is_bracketed(row[10])


def _numbered(texts: Sequence[str]) -> Layout | None:
    """The layout if all lines are comments or start with a word's number, ``None`` otherwise."""
    rows = [text for text in texts if _ROW_ID.match(text)]
    comments = [text for text in texts if text.startswith("#")]
    if not rows or len(rows) + len(comments) < len(texts):
        return None
    width = rows[0].count("\t") + 1
    if width < 3 and all("\t" in text for text in comments):  # "1<TAB>O" is a token and its tag
        return None
    return _numbered_layout(width, "\t")


def _numbered_by_spaces(texts: Sequence[str]) -> Layout | None:
    """The layout if spaces separate columns and the first one counts the words of each sentence: 1, 2, 3."""
    expected, width, longest = 1, 0, 0
    for text in texts:
        fields = text.split()
        if not fields:
            expected = 1
        elif not text.startswith("#"):
            if "\t" in text or len(fields) < 3 or fields[0] != str(expected):
                return None
            width = width or len(fields)
            longest = max(longest, expected)
            expected += 1
    return _numbered_layout(width, " ") if longest > 1 else None


def _numbered_layout(width: int, separator: str) -> Layout:
    for name in ("conllu", "uner"):
        if LAYOUTS[name].width == width and (separator == "\t" or name == "conllu"):
            return LAYOUTS[name]
    columns = ("id", *_generic_columns(width - 1, offset=1))
    return Layout("columns", columns, separator, columns[1], columns[-1] if width > 2 else None, has_ids=True)


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
