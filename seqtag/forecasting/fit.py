"""Fitting and scoring a forecasting model: the steps between a table of series and a model with its figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from seqtag.data.series.files import SeriesColumns
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.calibration.blending import fit_blend
from seqtag.forecasting.calibration.conformal import fit_offsets
from seqtag.forecasting.calibration.corrections import Corrections, without_median
from seqtag.forecasting.calibration.dependence import fit_dependence
from seqtag.forecasting.calibration.quantile_function import probabilities
from seqtag.forecasting.config import ForecastModelConfig, ForecastTrainingConfig
from seqtag.forecasting.data.batches import WindowBatches, WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.held_out import Split, split
from seqtag.forecasting.data.windows import Windows, subsample, training_windows
from seqtag.forecasting.evaluation.evaluate import evaluate_forecasts
from seqtag.forecasting.evaluation.histories import Prefixes
from seqtag.forecasting.evaluation.report import ForecastReport
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.network.network import ForecastNetwork
from seqtag.forecasting.network.scaling import training_moments
from seqtag.forecasting.network.seasonal_naive import seasonal_naive
from seqtag.forecasting.network.teacher_schedule import TeacherSchedule
from seqtag.training.fit import FitResult, fit_network
from seqtag.training.measure import Measure
from seqtag.training.recording import Recording

EVALUATION_BATCH = 512
# Far enough apart that the members of one seed are not those of the next.
MEMBER_SEEDS = 1009


def season_of(config: ForecastModelConfig, table: SeriesTable) -> int:
    """The season of the configuration, else that of the table's frequency."""
    return config.season or table.frequency.season_length


def shortest_history(training: ForecastTrainingConfig, config: ForecastModelConfig, table: SeriesTable) -> int:
    """The least history of a training window: the setting, else the lookback where every series affords it, else 1."""
    if training.shortest is not None:
        return min(training.shortest, config.lookback)
    needed = config.lookback + config.horizon + (training.validation_steps or config.horizon)
    return config.lookback if table.lengths.min() >= needed else 1


def build_network(
    config: ForecastModelConfig, fitted: SeriesTable, encoder: SeriesEncoder, dtype: str, logarithmic: bool = False
) -> ForecastNetwork:
    """An unfitted network, with what it needs of the series that it will be fitted on.

    Args:
        config: the settings.
        fitted: the series.
        encoder: of tables.
        dtype: Keras's dtype policy.
        logarithmic: whether exponential smoothing takes logarithms.
    """
    looks_up = config.scaling in ("standard", "last")
    moments = training_moments(fitted.values, fitted.offsets).tolist() if looks_up else None
    smoothing = {
        "season": season_of(config, fitted),
        "logarithmic": logarithmic,
        "per_series": config.series_smoothing,
    }
    network = ForecastNetwork(
        lookback=config.lookback,
        horizon=config.horizon,
        inputs=encoder.inputs(),
        cell=config.cell,
        units=config.units,
        dilations=config.dilations or (1,) * config.layers,
        residual=config.residual,
        bidirectional=config.bidirectional,
        segment=config.segment,
        output=config.output,
        scaling=config.scaling,
        head=config.head,
        levels=config.quantiles,
        moments=moments,
        smoothing=smoothing if config.scaling == "es_rnn" else None,
        series_width=config.series_width,
        dropout=config.dropout,
        recurrent_dropout=config.recurrent_dropout,
        dtype=dtype,
    )
    network.build()
    return network


