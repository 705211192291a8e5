"""Reads the series that a configuration names, and cuts them into a training part and a test part."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series, read_wide
from seqtag.data.series.frames import kept_pipe
from seqtag.data.series.frequency import Frequency
from seqtag.data.series.slicing import first_steps, histories, select_series, slice_steps, up_to_last_value
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.text_format import TextFormat
from seqtag.data.series.timestamps import check_time_zone
from seqtag.errors import ConfigError, DataError, DataWarning, shown
from seqtag.forecasting.config import ForecastingConfig, SeriesDataConfig
from seqtag.forecasting.data.bounds import check_within
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.future import Future, append_future, read_future
from seqtag.forecasting.data.joining import joined
from seqtag.forecasting.data.m3 import read_m3
from seqtag.forecasting.data.new_series import with_new_series
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.data.windows import Windows, all_windows, with_values
from seqtag.runs.config_file import resolve_path

SAMPLES = {"sample:daily": ("D", 730), "sample:hourly": ("h", 1344)}
Part = Literal["history", "future", "all"]


@dataclass(frozen=True, eq=False)
class SeriesData:
    """The series of a configuration.

    Attributes:
        train: the training series; fitting holds out their last steps.
        whole: the same series with their test steps.
        starts: int64 `(series,)`, the number of steps of each series in `whole` before its test steps.
    """

    train: SeriesTable
    whole: SeriesTable
    starts: np.ndarray

    def test_windows(self, lookback: int, horizon: int, stride: int = 1) -> Windows:
        """The windows of `whole` whose futures are test steps; their histories may begin before the test steps.

        Args:
            lookback: steps of history; a shorter history is padded.
            horizon: steps of future.
            stride: steps from one window of a series to the next; the last window of a series is always included.

        Raises:
            DataError: a series has test steps, but fewer than the horizon.
        """
        steps = self.whole.lengths - self.starts
        short = (steps > 0) & (steps < horizon)
        if short.any():
            at = int(short.argmax())
            raise DataError(
                f"series {shown(self.whole.ids[at])}: expected test steps for a horizon of {horizon}, found {steps[at]}"
            )
        windows = all_windows(self.whole, lookback, horizon, stride=stride, min_history=1)
        inside = windows.ends - windows.first >= self.starts[windows.series]
        return with_values(self.whole, windows.take(np.flatnonzero(inside)))


def series_columns(data: SeriesDataConfig) -> SeriesColumns:
    """The names of the columns of a configuration's files.

    Raises:
        ConfigError: a covariate is named twice, or a categorical covariate is not among past, known and static.
    """
    try:
        names = CovariateNames(data.past, data.known, data.static, data.categorical)
    except ValueError as error:
        raise ConfigError(f"data: {error}") from None
    return SeriesColumns(data.series, data.time, data.target, names)


def load_series(config: ForecastingConfig) -> SeriesData:
    """Reads the training series and the test steps that a configuration names.

    The test steps are those of the file `data.test`, the last `data.test_steps` of the training file, or those that
    come with M3's file and with the samples.

    Raises:
        ConfigError: a path is missing, or a frequency or time zone is unknown.
        DataError: a file is at fault, a value lies beyond a bound, or a step of the test file is not later than the
            training steps of its series.
    """
    series = _load(config)
    check_within(series.whole, config.model.lower, config.model.upper)
    return series


def _load(config: ForecastingConfig) -> SeriesData:
    data = config.data
    if data.train is None:
        raise ConfigError("data.train: expected a path, found none")
    source = locate(data.train, data)
    horizon = config.model.horizon
    if source in SAMPLES and data.test_steps is None:
        return _joined(data, sample_frame(source, horizon, "history"), sample_frame(source, horizon, "future"))
    if data.layout == "m3":
        return _with_test_values(*_m3(data, source))
    if data.test is not None:
        return _joined(data, source, locate(data.test, data))
    return _cut(read_table(data, source, horizon), data)


def read_table(data: SeriesDataConfig, source: Any, horizon: int = 1, part: Part = "all") -> SeriesTable:
    """Reads the series of a file in the layout of a configuration, with rows after the last value of a series.

    Args:
        data: the configuration of the data.
        source: a frame, a path, `-` for standard input, or the name of a sample.
        horizon: the number of steps of a sample's future.
        part: the part of a sample or of M3's file to read.

    Raises:
        ConfigError, DataError: as `load_series`.
    """
    if isinstance(source, str) and source in SAMPLES:
        source = sample_frame(source, horizon, part)
    if data.layout == "m3":
        table, test = _m3(data, source)
        return table if part == "history" else _with_test_values(table, test).whole
    return _read(data, source, data.frequency, data.time_zone)


def training_table(config: ForecastingConfig, source: Any) -> SeriesTable:
    """Reads series to fit on, with rows after the last value of a series; `source` as in `read_table`.

    Raises:
        ConfigError, DataError: as `load_series`.
    """
    table = read_table(config.data, source, config.model.horizon, "history")
    check_within(table, config.model.lower, config.model.upper)
    return table


def locate(path: str, data: SeriesDataConfig) -> str:
    """The path of a configuration's file; the name of a sample stays as it is."""
    return path if path in SAMPLES else str(resolve_path(path, data.root))


