"""`series.csv` of a run: the last steps of the training series, which a forecast without further input goes on from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.files import long_frame, read_series
from seqtag.data.series.frames import csv_text, read_frame
from seqtag.data.series.ids import ids_from_texts
from seqtag.data.series.slicing import last_steps
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.text_format import TextFormat
from seqtag.errors import DataError
from seqtag.files.writing import atomic_write
from seqtag.forecasting.model import ForecastingModel
from seqtag.runs.reading import check_regular

SERIES = "series.csv"


def save_tail(folder: Path, model: ForecastingModel, table: SeriesTable) -> None:
    """Writes the steps of each series that the model reads, and the rows after its last value."""
    with atomic_write(folder / SERIES) as aside:
        tail = long_frame(table if model.stateful else last_steps(table, model.lookback), model.columns)
        aside.write_bytes(csv_text(tail, index=False).encode())


def load_tail(run: Path, model: ForecastingModel) -> SeriesTable:
    """The series that `save_tail` wrote.

    Raises:
        DataError: there is no such file, or it is no table of these series.
    """
    names = [name for encoder in model.encoder.categories.values() for name in encoder.vocabularies]
    covariates = replace(model.columns.covariates, categorical=tuple(names))
    columns = replace(model.columns, covariates=covariates)
    check_regular(run / SERIES)
    encoder, path = model.encoder, run / SERIES
    frame = read_frame(path, as_text=[columns.series, *names], form=TextFormat(",", ".")).frame
    table = read_series(frame, columns, frequency=encoder.frequency.name, time_zone=encoder.time_zone)
    try:
        ids, id_dtype = _ids_of(table.ids.tolist(), encoder.id_dtype)
    except (KeyError, TypeError, ValueError):
        raise DataError(f"expected ids of type {encoder.id_dtype} as in training, found others", path) from None
    return replace(table, ids=np.array([*ids, None], object)[:-1], id_dtype=id_dtype)


def _ids_of(texts: list[str], dtype: Any) -> tuple[pd.Series, Any]:
    """Ids as in training, and their dtype; that of the categories, where a series was added that is none of them."""
    try:
        return ids_from_texts(texts, dtype), dtype
    except KeyError:
        return ids_from_texts(texts, dtype.categories.dtype), dtype.categories.dtype
