"""The check that series lie within the bounds of a configuration."""

from __future__ import annotations

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown


def check_within(table: SeriesTable, lower: float | None, upper: float | None) -> None:
    """Raises a `DataError` that names the first value of a table beyond a bound; None is no bound."""
    for beyond, bound, words in (
        (table.values < (-np.inf if lower is None else lower), lower, "at least the lower"),
        (table.values > (np.inf if upper is None else upper), upper, "at most the upper"),
    ):
        if beyond.any():
            at = int(beyond.argmax())
            raise DataError(
                f"series {shown(table.ids[table.series_of_step[at]])} at {table.format_time(table.times[at])}: expected"
                f" a value of {words} bound of {bound:g}, found {table.values[at]:g}"
            )
