from __future__ import annotations

import numpy as np
import pytest

from seqtag.data.text.vectors.store import WordVectors
from seqtag.data.text.vectors.table import combined

A = WordVectors(["the", "paris", "00"], np.array([[1, 2], [3, 4], [5, 6]], np.float32))
B = WordVectors(["Paris", "The"], np.array([[7], [8]], np.float32))


def vector(table, word):
    _, row = table.find(word)
    return table.matrix[row].tolist() if row >= 0 else None


@pytest.mark.parametrize("words", [None, ["The", "Paris", "paris", "42", "THE", "cat"]])
def test_files_side_by_side(words):
    """Each word has of each file what it has there alone."""
    table = combined([A, B], words)
    assert table.width == 3
    assert vector(table, "The") == [1, 2, 8] and vector(table, "Paris") == [3, 4, 7]
    assert vector(table, "paris") == [3, 4, 0] and vector(table, "42") == [5, 6, 0]
    assert vector(table, "THE") == [1, 2, 0] and vector(table, "cat") is None


def test_one_file_as_it_is_or_cut():
    assert combined([A]) is A
    cut = combined([A], ["The", "7", "12"])
    assert list(cut.words) == ["the", "00"]
    np.testing.assert_array_equal(cut.matrix, A.matrix[[0, 2]])
