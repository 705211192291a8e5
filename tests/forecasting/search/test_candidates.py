"""The candidates of a search, by hand; needs no TensorFlow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import ConfigError
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.defaults.choices import choose
from seqtag.forecasting.search.candidates import SMALL, Candidate, candidates, choices_of


@pytest.fixture(scope="module")
def table():
    """Three monthly series of 100 values with a season."""
    random = np.random.default_rng(1)
    times = pd.date_range("2000-01-01", periods=100, freq="MS")
    season = 100 + 8 * np.sin(2 * np.pi * np.arange(100) / 12)
    parts = [pd.DataFrame({"unique_id": n, "ds": times, "y": season + random.normal(size=100)}) for n in "abc"]
    return read_series(pd.concat(parts))


def chosen(table, **model):
    config = ForecastingConfig(task="forecasting", model={"horizon": 6, "search": "small", **model})
    return choose(config, table)


def changes(table, **model):
    return {name: changed for name, changed in candidates(chosen(table, **model), table) if changed}


def test_monthly_series(table):
    """94 months are as many as there are before a horizon: there is no longer lookback."""
    found = candidates(chosen(table), table)
    assert found[0] == Candidate("default", {})
    assert {candidate.name: candidate.to_text() for candidate in found[1:]} == {
        "shorter lookback": "lookback 47",
        "revin": "members revin with an anchor",
        "smoothing by series": "members es_rnn",
        "other segment": "segment 12",
        "lstm": "cell lstm",
    }


def test_short_lookbacks_are_doubled_and_read_step_by_step(table):
    """What follows from a lookback that was found can change with it; one that was set stays."""
    found = changes(table, season_length=1)
    assert found["longer lookback"] == {"model.lookback": 48} and found["shorter lookback"] == {"model.lookback": 12}
    found = changes(table, lookback=36)
    assert found["other segment"] == {"model.segment": 1}
    assert not {"longer lookback", "shorter lookback"} & set(found)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ({"cell": "gru"}, set(SMALL) - {"lstm", "longer lookback"}),
        ({"scaling": "last"}, {"shorter lookback", "other segment", "lstm"}),
        ({"members": [{"scaling": "last"}]}, {"shorter lookback", "other segment", "lstm"}),
        ({"output": "recursive"}, {"shorter lookback", "smoothing by series", "other segment", "lstm"}),
        # Half of the lookback would be shorter than a segment.
        ({"segment": 60}, {"revin", "smoothing by series", "lstm"}),
        ({"stateful": True}, {"shorter lookback", "lstm"}),
        ({"head": "negative_binomial"}, {"shorter lookback", "other segment", "lstm"}),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_what_is_set_is_not_varied_and_all_candidates_go_with_it(table, model, names):
    choices = chosen(table, **model)
    found = candidates(choices, table)
    assert {candidate.name for candidate in found[1:]} == names
    for candidate in found:
        config = choices_of(candidate, choices, table).config
        assert config.model.search is None
        assert ForecastingConfig.model_validate(config.model_dump()) == config
        for key, value in model.items():
            assert getattr(config.model, key) == getattr(choices.config.model, key), (key, value)


def test_nothing_left_to_vary_is_an_error(table):
    with pytest.raises(ConfigError, match=r"^model\.search: expected settings to vary that are not set, found none$"):
        candidates(chosen(table, lookback=36, cell="gru", segment=3, scaling="last"), table)


def test_the_default_is_what_was_chosen_and_a_change_changes_what_follows_from_it(table, monkeypatch):
    choices = chosen(table)
    monkeypatch.setattr("seqtag.forecasting.defaults.choices.find_seasons", None)  # it is not called again
    default, shorter = (choices_of(candidate, choices, table) for candidate in candidates(choices, table)[:2])
    assert default.chosen == choices.chosen
    assert default.config == choices.config.model_copy(update={"model": default.config.model})
    assert list(shorter.chosen) == list(choices.chosen)
    assert (shorter.config.model.lookback, shorter.config.model.segment) == (47, 3)
    assert choices.config.model.segment == 6


def test_an_unknown_search_is_refused():
    with pytest.raises(ValueError, match="Input should be 'small'"):
        ForecastingConfig(task="forecasting", model={"search": "huge"})
    with pytest.raises(ValueError, match="expected no 'search' in member 1: all members share it"):
        ForecastingConfig(task="forecasting", model={"members": [{"search": "small"}]})
