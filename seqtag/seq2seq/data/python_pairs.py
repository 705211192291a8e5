"""Pairs from Python objects: pairs, two lists, arrays, a DataFrame; checked.

What is wrong is told with the number of its pair, source or row, from 0 as Python counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from seqtag.data.text.fields import number_of
from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import Column, DataConfig
from seqtag.seq2seq.data.columns import USUAL, feature_columns
from seqtag.seq2seq.data.pairs import Row, kind_of

PAIRS = "a path, two paths, a DataFrame or pairs (source, target)"


def rows_of_pairs(X: Any, data: DataConfig) -> Iterator[Row]:
    """Yields pairs `(source, target)`; a source is a text, or an array `(time, features)`.

    Where `data` names features, a source is a tuple of the text and its features.

    Raises:
        DataError: `X` holds no pairs, a source is empty or of another kind, or a target is no text.

    >>> next(rows_of_pairs([("ABBY", "AE B IY")], DataConfig()))
    Row(line=0, source='ABBY', target='AE B IY', features=(), key=None)
    """
    pairs = _elements(X, PAIRS)
    for number, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DataError(f"expected a pair (source, target), found {shown(pair)}", f"pair {number}")
    yield from _rows([source for source, _ in pairs], [target for _, target in pairs], data, "pair")


def rows_of_lists(X: Any, y: Any, data: DataConfig) -> Iterator[Row]:
    """Yields the pairs of two lists, sources and targets.

    Raises:
        DataError: the lists differ in length; see also `rows_of_pairs`.
    """
    sources, targets = _elements(X, "sources"), _elements(y, "targets, one a source")
    if len(sources) != len(targets):
        raise DataError(f"expected as many targets as sources, found {len(targets)} for {len(sources)}")
    yield from _rows(sources, targets, data, "pair")


def rows_of_sources(X: Any, data: DataConfig) -> Iterator[Row]:
    """Yields sources without targets; a text may be empty.

    Raises:
        DataError: see `rows_of_pairs`.
    """
    if is_dataframe(X):
        return _rows(_frame_sources(X, data), None, data, "row")
    return _rows(_elements(X, "a list of sources"), None, data, "source")


def rows_of_dataframe(frame: Any, data: DataConfig) -> Iterator[Row]:
    """Yields the rows of a DataFrame with the columns `source` and `target`, or those that `data` names.

    Raises:
        DataError: a column is missing, or a value is no text.
    """
    targets = _column(frame, data.target_column or USUAL[1]).tolist()
    keys = None if data.split_column is None else _column(frame, data.split_column).tolist()
    for number, row in enumerate(_rows(_frame_sources(frame, data), targets, data, "row")):
        yield row if keys is None else row._replace(key=_text(keys[number], "text to split by", f"row {number}"))


def is_dataframe(X: Any) -> bool:
    """Whether this is a DataFrame; pandas need not be imported to say that it is none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def _frame_sources(frame: Any, data: DataConfig) -> list[Any]:
    """The sources of a DataFrame, in tuples with their features where there are any."""
    columns = [data.source_column or USUAL[0], *feature_columns(data)]
    values = [_column(frame, column).tolist() for column in columns]
    return values[0] if len(values) == 1 else list(zip(*values, strict=True))


def _column(frame: Any, column: Column) -> Any:
    names = [str(name) for name in frame.columns]
    number = number_of(column)
    if str(column) in names:
        return frame.iloc[:, names.index(str(column))]
    if number is not None and 1 <= number <= len(names):
        return frame.iloc[:, number - 1]
    raise DataError(f"expected a DataFrame with a column {shown(column)}, found {', '.join(map(shown, names))}")


def _elements(values: Any, expected: str) -> list[Any]:
    """The elements of an iterable that is no text."""
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        try:
            return list(values)
        except TypeError:  # an array of no dimension says that it is iterable
            pass
    raise DataError(f"expected {expected}, found {shown(values)}")


def _rows(sources: Sequence[Any], targets: Sequence[Any] | None, data: DataConfig, what: str) -> Iterator[Row]:
    names = feature_columns(data)
    width = -1
    for number, given in enumerate(sources):
        place = f"{what} {number}"
        source, features = _taken_apart(given, len(names), place)
        source = _source(source, place, may_be_empty=targets is None)
        found = 0 if isinstance(source, str) else source.shape[1]
        if found != width and number:
            raise DataError(f"expected {kind_of(width)} as before, found {kind_of(found)}", place)
        width = found
        target = None if targets is None else _text(targets[number], "target", place)
        yield Row(number, source, target, tuple(_text(f, "feature", place, may_be_empty=True) for f in features))


def _taken_apart(given: Any, features: int, place: str) -> tuple[Any, Sequence[Any]]:
    """A source and its features."""
    if not features:
        return given, ()
    if not isinstance(given, tuple | list) or len(given) != features + 1:
        expected = f"a source with its {features} further column{'s' if features > 1 else ''} in a tuple"
        raise DataError(f"expected {expected}, found {shown(given)}", place)
    return given[0], given[1:]


def _source(value: Any, place: str, may_be_empty: bool) -> Any:
    """A text, or an array of frames."""
    if isinstance(value, str):
        return _text(value, "source", place, may_be_empty)
    frames = _numbers(value)
    if frames is None or frames.ndim != 2 or not frames.shape[1]:
        raise DataError(f"expected a source as a string or as numbers (time, features), found {_brief(value)}", place)
    if not len(frames):
        raise DataError("expected a source of at least one frame, found none", place)
    if not np.isfinite(frames).all():
        frame, feature = np.argwhere(~np.isfinite(frames))[0]
        raise DataError(f"expected finite numbers, found {value[frame][feature]} in frame {frame}", place)
    return frames


def _numbers(value: Any) -> np.ndarray | None:
    """An array, or nested lists of numbers, as float32; None for anything else."""
    try:
        numbers = np.asarray(value)
        with np.errstate(over="ignore"):
            return numbers.astype(np.float32) if numbers.dtype.kind in "fiub" else None
    except ValueError:  # nested lists of several lengths
        return None


def _text(value: Any, what: str, place: str, may_be_empty: bool = False) -> str:
    if not isinstance(value, str):
        raise DataError(f"expected a {what} as a string, found {shown(value)}", place)
    text = str(value).strip()  # strings of NumPy become Python's
    if not text and not may_be_empty:
        raise DataError(f"expected a {what}, found an empty string", place)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise DataError(f"expected a {what} in Unicode, found half of a surrogate pair in {shown(text)}", place)
    return text


def _brief(value: Any) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else shown(value)
