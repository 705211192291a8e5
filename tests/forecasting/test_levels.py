"""The one check of quantile levels."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.forecasting.levels import checked_levels


def test_levels_come_back_as_floats():
    found = checked_levels(np.array([0.25, 0.5], np.float32))
    assert found == (0.25, 0.5) and {type(level) for level in found} == {float}


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([], "expected at least one quantile level, found none"),
        ([0.0], "expected quantile levels between 0 and 1, found 0"),
        ([0.5, 1.0], "expected quantile levels between 0 and 1, found 1"),
        ([0.5, 0.5], "expected rising quantile levels, found 0.5 after 0.5"),
    ],
)
def test_other_levels_are_named(levels, message):
    with pytest.raises(ValueError, match=message):
        checked_levels(levels)