def fit_forecasting_model(
    table: SeriesTable,
    config: ForecastModelConfig,
    training: ForecastTrainingConfig,
    columns: SeriesColumns = SeriesColumns(),
    *,
    seed: int = 1,
    recording: Recording = Recording(),
) -> tuple[ForecastingModel, FitResult, ForecastReport]:
    """Fits a model on a table; its last steps choose the epoch and correct the answers.

    The other arguments are those of `fit_network`. The same seed gives the same model bit for bit on a CPU.

    Returns:
        The model, how the fit went, and the report on the held-out windows beside the naive rules.

    Raises:
        DataError: no series is long enough, see `seqtag.forecasting.data.held_out.split`; a value below zero for
            the head of counts.
        RunError: see `fit_network`.
    """
    if config.head == "negative_binomial":
        check_counts(table)
    shortest = shortest_history(training, config, table)
    parts = split(table, config.lookback, config.horizon, training.validation_steps, shortest)
    encoder = SeriesEncoder.fit(parts.fitted, config.calendar)
    reader = WindowReader(encoder.encode(parts.fitted), parts.training_windows)
    held_out = WindowReader(encoder.encode(table), parts.held_out_windows)
    logarithmic = above_zero(table)
    networks, results = [], []
    for member in range(config.members):
        network, result = _fit_member(
            parts,
            reader,
            held_out,
            encoder,
            config,
            training,
            logarithmic,
            seed=seed + MEMBER_SEEDS * member,
            recording=recording.part(f"member-{member + 1}", labelled=config.members > 1),
        )
        networks.append(network)
        results.append(result)
    plain = ForecastingModel(ForecastEnsemble(networks), encoder, columns, season_of(config, table))
    corrections = fit_corrections(plain, table, parts.held_out_windows, config)
    model = plain.corrected(corrections)
    report = score(model, table, parts.held_out_windows)
    result = _together(results)
    if training.refit:
        refitted = _refit_members(table, shortest, encoder, config, training, results, seed)
        ensemble = ForecastEnsemble([network for network, _ in refitted])
        model = ForecastingModel(ensemble, encoder, columns, model.season, corrections)
        result = replace(result, seconds=result.seconds + sum(again.seconds for _, again in refitted))
    return model, result, report


def above_zero(table: SeriesTable) -> bool:
    """Whether all values are, so that their logarithms can be taken."""
    return bool((table.values[table.observed] > 0).all())


def check_counts(table: SeriesTable) -> None:
    """Raises a `DataError` that names the first value below zero."""
    below = np.flatnonzero(table.values < 0)
    if len(below):
        at = below[0]
        raise DataError(
            f"series {table.ids[table.series_of_step[at]]!r} at {table.format_time(table.times[at])}: expected a count"
            f" for head 'negative_binomial', found {table.values[at]:g}"
        )


def _fit_member(
    parts: Split,
    reader: WindowReader,
    held_out: WindowReader,
    encoder: SeriesEncoder,
    config: ForecastModelConfig,
    training: ForecastTrainingConfig,
    logarithmic: bool,
    *,
    seed: int,
    recording: Recording,
) -> tuple[ForecastNetwork, FitResult]:
    """A member fitted on the windows of `reader`; those of `held_out` choose its epoch."""
    keras.utils.set_random_seed(seed)
    network = build_network(config, parts.fitted, encoder, training.precision, logarithmic)
    evaluate = held_out_loss(network, held_out, len(parts.held_out_windows))
    measure = Measure("loss", is_loss=True, keeps_last=training.keep == "last")
    windows = parts.training_windows
    return network, _fit(network, reader, windows, training, evaluate, measure, seed=seed, recording=recording)


def _refit_members(
    table: SeriesTable,
    shortest: int,
    encoder: SeriesEncoder,
    config: ForecastModelConfig,
    training: ForecastTrainingConfig,
    results: list[FitResult],
    seed: int,
) -> list[tuple[ForecastNetwork, FitResult]]:
    """Members fitted on all steps, each for as many epochs as were best when some were held out."""
    windows = training_windows(table, config.lookback, config.horizon, shortest)
    encoded = encoder.encode(table)
    reader, some = WindowReader(encoded, windows), subsample(windows, EVALUATION_BATCH)
    sample, logarithmic = WindowReader(encoded, some), above_zero(table)
    members = []
    for member, result in enumerate(results):
        member_seed = seed + MEMBER_SEEDS * member
        keras.utils.set_random_seed(member_seed)
        network = build_network(config, table, encoder, training.precision, logarithmic)
        settings = training.model_copy(update={"epochs": result.best_epoch, "patience": None})
        fitted = Measure("loss on fitted steps", is_loss=True, keeps_last=True)
        evaluate = held_out_loss(network, sample, len(some))
        again = _fit(
            network,
            reader,
            windows,
            settings,
            evaluate,
            fitted,
            seed=member_seed,
            recording=Recording(label=f"refit {member + 1}"),
        )
        members.append((network, again))
    return members


