"""Sequences and labels from Python objects: two lists, pairs, a DataFrame; checked.

What is wrong is told with the number of its text or row, from 0 as Python counts.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from seqtag.classification.config import Column, DataConfig
from seqtag.classification.data.columns import USUAL, number_of
from seqtag.classification.data.examples import Label, Row
from seqtag.classification.data.tables import labels_in
from seqtag.errors import DataError, shown


def rows_of_lists(X: Any, y: Any, several: bool, what: str = "text") -> Iterator[Row]:
    """Yields texts with their labels.

    Args:
        X: texts.
        y: a label of each, a text or a whole number; or a collection of labels where there are several.
        several: whether a text may have several.
        what: what one of them is called in messages.

    Raises:
        DataError: the lists differ in length, a text is no string, a label is missing.

    >>> next(rows_of_lists(["fine"], [1], several=False))
    Row(line=0, source='fine', labels=(1,), path=None)
    """
    sources = elements(X, "texts")
    for number, (source, labels) in enumerate(zip(sources, labels_of(y, len(sources), several, what), strict=True)):
        yield Row(number, _text(source, f"{what} {number}"), labels)


def labels_of(y: Any, count: int, several: bool, what: str = "text") -> list[tuple[Label, ...]]:
    """The labels of so many sequences.

    Raises:
        DataError: there are more or fewer, or one is missing or of another kind.

    >>> labels_of([1.0, "a"], 2, several=False)
    [(1,), ('a',)]
    """
    labels = elements(y, f"labels, one of each {what}")
    if len(labels) != count:
        raise DataError(f"expected as many labels as {what}s, found {len(labels)} for {count}")
    return [_labels(label, several, f"{what} {number}") for number, label in enumerate(labels)]


def rows_of_pairs(X: Any, several: bool) -> Iterator[Row]:
    """Yields pairs `(text, label)`.

    Raises:
        DataError: `X` holds no pairs; see `rows_of_lists`.
    """
    pairs = elements(X, "a path, a DataFrame, pairs (text, label), or texts and labels")
    for number, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DataError(f"expected a pair (text, label), found {shown(pair)}", f"text {number}")
    yield from rows_of_lists([text for text, _ in pairs], [label for _, label in pairs], several)


def rows_of_texts(X: Any, data: DataConfig) -> Iterator[Row]:
    """Yields texts without labels: a list, or the column of a DataFrame.

    Raises:
        DataError: a text is no string.
    """
    is_frame = is_dataframe(X)
    what = "row" if is_frame else "text"
    for number, text in enumerate(_column(X, data.text_column, 0) if is_frame else elements(X, "a list of texts")):
        yield Row(number, _text(text, f"{what} {number}"))


def rows_of_dataframe(frame: Any, data: DataConfig, several: bool) -> Iterator[Row]:
    """Yields the rows of a DataFrame with the columns `text` and `label`, or those that `data` names.

    Raises:
        DataError: a column is missing, a text is no string, or a label is missing.
    """
    labels = _column(frame, data.label_column, 1)
    if several:
        labels = [labels_in(value, data.label_separator) if isinstance(value, str) else value for value in labels]
    yield from rows_of_lists(_column(frame, data.text_column, 0), labels, several, "row")


def is_dataframe(X: Any) -> bool:
    """Whether this is a DataFrame; pandas need not be imported to say that it is none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def elements(values: Any, expected: str) -> list[Any]:
    """The elements of an iterable that is no text.

    Raises:
        DataError: it is something else.
    """
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        try:
            return list(values)
        except TypeError:  # an array of no dimension says that it is iterable
            pass
    raise DataError(f"expected {expected}, found {shown(values)}")


def _column(frame: Any, column: Column | None, usual: int) -> list[Any]:
    names = [str(name) for name in frame.columns]
    wanted = USUAL[usual] if column is None else column
    number = number_of(wanted)
    if str(wanted) in names:
        return frame.iloc[:, names.index(str(wanted))].tolist()
    if number is not None and 1 <= number <= len(names):
        return frame.iloc[:, number - 1].tolist()
    raise DataError(f"expected a DataFrame with a column {shown(wanted)}, found {', '.join(map(shown, names))}")


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"expected a text as a string, found {shown(value)}", place)
    text = str(value).strip()  # strings of NumPy become Python's
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise DataError(f"expected a text in Unicode, found half of a surrogate pair in {shown(text)}", place)
    return text


def _labels(value: Any, several: bool, place: str) -> tuple[Label, ...]:
    if not several:
        return (_label(value, place),)
    if isinstance(value, str) or not isinstance(value, Collection):
        raise DataError(f"expected a collection of labels, found {shown(value)}", place)
    return tuple(dict.fromkeys(_label(label, place) for label in value))


def _label(value: Any, place: str) -> Label:
    """A label as Python's own text or whole number."""
    if isinstance(value, str) and value.strip():
        return str(value).strip()
    if isinstance(value, int | np.integer | bool | np.bool_):
        return int(value)
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return int(value)
    found = "an empty string" if isinstance(value, str) else shown(value)
    raise DataError(f"expected a label as a text or a whole number, found {found}", place)
