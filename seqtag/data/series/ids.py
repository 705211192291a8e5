"""The ids of series: their type in a frame, as JSON and back, and their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqtag.errors import DataError, shown

OBJECT = np.dtype(object)


def id_texts(ids: Sequence[Any] | np.ndarray) -> list[str]:
    """The texts that stand for ids in a model, in which 7 and "7" are the same series."""
    return [str(name) for name in ids]


def check_distinct(ids: np.ndarray, path: str | None = None) -> None:
    """Raises a `DataError` where two ids have the same text."""
    texts = pd.Series(id_texts(ids), dtype=object)
    twice = texts.duplicated().to_numpy()
    if twice.any():
        name = texts.iloc[int(twice.argmax())]
        raise DataError(f"expected ids of series that differ as text, found {shown(name)} for two", path)


def ids_of_dtype(ids: np.ndarray, dtype: Any) -> pd.Series:
    """Ids as a column of a dtype, such as that of the column that they came from."""
    return pd.Series(ids, dtype=object).astype(dtype)


def dtype_to_dict(dtype: Any) -> dict[str, Any]:
    """The dtype of a column of ids as JSON can hold it.

    Example:
        >>> dtype_to_dict(pd.CategoricalDtype([3, 1]))
        {'dtype': 'category', 'categories': ['3', '1'], 'of': {'dtype': 'int64'}, 'ordered': False}
    """
    if not isinstance(dtype, pd.CategoricalDtype) or dtype.categories is None:
        return {"dtype": str(dtype)}
    return {
        "dtype": "category",
        "categories": id_texts(dtype.categories),
        "of": dtype_to_dict(dtype.categories.dtype),
        "ordered": bool(dtype.ordered),
    }


def dtype_from_dict(data: Mapping[str, Any]) -> Any:
    """The dtype that `dtype_to_dict` described.

    Raises:
        KeyError, TypeError, ValueError: `data` is not what `dtype_to_dict` gives.
    """
    if data["dtype"] != "category":
        return pd.api.types.pandas_dtype(data["dtype"])
    categories = pd.Index(ids_from_texts(data["categories"], dtype_from_dict(data["of"])))
    return pd.CategoricalDtype(categories, data["ordered"])


def ids_from_texts(texts: Sequence[str], dtype: Any) -> pd.Series:
    """Ids of a dtype from their texts, as a column.

    Raises:
        TypeError, ValueError: a text is none of an id of this dtype.

    Example:
        >>> list(ids_from_texts(["3", "1"], pd.CategoricalDtype([1, 3])))
        [3, 1]
    """
    if isinstance(dtype, pd.CategoricalDtype):
        values = dict(zip(id_texts(dtype.categories), dtype.categories, strict=True))
        return pd.Series([values[text] for text in texts], dtype=dtype)
    if pd.api.types.is_bool_dtype(dtype):
        return pd.Series([{"True": True, "False": False}[text] for text in texts], dtype=dtype)
    if pd.api.types.is_integer_dtype(dtype):
        return pd.Series([int(text) for text in texts], dtype=dtype)
    return pd.Series(list(texts), dtype=object).astype(dtype)