def sample_frame(name: str, horizon: int, part: Part) -> pd.DataFrame:
    """The frame of a sample: its history, its future, or both."""
    frequency, steps = SAMPLES[name]
    history, future = sample_series(steps=steps, horizon=horizon, frequency=frequency)
    return {"history": history, "future": future}.get(part, pd.concat([history, future], ignore_index=True))


def read_as_trained(
    data: SeriesDataConfig, encoder: SeriesEncoder, source: Any, horizon: int, part: Part
) -> SeriesTable:
    """Reads the series of a file as `read_table`, on the grid and in the time zone of a model's training data.

    Raises:
        ConfigError, DataError: as `load_series`; another frequency or time zone.
    """
    check_names(data.frequency, data.time_zone)
    if data.frequency is not None and Frequency.parse(data.frequency) != encoder.frequency:
        message = f"expected {shown(encoder.frequency.name)} as in training, found {shown(data.frequency)}"
        raise ConfigError(message, setting="data.frequency")
    table = read_table(data.model_copy(update={"frequency": encoder.frequency.name}), source, horizon, part)
    if table.time_zone != encoder.time_zone:
        expected, found = (time_zone or "none" for time_zone in (encoder.time_zone, table.time_zone))
        start = table.format_time(table.times[0])
        raise DataError(
            f"series {shown(table.ids[0])} at {start}: expected time zone {expected} as in training, found {found}",
            setting="data.time_zone",
        )
    return table


def next_steps(
    data: SeriesDataConfig,
    table: SeriesTable,
    default: int,
    horizon: int | None = None,
    source: Any = None,
    trained: Collection[str] = (),
) -> tuple[SeriesTable, Future]:
    """The series up to their last values, and the steps to forecast after these.

    Rows after a series' last value are steps to forecast, and so are all rows of a series without a value. Where every
    series ends with such rows, the longest run of them is the horizon; their known covariates serve where no others are
    given. A series that neither the table nor training has is forecast from its first row in `source` on.

    Args:
        data: the configuration of the data.
        table: the series with such rows, as `read_table` gives them.
        default: the number of steps where neither `horizon` nor rows say it.
        horizon: the number of steps.
        source: the known covariates: a frame, a path, `-` for standard input, or the name of a sample.
        trained: the ids of the training series, as text.

    Raises:
        ConfigError, DataError, ValueError: see `read_future`.
    """
    columns, rows = series_columns(data), table.lengths - histories(table).lengths
    steps = horizon if horizon is not None else int(rows.max()) if (rows > 0).all() else default
    if isinstance(source, str) and source in SAMPLES:
        source = sample_frame(source, steps, "future")
    source = kept_pipe(source)
    table = with_new_series(table, source, columns, text_format(data), trained)
    history = histories(table)
    rows = table.lengths - history.lengths
    later = slice_steps(table, history.lengths, table.lengths) if rows.any() else None
    return history, read_future(history, steps, source, columns, text_format(data), later)


def series_with_values(table: SeriesTable) -> SeriesTable:
    """The series up to their last values, for a fit; those without a value are left out, with a warning.

    Raises:
        DataError: no series has a value.
    """
    known = up_to_last_value(table)
    missing = len(table) - len(known)
    if missing:
        named = shown(table.ids[int((histories(table).lengths == 0).argmax())])
        warnings.warn(DataWarning(f"left out {missing} series without a value, such as {named}"), stacklevel=3)
    return known


def text_format(data: SeriesDataConfig) -> TextFormat:
    """How the files of a configuration are written."""
    return TextFormat(data.separator, data.decimal, data.date_format, data.encoding)


