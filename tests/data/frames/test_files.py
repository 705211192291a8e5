"""Sequences of frames from files."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

from seqtag.data.frames.columns import ColumnKeys, FrameColumns
from seqtag.data.frames.files import read_frames
from seqtag.data.frames.table import TableRules
from seqtag.errors import DataError

STEPS, WHOLE = TableRules("steps", needs_labels=True), TableRules("sequences", needs_labels=True)
TABLE = "id,time,x,y,label\na,1,1,2,up\na,2,3,4,down\nb,1,5,6,up\n"
HEADER = "#c\n@problemName P\n@timeStamps false\n@univariate false\n@classLabel true u v\n@data\n"


@pytest.fixture
def read(tmp_path):
    def read(text, columns=FrameColumns(), rules=TableRules(), encoding="utf-8"):
        (tmp_path / "x.csv").write_text(text, encoding=encoding)
        return list(read_frames(tmp_path / "x.csv", columns, rules, encoding).sequences)

    return read


def test_a_table_with_a_label_a_step(read):
    first, second = read(TABLE, rules=STEPS)
    assert (first.id, first.step_labels, first.label, first.line, first.lines) == ("a", ("up", "down"), None, 2, (2, 3))
    assert first.frames.dtype == np.float64
    assert first.frames.tolist() == [[1, 2], [3, 4]]
    assert (second.id, second.frames.tolist(), second.line) == ("b", [[5, 6]], 4)
    assert first.place(1)["line"] == 3


def test_a_table_with_a_label_a_sequence(read):
    found = read("id;x;kind\na;1;u\na;2;u\nb;3;v\n", FrameColumns(label="kind"), WHOLE)
    assert [(one.label, one.step_labels, one.frames[:, 0].tolist()) for one in found] == [
        ("u", None, [1, 2]),
        ("v", None, [3]),
    ]


def test_labels_may_be_absent_where_none_are_needed(read):
    rules = TableRules("steps")
    [one] = read("id,x\na,1\n", rules=rules)
    assert (one.step_labels, one.width) == (None, 1)
    [one] = read("id,label,x\na,7,1\n", rules=rules)
    assert (one.step_labels, one.width) == (("7",), 1)


def test_chosen_columns_separators_byte_order_mark_and_blank_lines(read):
    columns = FrameColumns("name", "When", features=("y", 2), keys=ColumnKeys(id="source_column"))
    [one] = read("\ufeffname\tx\twhen\ty\na\t2\t3\t6\n\na\t1\t4\t9\n\n", columns, TableRules(keeps_rows=True))
    assert one.frames.tolist() == [[6, 2], [9, 1]]
    assert (one.rows, one.lines) == (("a\t2\t3\t6", "a\t1\t4\t9"), (2, 4))
    with pytest.raises(DataError, match=r"expected a column 'name', found columns id, x; set data\.source_column"):
        read("id,x\na,1\n", columns)


def test_missing_numbers_are_nan_and_large_ones_keep_their_digits(read):
    [one] = read("id,x,y\na,,1000000000001\na,?,NaN\na,NA,-1e-3\n")
    np.testing.assert_array_equal(one.frames, [[np.nan, 1000000000001], [np.nan, np.nan], [np.nan, -0.001]])


def test_rows_are_sorted_where_that_is_asked_for(read):
    text = "id,time,x\na,10,0\na,9,1\na,9,2\n"
    [one] = read(text, rules=TableRules(sorts=True))
    assert (one.frames[:, 0].tolist(), one.lines) == ([1, 2, 0], (3, 4, 2))


@pytest.mark.parametrize(
    ("text", "rules", "message"),
    [
        ("", STEPS, "x.csv: expected a header and frames of numbers, found an empty file"),
        (" \n\n", STEPS, "x.csv: expected a header and frames of numbers, found an empty file"),
        ("id,x,label\n", STEPS, "x.csv: expected frames of numbers below the header, found none"),
        ("id,x,x\na,1,2\n", TableRules(), "x.csv:1: expected a header of distinct columns, found 'x' twice"),
        (",id,x\n0,a,1\n", TableRules(), "x.csv:1: expected a name of column 1 in the header, found nothing"),
        ("name,x\na,1\n", TableRules(), "x.csv:1: expected a column 'id', found columns name, x; set data.id_column"),
        ("id,x\na,1\n", STEPS, "x.csv:1: expected a column 'label', found columns id, x; set data.label_column"),
        ("id,label\na,u\n", STEPS, "x.csv:1: expected columns of numbers beside the id, found columns id, label"),
        ("id,x\na,1\na,1,2\n", TableRules(), "x.csv:3: expected 2 columns, found 3"),
        ("id,x\n,1\n", TableRules(), "x.csv:2: expected an id in column id, found nothing"),
        ("id,x,y\na,1,two\n", TableRules(), "x.csv:2: expected a number in column y, found 'two'"),
        ("id,x,y\na,inf,1\n", TableRules(), "x.csv:2: expected a finite number of float32 in column x, found 'inf'"),
        ("id,x,label\na,1,\n", STEPS, "x.csv:2: expected a label in column label, found nothing"),
        ("id,x,label\na,1,NaN\n", STEPS, "x.csv:2: expected a label in column label, found 'NaN'"),
        (
            "id,x,label\na,1,u\na,1,v\n",
            WHOLE,
            "x.csv:3: expected one label for all rows of id 'a', found 'v' after 'u'",
        ),
        ("id,x\na,1\nb,1\na,1\n", TableRules(), "x.csv:4: expected the rows of id 'a' together, found more"),
        (
            "id,time,x\na,1,1\na,3,1\na,2,1\n",
            TableRules(),
            "x.csv:4: expected the rows of id 'a' in the order of time, found 2 after 3",
        ),
        ("id,time,x\na,,1\na,1,1\n", TableRules(), "x.csv:2: expected a time as a number or a date, found ''"),
        ("id,time,x\na,nan,1\n", TableRules(), "x.csv:2: expected a time as a number or a date, found 'nan'"),
        ("id,time,x\na,1,1\na,2024-01-01,1\n", TableRules(), "x.csv:3: expected numbers or dates alone as times"),
        (HEADER + "1,2:u\n", STEPS, "x.csv:7: expected a label a step, 2, found 1"),
        (HEADER + "1,2:3:u\n", WHOLE, "x.csv:7: expected 2 steps in dimension 2, as in the first, found 1"),
        (HEADER + "1:2:u\n1:u\n", WHOLE, "x.csv:8: expected 2 dimensions as before, found 1"),
        (HEADER + "1::u\n", WHOLE, "x.csv:7: expected numbers in dimension 2, found none"),
        (HEADER + "1,2:1,z:u\n", WHOLE, "x.csv:7: expected a number, found 'z' in dimension 2, step 1"),
        (HEADER + "1:2:w\n", WHOLE, "x.csv:7: expected a label of u, v, found 'w'"),
        (HEADER + "1:2:\n", WHOLE, "x.csv:7: expected a label, found nothing"),
        (HEADER + "1\n", WHOLE, "x.csv:7: expected dimensions and a label separated by ':', found one field"),
        (HEADER, WHOLE, "x.csv: expected frames of numbers below the header, found none"),
        ("@classLabel maybe\n@data\n", WHOLE, "x.csv:1: expected @classLabel true or false, found 'maybe'"),
        ("@dimensions 0\n@data\n", WHOLE, "x.csv:1: expected @dimensions and a number from 1 on, found '0'"),
        ("@timeStamps true\n@data\n", WHOLE, "x.csv:1: expected @timeStamps false, found true"),
        ("@classLabel true a\n1:a\n", WHOLE, "x.csv:2: expected a key such as @classLabel, or @data, found '1:a'"),
        ("@classLabel true a\n", WHOLE, "x.csv:1: expected @data at the end of the header, found the end of the file"),
        ("@classLabel false\n@data\n1\n", WHOLE, "x.csv: expected labels and @classLabel true, found none"),
    ],
)
def test_faults_are_told_with_file_and_line(read, text, rules, message):
    with pytest.raises(DataError) as caught:
        read(text, rules=rules)
    assert message in str(caught.value)


def test_an_archive_file_of_unequal_length(read):
    found = read(HEADER + "1,?,3:4,5,NaN:u\n# c\n7:8:v\n", rules=WHOLE)
    np.testing.assert_array_equal(found[0].frames, [[1, 4], [np.nan, 5], [3, np.nan]])
    assert [(one.id, one.label, one.line, one.frames.shape) for one in found] == [
        ("1", "u", 7, (3, 2)),
        ("2", "v", 9, (1, 2)),
    ]


def test_an_archive_file_with_a_label_a_step_and_without_labels(read):
    [one] = read("@univariate true\n@classLabel true u v\n@data\n1,2,3:u,v,v\n", rules=STEPS)
    assert one.step_labels == ("u", "v", "v")
    assert one.frames.tolist() == [[1], [2], [3]]
    [one] = read("@classLabel false\n@data\n1,2:3,4\n", rules=TableRules("steps"))
    assert (one.step_labels, one.frames.tolist()) == (None, [[1, 3], [2, 4]])
    [one] = read(HEADER + "1:2:u\n")
    assert (one.label, one.width) == (None, 2)


def test_a_stream_is_read_sequence_by_sequence():
    file = read_frames(io.StringIO(TABLE + "c,1,1,1,up\nc,2,broken,1,up\n"), rules=STEPS)
    assert file.features == ("x", "y")
    assert [next(file.sequences).id, next(file.sequences).id] == ["a", "b"]
    with pytest.raises(DataError, match="found 'broken'"):
        next(file.sequences)


@pytest.mark.skipif("SEQTAG_DATA" not in os.environ, reason="no real data")
def test_japanese_vowels():
    folder = Path(os.environ["SEQTAG_DATA"]) / "japanese_vowels"
    files = [read_frames(folder / f"JapaneseVowels_{split}.ts", rules=WHOLE) for split in ("TRAIN", "TEST")]
    train, test = (list(file.sequences) for file in files)
    assert (len(train), len(test)) == (270, 370)
    lengths = [len(one) for one in train + test]
    assert (min(lengths), max(lengths), {one.width for one in train + test}) == (7, 29, {12})
    assert {one.label for one in train} == set("123456789")
    assert train[0].frames[0, :2].tolist() == [1.860936, -0.207383]
