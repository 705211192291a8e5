"""The search itself: fits candidates on the steps before rolling origins, and keeps a table of how each did."""

from __future__ import annotations

import math
import sys
import time
from typing import Any, NamedTuple

import pandas as pd

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, RunError
from seqtag.forecasting.backtesting.backtest import Predictor, backtest
from seqtag.forecasting.backtesting.origins import RollingOrigins
from seqtag.forecasting.backtesting.predictor import predictor
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.series_order import in_order
from seqtag.forecasting.defaults.choices import Choices, choose, with_chosen
from seqtag.forecasting.fit import fit_networks
from seqtag.forecasting.search.candidates import Candidate, candidates, choices_of
from seqtag.forecasting.search.halving import halve, rounds_of
from seqtag.forecasting.search.origins import search_origins
from seqtag.training.budget import Budget
from seqtag.training.recording import Recording

COLUMNS = ("candidate", "changes", "round", "origins", "updates", "loss", "mase", "wql", "seconds", "chosen")


class Search(NamedTuple):
    """What a search found: the settings to fit, and its table, a row for each candidate in each round."""

    choices: Choices
    trials: pd.DataFrame


def search(table: SeriesTable, choices: Choices, recording: Recording, budget: Budget) -> Search:
    """Chooses among the candidates of a configuration by successive halving on rolling origins.

    The loss of a candidate is the mean over the origins of the scaled quantile loss of its networks' mean, without
    the corrections of a finished forecast: these need held-out steps of their own, and a guard that leaves a poor
    network out would hide that it is poor. The same series and seed give the same choice on a CPU without a budget.

    Args:
        table: the series.
        choices: the configuration with all settings, and which of them follow from the data.
        recording: the label of progress lines and whether there are any.
        budget: the time that the search may take.

    Raises:
        ConfigError: nothing is left to vary.
        DataError: no series is long enough.
    """
    table = in_order(table)
    found = candidates(choices, table)
    whole = [choices_of(candidate, choices, table) for candidate in found]
    shortest = min(chosen.config.model.lookback for chosen in whole)
    series, origins = search_origins(table, choices.config, shortest)
    trials = _Trials(found, whole, series, origins, recording, budget)
    best = halve(len(found), trials.score)
    trials.tell(best)
    return Search(whole[best], trials.to_frame(best))


class _Trials:
    """Fits and scores candidates, and keeps a row for each time."""

    def __init__(
        self,
        found: list[Candidate],
        whole: list[Choices],
        series: SeriesTable,
        origins: RollingOrigins,
        recording: Recording,
        budget: Budget,
    ) -> None:
        self.candidates = found
        self.whole = whole
        self.series = series
        self.origins = origins
        self.recording = recording
        self.budget = budget
        self.rounds = len(rounds_of(len(found)))
        self.to_do = float(self.rounds)
        self.rows: list[dict[str, Any]] = []

    def score(self, number: int, candidate: int, share: float) -> float | None:
        """The loss of a candidate in a round, fitted for this share of a whole fit; None where no time is left."""
        if not self.budget.left():
            return None
        began = time.monotonic()
        part = self.budget.part(min(1.0, share / self.to_do))
        self.to_do -= share
        row = self._scores(candidate, share, self._recording(number, candidate), part)
        self.rows.append(
            {
                "candidate": self.candidates[candidate].name,
                "changes": self.candidates[candidate].to_text(),
                "round": number,
                "origins": self.origins.folds,
                **row,
                "seconds": time.monotonic() - began,
            }
        )
        return row["loss"]

    def _recording(self, number: int, candidate: int) -> Recording:
        """That of a candidate's fit: progress lines alone."""
        name, of = self.candidates[candidate].name, len(self.candidates)
        label = f"round {number} of {self.rounds}, candidate {candidate + 1} of {of} ({name})"
        return Recording(label=" ".join(filter(None, [self.recording.label, label])), verbose=self.recording.verbose)

    def _scores(self, candidate: int, share: float, recording: Recording, budget: Budget) -> dict[str, Any]:
        """The updates, the loss and the scores of one fit."""
        chosen, updates = self.whole[candidate], 0
        season_length = chosen.config.model.season_length

        def fit(table: SeriesTable) -> Predictor:
            nonlocal updates
            model, result = fit_networks(in_order(table), _brief(chosen, table, share), recording, budget)
            updates = int(sum(epoch["updates"] for epoch in result.history))
            return predictor(model)

        try:
            result = backtest(self.series, self.origins, fit, season_length=season_length, refit=False, progress=False)
        except (DataError, RunError):
            # It cannot be fitted on these series, or its loss is not finite.
            return {"updates": updates, "loss": math.inf, "mase": math.nan, "wql": math.nan}
        loss, means = result.scaled_quantile_loss(), result.by_fold()[["mase", "wql"]].mean()
        return {"updates": updates, "loss": loss if math.isfinite(loss) else math.inf, **means.to_dict()}

    def tell(self, best: int) -> None:
        """Says on standard error which candidate is fitted."""
        if self.recording.verbose and self.rows:
            loss = {row["candidate"]: row["loss"] for row in self.rows}
            name, first = self.candidates[best].name, self.candidates[0].name
            beside = f", {loss[first]:.4f} of the default" if best else ""
            print(f"search: {name} is fitted, with a loss of {loss[name]:.4f}{beside}", file=sys.stderr)

    def to_frame(self, best: int) -> pd.DataFrame:
        """The rows as a table, in which all of the best candidate are marked."""
        name = self.candidates[best].name
        rows = [{**row, "chosen": row["candidate"] == name} for row in self.rows]
        return pd.DataFrame(rows, columns=list(COLUMNS))


def _brief(choices: Choices, table: SeriesTable, share: float) -> ForecastingConfig:
    """The settings of a fit on the steps before the origins, for a share of the epochs, with one network of each kind.

    What follows from the length of the series is chosen anew.
    """
    training = {key: None for key in choices.chosen if key.startswith("training.")}
    config = choose(with_chosen(choices.config, training), table).config
    epochs = max(1, round(share * config.training.epochs))
    return config.model_copy(
        update={
            "model": config.model.model_copy(update={"ensemble_size": 1}),
            "training": config.training.model_copy(update={"epochs": epochs, "refit": False}),
        }
    )
