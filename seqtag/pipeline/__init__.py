"""The one place that turns a configuration into objects and runs them: train, evaluate, predict, backtest, export.

What a run's task decides is decided here; `tagging` and `forecasting` do the work.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seqtag.backtesting import BacktestResult
from seqtag.config import Config, TaggingConfig
from seqtag.errors import ConfigError, RunError
from seqtag.export import bundle
from seqtag.gradient_report import GradientReport
from seqtag.pipeline import forecasting, tagging
from seqtag.pipeline.runs import Report, TrainedRun, write_output
from seqtag.pipeline.tagging import predict_columns, predict_text

__all__ = [
    "TrainedRun",
    "backtest",
    "evaluate",
    "export",
    "forecasting",
    "predict",
    "predict_columns",
    "predict_text",
    "report_gradients",
    "tagging",
    "train",
    "write_output",
]

FORECASTING = "forecasting"


def train(config: Config, output: Path, resume: bool = False) -> TrainedRun:
    """Fits a model as `config` says and writes its run directory.

    Everything is written to `OUTPUT.partial`, which takes the name `output` when all of it is there.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: a path is missing, or `resume` with another configuration.
        DataError: a file is at fault.
    """
    if isinstance(config, TaggingConfig):
        return tagging.train(config, output, resume)
    return forecasting.train(config, output, resume)


def evaluate(run: Path, data: str) -> Report:
    """Scores a run on a file of the run's own layout; see the `evaluate` of its task."""
    return forecasting.evaluate(run, data) if _forecasts(run) else tagging.evaluate(run, data)


def predict(
    run: Path,
    source: str,
    *,
    text: bool = False,
    form: str | None = None,
    horizon: int | None = None,
    future: str | None = None,
) -> Iterable[bytes]:
    """What a run makes of a file: tagged sentences, see `predict_columns` and `predict_text`, or a forecast.

    Args:
        run: the run directory.
        source: a file, `-` for standard input.
        text: whether a tagger is given raw text.
        form: of a tagger's answers, `columns` unless given.
        horizon: how many steps a forecaster is to forecast; those it was fitted for unless given.
        future: a file of the known covariates of a forecaster.

    Raises:
        ConfigError: an option of the other task.
    """
    if _forecasts(run):
        _refuse("tagging", FORECASTING, {"--text": text, "--format": form})
        return forecasting.predict(run, source, horizon, future)
    _refuse(FORECASTING, "tagging", {"--horizon": horizon, "--future": future})
    return (predict_text if text else predict_columns)(run, source, form or "columns")


def backtest(
    source: Path, settings: list[str], folds: int | None = None, refit: bool | None = None
) -> tuple[BacktestResult, str]:
    """Rolling origins of a configuration or of a run; see `seqtag.pipeline.forecasting`."""
    if source.is_dir() and not _forecasts(source):
        raise RunError(f"{source}: expected a run of forecasting, found one of tagging")
    return forecasting.backtest(source, settings, folds, refit)


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    (forecasting if _forecasts(run) else tagging).export(run, folder)


def report_gradients(run: Path, data: str | None = None, folder: Path | None = None) -> GradientReport:
    """How gradients flow through the network of a tagger; see `tagging.report_gradients`."""
    if _forecasts(run):
        raise RunError(f"{run}: expected a run of tagging, found one of forecasting")
    return tagging.report_gradients(run, data, folder)


def _forecasts(run: Path) -> bool:
    return bundle.task_of(run) == FORECASTING


def _refuse(expected: str, found: str, options: dict[str, Any]) -> None:
    """Raises a `ConfigError` for the first option that was given."""
    for option, value in options.items():
        if value:
            raise ConfigError(f"{option}: expected a run of {expected}, found one of {found}")
