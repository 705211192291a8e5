"""The search with fits whose errors are known, on a clock that tests move."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.defaults.choices import choose
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.search.search import COLUMNS, search
from seqtag.training.budget import Budget
from seqtag.training.recording import Recording

# What the candidates of these series have alone: the default reads an eighth of their 96 steps with a GRU.
DEFAULT, SHORTER, LONGER, LSTM = 12, 6, 24, "lstm"
ERRORS = {DEFAULT: 1.0, SHORTER: 0.5, LONGER: 2.0, LSTM: 0.25}


@pytest.fixture(scope="module")
def given():
    """Two series that count to 96, and settings that leave cell and lookback to vary."""
    parts = [pd.DataFrame({"unique_id": name, "ds": np.arange(96), "y": np.arange(96.0)}) for name in "ab"]
    table = read_series(pd.concat(parts), frequency=1)
    model = {"horizon": 4, "season_length": 1, "scaling": "last", "search": "small"}
    training = {"validation_steps": 8, "epochs": 12}
    return table, choose(ForecastingConfig(task="forecasting", model=model, training=training), table)


class Fits:
    """Stands for `fit_networks`: the forecasts of a candidate are off by its error; None is a fault of the data."""

    def __init__(self, errors, monkeypatch, seconds):
        self.errors, self.seconds, self.now = errors, seconds, 0.0
        self.calls, self.budgets = [], []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr("seqtag.forecasting.search.search.fit_networks", self)

    def __call__(self, table, config, recording, budget):
        name = LSTM if config.model.cell == LSTM else config.model.lookback
        self.calls.append((name, config.training.epochs, table.lengths.tolist(), recording.label))
        self.budgets.append(budget.left())
        self.now += budget.left() if self.seconds is None else self.seconds
        if self.errors[name] is None:
            raise DataError("expected other series, found these")
        off = self.errors[name] + np.array([-1.0, 0.0, 1.0])

        def forecast(table, windows):
            values = np.arange(windows.horizon) + (windows.ends - windows.first)[:, None]
            return Forecast.of_quantiles(values[..., None] + off, (0.1, 0.5, 0.9))

        model = SimpleNamespace(lookback=config.model.lookback, forecast=forecast)
        return model, SimpleNamespace(history=[{"updates": 3.0}] * config.training.epochs)


@pytest.fixture
def run(given, monkeypatch):
    """`run(errors)`: the fits, and what was found."""

    def searched(errors, seconds=10.0, budget=None):
        fits = Fits(errors, monkeypatch, seconds)
        return fits, search(*given, Recording(label="fit 1"), Budget(budget))

    return searched


def test_candidates_are_fitted_for_their_share_before_the_origins(run, capsys):
    fits, found = run(ERRORS)
    # A quarter of twelve epochs each, then half for the default and the best other one.
    order = [(DEFAULT, 3), (SHORTER, 3), (LONGER, 3), (LSTM, 3), (DEFAULT, 6), (LSTM, 6)]
    assert [call[:2] for call in fits.calls] == order
    # Of 96 steps 8 are held out from the final fit, and two horizons are scored.
    assert all(call[2] == [80, 80] for call in fits.calls)
    assert fits.calls[1][3] == "fit 1 round 1 of 2, candidate 2 of 4 (shorter lookback)"
    config = found.choices.config
    assert (config.model.cell, config.model.lookback, config.model.search) == (LSTM, DEFAULT, None)
    assert found.choices.chosen["model.cell"] == "lstm" and config.training.epochs == 12
    # 2 (.5 x .25 + .1 x .75 + .1 x 1.25) / 3, in units of a change of 1, beside 2 (.5 x 1 + .1 x 0 + .1 x 2) / 3.
    expected = "search: lstm is fitted, with a loss of 0.2167, 0.4667 of the default\n"
    assert capsys.readouterr().err == expected


def test_the_table_has_a_row_for_each_candidate_in_each_round(run):
    _, found = run(ERRORS)
    table = found.trials
    assert tuple(table.columns) == COLUMNS
    names = ["default", "shorter lookback", "longer lookback", "lstm", "default", "lstm"]
    assert table["candidate"].tolist() == names
    assert table["changes"].tolist()[:4] == ["", f"lookback {SHORTER}", f"lookback {LONGER}", "cell lstm"]
    assert table["round"].tolist() == [1, 1, 1, 1, 2, 2]
    assert table["updates"].tolist() == [9, 9, 9, 9, 18, 18]
    assert table["mase"].tolist() == [1.0, 0.5, 2.0, 0.25, 1.0, 0.25]
    assert table["chosen"].tolist() == [name == "lstm" for name in names]
    assert (table["origins"] == 2).all() and (table["seconds"] == 10).all()


def test_the_default_stays_where_no_candidate_is_better(run, given):
    _, found = run(dict.fromkeys(ERRORS, 0.5))
    assert dict(found.choices.chosen) == dict(given[1].chosen)
    assert found.trials["chosen"].tolist() == [name == "default" for name in found.trials["candidate"]]


def test_a_candidate_that_cannot_be_fitted_is_not_chosen(run):
    fits, found = run({**ERRORS, LSTM: None})
    assert fits.calls[-1][0] == SHORTER and found.choices.config.model.lookback == SHORTER
    assert np.isinf(found.trials["loss"]).tolist() == [False, False, False, True, False, False]


def test_the_search_keeps_within_its_budget(run):
    """Each round may take half of it, shared by its candidates."""
    fits, _ = run(ERRORS, seconds=None, budget=80)
    assert fits.budgets == pytest.approx([10, 10, 10, 10, 20, 20])


def test_no_fit_begins_after_the_budget_is_spent(run):
    """Fits make an update whatever it takes; those that were fitted are compared."""
    fits, found = run(ERRORS, seconds=30.0, budget=80)
    assert [call[0] for call in fits.calls] == [DEFAULT, SHORTER, LONGER]
    assert found.choices.config.model.lookback == SHORTER
