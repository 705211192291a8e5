"""Figures of forecasts, backtests, anomaly scores and effects of covariates, drawn from frames alone.

Each function returns a figure that belongs to no window. A missing value is a gap in its line; a single value
between two gaps is a dot. Frames have a row for each step, as `SeriesTable.to_frame` gives them: without a row for a
missing step, the line has no gap.
"""

from seqtag.forecasting.plots.anomalies import plot_scores
from seqtag.forecasting.plots.backtests import plot_backtest
from seqtag.forecasting.plots.effects import plot_effects
from seqtag.forecasting.plots.forecasts import plot_forecast

__all__ = ["plot_backtest", "plot_effects", "plot_forecast", "plot_scores"]
