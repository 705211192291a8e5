"""Settings that follow from a table of series unless they are set."""

from __future__ import annotations

import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.forecasting.config import ForecastingConfig


def table_of(**lengths):
    frames = [
        pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=steps, freq="D"), "y": 1.0})
        for name, steps in lengths.items()
    ]
    return read_series(pd.concat(frames))


def config_of(training=(), **model):
    model = {"horizon": 3, "lookback": 6, **model}
    return ForecastingConfig.model_validate({"task": "forecasting", "model": model, "training": dict(training)})


@pytest.mark.parametrize(("setting", "expected"), [(None, 7), (3, 3)])
def test_the_season_length_is_that_of_the_frequency_unless_set(setting, expected):
    assert config_of(season_length=setting).model.season_length_of(table_of(a=60)) == expected


def test_the_minimum_history_is_the_lookback_where_every_series_is_long_enough():
    assert config_of().min_history_of(table_of(a=70, b=60, c=50)) == 6
    assert config_of().min_history_of(table_of(a=50, b=1)) == 1
    assert [config_of().min_history_of(table_of(a=steps)) for steps in (11, 12)] == [1, 6]
    assert config_of({"validation_steps": 4}).min_history_of(table_of(a=12)) == 1


@pytest.mark.parametrize(("setting", "expected"), [(2, 2), (90, 6)])
def test_the_minimum_history_that_is_set_is_at_most_the_lookback(setting, expected):
    assert config_of({"min_history": setting}).min_history_of(table_of(a=50)) == expected


def test_bounds_that_cross_are_named():
    for lower, upper in ((3, 1), (2, 2)):
        with pytest.raises(ValueError, match=f"expected lower below upper, found {lower} and {upper}"):
            config_of(lower=lower, upper=upper)
    assert (config_of(lower=0).model.lower, config_of(lower=0).model.upper) == (0, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "expected scaling 'standard' or 'none' with stateful, found 'revin'"),
        ({"scaling": "none", "guard": "blend"}, "expected guard 'none' with stateful, found 'blend'"),
        ({"scaling": "none", "segment": 2}, "expected segment 1 with stateful, found 2"),
        ({"scaling": "none", "layers": 2, "dilations": (1, 2)}, r"expected dilations \(1, 1\) with stateful, found"),
        ({"scaling": "none", "residual": True}, "expected residual False with stateful, found True"),
    ],
)
def test_a_state_is_carried_where_no_later_value_changes_how_earlier_ones_were_read(settings, message):
    with pytest.raises(ValueError, match=message):
        config_of(stateful=True, **settings)
    assert config_of(stateful=True, scaling="standard", layers=2, dilations=(1, 1)).model.stateful


def test_other_quantiles_are_named():
    for levels in ((), (0.5, 0.1), (0.1, 0.9)):
        with pytest.raises(ValueError, match="quantile"):
            config_of(quantiles=levels)
    assert config_of(quantiles=(0.1, 0.5)).model.quantiles == (0.1, 0.5)
