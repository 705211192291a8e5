"""Figures and files of a backtest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from seqtag.data.series.frames import csv_text
from seqtag.figures import save_figure
from seqtag.files.folders import filled_folder
from seqtag.forecasting.backtesting.result import FORECAST, BacktestResult
from seqtag.forecasting.plots import plot_backtest, plot_forecast
from seqtag.runs.places import check_output_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BASELINE = "seasonal_naive"


def plot_result(result: BacktestResult, metric: str = "mase") -> Figure:
    """Draws a metric of the forecasts beside seasonal naive, by horizon step and by fold, and the coverage.

    Raises:
        ValueError: there is no such metric.
    """
    by_step = {model: result.by_step(model) for model in (FORECAST, BASELINE)}
    by_fold = {model: result.by_fold(model) for model in (FORECAST, BASELINE)}
    return plot_backtest(by_step, by_fold, result.coverage_by_step(), metric)


def write_result(result: BacktestResult, folder: str | Path, forecasts: bool = True) -> None:
    """Writes the tables as CSV files, `metrics.json`, and the figures `backtest.png` and `forecast.png`.

    They appear together when all are written; a fault leaves older ones as they were.

    Args:
        result: the backtest.
        folder: the folder to write to; created where it does not exist.
        forecasts: whether to write `forecasts.csv` too, with a line for each value.

    Raises:
        RunError: `folder` is a run, whose metrics would be replaced.
        OutputError: `folder` is no folder that can be written to.
    """
    check_output_folder(Path(folder))
    values = result.forecasts
    tables = {name: getattr(result, name)() for name in ("summary", "by_series", "by_step", "by_fold")}
    tables |= {"forecasts": values.set_index("unique_id")} if forecasts else {}
    last = values[values["fold"] == result.fold[-1]]
    with filled_folder(Path(folder)) as aside:
        for name, frame in tables.items():
            (aside / f"{name}.csv").write_bytes(csv_text(frame).encode())
        (aside / "metrics.json").write_text(json.dumps(result.to_metrics(), indent=1) + "\n", encoding="utf-8")
        save_figure(plot_result(result), aside / "backtest.png")
        save_figure(plot_forecast(result.table.to_frame(), last), aside / "forecast.png")
