"""Fits a forecaster as a configuration says, with the search before it where it asks for one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from seqtag.data.series.frames import csv_text
from seqtag.data.series.table import SeriesTable
from seqtag.errors import RunError
from seqtag.forecasting.data.series_order import in_order
from seqtag.forecasting.defaults.choices import Choices
from seqtag.forecasting.evaluation.report import ForecastReport
from seqtag.forecasting.fit import fit_forecasting_model
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.search.candidates import candidates, choices_of
from seqtag.forecasting.search.search import COLUMNS, Search, search
from seqtag.runs.bundle import write_text
from seqtag.runs.reading import check_regular, first_line
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult
from seqtag.training.recording import Recording

SEARCH = "search.csv"
# Of a limited time; the fit after it has the rest.
SHARE = 0.5


@dataclass(frozen=True, eq=False)
class SearchedFit:
    """A fitted model, and how it was chosen.

    Attributes:
        model, result, report: as `fit_forecasting_model` gives them.
        choices: the settings that were fitted, without a search.
        trials: the table of the search; None where there was none.
    """

    model: ForecastingModel
    result: FitResult
    report: ForecastReport
    choices: Choices
    trials: pd.DataFrame | None

    def to_metrics(self) -> dict[str, Any]:
        """What `metrics.json` says of the choice: `chosen`, and `search` where there was one, a dict for each trial."""
        metrics: dict[str, Any] = {"chosen": dict(self.choices.chosen)}
        if self.trials is not None:
            rows = self.trials.to_dict("records")
            # JSON has no infinity and no NaN.
            metrics["search"] = [{name: _finite(value) for name, value in row.items()} for row in rows]
        return metrics


def fit_searched(
    table: SeriesTable, choices: Choices, recording: Recording = Recording(), folder: Path | None = None
) -> SearchedFit:
    """Fits a model with the settings that were chosen, or with those that a search finds where they ask for one.

    Search and fit share the budget of the settings.

    Args:
        table: the series.
        choices: the configuration with all settings, and which of them follow from the data.
        recording: where checkpoints and logs go, and whether to resume.
        folder: keeps the table of the search, so that a resumed run does not search again; None keeps none.

    Raises:
        ConfigError, DataError, RunError: as `search` and `fit_forecasting_model`; a damaged table.
    """
    budget, trials = Budget(choices.config.training.budget), None
    if choices.config.model.search is not None:
        choices, trials = _searched(table, choices, recording, budget, folder)
    model, result, report = fit_forecasting_model(table, choices, recording, budget)
    return SearchedFit(model, result, report, choices, trials)


def _searched(
    table: SeriesTable, choices: Choices, recording: Recording, budget: Budget, folder: Path | None
) -> Search:
    path = None if folder is None else folder / SEARCH
    if path is not None and recording.resume and path.exists():
        found = _finished(path, in_order(table), choices)
        budget.charge(float(found.trials["seconds"].sum()))
        return found
    found = search(table, choices, recording, budget.part(SHARE))
    if path is not None:
        write_search(path, found.trials)
    return found


def write_search(path: Path, trials: pd.DataFrame) -> None:
    """Writes the table of a search, whole or not at all."""
    write_text(path, csv_text(trials, index=False))


def read_search(path: Path) -> pd.DataFrame:
    """The table that `write_search` wrote.

    Raises:
        RunError: it is missing or damaged.
    """
    check_regular(path)
    try:
        trials = pd.read_csv(path)[list(COLUMNS)]
        return trials.assign(changes=trials["changes"].fillna(""), chosen=trials["chosen"].astype(bool))
    except (KeyError, ValueError) as error:
        raise RunError(f"{path}: expected the table of a search, found {first_line(error)}") from None


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finished(path: Path, table: SeriesTable, choices: Choices) -> Search:
    """The search that was finished before an interruption."""
    trials = read_search(path)
    names = set(trials.loc[trials["chosen"], "candidate"])
    best = [candidate for candidate in candidates(choices, table) if candidate.name in names]
    if len(best) != 1:
        raise RunError(f"{path}: expected one candidate that was chosen, found {len(best)}")
    return Search(choices_of(best[0], choices, table), trials)
