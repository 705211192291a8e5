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


def test_what_follows_from_the_data_may_be_given_as_none():
    given = config_of({"epochs": None, "patience": None}, units=None, members=None)
    assert (given.model.units, given.model.members, given.training.epochs, given.training.patience) == (None,) * 4
    assert config_of() == ForecastingConfig.model_validate(config_of().model_dump())


def test_each_member_has_the_settings_of_all_but_its_own():
    config = config_of(units=8, ensemble_size=2, members=[{"scaling": "last"}, {"units": 4, "scaling": "revin"}]).model
    found = [(member.scaling, member.units, member.lookback) for member in config.of_members()]
    assert found == [("last", 8, 6), ("last", 8, 6), ("revin", 4, 6), ("revin", 4, 6)]
    with pytest.raises(ValueError, match="units"):
        config_of(members=[{"units": 0}])


def test_bounds_that_cross_are_named():
    for lower, upper in ((3, 1), (2, 2)):
        with pytest.raises(ValueError, match=f"expected lower below upper, found {lower} and {upper}"):
            config_of(lower=lower, upper=upper)
    assert (config_of(lower=0).model.lower, config_of(lower=0).model.upper) == (0, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scaling": "revin"}, "expected scaling 'standard' or 'none' with stateful, found 'revin'"),
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
