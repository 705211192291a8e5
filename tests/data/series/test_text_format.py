"""CSV files as programs of many countries write them: separators, decimal marks, encodings, blank lines."""

from __future__ import annotations

import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.data.series.text_format import TextFormat
from seqtag.errors import DataError

HEAD = ("unique_id", "ds", "y")
DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


@pytest.fixture
def read(tmp_path):
    """`read(text, encoding=..., **options)`: the table of a file with this text."""

    def call(text, encoding="utf-8", **options):
        (tmp_path / "a.csv").write_bytes(text.encode(encoding))
        return read_series(tmp_path / "a.csv", **options)

    return call


def written(values, separator=";", quote=""):
    rows = [("a", day, f"{quote}{value}{quote}") for day, value in zip(DAYS, values, strict=False)]
    return "\n".join(separator.join(row) for row in (HEAD, *rows)) + "\n"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (written(["1,5", "-2,25", "3"]), [1.5, -2.25, 3]),
        (written(["1.234,5", "1.234", "12"]), [1234.5, 1234, 12]),
        (written(["1 234,5", "2", ""]), [1234.5, 2, np.nan]),
        (written(["1.5", "2", "3"]), [1.5, 2, 3]),
        (written(["12,345", "2", "3"], "\t"), [12.345, 2, 3]),
        (written(["1,5", "2,5"], ",", '"'), [1.5, 2.5]),
        (written(["1,234.5", "12,345"], ",", '"'), [1234.5, 12345]),
        (written(["1,234,567", "2"], ",", '"'), [1234567, 2]),
        (written(["1.5", "2"], "|"), [1.5, 2]),
        (written(["1.5e3", "2"], ","), [1500, 2]),
    ],
)
def test_separators_and_decimal_marks_are_seen_in_the_first_lines(read, text, values):
    table = read(text)
    assert table.ids.tolist() == ["a"]
    np.testing.assert_array_equal(table.values, values)


def test_what_may_be_a_thousand_or_a_fraction_is_asked_for(read):
    text = written(["1,234", "2,345"], ",", '"')
    with pytest.raises(DataError, match=r"a\.csv:2: .* expected a finite number .*, found '1,234'; set data\.decimal"):
        read(text)
    assert read(text, form=TextFormat(decimal=",")).values.tolist() == [1.234, 2.345]
    assert read(text, form=TextFormat(decimal=".")).values.tolist() == [1234, 2345]


def test_a_number_that_is_none_is_named_beside_decimal_commas(read):
    with pytest.raises(DataError, match=r"a\.csv:4: series 'a' at 2024-01-03: expected a finite number .*, found '2x'"):
        read(written(["1,5", "2,5", "2x"]))


def test_text_in_frames_has_its_decimal_mark_by_option():
    frame = pd.DataFrame({"unique_id": "a", "ds": DAYS, "y": ["1.234,5", "2", "3,5"]})
    assert read_series(frame, form=TextFormat(decimal=",")).values.tolist() == [1234.5, 2, 3.5]
    with pytest.raises(DataError, match=r"found '1\.234,5'; set data\.decimal"):
        read_series(frame)


def test_blank_lines_are_skipped_and_counted(read):
    text = "\nunique_id,ds,y\na,1,1\n\n,,\na,2,2\na,3,{}\n\n"
    assert read(text.format(3)).values.tolist() == [1, 2, 3]
    with pytest.raises(DataError, match=r"a\.csv:7: .* expected a finite number"):
        read(text.format("x"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(read, encoding):
    text = "unique_id,ds,y\nMünchen,1,1\nMünchen,2,2\n"
    form = TextFormat(encoding="cp1252" if encoding == "cp1252" else "utf-8")
    assert read(text, encoding, form=form).ids.tolist() == ["München"]
    with pytest.raises(DataError, match=r"found NUL bytes, as in UTF-16; set data\.encoding"):
        read(text.replace("ü", "ue"), "utf-16-le")
    assert read(text, "utf-16-le", form=TextFormat(encoding="utf-16-le")).ids.tolist() == ["München"]
    if encoding == "cp1252":
        with pytest.raises(
            DataError, match=r"a\.csv: expected a CSV file in utf-8, found .*0xfc.*; set data\.encoding"
        ):
            read(text, encoding)


@pytest.mark.parametrize(("suffix", "opened"), [(".gz", gzip.open), (".bz2", bz2.open), (".xz", lzma.open)])
def test_compressed_files(tmp_path, suffix, opened):
    path = tmp_path / f"a.csv{suffix}"
    with opened(path, "wt") as file:
        file.write(written(["1,5", "2"]))
    assert read_series(path).values.tolist() == [1.5, 2]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=rf"a\.csv\{suffix}: expected a compressed CSV file, found"):
        read_series(path)


def test_a_spreadsheet_is_no_csv_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(DataError, match=r"a\.csv: expected a CSV file, found a spreadsheet or an archive"):
        read_series(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unique_id,ds,y\na,1,1\na,2,2,3\n", r"a\.csv:3: expected 3 fields as in the lines before, found 4"),
        ("unique_id,ds,y\na,1,1,5\na,2,2,3\n", r"a\.csv: expected a CSV file, found more than 3 fields a line"),
        ("", r"a\.csv: expected a CSV file, found no columns"),
    ],
)
def test_what_is_no_table_is_said(read, text, message):
    with pytest.raises(DataError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"separator": ";;"}, "expected a separator of one character such as ';', found ';;'"),
        ({"decimal": "x"}, "expected the decimal mark '.' or ',', found 'x'"),
        ({"date_format": "day"}, "expected a form of dates such as '%d.%m.%Y', found 'day'"),
        ({"encoding": "utf-99"}, "expected an encoding such as 'utf-8' or 'cp1252', found 'utf-99'"),
        ({"encoding": "hex"}, "expected an encoding such as 'utf-8' or 'cp1252', found 'hex'"),
        ({"encoding": "a\0"}, "expected an encoding such as 'utf-8' or 'cp1252', found "),
    ],
)
def test_formats_that_are_none(given, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        TextFormat(**given)
