from __future__ import annotations

from types import SimpleNamespace

import keras
import pytest

from seqtag.seq2seq.network.own_symbols import OwnSymbols, own_share

SCHEDULES = ["constant", "linear", "exponential", "inverse_sigmoid"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_shares_rise_to_the_given_one(schedule):
    shares = [own_share(schedule, 0.4, epoch / 10) for epoch in range(11)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.4, abs=0.001)
    assert schedule == "constant" or shares[0] < 0.002
    assert all(0 <= share <= 0.4 for share in shares)


def test_shapes_of_the_schedules():
    assert own_share("none", 0.4, 1.0) == 0
    assert own_share("linear", 0.4, 0.25) == pytest.approx(0.1)
    # One minus an exponential decay is past its half early, a sigmoid is at its half in the middle.
    assert own_share("exponential", 1.0, 0.25) > 0.7
    assert own_share("inverse_sigmoid", 1.0, 0.25) < 0.05
    assert own_share("inverse_sigmoid", 1.0, 0.5) == pytest.approx(0.5)


def test_the_share_depends_on_the_epoch_alone():
    share = keras.Variable(0.0)
    callback = OwnSymbols("linear", 0.6, epochs=4)
    callback.set_model(SimpleNamespace(own_share=share))
    for epoch, expected in ((3, 0.6), (0, 0.0), (1, 0.2), (2, 0.4)):
        callback.on_epoch_begin(epoch)
        assert float(share) == pytest.approx(expected)
    single = OwnSymbols("linear", 0.6, epochs=1)
    single.set_model(SimpleNamespace(own_share=share))
    single.on_epoch_begin(0)
    assert float(share) == 0
