"""The task of forecasting: what the command line calls.

TensorFlow is imported inside the functions, after the data were read where that can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.config.section import validate_section
from seqtag.data.series.files import SeriesColumns
from seqtag.data.series.frames import csv_text, kept_pipe
from seqtag.data.series.slicing import up_to_last_value
from seqtag.data.series.table import SeriesTable
from seqtag.errors import ConfigError
from seqtag.forecasting.backtesting.origins import RollingOrigins
from seqtag.forecasting.config import ForecastingConfig, SeriesDataConfig
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.inspection import LAYOUTS, SeriesReports, inspect_series
from seqtag.forecasting.data.last_folds import last_folds
from seqtag.forecasting.data.sources import (
    check_names,
    errors_in,
    load_series,
    locate,
    next_steps,
    read_as_trained,
    text_format,
)
from seqtag.forecasting.defaults.choices import choose
from seqtag.forecasting.evaluation.evaluate import evaluate_model
from seqtag.forecasting.hierarchy.checks import checked_sums
from seqtag.forecasting.leakage.audit import audit_known
from seqtag.forecasting.levels import parsed_levels
from seqtag.forecasting.stored_sizes import stored_sizes
from seqtag.process.quiet_tensorflow import import_tensorflow
from seqtag.runs import bundle
from seqtag.runs.bundle import load_encoders
from seqtag.runs.config_file import dump_config, load_config, load_run_config
from seqtag.runs.directory import CHECKPOINTS, LOGS, check_place, run_directory, write_figures
from seqtag.runs.places import check_new_folder, check_output_folder

if TYPE_CHECKING:
    from seqtag.demo.page import Demo
    from seqtag.forecasting.backtesting.result import BacktestResult
    from seqtag.forecasting.evaluation.report import ForecastReport
    from seqtag.forecasting.model import ForecastingModel
    from seqtag.forecasting.summary import ForecasterSummary

CONFIG = ForecastingConfig
# The options that say how files are read: keys of the section `data`.
READING = frozenset(
    {
        "layout", "series", "time", "target", "frequency", "time_zone", "date_format", "separator", "decimal",
        "encoding",
    }
)  # fmt: skip
OPTIONS = {
    "train": frozenset[str](),
    "evaluate": READING,
    "predict": READING | {"horizon", "future", "levels", "hierarchy"},
    "backtest": READING,
    "export": frozenset[str](),
    "demo": frozenset[str](),
    "inspect": READING,
}


def train(config: ForecastingConfig, output: Path, resume: bool = False) -> ForecasterSummary:
    """Fits a forecaster as `config` says and writes its run directory.

    Everything is written to `OUTPUT.partial`, which takes the name `output` when all of it is there.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: a path is missing, or `resume` with another configuration.
        DataError: a file is at fault.
    """
    check_place(output, resume)
    with errors_in(_path(config, config.data.train)):
        data = load_series(config)
        choices = choose(config, data.train)
    config = choices.config
    with run_directory(config, output, resume) as folder, errors_in(_path(config, config.data.train)):
        # A test set that is too short is found now and not after the fit.
        with errors_in(_path(config, config.data.test)):
            windows = data.test_windows(config.model.lookback, config.model.horizon, config.evaluation.stride)
        import_tensorflow()
        from seqtag.forecasting.model import TASK
        from seqtag.forecasting.search.fit import fit_searched
        from seqtag.forecasting.series_file import save_tail
        from seqtag.forecasting.summary import ForecasterSummary
        from seqtag.training.recording import Recording

        leakage = audit_known(data.train, config)
        logs = folder / LOGS if config.training.tensorboard else None
        recording = Recording(folder / CHECKPOINTS, logs, resume)
        found = fit_searched(data.train, choices, recording, folder)
        model, fit, reports = found.model, found.result, {"dev": found.report}
        if len(windows):
            windows = replace(windows, lookback=model.lookback)
            reports["test"] = evaluate_model(model, data.whole, windows)
        metrics: dict[str, Any] = {"task": TASK}
        metrics |= {split: report.to_metrics() for split, report in reports.items()}
        metrics |= {"train": fit.to_metrics(), "seed": config.seed} | found.to_metrics()
        if leakage is not None:
            metrics["leaking"] = list(leakage.leaking)
        model.save(folder)
        write_figures(folder, fit.history, metrics)
        save_tail(folder, model, data.train)
        if found.trials is not None:
            # Last, since a run is resumed with the configuration that it began with.
            bundle.write_text(folder / bundle.CONFIG, dump_config(found.choices.config))
    return ForecasterSummary(output, reports, fit.sparsity, leakage)


def evaluate(run: Path, data: str, **reading: str) -> ForecastReport:
    """Scores a run on the last `evaluation.folds` horizons of each series of a file, and the baselines.

    The file has the layout of the run's own data. Each horizon is forecast from all that comes before it; a series
    that is shorter has fewer. A run of standardised series is scored in their units, as in training. Faults of the file
    are found before TensorFlow is imported.

    Args:
        run: the run directory.
        data: the file.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle`, `load_config` and `read_table`; no series is long enough.
    """
    config, encoder = _settings(run, reading), _encoder(run)
    with errors_in(data):
        table = up_to_last_value(read_as_trained(config.data, encoder, data, config.model.horizon, "all"))
        windows = last_folds(table, config.model.lookback, config.model.horizon, config.evaluation.folds)
        return evaluate_model(_load(run), table, windows)


def predict(
    run: Path,
    source: str,
    *,
    horizon: int | None = None,
    future: str | None = None,
    levels: str | None = None,
    hierarchy: str | None = None,
    **reading: str,
) -> Iterator[bytes]:
    """The next steps of every series of a file, as CSV: its names of series and time, `forecast` and the quantiles.

    Faults of the files are found before TensorFlow is imported.

    Args:
        run: the run directory.
        source: the series up to now, in the layout of the run's own data; `-` for standard input. Rows after the last
            value of a series are to be forecast.
        horizon: how many steps; see `next_steps`. Those beyond the run's horizon come from sample paths, read as
            history in turn.
        future: a CSV file of the known covariates of these steps, where the run reads any.
        levels: of the quantiles, rising numbers with commas between them; those of the run unless given.
        hierarchy: a CSV file of the totals that each series is a part of, which are forecast as well; the groups of a
            `seqtag.forecasting.hierarchy.Hierarchy`.
        reading: how the files are read, where they are not as the run's own: `READING`.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle`, `load_config`, `read_table` and `read_future`; a
            `ConfigError` for levels that are none.
    """
    asked = None if levels is None else parsed_levels(levels)
    config, encoder = _settings(run, reading), _encoder(run)
    with errors_in(source):
        whole = read_as_trained(config.data, encoder, source, config.model.horizon, "history")
        table, steps = next_steps(config.data, whole, config.model.horizon, horizon, future, encoder.ids)
        groups, ids = kept_pipe(hierarchy), config.data.series
        if groups is not None:
            checked_sums(groups, table, steps.times, ids)
        model = _load(run)
        from seqtag.forecasting.hierarchy.totals import predict_totals
        from seqtag.forecasting.prediction.predict import predict as forecast

        if groups is None:
            frame = forecast(model, table, None, steps, config.seed, asked)
        else:
            frame = predict_totals(model, table, steps, groups, ids, config.seed, asked)
    names = {"unique_id": config.data.series, "ds": config.data.time}
    yield csv_text(frame.rename(columns=names), index=False).encode()


def backtest(
    source: Path,
    settings: Sequence[str],
    folds: int | None = None,
    refit: bool | None = None,
    output: Path | None = None,
    **reading: str,
) -> tuple[BacktestResult, str]:
    """Backtests over rolling origins, each a horizon after the one before, the last at the end of the data.

    A configuration is fitted anew in every fold, on the steps before it. It uses the training data alone, so that
    settings may be chosen by the result. A run is not fitted again and forecasts all folds, its test steps too. Scores
    are in the series' own units, standardised or not.

    Args:
        source: a configuration or a run directory.
        settings: overrides of the configuration.
        folds: how many; `evaluation.folds` of the configuration unless given.
        refit: whether to fit in each fold. A run is not fitted unless this is True, which fits its configuration
            anew. With False a configuration is fitted in the first fold alone.
        output: folder for tables and figures; None writes none.
        reading: how files are read, where the configuration does not say it: `READING`.

    Returns:
        The result, and a note for its reader, "" for none.

    Raises:
        RunError, ConfigError, DataError: as `evaluate`; a fold for which all series are too short.
        RunError, OutputError: see `check_output_folder`.
    """
    if output is not None:
        check_output_folder(output)
    config = _settings(source, reading, settings)
    origins = RollingOrigins(folds or config.evaluation.folds, config.model.horizon)
    result, note = _backtest(source, config, origins, refit)
    if output is not None:
        from seqtag.forecasting.backtesting import write_result

        write_result(result, output)
    return result, note


def _backtest(
    source: Path, config: ForecastingConfig, origins: RollingOrigins, refit: bool | None
) -> tuple[BacktestResult, str]:
    with errors_in(_path(config, config.data.train)):
        data = load_series(config)
        import_tensorflow()
        from seqtag.forecasting.backtesting.backtest import backtest as roll
        from seqtag.forecasting.backtesting.fitters import fitter
        from seqtag.forecasting.backtesting.predictor import predictor

        if refit or not source.is_dir():
            fit, every, length = fitter(config), refit is not False, _season_length(config, data.train)
            return roll(data.train, origins, fit, season_length=length, refit=every, progress=False), ""
        model = _load(source)
        result = roll(data.whole, origins, lambda _: predictor(model), season_length=model.season_length, refit=False)
    unseen = int((data.whole.lengths - data.starts).min()) // config.model.horizon
    seen = max(origins.folds - unseen, 0)
    note = f"of {origins.folds} folds, the first {seen} reach into steps that the run was fitted on." if seen else ""
    return replace(result, fitted=()), note


def _season_length(config: ForecastingConfig, table: SeriesTable) -> int:
    return choose(config, table).config.model.season_length


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    check_new_folder(folder)
    model = _load(run)
    from seqtag.forecasting.export import export_saved_model

    export_saved_model(model, folder)


def demo(run: Path) -> Demo:
    """The page of a run; see `seqtag.forecasting.demo`."""
    config, model = _settings(run, {}), _load(run)
    from seqtag.forecasting.demo import forecaster_demo

    return forecaster_demo(model, config)


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether files are of series: CSV files, unless a layout is given."""
    return all(name.endswith(".csv") for name in files) if layout in (None, "auto") else layout in LAYOUTS


