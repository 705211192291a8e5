"""Forecasters through the pipeline: a configuration becomes a run, a run scores, forecasts and is backtested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqtag.backtesting import BacktestResult, RollingOrigins
from seqtag.backtesting import backtest as roll
from seqtag.config import ForecastingConfig, load_config
from seqtag.data.time_series.table import SeriesTable
from seqtag.errors import ConfigError, DataError
from seqtag.evaluation.forecast_report import ForecastReport
from seqtag.export import bundle
from seqtag.export.forecast_saved_model import export_forecast_saved_model
from seqtag.export.series_tail import save_tail
from seqtag.forecasting.predicting import predict as forecast
from seqtag.models.forecasting.model import ForecastingModel
from seqtag.pipeline.runs import TrainedRun, run_directory, write_run
from seqtag.training.forecasting import season_of
from seqtag.training.series_data import Part, future_frame, load_series, locate, naming, read_table
from seqtag.training.series_fit import audit_known, fit_series_model, fitter, last_folds, predictor, score_series_model

# All digits that a float32 has.
NUMBER = "%.9g"


def train(config: ForecastingConfig, output: Path, resume: bool = False) -> TrainedRun:
    """Fits a forecaster as `config` says and writes its run directory; see `seqtag.pipeline.train`."""
    with run_directory(config, output, resume) as folder, naming(_place(config, config.data.train)):
        data = load_series(config)
        # Before the fit, which may take hours, and would be lost to a test set that is too short.
        with naming(_place(config, config.data.test)):
            windows = data.test_windows(config.model.lookback, config.model.horizon, config.evaluation.stride)
        leakage = audit_known(data.train, config)
        model, fit, dev = fit_series_model(
            data.train,
            config,
            checkpoints=folder / "checkpoints",
            log_folder=folder / "logs" if config.training.tensorboard else None,
            resume=resume,
        )
        reports = {"dev": dev}
        if len(windows):
            reports["test"] = score_series_model(model, data.whole, windows)
        metrics: dict[str, Any] = {"task": "forecasting"}
        metrics |= {split: report.to_metrics() for split, report in reports.items()}
        metrics |= {"train": fit.to_metrics(), "seed": config.seed}
        if leakage is not None:
            metrics["leaking"] = list(leakage.leaking)
        write_run(folder, model, fit, metrics)
        save_tail(folder, model, data.train)
    return TrainedRun(output, metrics, reports, fit.sparsity, leakage)


def evaluate(run: Path, data: str) -> ForecastReport:
    """Scores a run on the last `evaluation.folds` horizons of each series of a file, beside the naive rules.

    The file has the layout of the run's own data. Each horizon is forecast from all that comes before it; a series
    that is shorter has fewer. A run of standardised series is scored in their units, as in training.

    Raises:
        RunError, ConfigError, DataError: see `load_model`, `load_config` and `read_table`; no series is long enough.
    """
    model, config = _load(run)
    with naming(data):
        table = _read_for(model, config, data, "all")
        windows = last_folds(table, model.lookback, model.horizon, config.evaluation.folds)
        return score_series_model(model, table, windows)


def predict(run: Path, source: str, horizon: int | None = None, future: str | None = None) -> Iterator[bytes]:
    """The next steps of every series of a file, as CSV: its names of series and time, `forecast` and the quantiles.

    Args:
        run: the run directory.
        source: the series up to now, in the layout of the run's own data; `-` for standard input.
        horizon: how many steps; more than the run was fitted for come from sample paths that read themselves.
        future: a CSV file of the known covariates of these steps, where the run reads any.

    Raises:
        RunError, ConfigError, DataError: see `load_model`, `load_config`, `read_table` and `read_future`.
    """
    model, config = _load(run)
    with naming(source):
        table = _read_for(model, config, source, "history")
        steps = horizon or model.horizon
        frame = forecast(model, table, steps, future_frame(config.data, future, table, steps), config.seed)
    names = {"unique_id": model.columns.series, "ds": model.columns.time}
    yield frame.rename(columns=names).to_csv(index=False, float_format=NUMBER).encode()


def backtest(
    source: Path, settings: list[str], folds: int | None = None, refit: bool | None = None
) -> tuple[BacktestResult, str]:
    """Rolling origins, each a horizon after the one before, the last at the end of the data.

    A configuration is fitted anew in every fold, on what came before it, and sees its training data alone, so that
    settings may be chosen by what comes out. A run forecasts all folds as it stands, on its test steps too. Scores are
    in the series' own units, standardised or not.

    Args:
        source: a configuration or a run directory.
        settings: overrides of the configuration.
        folds: how many; `evaluation.folds` of the configuration unless given.
        refit: whether to fit in each fold; for a run False unless given, which then is fitted anew from its
            configuration. A configuration without it is fitted in the first fold alone.

    Returns:
        The result, and what a reader should know of it, if anything.

    Raises:
        RunError, ConfigError, DataError: as `evaluate`; a fold for which all series are too short.
    """
    is_run = source.is_dir()
    config = _forecasting(load_config(source / bundle.CONFIG if is_run else source, settings), source)
    origins = RollingOrigins(folds or config.evaluation.folds, config.model.horizon)
    with naming(_place(config, config.data.train)):
        data = load_series(config)
        if not is_run or refit:
            season = season_of(config.model, data.train)
            return roll(
                data.train, origins, fitter(config), season=season, refit=refit is not False, progress=False
            ), ""
        model, _ = _load(run=source)
        result = roll(data.whole, origins, lambda _: predictor(model), season=model.season, refit=False)
    unseen = int((data.whole.lengths - data.starts).min()) // config.model.horizon
    seen = max(origins.folds - unseen, 0)
    note = f"of {origins.folds} folds, the first {seen} reach into steps that the run was fitted on." if seen else ""
    return replace(result, fitted=()), note


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    export_forecast_saved_model(bundle.load_model(run, ForecastingModel), folder)


def _load(run: Path) -> tuple[ForecastingModel, ForecastingConfig]:
    model = bundle.load_model(run, ForecastingModel)
    return model, _forecasting(load_config(run / bundle.CONFIG), run)


def _place(config: ForecastingConfig, path: str | None) -> str | None:
    """A file as messages name it."""
    return None if path is None else locate(path, config.data)


def _forecasting(config: object, source: Path) -> ForecastingConfig:
    if not isinstance(config, ForecastingConfig):
        raise ConfigError(f"{source}: task: expected 'forecasting', found 'tagging'")
    return config


def _read_for(model: ForecastingModel, config: ForecastingConfig, source: str, part: Part) -> SeriesTable:
    """The series of a file, on the grid and in the time zone of the run's training data."""
    data = config.data.model_copy(update={"frequency": model.encoder.frequency.name})
    table = read_table(data, source, model.horizon, part)
    if table.zone != model.encoder.zone:
        start = table.shown(table.times[0])
        expected, found = (zone or "none" for zone in (model.encoder.zone, table.zone))
        raise DataError(
            f"series {table.ids[0]!r} at {start}: expected time zone {expected} as in training, found {found}"
        )
    return table
