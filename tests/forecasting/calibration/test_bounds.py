"""Bounds in the graph equal those of NumPy, and leave alone what is not there."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.calibration.bounds import Bounds
from seqtag.forecasting.network.network import ForecastOutput

VALUES = np.array([-1e12, -2.0, 0.0, 3.0, np.nan, 1e12])


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (Bounds(), VALUES),
        (Bounds(lower=0), [0, 0, 0, 3, np.nan, 1e12]),
        (Bounds(upper=1e9), [-1e12, -2, 0, 3, np.nan, 1e9]),
        (Bounds(-2.5, 2.5), [-2.5, -2, 0, 2.5, np.nan, 2.5]),
    ],
)
def test_what_lies_beyond_a_bound_moves_onto_it(bounds, expected):
    np.testing.assert_array_equal(bounds.moved(VALUES), expected)
    point = tf.constant(VALUES[:, None], tf.float64)
    found = bounds.apply(ForecastOutput(point, point[..., None], spread=point))
    np.testing.assert_array_equal(found.point[:, 0], expected)
    np.testing.assert_array_equal(found.quantiles[:, 0, 0], expected)
    np.testing.assert_array_equal(found.spread[:, 0], VALUES)
