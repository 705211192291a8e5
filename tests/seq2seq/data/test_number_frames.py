"""Sources that are frames of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.load import load_pairs

FRAMES = "id,x,y\na,1,2\na,3,4\nb,5,6\n"
TARGETS = "b\tlast one\na\tfirst\na\talso first\n"


@pytest.fixture
def read(tmp_path):
    def read(frames=FRAMES, targets=TARGETS, **options):
        for name, text in (("x.csv", frames), ("y.tsv", targets)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return load_pairs((tmp_path / "x.csv", tmp_path / "y.tsv"), DataConfig(**options))

    return read


def test_each_target_of_each_id_is_a_pair(read):
    pairs = read()
    assert pairs.targets == ["first", "also first", "last one"]
    assert [source.tolist() for source in pairs.sources] == [[[1, 2], [3, 4]], [[1, 2], [3, 4]], [[5, 6]]]
    assert pairs.sources[0].dtype == np.float32
    assert (pairs.keys, pairs.lines, pairs.has_frames) == (["a", "a", "b"], [2, 2, 4], True)


def test_header_of_targets_separators_and_chosen_columns(read):
    frames = "\ufeffname;x;Time;y\na;1;2;3\n\na;4;1;6\n"
    pairs = read(frames, "ID\ttext\na\tone\n", layout="frames", source_column="name", features=("y", 2))
    assert pairs.sources[0].tolist() == [[6, 4], [3, 1]]


@pytest.mark.parametrize(("times", "order"), [("10 9", [1, 0]), ("2024-01-10 2024-01-09", [1, 0]), ("1 1", [0, 1])])
def test_the_column_of_times_orders_the_rows(read, times, order):
    first, second = times.split()
    pairs = read(f"id,when,x\na,{first},0\na,{second},1\n", "a\tone\n", time_column="when")
    assert pairs.sources[0][:, 0].tolist() == order


@pytest.mark.parametrize(
    ("frames", "targets", "message"),
    [
        ("id,x\na,1\na,NaN\n", "a\tone\n", "x.csv:3: expected a finite number of float32 in column x, found 'NaN'"),
        ("id,x\na,1\na,1e60\n", "a\tone\n", "x.csv:3: expected a finite number of float32 in column x, found '1e60'"),
        ("id,x,y\na,1,two\n", "a\tone\n", "x.csv:2: expected a number in column y, found 'two'"),
        ("id,x,y\na,1,\n", "a\tone\n", "x.csv:2: expected a number in column y, found nothing"),
        ("id,x\na,1,2\n", "a\tone\n", "x.csv:2: expected 2 columns, found 3"),
        ("id,x\n,1\n", "a\tone\n", "x.csv:2: expected an id in column id, found nothing"),
        ("name,x\na,1\n", "a\tone\n", "x.csv:1: expected a column 'id', found columns name, x"),
        ("id,time\na,1\n", "a\tone\n", "x.csv:1: expected columns of numbers beside the id, found columns id, time"),
        ("id,x\na,1\nb,1\na,1\n", "a\tone\nb\ttwo\n", "x.csv:4: expected the rows of id 'a' together, found more"),
        ("id,x\na,1\nb,1\n", "a\tone\n", "y.tsv, found none for 'b'"),
        ("id,x\na,1\n", "a\tone\nc\ttwo\n", "y.tsv:2: expected an id of "),
        ("id,x\na,1\n", "a one\n", "y.tsv:1: expected an id and a target separated by a TAB, found one field"),
        ("id,x\na,1\n", "a\t\n", "y.tsv:1: expected an id and a target separated by a TAB, found one field"),
        ("id,time,x\na,soon,1\n", "a\tone\n", "x.csv:2: expected a time as a number or a date, found 'soon'"),
        ("id,time,x\na,nan,1\n", "a\tone\n", "x.csv:2: expected a time as a number or a date, found 'nan'"),
        ("id,time,x\na,1,1\na,2024-01-01,1\n", "a\tone\n", "x.csv:3: expected numbers or dates alone as times"),
        ("id,x\n", "", "x.csv: expected frames of numbers below the header, found none"),
    ],
)
def test_faults_are_told_with_file_and_line(read, frames, targets, message):
    with pytest.raises(DataError) as caught:
        read(frames, targets, layout="frames")
    assert message in str(caught.value)
