"""Times as people write them: dates of many forms, quarters, weeks, periods, integers; those that no int64 holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.data.series.text_format import TextFormat
from seqtag.errors import DataError


def table_of(ds, frequency=None, **form):
    frame = pd.DataFrame({"unique_id": "a", "ds": ds})
    return read_series(frame.assign(y=1.0), frequency=frequency, form=TextFormat(**form))


def days(table):
    return [str(time.date()) for time in table.to_timestamps(table.times)]


@pytest.mark.parametrize(
    ("texts", "frequency", "expected"),
    [
        (["2024Q1", "2024-Q2", "Q3 2024", "2025q1"], "QS", ["2024-01-01", "2024-10-01", "2025-01-01"]),
        (["2024-M01", "2024M02", "2024m4"], "MS", ["2024-01-01", "2024-03-01", "2024-04-01"]),
        (["2020W52", "2020-W53", "2021W01"], "W", ["2020-12-21", "2020-12-28", "2021-01-04"]),
        (["2024-W01-3", "2024-W02-3"], "W", ["2024-01-03", "2024-01-10"]),
    ],
)
def test_quarters_months_and_weeks_by_number(texts, frequency, expected):
    table = table_of(texts)
    assert table.frequency.name == frequency
    assert set(expected) <= set(days(table)) and days(table)[0] == expected[0]


@pytest.mark.parametrize("text", ["2024Q5", "2024-M13", "2023W53", "2024W00"])
def test_numbers_that_no_year_has(text):
    with pytest.raises(DataError, match=f"series 'a' at {text}: expected a timestamp such as .*, found '{text}'"):
        table_of([text, "2024-01-01"])


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["01.12.2024", "31.12.2024"], r"which may be '%d\.%m\.%Y'"),
        (["12/01/2024", "12/31/2024"], "which may be '%m/%d/%Y'"),
        (["1-2-24 10:00", "2-2-24 10:00"], "which may be '%d-%m-%y %H:%M' or '%m-%d-%y %H:%M'"),
    ],
)
def test_dates_that_need_their_form_are_told_what_it_may_be(texts, form):
    with pytest.raises(DataError, match=f"found '{texts[0]}', {form}; set data.date_format"):
        table_of(texts)


def test_dates_by_their_form():
    texts = ["30.12.2024", "31.12.2024", "02.01.2025"]
    assert days(table_of(texts, date_format="%d.%m.%Y")) == ["2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02"]
    with pytest.raises(DataError, match=r"at 32\.12\.2024: expected a time of the date format '%d\.%m\.%Y', found"):
        table_of([*texts, "32.12.2024"], date_format="%d.%m.%Y")


@pytest.mark.parametrize(("numbers", "form"), [([20240131, 20240201], "%Y%m%d"), ([202412, 202501], "%Y%m")])
def test_digits_that_are_dates(tmp_path, numbers, form):
    """As integers they would count steps: after 20240131 would come 20240132."""
    with pytest.raises(DataError, match=f"expected integers that count steps, found what may be dates, '{form}'; set"):
        table_of(numbers)
    path = tmp_path / "a.csv"
    path.write_text("unique_id,ds,y\n" + "".join(f"a,{number},1\n" for number in numbers))
    for table in (table_of(numbers, date_format=form), read_series(path, form=TextFormat(date_format=form))):
        assert table.lengths.tolist() == [2] and not table.integer_time
    assert table_of(numbers[:1], frequency=1).integer_time, "who states an integer step means integers"


@pytest.mark.parametrize(
    ("freq", "name"), [("M", "MS"), ("Q", "QS"), ("W", "W"), ("D", "D"), ("h", "h"), ("Y", "YS"), ("15min", "15min")]
)
def test_periods_begin_with_their_first_moment_and_bring_their_frequency(freq, name):
    periods = pd.period_range("2024-01-01", periods=3, freq=freq)
    for column in (periods, pd.Series(list(periods), dtype=object)):
        table = table_of(column)
        assert table.frequency.name == name
        assert table.to_timestamps(table.times).tolist() == periods.to_timestamp().tolist()
    assert table_of(periods[:1]).frequency.name == name, "of one row too"


def test_floats_without_a_fraction_are_integers():
    assert table_of([1.0, 2.0, 4.0]).times.tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError, match=r"at 2\.5: expected timestamps or integers, found float64"):
        table_of([1.0, 2.5])


@pytest.mark.parametrize(
    "times",
    [
        [1, 2**62],
        [1, -(2**62)],
        np.array([1, 2**64 - 1], np.uint64),
        pd.Series([1, 10**30], dtype=object),
        [1.0, np.inf],
        [1.0, 1e300],
    ],
)
def test_integers_that_differences_would_overflow_are_refused(times):
    with pytest.raises(DataError, match=r"expected an integer time of at most 2305843009213693952, found a larger one"):
        table_of(times)


def test_a_file_of_huge_integers_names_the_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("unique_id,ds,y\na,1,1\na,9223372036854775807,2\n")
    with pytest.raises(DataError, match=r"a\.csv:3: series 'a' at 9223372036854775807: expected an integer time"):
        read_series(path)


@pytest.mark.parametrize(
    ("times", "frequency", "message"),
    [
        ([1, 2, 10**15], 1, "at 1000000000000000: .* missing rows in all, found 999999999999997 .* '1' since 2"),
        (["2024-01-01", "2024-01-01 00:01", "2324-01-01"], "min", "at 2324-01-01: .*, found 157783678 .* since 2024-"),
        (["0001-01-01", "9999-12-31"], "h", "at 9999-12-31: .* of frequency 'h' since 0001-01-01"),
    ],
)
def test_a_gap_that_would_fill_the_memory_is_refused_with_both_ends(times, frequency, message):
    with pytest.raises(DataError, match=message):
        table_of(times, frequency)


def test_the_first_and_the_last_years_are_read_and_others_refused():
    assert days(table_of(["0001-01-01", "0001-01-02"])) == ["0001-01-01", "0001-01-02"]
    assert days(table_of(["9999-12-30", "9999-12-31"])) == ["9999-12-30", "9999-12-31"]
    for outside in ("10000-01-01", "-0001-12-31"):
        times = np.array(["2000-01-01", outside], "datetime64[s]")
        with pytest.raises(DataError, match="expected a time in the years 1 to 9999, found another"):
            table_of(times)


def test_numbers_among_dates_are_named():
    with pytest.raises(DataError, match="series 'a' at 7: expected a timestamp as in other rows, found 7"):
        table_of(pd.Series(["2024-01-01", 7], dtype=object))


def test_local_hours_that_come_twice_hint_at_the_time_zone():
    hours = pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin").tz_localize(None)
    message = (
        r"at 2024-10-27 02:00:00: .* found two, perhaps of an hour in which local clocks are put back; set data.time"
    )
    with pytest.raises(DataError, match=message):
        table_of(hours)
    with pytest.raises(DataError, match=r"at 2024-10-28 02:00:00: expected one row for each time, found two$"):
        table_of(hours[40:].append(hours[[51]]))


def test_an_offset_that_pandas_alone_reads_is_placed():
    with pytest.raises(DataError, match=r"expected a timestamp such as 2024-01-31 .*, found '2024-10-27 02:1-100'"):
        table_of(["2024-10-27 01:00", "2024-10-27 02:1-100", "2024-10-27 02:00"])


def test_a_step_that_no_time_has():
    with pytest.raises(ValueError, match="expected a step of at most 2305843009213693952, found 9999"):
        table_of([1, 2], frequency="9" * 25)
