"""Forecasts of windows of a stateful model: each series is read once, from its first step to its last window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from seqtag.forecasting.data.batches import Batch, StepReader
from seqtag.forecasting.data.encoding import EncodedSeries
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.stateful.state import StatefulForecast

if TYPE_CHECKING:
    from seqtag.forecasting.model import ForecastingModel

BATCH = 512
# Steps that are read at once: the projected inputs of all of them are in memory together.
STEPS = 512


class StatefulWindows:
    """Forecasts windows whose histories are all steps of their series before them, whatever the lookback.

    Args:
        model: a model of stateful networks.
    """

    def __init__(self, model: ForecastingModel) -> None:
        self._forecaster = StatefulForecast(model)
        self._horizon = model.horizon
        self._graphs: dict[str, Callable[..., Any]] = {}

    def outputs(self, encoded: EncodedSeries, windows: Windows) -> ForecastOutput:
        """The forecasts of windows, before bounds."""
        reader, parts = StepReader(encoded), list[np.ndarray]()
        order = np.lexsort((windows.ends, windows.first, windows.series))
        # A history begins where its window says; those with the same beginning are read in one go.
        new = np.r_[True, np.diff(windows.first[order]) != 0] if len(order) else np.zeros(0, bool)
        runs = np.split(order, np.flatnonzero(new)[1:]) if len(order) else []
        runs.sort(key=lambda run: (-len(run), windows.ends[run[0]] - windows.first[run[0]]))
        for start in range(0, len(runs), BATCH):
            for chosen, found in self._rounds(reader, windows, runs[start : start + BATCH]):
                parts = parts or [np.empty((len(windows), *part.shape[1:])) for part in found]
                for whole, part in zip(parts, found, strict=True):
                    whole[chosen] = part
        return ForecastOutput(*parts)

    def _rounds(
        self, reader: StepReader, windows: Windows, runs: list[np.ndarray]
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """The first window of each run, then the second of those that have one, and so on, with their forecasts."""
        state = self._forecaster.begun(len(runs))
        before = windows.first[[run[0] for run in runs]]
        for number in range(len(runs[0])):
            chosen = np.array([run[number] for run in runs if len(run) > number])
            series, ends = windows.series[chosen], windows.ends[chosen]
            state = self._read(reader, state[: len(chosen)], series, before[: len(chosen)], ends)
            future = reader.future(series, ends, self._horizon)
            yield chosen, [part.numpy() for part in self._graph("forecast", future)(state, future)]
            before = ends

    def _read(
        self, reader: StepReader, state: tf.Tensor, series: np.ndarray, first: np.ndarray, ends: np.ndarray
    ) -> tf.Tensor:
        longest = int((ends - first).max(initial=0))
        for left in range((longest - 1) // STEPS * STEPS, -1, -STEPS) if longest else ():
            until = ends - left
            steps = reader.steps(series, np.maximum(until - STEPS, first), np.maximum(until, first))
            state = self._graph("read", steps)(state, steps)
        return state

    def _graph(self, name: str, batch: Batch) -> Callable[..., Any]:
        if name not in self._graphs:
            state = tf.TensorSpec([None, self._forecaster.width], tf.float64, "state")
            specs = {key: tf.TensorSpec(_free(key, part), part.dtype, key) for key, part in batch.items()}
            call = self._forecaster.forecast if name == "forecast" else self._read_steps
            self._graphs[name] = tf.function(call, autograph=False).get_concrete_function(state, specs)
        return self._graphs[name]

    def _read_steps(self, state: tf.Tensor, batch: Batch) -> tf.Tensor:
        return self._forecaster.read(state, batch, batch["there"])


def _free(name: str, part: tf.Tensor) -> list[int | None]:
    """The shape of an array whose rows and steps may be any number."""
    axes = 1 if name.startswith(("series", "static")) else 2
    return [*[None] * axes, *part.shape[axes:]]