def _fit(
    network: ForecastNetwork,
    reader: WindowReader,
    windows: Windows,
    training: ForecastTrainingConfig,
    evaluate: Callable[[], float],
    measure: Measure,
    *,
    seed: int,
    recording: Recording,
) -> FitResult:
    batches = WindowBatches(
        reader, windows.series, training.batch_windows, training.windows_per_epoch, seed, training.balanced
    )
    callbacks = [TeacherSchedule(*training.teacher_share, training.epochs)]
    return fit_network(network, batches, training, evaluate, measure, recording, callbacks)


def held_out_loss(network: ForecastNetwork, reader: WindowReader, windows: int) -> Callable[[], float]:
    """A function that gives the network's mean loss over the reader's windows, as it stands."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def loss(chosen: tf.Tensor) -> tf.Tensor:
        batch = reader.batch(chosen)
        observed = tf.reduce_sum(tf.cast(~tf.math.is_nan(batch["target"]), tf.float32))
        return tf.stack([network.compute_loss(batch, None, network(batch, training=False)) * observed, observed])

    def mean() -> float:
        starts = range(0, windows, EVALUATION_BATCH)
        sums = [loss(tf.range(s, min(s + EVALUATION_BATCH, windows), dtype=tf.int64)).numpy() for s in starts]
        total, count = np.sum(sums, axis=0)
        return float(total / count)

    return mean


def fit_corrections(
    model: ForecastingModel, table: SeriesTable, held_out: Windows, config: ForecastModelConfig
) -> Corrections:
    """The guard's weights, the offsets of the quantiles and the dependence between steps, from held-out windows."""
    target = held_out.future(table.values).astype(float)
    series = model.encoder.encode(table).series[held_out.series]
    batch = {"history": tf.constant(held_out.history(table.values), tf.float32), "series": tf.constant(series)}
    plain = model.answers(table, held_out)
    corrections = Corrections()
    if config.guard == "blend":
        naive = seasonal_naive(batch["history"], config.horizon, model.season).numpy()
        blend = fit_blend(target, plain.point, naive, plain.spread, series, len(model.encoder.ids))
        corrections = replace(corrections, blend=blend)
    if config.conformal:
        answer = corrections.apply(plain, batch, model.season)
        offsets = fit_offsets(target, np.asarray(answer.quantiles), plain.spread, config.quantiles)
        corrections = replace(corrections, offsets=without_median(offsets))
    quantiles = np.asarray(corrections.apply(plain, batch, model.season).quantiles)
    return replace(corrections, dependence=fit_dependence(probabilities(target, quantiles, config.quantiles)))


def score(model: ForecastingModel, table: SeriesTable, windows: Windows) -> ForecastReport:
    """The report on windows of a table, beside the naive rules, which know each series from its first step on."""
    series = [table.values[table.rows(number)] for number in range(len(table))]
    histories = Prefixes(series, windows.series, windows.ends - windows.first)
    ids = [str(table.ids[series]) for series in windows.series]
    target = windows.future(table.values).astype(float)
    return evaluate_forecasts(target, model.forecast(table, windows), histories, model.season, ids)


def _together(results: list[FitResult]) -> FitResult:
    """One result of all members: their epochs one after the other, their seconds summed."""
    if len(results) == 1:
        return results[0]
    return replace(
        results[0],
        history=[{"member": n, **row} for n, result in enumerate(results, 1) for row in result.history],
        seconds=sum(result.seconds for result in results),
        items_per_second=statistics.median(result.items_per_second for result in results),
    )
