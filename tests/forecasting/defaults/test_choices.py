"""The settings that follow from the data, rule by rule, by hand; needs no TensorFlow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.data.series.slicing import select_series
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.defaults.choices import choose, show_choices


def table_of(lengths, season, frequency, seed=0):
    rng = np.random.default_rng(seed)
    start = {"MS": "2000-01-01", "h": "2024-01-01", "YS": "1960-01-01"}[frequency]
    frames = []
    for number, length in enumerate(lengths):
        wave = 8 * np.sin(2 * np.pi * np.arange(length) / season) if season > 1 else np.cumsum(rng.normal(size=length))
        times = pd.date_range(start, periods=length, freq=frequency)
        y = 100 + wave + rng.normal(size=length)
        frames.append(pd.DataFrame({"unique_id": f"s{number}", "ds": times, "y": y}))
    return read_series(pd.concat(frames))


def config(horizon, **model):
    training = model.pop("training", {})
    return ForecastingConfig(task="forecasting", model={"horizon": horizon, **model}, training=training)


def test_monthly_series():
    chosen = dict(choose(config(18), table_of([100] * 6 + [60], 12, "MS")).chosen)
    members = chosen.pop("model.members")
    assert [(member["scaling"], member["anchor"]) for member in members] == [
        ("seasonal", True), ("seasonal", False), ("es_rnn", False)
    ]  # fmt: skip
    assert chosen == {
        "model.season_length": 12,
        # Eight years are 96 months, and the longest series has no more than 100 - 18 before a horizon.
        "model.lookback": 82,
        # 82 / 6 is the first below 16.
        "model.segment": 6,
        "model.scaling": "seasonal",
        "model.anchor": False,
        "model.cell": "gru",
        "model.units": 32,
        "model.guard": "blend",
        # A quarter of 100 holds one horizon.
        "training.validation_steps": 18,
        # Some series are too short for the lookback: two seasons.
        "training.min_history": 24,
        # 6 * (100 - 42) + 60 - 42 windows.
        "training.batch_windows": 32,
        "training.windows_per_epoch": 12_800,
        # 366 windows are 11 updates, and 800 updates need more than 60 epochs.
        "training.epochs": 60,
    }


def test_hourly_series_of_some_weeks():
    choices = choose(config(24), table_of([500] * 3, 24, "h"))
    model, training = choices.config.model, choices.config.training
    assert (model.season_length, model.lookback, model.segment, training.validation_steps) == (24, 168, 12, 120)
    assert [member["scaling"] for member in model.members] == ["seasonal", "seasonal"], "smoothing is slow over 168"
    assert training.min_history == 168


def test_yearly_series_have_no_season():
    model = choose(config(6), table_of([40] * 5, 1, "YS")).config.model
    assert (model.season_length, model.lookback, model.segment) == (1, 12, 1)


@pytest.mark.parametrize("length, lookback", [(160, 20), (400, 50), (2000, 64)])
def test_long_series_without_a_season_are_read_over_more_steps(length, lookback):
    walks = np.random.default_rng(3).normal(size=(4, length)).cumsum(axis=1)
    frame = pd.DataFrame(
        {"unique_id": np.arange(4).repeat(length), "ds": np.tile(np.arange(length), 4), "y": walks.ravel()}
    )
    model = choose(config(6), read_series(frame)).config.model
    assert (model.season_length, model.lookback) == (1, lookback)


def test_two_seasons_are_taken_on_trust_and_one_is_not():
    assert choose(config(3), table_of([30], 12, "MS")).config.model.season_length == 12
    assert choose(config(3), table_of([20], 12, "MS")).config.model.season_length == 1


def test_what_is_set_stays_and_rules_read_it():
    table = table_of([200] * 3, 12, "MS")
    given = config(6, lookback=20, scaling="revin", units=5, training={"epochs": 2, "validation_steps": 9})
    choices = choose(given, table)
    assert not {"model.lookback", "model.scaling", "model.units", "training.epochs"} & set(choices.chosen)
    model = choices.config.model
    assert (model.lookback, model.scaling, model.units, model.members, model.anchor) == (20, "revin", 5, (), False)
    assert choices.config.training.validation_steps == 9
    again = choose(choices.config, table)
    assert again.config == choices.config and not again.chosen and not again.to_text()


@pytest.mark.parametrize(
    ("model", "members"),
    [({"head": "negative_binomial"}, 0), ({"output": "recursive"}, 2), ({"anchor": True}, 0), ({"members": []}, 0)],
)
def test_members_that_cannot_be_are_not_chosen(model, members):
    chosen = choose(config(6, **model), table_of([60] * 3, 12, "MS")).config.model
    assert len(chosen.members) == members and len(chosen.of_members()) == max(members, 1)


def test_neither_order_nor_units_matter():
    table = table_of([100, 90, 80], 12, "MS")
    other = select_series(table, np.array([2, 0, 1]))
    assert choose(config(6), table).chosen == choose(config(6), other).chosen


def test_short_and_constant_series_have_choices():
    frame = pd.DataFrame(
        {"unique_id": list("abb"), "ds": pd.to_datetime(["2024-01-01"] * 2 + ["2024-01-02"]), "y": 5.0}
    )
    choices = choose(config(2), read_series(frame, frequency="D"))
    assert choices.config.model.lookback >= 1 and choices.config.training.min_history >= 1


def test_the_choices_are_said_in_one_line(capsys):
    choices = choose(config(6), table_of([100] * 3, 12, "MS"))
    show_choices(choices)
    show_choices(choices, verbose=False)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(
        "from the data: season_length 12, lookback 94, segment 6, members seasonal with an anchor + "
    )


def test_a_member_cannot_change_what_all_share():
    with pytest.raises(ValueError, match="expected no 'horizon' in member 2: all members share it"):
        config(6, members=[{"scaling": "last"}, {"horizon": 3}])
    with pytest.raises(ValueError, match="expected no anchor for output 'recursive'"):
        config(6, output="recursive", anchor=True)
