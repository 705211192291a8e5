"""Inspects files of series: lengths, gaps, constant series, seasons, suspicious values.

>>> import pandas as pd
>>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [1.0, 2.0, 4.0] * 20})
>>> print(inspect_series(frame).to_text())
long, 1 series, 60 steps; lengths: shortest 60, median 60, longest 60
  frequency 1, time zone none, from 0 to 59
  missing: 0 values, 0 rows; 0 gaps
  constant series: 0; zeros 0.0%, negative values 0.0%
  seasons: 3 steps (strength 1.00, seen in 100% of the series)
  suspicious values: 0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqtag.data.series.files import SeriesColumns, read_series, read_wide, text_columns
from seqtag.data.series.frames import kept_pipe, read_frame
from seqtag.data.series.long_form import as_frame, with_times
from seqtag.data.series.slicing import histories, up_to_last_value
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.text_format import PLAIN, TextFormat
from seqtag.errors import ConfigError, escaped, shown
from seqtag.forecasting.data.m3 import read_m3
from seqtag.forecasting.defaults.seasons import Season, measure_seasons

LAYOUTS = ("long", "wide", "m3")
# Suspicious are values this many interquartile ranges from the median of their series, and runs of this many equal
# values.
OUTLIER_RANGES, MIN_RUN = 10.0, 30


@dataclass(frozen=True)
class SeriesReport:
    """The report on a table of series.

    Attributes:
        name: the layout, with the period for M3.
        series: the number of series.
        steps: the number of steps of all series, with missing rows.
        lengths: the `min`, `median` and `max` number of steps of a series.
        frequency: the step between two observations.
        time_zone: the time zone; None where timestamps have none.
        first, last: the earliest and the latest time.
        missing_values: the number of rows whose value is missing.
        missing_rows: the number of steps without a row in the file.
        to_forecast: the number of rows after the last values of their series.
        gaps: the number of runs of steps without a value, between two steps with one.
        longest_gap: the longest gap, in words; None where there is no gap.
        constant: the series in which all values are equal.
        zeros, negative: the shares of zero and of negative values.
        seasons: the seasons that were found, see `measure_seasons`.
        suspicious: the number of outliers and of long runs of equal values.
        examples: the first of these, in words.
    """

    name: str
    series: int
    steps: int
    lengths: Mapping[str, float]
    frequency: str
    time_zone: str | None
    first: str
    last: str
    missing_values: int
    missing_rows: int
    to_forecast: int
    gaps: int
    longest_gap: str | None
    constant: tuple[str, ...]
    zeros: float
    negative: float
    seasons: tuple[Season, ...]
    suspicious: int
    examples: tuple[str, ...]

    def to_text(self) -> str:
        """The report as text."""
        lengths = "shortest {min:g}, median {median:g}, longest {max:g}".format(**self.lengths)
        gap = f", the longest {self.longest_gap}" if self.longest_gap else ""
        constant = f" ({', '.join(self.constant[:5])}{' ...' if len(self.constant) > 5 else ''})"
        lines = [
            f"{self.name}, {self.series} series, {self.steps} steps; lengths: {lengths}",
            f"frequency {self.frequency}, time zone {self.time_zone or 'none'}, from {self.first} to {self.last}",
            f"missing: {self.missing_values} values, {self.missing_rows} rows; {self.gaps} gaps{gap}",
            *([f"to forecast: {self.to_forecast} rows after the last values"] if self.to_forecast else []),
            f"constant series: {len(self.constant)}{constant if self.constant else ''};"
            f" zeros {self.zeros:.1%}, negative values {self.negative:.1%}",
            f"seasons: {', '.join(map(_season_text, self.seasons)) or 'none'}",
            f"suspicious values: {self.suspicious}",
            *(f"  {example}" for example in self.examples),
        ]
        hidden = self.suspicious - len(self.examples)
        lines += [f"  and {hidden} more"] if hidden else []
        return "\n  ".join(map(escaped, lines))


@dataclass(frozen=True)
class SeriesReports:
    """The reports on a file: one, or one for each period of M3.

    Attributes:
        path: the file.
        written: how it is written, where that is not with commas between fields and points in numbers.
        parts: the reports.
    """

    path: str | None
    written: str
    parts: tuple[SeriesReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """The reports as values that JSON has."""
        return asdict(self)

    def to_text(self) -> str:
        """The reports as text."""
        head = [escaped(self.path)] if self.path else []
        head += [f"written with {self.written}"] if self.written else []
        return "\n".join([*head, *(part.to_text() for part in self.parts)])


def inspect_series(
    source: Any,
    layout: str = "auto",
    columns: SeriesColumns | None = None,
    frequency: str | int | None = None,
    time_zone: str | None = None,
    form: TextFormat = PLAIN,
    examples: int = 10,
) -> SeriesReports:
    """Reads a file of series and reports on it.

    Args:
        source: a frame, or the path of a CSV file.
        layout: `long`, `wide` or `m3`. `auto` recognises M3 and long files by their columns (a long file of one series
            has no column of ids), and reads any other file as wide, with its first column as the times.
        columns: the columns of a long file, or the column of the times of a wide file.
        frequency: the frequency; inferred unless given.
        time_zone: the time zone of local times.
        form: how the file is written.
        examples: the number of suspicious values to list.

    Raises:
        ConfigError: the layout is unknown.
        DataError: see `read_series`.
    """
    columns = columns or SeriesColumns()
    source = as_frame(source, columns.series, columns.target)
    source = kept_pipe(source)
    frame, path, written = read_frame(source, text_columns(columns.series, columns.time, form), form)
    frame = with_times(frame, (columns.series, columns.time), columns.time)
    names = list(map(str, frame.columns))
    if layout == "auto":
        is_long = {columns.time, columns.target} <= set(names)
        layout = "long" if is_long else "m3" if {"period", "train", "test"} <= set(names) else "wide"
    if layout not in LAYOUTS:
        raise ConfigError(f"expected auto, {', '.join(LAYOUTS)}, found {shown(layout)}", setting="data.layout")
    given: dict[str, Any] = {"frequency": frequency, "time_zone": time_zone, "form": form}
    if layout == "m3":
        tables = {f"m3 {period}": table for period, (table, _) in read_m3(source).items()}
    elif layout == "long":
        tables = {"long": read_series(source, columns, **given)}
    else:
        time = columns.time if columns.time in names else names[0]
        tables = {"wide": read_wide(source, time, **given)}
    parts = tuple(_report(name, table, examples) for name, table in tables.items())
    return SeriesReports(path, written.describe(), parts)


def _report(name: str, table: SeriesTable, examples: int) -> SeriesReport:
    up_to_last_value(table)  # raises where no series has a value
    seasons = measure_seasons(table)
    values = table.values[table.observed]
    gaps = _gaps(table)
    suspicious_values = list(_suspicious(table, seasons))
    lengths = table.lengths
    return SeriesReport(
        name=name,
        series=len(table),
        steps=len(table.values),
        lengths={"min": int(lengths.min()), "median": float(np.median(lengths)), "max": int(lengths.max())},
        frequency=table.frequency.name,
        time_zone=table.time_zone,
        first=table.format_time(table.times.min()),
        last=table.format_time(table.times.max()),
        missing_values=int((~table.observed & ~table.inserted).sum()),
        missing_rows=int(table.inserted.sum()),
        to_forecast=int((table.lengths - histories(table).lengths).sum()),
        gaps=len(gaps),
        longest_gap=_longest(table, gaps),
        constant=tuple(str(table.ids[s]) for s in range(len(table)) if _constant(table.values[table.rows(s)])),
        zeros=float((values == 0).mean()),
        negative=float((values < 0).mean()),
        seasons=seasons,
        suspicious=len(suspicious_values),
        examples=tuple(suspicious_values[:examples]),
    )


def _gaps(table: SeriesTable) -> np.ndarray:
    """The flat steps of the last value before each gap and of the first value after it, `(gaps, 2)`."""
    observed = np.flatnonzero(table.observed)
    pairs = np.stack([observed[:-1], observed[1:]], axis=1)
    inside = table.series_of_step[pairs[:, 0]] == table.series_of_step[pairs[:, 1]]
    return pairs[inside & (np.diff(pairs, axis=1)[:, 0] > 1)]


def _longest(table: SeriesTable, gaps: np.ndarray) -> str | None:
    if not len(gaps):
        return None
    before, after = gaps[int(np.diff(gaps, axis=1)[:, 0].argmax())]
    series = table.ids[table.series_of_step[before]]
    return f"of {after - before - 1} steps in series {shown(series)} after {table.format_time(table.times[before])}"


def _constant(values: np.ndarray) -> bool:
    seen = values[~np.isnan(values)]
    return len(seen) > 1 and bool(seen.min() == seen.max())


def _season_text(season: Season) -> str:
    seen = f"strength {season.strength:.2f}, seen in {season.share_of_series:.0%} of the series"
    return f"{season.length} steps ({seen})"


def _suspicious(table: SeriesTable, seasons: Sequence[Season]) -> Iterator[str]:
    min_run = max([MIN_RUN, *(2 * season.length for season in seasons[:1])])
    for series in range(len(table)):
        rows = table.rows(series)
        values, times = table.values[rows].astype(float), table.times[rows]
        if _constant(values) or np.isnan(values).all():
            continue
        low, middle, high = np.nanquantile(values, [0.25, 0.5, 0.75])
        far = np.abs(values - middle) > OUTLIER_RANGES * (high - low) if high > low else np.zeros(len(values), bool)
        for step in np.flatnonzero(far):
            what = f"{values[step]:g} is far from {middle:g}"
            yield f"series {shown(table.ids[series])} at {table.format_time(times[step])}: {what}"
        for start, length in _runs(values, min_run):
            what = f"{values[start]:g} stays for {length} steps"
            yield f"series {shown(table.ids[series])} at {table.format_time(times[start])}: {what}"


def _runs(values: np.ndarray, min_length: int) -> Iterator[tuple[int, int]]:
    """The starts and lengths of runs of at least `min_length` equal values."""
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    for start, length in zip(starts, lengths, strict=True):
        if length >= min_length:
            yield int(start), int(length)