@dataclass(frozen=True)
class InspectionReport:
    """What is in several files of series: a report on each."""

    files: tuple[SeriesReports, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The reports for programs."""
        return {"files": [report.to_dict() for report in self.files]}

    def to_text(self) -> str:
        """The reports for people."""
        return "\n".join(report.to_text() for report in self.files)


def inspect(files: Sequence[str], **reading: str) -> InspectionReport:
    """Reports what is in files of series; the options are `READING`, with a layout of `inspect_series`."""
    layout = reading.pop("layout", "auto")
    data = _read_as(SeriesDataConfig(), reading)
    check_names(data.frequency, data.time_zone)
    form = text_format(data)
    columns = SeriesColumns(data.series, data.time, data.target)
    reports = (inspect_series(name, layout, columns, data.frequency, data.time_zone, form) for name in files)
    return InspectionReport(tuple(reports))


def _settings(source: Path, options: Mapping[str, str], settings: Sequence[str] = ()) -> ForecastingConfig:
    """The configuration of a run or in a file, with the reading options of a command."""
    load = load_run_config if source.is_dir() else load_config
    config = load(source, ForecastingConfig, settings)
    return config.model_copy(update={"data": _read_as(config.data, options)})


def _read_as(data: SeriesDataConfig, options: Mapping[str, str]) -> SeriesDataConfig:
    """The settings of the data with those of the command line; a fault names the option."""
    for name, value in options.items():
        try:
            data = validate_section(SeriesDataConfig, {**data.model_dump(), name: value}, "data")
        except ConfigError as error:
            raise ConfigError(error.reason, setting=f"data.{name}") from None
    return data


def _encoder(run: Path) -> SeriesEncoder:
    """What a run knows of its series; quick, since it needs no TensorFlow."""

    def build(encoders: dict[str, Any]) -> SeriesEncoder:
        return SeriesEncoder.from_dict(encoders["encoder"])

    return load_encoders(run, "forecasting", build, stored_sizes)


def _load(run: Path) -> ForecastingModel:
    import_tensorflow()
    from seqtag.forecasting.model import ForecastingModel

    return ForecastingModel.load(run)


def _path(config: ForecastingConfig, path: str | None) -> str | None:
    """Where a file of the configuration is, for messages."""
    return None if path is None else locate(path, config.data)
