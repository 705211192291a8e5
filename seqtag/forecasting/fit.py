"""Fits and scores a forecasting model: the steps from a table of series to a model with its figures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import tensorflow as tf

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, DataWarning, shown
from seqtag.forecasting.calibration.bounds import Bounds
from seqtag.forecasting.calibration.conformal import fit_offsets
from seqtag.forecasting.calibration.corrections import Corrections, without_median
from seqtag.forecasting.calibration.dependence import fit_dependence
from seqtag.forecasting.calibration.guard_fit import HeldOut, fit_guard
from seqtag.forecasting.calibration.quantile_function import probabilities
from seqtag.forecasting.cold_start.fit import fit_pool
from seqtag.forecasting.config import ForecastingConfig, ForecastModelConfig
from seqtag.forecasting.data.batches import WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.held_out import Split, split
from seqtag.forecasting.data.moments import moves_little, typical_deviation
from seqtag.forecasting.data.series_order import in_order
from seqtag.forecasting.data.sources import series_columns
from seqtag.forecasting.data.units import SeriesUnits
from seqtag.forecasting.data.windows import Windows, subsample, training_windows
from seqtag.forecasting.defaults.choices import Choices, choose, show_choices
from seqtag.forecasting.evaluation.evaluate import evaluate_model
from seqtag.forecasting.evaluation.report import ForecastReport
from seqtag.forecasting.members import EVALUATION_BATCH, Member, MemberTrainer
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.process.forks import check_can_run
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, joined
from seqtag.training.measure import Measure
from seqtag.training.recording import Recording


def fit_forecasting_model(
    table: SeriesTable,
    settings: ForecastingConfig | Choices,
    recording: Recording = Recording(),
    budget: Budget | None = None,
) -> tuple[ForecastingModel, FitResult, ForecastReport]:
    """Fits a model on a table, whose last steps are held out: they choose the epoch and correct the forecasts.

    With `data.standardise` the networks read `(y - mean) / deviation`, with the moments of each series' steps before
    those that are held out, and the report is in these units; the model takes and gives the series' own.
    The same seed gives the same model bit for bit on a CPU, whatever the order of the series and of their rows.

    Args:
        table: the series.
        settings: a configuration, of which those settings that are not set follow from the data; or what `choose` has
            made of it for these series.
        recording: where checkpoints and logs go, and whether to resume.
        budget: the time that the fit may take, where other fits came before it; that of the settings unless given.

    Returns:
        The model, how the fit went, and the report on the held-out windows, with the baselines.

    Raises:
        DataError: no series is long enough, see `seqtag.forecasting.data.held_out.split`; a value below zero for
            the head of counts.
        RunError: see `fit_network`.
    """
    check_can_run()
    table = in_order(table)
    choices = settings if isinstance(settings, Choices) else choose(settings, table)
    config = choices.config
    budget = budget or Budget(config.training.budget)
    units, series, parts = _prepared(table, config)
    _warn_of_short(parts)
    show_choices(choices, recording.verbose)
    trainer = _trainer(series, parts, config)
    encoder = trainer.encoder
    members = _fit_members(trainer, recording, budget)
    season_length = config.model.season_length
    build = partial(ForecastingModel, encoder=encoder, columns=series_columns(config.data), season_length=season_length)
    bounds = Bounds(config.model.lower, config.model.upper)
    corrections = fit_corrections(_by_kind(members, config.model, build), series, parts.held_out_windows, config.model)
    corrected = build(_ensemble(members), corrections=corrections)
    pool = fit_pool(corrected, table, parts.held_out_windows, takes_logarithms(table), answers=units is None)
    build = partial(build, corrections=corrections, units=units, bounds=bounds, pool=pool)
    model = build(_ensemble(members))
    report = evaluate_model(model, table, parts.held_out_windows)
    result = joined([member.result for member in members])
    if config.training.refit:
        epochs = [member.result.best_epoch for member in members]
        members = _refit_members(series, config, encoder, epochs, recording.verbose, budget)
        model = build(_ensemble(members))
        result = replace(result, seconds=result.seconds + sum(member.result.seconds for member in members))
    return model, result, report


def fit_networks(
    table: SeriesTable, config: ForecastingConfig, recording: Recording, budget: Budget
) -> tuple[ForecastingModel, FitResult]:
    """Fits the networks alone: the model has no corrections and no pool, and forecasts the networks' mean.

    Args:
        table: the series, in order.
        config: all settings.
        recording: as for `fit_forecasting_model`.
        budget: the time that the fit may take.

    Raises:
        DataError, RunError: as `fit_forecasting_model`.
    """
    units, series, parts = _prepared(table, config)
    trainer = _trainer(series, parts, config)
    members = _fit_members(trainer, recording, budget)
    model = ForecastingModel(
        _ensemble(members),
        trainer.encoder,
        series_columns(config.data),
        config.model.season_length,
        units=units,
        bounds=Bounds(config.model.lower, config.model.upper),
    )
    return model, joined([member.result for member in members])


def _prepared(table: SeriesTable, config: ForecastingConfig) -> tuple[SeriesUnits | None, SeriesTable, Split]:
    """The units of the series, the series in them, and their windows."""
    units = _fit_units(table, config) if config.data.standardise else None
    series = table if units is None else units.standardised(table)
    if config.model.head == "negative_binomial":
        check_counts(series)
    held_out = config.training.validation_steps
    return units, series, split(series, config.model.lookback, config.model.horizon, held_out, _min_history(config))


def _trainer(series: SeriesTable, parts: Split, config: ForecastingConfig) -> MemberTrainer:
    encoder = SeriesEncoder.fit(parts.fitted, config.model.calendar)
    fitted = WindowReader(encoder.encode(parts.fitted), parts.training_windows)
    held_out = WindowReader(encoder.encode(series), parts.held_out_windows)
    return MemberTrainer(config, encoder, parts.fitted, fitted, held_out, takes_logarithms(series))


def _warn_of_short(parts: Split) -> None:
    """Warns once of the series that have no window: too few values."""
    short = np.ones(len(parts.fitted), bool)
    short[parts.training_windows.series] = False
    if short.any():
        named = shown(parts.fitted.ids[int(short.argmax())])
        message = f"fitted on no window of {short.sum()} series that have too few values for one, such as {named}"
        warnings.warn(DataWarning(message), stacklevel=3)


def _fit_units(table: SeriesTable, config: ForecastingConfig) -> SeriesUnits:
    held_out = config.training.validation_steps
    return SeriesUnits.fit(table, np.where(table.lengths > held_out, table.lengths - held_out, table.lengths))


def _min_history(config: ForecastingConfig) -> int:
    return min(config.training.min_history, config.model.lookback)


def takes_logarithms(table: SeriesTable) -> bool:
    """Whether the series are fitted as ratios: all values are above zero, and they move beside their level."""
    return bool((table.values[table.observed] > 0).all()) and not moves_little(table)


def check_counts(table: SeriesTable) -> None:
    """Raises a `DataError` that names the first value below zero."""
    below = np.flatnonzero(table.values < 0)
    if len(below):
        at = below[0]
        raise DataError(
            f"series {shown(table.ids[table.series_of_step[at]])} at {table.format_time(table.times[at])}: expected a"
            f" count for head 'negative_binomial', found {table.values[at]:g}"
        )


def _fit_members(trainer: MemberTrainer, recording: Recording, budget: Budget) -> list[Member]:
    """Fits all members; the held-out windows choose the epoch of each. A refit's share of the budget is like theirs."""
    training, size = trainer.config.training, len(trainer.config.model.of_members())
    measure = Measure("loss", is_loss=True, keeps_last=training.keep == "last")
    names = [f"member-{number + 1}" for number in range(size)]
    fits = 2 * size if training.refit else size
    return [
        trainer.fit(
            number, training, measure, recording.part(name, labelled=size > 1), budget.part(1 / (fits - number))
        )
        for number, name in enumerate(names)
    ]