def _read(data: SeriesDataConfig, source: Any, frequency: str | int | None, time_zone: str | None) -> SeriesTable:
    columns, form = series_columns(data), text_format(data)
    check_names(frequency, time_zone)
    given: dict[str, Any] = {"frequency": frequency, "time_zone": time_zone, "form": form}
    if data.layout == "wide":
        try:
            return read_wide(source, data.time, data.targets, columns.covariates, **given)
        except DataError:
            raise
        except ValueError as error:
            raise ConfigError(f"data: {error}") from None
    return read_series(source, columns, **given)


def check_names(frequency: str | int | None, time_zone: str | None) -> None:
    """Raises a `ConfigError` for an unknown frequency or time zone."""
    try:
        key = "data.frequency"
        if frequency is not None:
            Frequency.parse(frequency)
        key = "data.time_zone"
        if time_zone is not None:
            check_time_zone(time_zone)
    except ValueError as error:
        raise ConfigError(f"{str(error)[:1].lower()}{str(error)[1:]}", setting=key) from None


def _m3(data: SeriesDataConfig, source: Any) -> tuple[SeriesTable, np.ndarray]:
    periods = read_m3(source)
    if data.period not in periods:
        raise DataError(f"expected series of period {shown(data.period)}, found {', '.join(periods)}", source)
    return periods[data.period]


def _with_test_values(table: SeriesTable, test: np.ndarray) -> SeriesData:
    """The series, and the same with test values `(series, horizon)` after them."""
    whole = append_future(table, read_future(table, test.shape[1]))
    steps = whole.offsets[1:, None] - np.arange(test.shape[1], 0, -1)
    values, inserted = whole.values.copy(), whole.inserted.copy()
    values[steps], inserted[steps] = test, False
    return SeriesData(table, dataclasses.replace(whole, values=values, inserted=inserted), table.lengths)


def _joined(data: SeriesDataConfig, source: Any, test: Any) -> SeriesData:
    """The series of a training file and of a test file with later steps of the same series."""
    table = series_with_values(_read(data, source, data.frequency, data.time_zone))
    path = test if isinstance(test, str) else None
    with errors_in(path):
        later = up_to_last_value(_read(data, test, table.frequency.name, table.time_zone))
        lengths = pd.Series(table.lengths, index=table.ids)
        ends = pd.Series(table.times_at(np.arange(len(table)), table.lengths - 1), index=table.ids)
        for series, first in enumerate(later.times_at(np.arange(len(later)), np.zeros(len(later), np.int64))):
            name = later.ids[series]
            if name not in lengths.index:
                raise DataError(f"series {shown(name)}: expected a series of {source}, found another")
            if first <= ends[name]:
                found = f"expected a time after {table.format_time(ends[name])}, the last of the training data"
                raise DataError(f"series {shown(name)} at {later.format_time(first)}: {found}, found this")
        whole = joined(table, later, series_columns(data))
    return SeriesData(table, whole, lengths[whole.ids].to_numpy())


def _cut(table: SeriesTable, data: SeriesDataConfig) -> SeriesData:
    """The first `train_steps` and the `test_steps` after them; without `train_steps`, the last `test_steps`.

    A series that has test steps alone is left out, with a warning.
    """
    table = series_with_values(table)
    test = data.test_steps or 0
    short = np.zeros(len(table), bool) if data.train_steps else table.lengths <= test
    if short.all():
        message = (
            f"series {shown(table.ids[0])}: expected steps before the last {test}, found {table.lengths[0]} in all"
        )
        raise DataError(message, data.train)
    if short.any():
        named = shown(table.ids[int(short.argmax())])
        message = f"left out {short.sum()} series of no more than the {test} test steps, such as {named}"
        warnings.warn(DataWarning(message, data.train), stacklevel=2)
        table = select_series(table, ~short)
    lengths = table.lengths if data.train_steps is None else np.minimum(table.lengths, data.train_steps + test)
    starts = lengths - test if data.train_steps is None else np.minimum(lengths, data.train_steps)
    return SeriesData(first_steps(table, starts), first_steps(table, lengths), starts)


@contextmanager
def errors_in(path: str | None) -> Iterator[None]:
    """Adds the file to a `DataError` that names none."""
    try:
        yield
    except DataError as error:
        raise (error if error.path is not None or path is None else error.at(path)) from None
