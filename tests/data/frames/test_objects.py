"""Sequences of frames from Python objects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.frames.columns import FrameColumns
from seqtag.data.frames.missing import tell_missing
from seqtag.data.frames.objects import sequences_of_arrays, sequences_of_dataframe
from seqtag.errors import DataError, DataWarning

FRAME = pd.DataFrame(
    {"id": [1, 1, 2], "time": [1.0, 2.0, 0.0], "x": [1, 2, 3], "y": [None, 5.0, 6.0], "label": ["u", "v", "u"]}
)


def test_arrays_of_unequal_length_and_their_labels():
    X = [np.array([[1, 2], [3, 4]], np.int16), [[None, 2.5]]]
    first, second = sequences_of_arrays(X, [np.array([0, 1]), ["a"]], "steps")
    assert (first.id, first.frames.tolist(), first.step_labels) == ("0", [[1, 2], [3, 4]], ("0", "1"))
    np.testing.assert_array_equal(second.frames, [[np.nan, 2.5]])
    assert [one.label for one in sequences_of_arrays(X, np.array(["u", "v"]), "sequences")] == ["u", "v"]
    assert len(list(sequences_of_arrays(np.zeros((3, 4, 2))))) == 3


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], None, "expected sequences, each an array (time, features), found none"),
        ("x.csv", None, "expected sequences, each an array (time, features), found 'x.csv'"),
        ([[1.0, 2.0]], None, "sequence 0: expected numbers (time, features), found [1.0, 2.0]"),
        ([np.zeros(3)], None, "sequence 0: expected numbers (time, features), found an array of shape (3,)"),
        ([[["a"]]], None, "sequence 0: expected numbers (time, features), found [['a']]"),
        ([np.zeros((0, 2))], None, "sequence 0: expected a sequence of at least one frame, found none"),
        ([np.zeros((1, 2)), np.zeros((1, 3))], None, "sequence 1: expected frames of 2 numbers as before, found 3"),
        ([[[1.0], [np.inf]]], None, "sequence 0, step 1: expected finite numbers of float32, found inf"),
        ([[[1.0]]], [["u"], ["v"]], "expected labels of as many sequences, found 2 for 1"),
        ([[[1.0], [2.0]]], [["u"]], "sequence 0: expected a label a step, 2, found 1"),
        ([[[1.0]]], ["u"], "sequence 0: expected a label a step, 1, found 'u'"),
        ([[[1.0]]], [[np.nan]], "sequence 0, step 0: expected a label as a text or a whole number, found nan"),
        ([[[1.0]]], [[""]], "sequence 0, step 0: expected a label, found nothing"),
    ],
)
def test_faults_of_arrays(X, y, message):
    with pytest.raises(DataError) as caught:
        list(sequences_of_arrays(X, y, "steps"))
    assert message in str(caught.value)


def test_a_dataframe_in_long_form():
    names, (first, second) = sequences_of_dataframe(FRAME, FrameColumns(), "steps")
    assert names == ("x", "y")
    np.testing.assert_array_equal(first.frames, [[1, np.nan], [2, 5]])
    assert (first.id, first.step_labels, second.id, second.step_labels) == ("1", ("u", "v"), "2", ("u",))
    _, sequences = sequences_of_dataframe(FRAME.astype({"x": "Int64"}).head(1), FrameColumns(), "sequences")
    assert sequences[0].label == "u"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": [1, 2, 1]}, "row 2: expected the rows of id '1' together, found more"),
        ({"id": [1, None, 2]}, "row 1: expected an id in column id, found nothing"),
        ({"time": [2.0, 1.0, 0.0]}, "row 1: expected the rows of a sequence in the order of time, found 1.0 after 2.0"),
        ({"time": [1.0, np.nan, 0.0]}, "row 1: expected a time, found nothing"),
        ({"x": [1, "two", 3]}, "row 1: expected a number in column x, found 'two'"),
        ({"x": [1, 2, np.inf]}, "row 2: expected a finite number of float32 in column x, found inf"),
        ({"label": ["u", np.nan, "u"]}, "row 1: expected a label as a text or a whole number, found nan"),
    ],
)
def test_faults_of_dataframes(change, message):
    with pytest.raises(DataError) as caught:
        sequences_of_dataframe(FRAME.assign(**change), FrameColumns(), "steps")
    assert message in str(caught.value)
    with pytest.raises(DataError, match="expected one label for all rows"):
        sequences_of_dataframe(FRAME, FrameColumns(), "sequences")
    with pytest.raises(DataError, match="expected a column 'label', found columns id, time, x, y"):
        sequences_of_dataframe(FRAME.drop(columns="label"), FrameColumns(), "steps")
    with pytest.raises(DataError, match="found an empty DataFrame"):
        sequences_of_dataframe(FRAME.head(0), FrameColumns(), "steps")


def test_what_is_missing_is_told_once():
    sequences = [np.array([[1.0, np.nan]]), np.array([[2.0, 3.0]])]
    with pytest.warns(DataWarning, match=r"x.csv: 1 of the numbers are missing, 25.00%") as found:
        tell_missing(sequences, "x.csv")
    assert len(found) == 1
    tell_missing(sequences[1:], None)
