"""The columns of a line: what separates them, and which of them are the source, the target and the further features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seqtag.data.text.fields import number_of
from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import Column, DataConfig

USUAL = ("source", "target")
CONLLU_FEATURES = ("upos",)


class SourceColumns(NamedTuple):
    """The 0-based places of the columns that make a source."""

    source: int
    features: tuple[int, ...] = ()

    @property
    def needed(self) -> int:
        """How many columns a line needs."""
        return 1 + max((self.source, *self.features))


class Columns(NamedTuple):
    """The 0-based places of the columns that make a pair; `key` is what sources are split by."""

    source: int
    target: int
    features: tuple[int, ...] = ()
    key: int | None = None

    @property
    def needed(self) -> int:
        """How many columns a line needs."""
        return 1 + max(self.source, self.target, *self.features, self.key or 0)


def separator_name(separator: str) -> str:
    """What separates columns, for messages."""
    return "a TAB" if separator == "\t" else shown(separator)


def has_header(first: Sequence[str], data: DataConfig) -> bool:
    """Whether the first line of pairs names the columns: one is chosen by name, or it has `source` and `target`."""
    return _chosen_by_name(data, data.target_column, data.split_column) or _has_usual_names(first, data)


def has_source_header(first: Sequence[str], data: DataConfig) -> bool:
    """Whether the first line of sources names the columns: it has those that are chosen by name, or the usual names."""
    names = [name.casefold() for name in first]
    chosen = [data.source_column, *(data.features or ())]
    named = [str(column).casefold() for column in chosen if column is not None and number_of(column) is None]
    return (bool(named) and all(name in names for name in named)) or _has_usual_names(first, data)


def columns_of(data: DataConfig, header: Sequence[str] | None) -> Columns:
    """The places of the columns of pairs that a configuration names.

    Raises:
        DataError: the header has no such column, or the target is a column of the source; without place.
    """
    source, features = source_columns(data, header)
    usual = USUAL[1] if header is not None and _has_usual_names(header, data) else 2
    target = _index(usual if data.target_column is None else data.target_column, header, "target_column")
    key = None if data.split_column is None else _index(data.split_column, header, "split_column")
    if target in (source, *features):
        found = f"column {target + 1} for both"
        raise DataError(f"expected a target beside the source, found {found}", setting="data.target_column")
    return Columns(source, target, features, key)


def source_columns(data: DataConfig, header: Sequence[str] | None) -> SourceColumns:
    """The places of the columns of sources.

    Raises:
        DataError: the header has no such column; without place.
    """
    usual = USUAL[0] if header is not None and _has_usual_names(header, data) else 1
    source = _index(usual if data.source_column is None else data.source_column, header, "source_column")
    return SourceColumns(source, tuple(_index(column, header, "features") for column in data.features or ()))


def feature_columns(data: DataConfig) -> tuple[Column, ...]:
    """The further columns of a source that a model reads: unless set, UPOS of CoNLL-U and none of other layouts."""
    if data.features is not None:
        return data.features
    return CONLLU_FEATURES if data.layout == "conllu" else ()


def _chosen_by_name(data: DataConfig, *others: Column | None) -> bool:
    chosen = [data.source_column, *(data.features or ()), *others]
    return any(column is not None and number_of(column) is None for column in chosen)


def _has_usual_names(first: Sequence[str], data: DataConfig) -> bool:
    is_unset = data.source_column is None and data.target_column is None
    return is_unset and {name.casefold() for name in first} >= set(USUAL)


def _index(column: Column, header: Sequence[str] | None, setting: str) -> int:
    number = number_of(column)
    if number is not None and number > 0:
        return number - 1
    names = [name.casefold() for name in header or ()]
    if number is None and str(column).casefold() in names:
        return names.index(str(column).casefold())
    found = f"columns {', '.join(map(shown, header))}" if number is None and header is not None else shown(column)
    expected = f"a column {shown(column)}" if number is None else "a name or a number from 1 on"
    raise DataError(f"expected {expected}, found {found}", setting=f"data.{setting}")
