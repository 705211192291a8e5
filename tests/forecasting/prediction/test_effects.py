"""Effects by permutation: covariates that the model uses rank above those that it cannot use."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import Categories
from seqtag.data.series.slicing import select_series
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.evaluation.metrics import wql
from seqtag.forecasting.prediction.effects import permutation_effects


@pytest.fixture(scope="module")
def windows(table):
    return split(table, 8, 4, 20).held_out_windows


@pytest.fixture(scope="module")
def effects(fitted, table, windows):
    return permutation_effects(fitted, table, windows, repeats=3, seed=1)


def test_the_covariate_that_drives_the_series_ranks_first(effects):
    assert set(effects["covariate"]) == {"price", "noise", "echo", "region"}
    assert effects.loc[0, "covariate"] == "price"
    assert effects.loc[0, "share"] > 1 and (effects.loc[1:, "share"] < 0.5).all()
    assert effects["increase"].is_monotonic_decreasing


def test_increases_are_taken_from_the_loss_as_it_is(effects, fitted, table, windows):
    plain = wql(windows.future(table.values).astype(float), fitted.forecast(table, windows).quantiles, fitted.levels)
    np.testing.assert_allclose(effects["loss"] - effects["increase"], plain)
    np.testing.assert_allclose(effects["share"], effects["increase"] / plain)
    kinds = dict(zip(effects["covariate"], effects["kind"], strict=True))
    assert kinds == {"price": "known", "noise": "known", "echo": "past", "region": "static"}


class Watched:
    """Keeps the tables that it forecasts."""

    def __init__(self, model):
        self.model, self.levels, self.tables = model, model.levels, []

    def forecast(self, table, windows):
        self.tables.append(table)
        return self.model.forecast(table, windows)


def test_steps_keep_their_course_within_their_series_and_static_values_are_dealt_out(fitted, table, windows):
    watched = Watched(fitted)
    permutation_effects(watched, table, windows, repeats=1, seed=4)
    plain, *shuffled = watched.tables
    assert plain is table and len(shuffled) == 4
    for kind, name, of in zip(
        ("past", "known", "known", "static"), ("echo", "price", "noise", "region"), shuffled, strict=True
    ):
        changed = getattr(of, kind)[name]
        if kind == "static":
            before = table.static[name]
            assert sorted(changed.codes) == sorted(before.codes) and isinstance(before, Categories)
            continue
        for series in range(len(table)):
            rows = table.rows(series)
            column = getattr(table, kind)[name][rows]
            turns = [shift for shift in range(len(column)) if np.array_equal(np.roll(column, shift), changed[rows])]
            assert len(turns) == 1 and turns[0] > 0
        others = {n: c for n, c in {**of.past, **of.known}.items() if n != name}
        assert all(column is {**table.past, **table.known}[n] for n, column in others.items())


def test_a_covariate_that_is_constant_is_worth_nothing(fitted, table, windows):
    constant = dataclasses.replace(
        table, known=MappingProxyType({**table.known, "noise": np.ones_like(table.known["noise"])})
    )
    effects = permutation_effects(fitted, constant, windows, repeats=1).set_index("covariate")
    assert effects.loc["noise", "increase"] == pytest.approx(0, abs=1e-9)


def test_the_same_seed_gives_the_same_effects(effects, fitted, table, windows):
    again = permutation_effects(fitted, table, windows, repeats=3, seed=1)
    assert again.equals(effects)


def test_repeats_are_at_least_one(fitted, table, windows):
    with pytest.raises(ValueError, match="expected repeats to be at least 1, found 0"):
        permutation_effects(fitted, table, windows, repeats=0)


def test_the_order_of_the_series_does_not_matter(effects, fitted, table):
    turned = select_series(table, np.array([2, 0, 1]))
    again = permutation_effects(fitted, turned, split(turned, 8, 4, 20).held_out_windows, repeats=3, seed=1)
    pd.testing.assert_frame_equal(again, effects, rtol=1e-5)
