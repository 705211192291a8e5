"""The page of a forecaster: a CSV file of series in, their fans and a CSV file of the forecasts out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from seqtag.data.series.frames import Piped, csv_text
from seqtag.data.series.table import SeriesTable
from seqtag.demo.page import Answer, Block, Demo, Fan, Field, Number, Table
from seqtag.errors import DataError
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.sources import errors_in, next_steps, read_as_trained
from seqtag.forecasting.evaluation.forecast import quantile_names
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.predict import predict

MOST_CHARACTERS, MOST_STEPS = 2_000_000, 20_000
# So many series are drawn, with so many horizons before the forecast, and so many rows are shown; the file has all.
DRAWN, HORIZONS_BEFORE, FEWEST_BEFORE, SHOWN = 12, 4, 24, 200


def forecaster_demo(model: ForecastingModel, config: ForecastingConfig) -> Demo:
    """The page of a forecaster that reads files as its configuration says."""
    data = config.data

    def answer(texts: Mapping[str, str], numbers: Mapping[str, int]) -> Answer:
        return _answer(model, config, texts["series"], texts.get("future", ""), numbers["horizon"])

    names = ", ".join(filter(None, [data.series, data.time, data.target, *data.past, *data.known, *data.static]))
    fields = [Field("series", f"Series up to now, as CSV: {names}", MOST_CHARACTERS, is_file=True)]
    if data.known:
        label = f"What is known of the steps to forecast, as CSV: {', '.join(data.known)}"
        fields.append(Field("future", label, MOST_CHARACTERS, is_file=True, is_optional=True))
    about = f"A forecaster of {model.horizon} steps, fitted to series of the frequency {model.encoder.frequency.name}."
    horizon = Number("horizon", "Steps", model.horizon, 1, 10 * model.horizon)
    return Demo("Forecaster", about, fields, [horizon], [], answer)


def _answer(model: ForecastingModel, config: ForecastingConfig, series: str, future: str, horizon: int) -> Answer:
    data = config.data.model_copy(update={"encoding": "utf-8"})
    with errors_in("input"):
        whole = read_as_trained(data, model.encoder, Piped("input", series.encode()), model.horizon, "history")
        known = Piped("future", future.encode()) if future.strip() else None
        table, steps = next_steps(data, whole, model.horizon, horizon, known, model.encoder.ids)
        if len(table) * horizon > MOST_STEPS:
            raise DataError(f"expected at most {MOST_STEPS:,} steps to forecast, found {len(table) * horizon:,}")
        frame = predict(model, table, None, steps, config.seed)
    named = frame.rename(columns={"unique_id": data.series, "ds": data.time})
    blocks: list[Block] = [*_fans(table, frame, model.levels), _rows(named)]
    return Answer(blocks, {"forecast.csv": csv_text(named, index=False)})


def _fans(table: SeriesTable, frame: pd.DataFrame, levels: tuple[float, ...]) -> Iterator[Fan]:
    columns, history = quantile_names(levels), table.to_frame()
    for number, (name, rows) in enumerate(frame.groupby("unique_id", sort=False)):
        if number == DRAWN:
            return
        before = max(FEWEST_BEFORE, HORIZONS_BEFORE * len(rows))
        past = history[history["unique_id"] == name].tail(before)
        bands = [
            (f"{100 * (levels[-1 - n] - levels[n]):.3g}%", _numbers(rows[columns[n]]), _numbers(rows[columns[-1 - n]]))
            for n in range(len(levels) // 2)
        ]
        times = [_text(time) for time in [*past["ds"], *rows["ds"]]]
        values = [float(value) if np.isfinite(value) else None for value in past["y"]]
        yield Fan(times, values, _numbers(rows["forecast"]), bands, str(name))


def _numbers(values: pd.Series) -> list[float]:
    return values.astype(float).tolist()


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")


def _rows(frame: pd.DataFrame) -> Table:
    shown = frame.head(SHOWN)
    texts = [[_text(value) for value in row] for row in shown.itertuples(index=False)]
    title = "" if len(frame) <= SHOWN else f"the first {SHOWN} of {len(frame):,} rows"
    return Table([str(column) for column in frame.columns], texts, title)
