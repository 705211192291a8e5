"""Fits the networks of an ensemble, its members, all on the same windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.config import ForecastingConfig, ForecastModelConfig, ForecastTrainingConfig
from seqtag.forecasting.data.batches import WindowBatches, WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.moments import moments_of, training_moments, typical_deviation
from seqtag.forecasting.network.network import ForecastNetwork
from seqtag.forecasting.network.teacher_schedule import TeacherSchedule
from seqtag.forecasting.ridge import fit_anchor
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, fit_network
from seqtag.training.measure import Measure
from seqtag.training.recording import Recording
from seqtag.training.seeding import seeded

EVALUATION_BATCH = 512
# Far enough apart that the members of one seed are not those of the next.
MEMBER_SEEDS = 1009


class Member(NamedTuple):
    """A fitted network and how its fit went."""

    network: ForecastNetwork
    result: FitResult


@dataclass(frozen=True, eq=False)
class MemberTrainer:
    """Fits networks on the same windows, each from a seed of its own.

    Attributes:
        config: the settings.
        encoder: encodes tables of series.
        table: the series that the networks are fitted on.
        fitted: reads the windows of `table` that the networks are fitted on.
        scored: reads the windows whose loss is measured after each epoch.
        logarithmic: whether exponential smoothing takes logarithms.
    """

    config: ForecastingConfig
    encoder: SeriesEncoder
    table: SeriesTable
    fitted: WindowReader
    scored: WindowReader
    logarithmic: bool

    def fit(
        self,
        number: int,
        training: ForecastTrainingConfig,
        measure: Measure,
        recording: Recording,
        budget: Budget | None = None,
    ) -> Member:
        """Fits the member of this number, the first being 0, within a budget, which is the settings' unless given."""
        model = self.config.model.of_members()[number]
        seed = self.config.seed + MEMBER_SEEDS * number
        batches = WindowBatches(
            self.fitted,
            self.fitted.windows.series,
            training.batch_windows,
            training.windows_per_epoch,
            seed,
            training.balanced,
        )
        teacher = TeacherSchedule(*training.teacher_share, training.epochs)
        with seeded(seed):
            network = build_network(model, self.table, self.encoder, training.precision, self.logarithmic)
            if network.anchor is not None:
                fit_anchor(network, self.fitted, self.scored)
            loss = held_out_loss(network, self.scored)
            return Member(network, fit_network(network, batches, training, loss, measure, recording, [teacher], budget))


def build_network(
    config: ForecastModelConfig, table: SeriesTable, encoder: SeriesEncoder, dtype: str, logarithmic: bool = False
) -> ForecastNetwork:
    """Builds an unfitted network.

    Args:
        config: the settings.
        table: the series that the network will be fitted on.
        encoder: encodes tables of series.
        dtype: Keras's dtype policy.
        logarithmic: whether exponential smoothing takes logarithms.
    """
    smoothing = {
        "season_length": config.season_length,
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
        stateful=config.stateful,
        output=config.output,
        scaling=config.scaling,
        season_length=config.season_length if config.scaling == "seasonal" else 1,
        anchor=config.anchor,
        # Counts alone have a zero that means something.
        centred=config.head != "negative_binomial",
        typical=typical_deviation(table),
        head=config.head,
        levels=config.quantiles,
        moments=_moments(config, table),
        smoothing=smoothing if config.scaling == "es_rnn" else None,
        series_width=config.series_width,
        dropout=config.dropout,
        recurrent_dropout=config.recurrent_dropout,
        dtype=dtype,
    )
    network.build()
    return network


def _moments(config: ForecastModelConfig, table: SeriesTable) -> list[list[float]] | None:
    """What a scaling looks up: the moments of each series; without a scaling, the mean of all; see `WindowScaling`."""
    if config.scaling in ("standard", "last"):
        return training_moments(table.values, table.offsets).tolist()
    if config.scaling == "none" and config.head != "negative_binomial":
        return [[moments_of(table.values)[0], 1.0]]
    return None


def held_out_loss(network: ForecastNetwork, reader: WindowReader) -> Callable[[], float]:
    """A function that gives the mean loss over all windows of the reader, with the weights of the moment."""
    windows = len(reader.windows)

    def loss(chosen: tf.Tensor) -> np.ndarray:
        batch = reader.batch(chosen)
        output = network.traced_call(batch)
        counted = tf.reduce_sum(tf.cast(network.counted(batch, output), tf.float32))
        both: np.ndarray = tf.stack([network.compute_loss(batch, None, output) * counted, counted]).numpy()
        return both

    def mean() -> float:
        starts = range(0, windows, EVALUATION_BATCH)
        sums = [loss(tf.range(s, min(s + EVALUATION_BATCH, windows), dtype=tf.int64)) for s in starts]
        total, count = np.sum(sums, axis=0)
        return float(total / max(count, 1.0))

    return mean
