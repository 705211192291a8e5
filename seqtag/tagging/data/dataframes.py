"""Tagged sentences from a DataFrame with a row a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from seqtag.errors import DataError, shown
from seqtag.tagging.data.document_marks import DOCUMENT_NAMES
from seqtag.tagging.data.sentence_ids import SentenceIds
from seqtag.tagging.data.table_header import SENTENCE_NAMES, TAG_NAMES, TOKEN_NAMES, find_column
from seqtag.tagging.data.weights import WEIGHT, read_weight

if TYPE_CHECKING:
    from seqtag.tagging.data.corpus import ReadingOptions


def sentences_of_frame(
    frame: pd.DataFrame, options: ReadingOptions
) -> tuple[list[list[str]], list[list[str]], list[list[list[str]]], list[float], list[Any]]:
    """The tokens, the tags and the further columns of each sentence; of each its weight and its document too.

    The further columns are those of features, and those of tags. There is nothing for weights or documents that are no
    column.

    Rows with the same id make a sentence, wherever they stand; if ids stand on the first rows of sentences alone, the
    rows below belong to them.

    Raises:
        DataError: a column is missing, the frame is empty, a value is no text, or a weight is none; the message names
            its row.
    """
    found = {
        "sentence": _column(frame, options.sentence_column, SENTENCE_NAMES),
        "token": _column(frame, options.token_column, TOKEN_NAMES),
        "tag": _column(frame, options.tag_column, TAG_NAMES),
    }
    names = [*options.features, *(column.tag_name for column in options.further)]
    found |= {str(name): _column(frame, name, ()) for name in names}
    if missing := [what for what, column in found.items() if column is None]:
        raise DataError(f"expected a DataFrame with columns {', '.join(found)}, found no {', '.join(missing)}")
    if not len(frame):
        raise DataError("expected sentences, found an empty DataFrame")
    ids, *texts = (frame.iloc[:, column] for column in found.values() if column is not None)
    documents = _documents(frame)
    groups = _groups(ids, documents)
    values = map(_texts, texts)
    tokens, tags, *columns = ([[column[n] for n in group] for group in groups] for column in values)
    of_sentences = [[column[n] for column in columns] for n in range(len(groups))]
    return tokens, tags, of_sentences, _weights(frame, groups), [documents[group[0]] for group in groups if documents]


def _documents(frame: pd.DataFrame) -> list[Any]:
    """What the column of documents says in each row, None for nothing; no list without one."""
    index = _column(frame, None, DOCUMENT_NAMES)
    if index is None:
        return []
    column = frame.iloc[:, index]
    return [None if blank else value for value, blank in zip(column.tolist(), _blank(column), strict=True)]


def _blank(column: pd.Series) -> pd.Series:
    return column.isna() | (column == "")


def _weights(frame: pd.DataFrame, groups: Sequence[Sequence[int]]) -> list[float]:
    """What the column `weight` says of each sentence; nothing without one."""
    if WEIGHT not in frame.columns:
        return []
    column = frame[WEIGHT].tolist()
    weights: list[float] = []
    for group in groups:
        weight = None
        for n in group:
            try:
                weight = read_weight(column[n], weight)
            except DataError as error:
                raise error.at(f"row {frame.index[n]}") from None
        weights += [] if weight is None else [weight]
    return weights


def _column(frame: pd.DataFrame, chosen: str | int | None, usual: Sequence[str]) -> int | None:
    """The place of a column that is chosen by its name, or that has one of the usual ones."""
    names = [str(name) for name in frame.columns]
    if isinstance(chosen, str) and chosen in names:
        return names.index(chosen)
    return find_column(names, usual)


def _texts(column: pd.Series) -> list[str]:
    """The values of a column, which are all texts."""
    values = column.tolist()
    for row, value in zip(column.index, values, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"expected text in column {shown(column.name)}, found {_shown(value)}", f"row {row}")
    return values


def _shown(value: Any) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "NaN; pandas reads words such as NA and null as NaN unless keep_default_na=False"
    return shown(value)


def _groups(ids: pd.Series, documents: Sequence[Any]) -> list[list[int]]:
    """The rows of each sentence, in the order in which sentences begin; each document may count them anew."""
    # Documents on some rows alone do not tell rows apart.
    of_rows = documents if documents and None not in documents else [""] * len(ids)
    blank = _blank(ids)
    if not blank.any():
        groups: dict[object, list[int]] = {}
        for n, key in enumerate(zip(of_rows, ids.tolist(), strict=True)):
            groups.setdefault(key, []).append(n)
        return list(groups.values())
    sentences: list[list[int]] = []
    starts = SentenceIds().starts
    names = ids.where(~blank, "").tolist()
    for n, (row, name, document) in enumerate(zip(ids.index, names, of_rows, strict=True)):
        try:
            if starts(str(name), str(document)):
                sentences.append([])
        except DataError as error:
            raise error.at(f"row {row}") from None
        sentences[-1].append(n)
    return sentences
