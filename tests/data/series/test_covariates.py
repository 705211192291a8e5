"""Categories are numbered by the training data alone, in whatever order another frame has them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqtag.data.series.covariates import Categories, CategoryEncoder, stack_numbers


def categories(*values):
    symbols = tuple(sorted({value for value in values if value is not None}))
    return Categories(np.array([-1 if v is None else symbols.index(v) for v in values], np.int32), symbols)


def test_categories_are_encoded_by_the_training_vocabulary():
    encoder = CategoryEncoder.fit({"day": categories("sun", "rain", "rain", None, "rain"), "heat": np.zeros(5)})
    assert encoder.vocabularies["day"].symbols == ["rain", "sun"]
    other = categories("fog", "sun", None, "rain")
    assert encoder.encode("day", other).tolist() == [1, 3, 0, 2]
    again = CategoryEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again.encode("day", other).tolist() == [1, 3, 0, 2]
    assert encoder.encode("day", other).dtype == np.int32
    with pytest.raises(KeyError):
        encoder.encode("heat", other)


def test_codes_of_any_shape():
    encoder = CategoryEncoder.fit({"day": categories("sun", "rain")})
    future = Categories(np.array([[0, -1], [1, 0]], np.int32), ("sun", "moon"))
    assert encoder.encode("day", future).tolist() == [[3, 0], [1, 3]]


def test_numbers_stand_side_by_side():
    columns = {"a": np.array([1.0, 2.0]), "day": categories("x", "y"), "b": np.array([3.0, np.nan])}
    np.testing.assert_array_equal(stack_numbers(columns, 2), [[1, 3], [2, np.nan]])
    assert stack_numbers({}, 4).shape == (4, 0)
