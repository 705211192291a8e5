"""The state of a stream against windows kept in plain arrays."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.forecasting.serving.stream_state import StreamState

WIDE = {"past": 2, "known": 1, "calendar": 2, "past_codes": 1, "known_codes": 2, "static": 3, "static_codes": 1}
NARROW = dict.fromkeys(WIDE, 0)


def numbers(random, name, *shape):
    if name.endswith("_codes"):
        return random.integers(0, 2**24, shape).astype(np.int32)
    return random.normal(size=shape).astype(np.float32 if name == "calendar" else np.float64)


@pytest.mark.parametrize("widths", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_state_is_its_window_and_moves_by_one_step(widths):
    random, batch, lookback = np.random.default_rng(1), 3, 4
    state = StreamState(lookback, widths)
    window = {name: numbers(random, name, batch, lookback, width) for name, width in widths.items()}
    window |= {name: window[name][:, 0] for name in ("static", "static_codes")}
    window["history"] = numbers(random, "history", batch, lookback)
    window["history"][0, 1] = np.nan
    window["series"] = random.integers(0, 9, batch).astype(np.int32)
    packed = state.pack(window)
    assert packed.shape == (batch, state.width)
    for _ in range(lookback + 2):
        found = state.unpack(packed)
        assert set(found) == set(window)
        for name, array in window.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)
        stepwise = ("past", "known", "calendar", "past_codes", "known_codes")
        step = {name: numbers(random, name, batch, widths[name]) for name in stepwise}
        step["history"] = numbers(random, "history", batch)
        packed = state.advance(packed, step)
        window |= {name: np.concatenate([window[name][:, 1:], step[name][:, None]], axis=1) for name in step}
