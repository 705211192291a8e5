"""The highest values, found in blocks, are those of a stable sort."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from seqtag.ops.selection import best, take_within


@pytest.mark.parametrize("places", [5, 127, 128, 500, 1001])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("levels", [3, 10, 10**6])
def test_the_highest_values_come_first_and_the_first_of_equal_ones(places, count, levels):
    values = np.random.default_rng(places).integers(0, levels, size=(4, places)).astype(np.float32)
    values[1, 2:] = -np.inf
    values[2] = -np.inf
    values[3, :-1] = -np.inf
    found, where = map(ops.convert_to_numpy, best(ops.convert_to_tensor(values), count))
    order = np.argsort(-values, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(where, order)
    np.testing.assert_array_equal(found, np.take_along_axis(values, order, axis=1))


def test_values_are_taken_from_their_own_row():
    values, places = np.arange(12).reshape(3, 4), np.array([[3, 0], [1, 1], [2, 3]], np.int32)
    found = take_within(ops.convert_to_tensor(values), ops.convert_to_tensor(places))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [[3, 0], [5, 5], [10, 11]])
