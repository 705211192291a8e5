"""The encoder's memory is as wide as it says, also for a number of units that two directions cannot share."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.seq2seq.network.encoder import SourceEncoder


@pytest.mark.parametrize(("units", "width"), [(1, 2), (4, 4), (5, 6)])
def test_an_odd_number_of_units_is_rounded_up(units, width):
    shared = {"embedding_dim": 3, "cell": "simple_rnn", "layers": 2, "dropout": 0.0, "recurrent_dropout": 0.0}
    encoder = SourceEncoder(num_symbols=5, feature_sizes=[], units=units, **shared)
    encoder.build()
    batch = {"source": [[2, 3, 4], [2, 0, 0]], "source_lengths": [3, 1]}
    encoded = encoder({name: np.array(value, "int32") for name, value in batch.items()})
    assert encoded.memory.shape == (2, 3, width)
    assert [state.shape for state in encoded.states] == [(2, width // 2)] * 2
    assert np.asarray(encoded.mask).tolist() == [[True, True, True], [True, False, False]]
