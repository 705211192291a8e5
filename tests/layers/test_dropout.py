"""VariationalDropout."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from seqtag.layers import VariationalDropout


def test_drops_the_same_features_at_every_step_of_a_row():
    layer = VariationalDropout(0.25, seed=1)
    outputs = ops.convert_to_numpy(layer(np.ones((40, 5, 50), "float32"), training=True))
    assert (outputs == outputs[:, :1]).all()
    assert not (outputs[0] == outputs[1]).all()
    np.testing.assert_allclose(np.unique(outputs), [0, 4 / 3], rtol=1e-6)
    assert abs((outputs == 0).mean() - 0.25) < 0.05


def test_inputs_pass_unchanged_outside_of_training_and_masks_always():
    inputs = np.arange(12, dtype="float32").reshape(1, 3, 4)
    np.testing.assert_array_equal(VariationalDropout(0.5)(inputs), inputs)
    mask = np.array([[True, True, False]])
    assert VariationalDropout(0.5).compute_mask(inputs, mask) is mask


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_outside_its_range_is_named(rate):
    with pytest.raises(ValueError, match=f"expected rate to be at least 0 and below 1, found {rate}"):
        VariationalDropout(rate)