def _refit_members(
    table: SeriesTable,
    config: ForecastingConfig,
    encoder: SeriesEncoder,
    epochs: Sequence[int],
    verbose: bool,
    budget: Budget,
) -> list[Member]:
    """Fits members on all steps, each for as many epochs as were best when some were held out."""
    windows = training_windows(table, config.model.lookback, config.model.horizon, _min_history(config))
    encoded = encoder.encode(table)
    fitted, scored = (WindowReader(encoded, chosen) for chosen in (windows, subsample(windows, EVALUATION_BATCH)))
    trainer = MemberTrainer(config, encoder, table, fitted, scored, takes_logarithms(table))
    measure = Measure("loss on fitted steps", is_loss=True, keeps_last=True)
    members = []
    for number, best in enumerate(epochs):
        training = config.training.model_copy(update={"epochs": best, "patience": None})
        recording = Recording(label=f"refit {number + 1}", verbose=verbose)
        part = budget.part(1 / (len(epochs) - number))
        members.append(trainer.fit(number, training, measure, recording, part))
    return members


def _ensemble(members: Sequence[Member]) -> ForecastEnsemble:
    return ForecastEnsemble([member.network for member in members])


def _by_kind(
    members: Sequence[Member], config: ForecastModelConfig, build: Callable[[ForecastEnsemble], ForecastingModel]
) -> list[ForecastingModel]:
    """A model of the members of each kind, without corrections."""
    size = config.ensemble_size
    return [build(_ensemble(members[start : start + size])) for start in range(0, len(members), size)]


def fit_corrections(
    models: Sequence[ForecastingModel], table: SeriesTable, windows: Windows, config: ForecastModelConfig
) -> Corrections:
    """Fits the guard's weights, the offsets of the quantiles and the dependence between steps on held-out windows.

    Args:
        models: of each kind of network, without corrections.
        table: the series.
        windows: the held-out ones.
        config: the settings.
    """
    series = models[0].encoder.encode(table).series[windows.series]
    target, season_length = windows.future(table.values), models[0].season_length
    batch = {"history": tf.constant(windows.history(table.values)), "series": tf.constant(series)}
    outputs = [model.outputs(table, windows) for model in models]
    corrections = Corrections()
    if config.guard == "blend":
        held_out = HeldOut(target, batch["history"], series, _age(windows, table))
        guard = fit_guard(
            held_out,
            outputs,
            len(models[0].encoder.ids),
            config.quantiles,
            season_length=season_length,
            multiplicative=takes_logarithms(table),
            typical=typical_deviation(table),
        )
        corrections = replace(corrections, blend=guard)
    output = corrections.apply(outputs, batch, season_length)
    if config.conformal:
        quantiles, spread = np.asarray(output.quantiles), np.asarray(output.spread)
        offsets = without_median(fit_offsets(target, quantiles, spread, config.quantiles))
        corrections = replace(corrections, offsets=offsets)
        output = corrections.with_offsets(output)
    dependence = fit_dependence(probabilities(target, np.asarray(output.quantiles), config.quantiles))
    return replace(corrections, dependence=dependence)


def _age(windows: Windows, table: SeriesTable) -> np.ndarray:
    """How many steps each window ends before the newest one of its series."""
    newest = np.zeros(len(table), np.int64)
    np.maximum.at(newest, windows.series, windows.ends)
    return newest[windows.series] - windows.ends
