"""A slice of a table equals the table of the same slice of the frame."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.data.series.covariates import Categories, CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.data.series.slicing import first_steps, hide_after, select_series, slice_steps
from seqtag.forecasting.data.samples import sample_series

COLUMNS = SeriesColumns(covariates=CovariateNames(past=("cost",), known=("promotion", "holiday"), static=("region",)))


@pytest.fixture(scope="module")
def frame():
    history = sample_series(4, 120, 1, seed=2)[0]
    return history.assign(cost=np.arange(float(len(history))))


def read(frame):
    return read_series(frame, COLUMNS, frequency="D")


def symbols(column):
    return [None if code < 0 else column.symbols[code] for code in column.codes]


def assert_same(found, expected):
    for name in ("ids", "offsets", "values", "times", "inserted", "steps_since_observed"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for group in ("past", "known", "static"):
        for name, column in getattr(expected, group).items():
            part = getattr(found, group)[name]
            if isinstance(column, Categories):
                assert symbols(part) == symbols(column)
            else:
                np.testing.assert_array_equal(part, column)


def test_some_series_are_as_if_they_were_alone(frame):
    names = ["shop_3", "shop_1"]
    alone = frame[frame["unique_id"].isin(names)].sort_values("unique_id", ascending=False, kind="stable")
    assert_same(select_series(read(frame), [3, 1]), read(alone))
    assert select_series(read(frame), np.array([True, False, False, True])).ids.tolist() == ["shop_0", "shop_3"]


def test_first_steps_are_as_if_the_rest_had_not_come_yet(frame):
    table = read(frame)
    cut = np.sort(frame["ds"].unique())[-21]
    late = [(table.to_timestamps(table.times[table.rows(s)]) > cut).sum() for s in range(len(table))]
    assert_same(first_steps(table, table.lengths - late), read(frame[frame["ds"] <= cut]))


def test_some_steps_are_as_if_there_were_no_others(frame):
    table = read(frame)
    days = np.sort(frame["ds"].unique())[[-50, -21]]
    at = [table.to_timestamps(table.times[table.rows(s)]) for s in range(len(table))]
    starts, ends = (np.array([np.searchsorted(times, day) for times in at]) for day in days)
    part = slice_steps(table, starts, ends)
    between = frame[(frame["ds"] >= days[0]) & (frame["ds"] < days[1])]
    assert_same(part, read(between))
    np.testing.assert_array_equal(part.times_at(np.array([3]), np.array([2])), part.times[part.rows(3)][2:3])


def test_a_table_as_it_was_known_differs_in_nothing_that_had_come(frame):
    names = CovariateNames(past=("cost", "weather"), known=("promotion", "holiday"), static=("region",))
    weather = np.where(frame["y"] > 100, "hot", "cold")
    table = read_series(frame.assign(weather=weather), SeriesColumns(covariates=names), frequency="D")
    lengths = table.lengths - np.array([0, 5, 20, table.lengths[3]])
    known = hide_after(table, lengths)
    assert_same(first_steps(known, lengths), first_steps(table, lengths))
    for series, length in enumerate(lengths):
        steps = slice(table.rows(series).start + length, table.rows(series).stop)
        assert np.isnan(known.values[steps]).all()
        assert np.isnan(known.past["cost"][steps]).all()
        assert (known.past["weather"].codes[steps] == -1).all()
        assert known.inserted[steps].all()
    assert known.past["weather"].symbols == table.past["weather"].symbols
    assert known.known is table.known
    np.testing.assert_array_equal(known.times, table.times)
    with pytest.raises(ValueError, match="read-only"):
        known.values[0] = 1


def test_series_without_steps_are_left_out(frame):
    table = read(frame)
    part = first_steps(table, np.array([3, 0, 1, 0]))
    assert part.ids.tolist() == ["shop_0", "shop_2"]
    assert part.lengths.tolist() == [3, 1]
    with pytest.raises(ValueError, match="read-only"):
        part.known["promotion"][0] = 1


def test_wrong_parts(frame):
    table = read(frame)
    for lengths in ([1, 1, 1], [1, 1, 1, -1], table.lengths + 1):
        with pytest.raises(ValueError, match="expected a length for each of 4 series, at most its own, found"):
            first_steps(table, lengths)
        with pytest.raises(ValueError, match="expected a length for each of 4 series, at most its own, found"):
            hide_after(table, lengths)
    zeros = np.zeros(4, int)
    for starts in (zeros[1:], zeros - 1, zeros + 2):
        with pytest.raises(ValueError, match="expected a start and an end for each of 4 series, found"):
            slice_steps(table, starts, zeros + 1)
    with pytest.raises(ValueError, match="expected ends of at most the series' lengths"):
        slice_steps(table, zeros, table.lengths + 1)
    with pytest.raises(ValueError, match="expected at least one series to be left, found none"):
        first_steps(table, np.zeros(4, int))
    with pytest.raises(IndexError):
        select_series(table, [4])
