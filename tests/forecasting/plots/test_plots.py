"""Figures of forecasts: they draw the values of the frames, with gaps and single values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import num2date

from seqtag.data.series.files import read_series
from seqtag.forecasting.backtesting import RollingOrigins, backtest, plot_result
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.plots import plot_effects, plot_forecast, plot_scores
from seqtag.forecasting.plots.drawing import BASELINE, FORECAST

NAN = float("nan")


def history_of(*names, steps=40, start=0):
    rows = [pd.DataFrame({"unique_id": name, "ds": np.arange(start, start + steps)}) for name in names]
    frame = pd.concat(rows, ignore_index=True)
    return frame.assign(y=np.random.default_rng(0).normal(size=len(frame)))


def forecast_of(*names, steps=5, start=40):
    frame = history_of(*names, steps=steps, start=start).rename(columns={"y": "forecast"})
    return frame.assign(**{f"q{level}": frame["forecast"] + level - 0.5 for level in (0.05, 0.25, 0.5, 0.75, 0.95)})


def panels(figure):
    return [axis for axis in figure.get_axes() if axis.axison]


def lines(axis):
    return {line.get_label(): line for line in axis.lines}


def legends(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12])
def test_a_panel_for_each_series(count):
    names = [f"s{number}" for number in range(count)]
    figure = plot_forecast(history_of(*names), forecast_of(*names))
    figure.draw_without_rendering()
    assert [axis.get_title(loc="left") for axis in panels(figure)] == names
    assert legends(figure) == ["observed", "90% interval", "50% interval", "forecast", "cutoff"]


def test_a_fan_holds_history_forecast_and_nested_intervals():
    history, forecast = history_of("a", "b"), forecast_of("a", "b")
    [axis] = panels(plot_forecast(history, forecast, series=["b"], history_steps=10))
    rows, ahead = history[history["unique_id"] == "b"], forecast[forecast["unique_id"] == "b"]
    np.testing.assert_array_equal(lines(axis)["observed"].get_xdata(), np.arange(30, 40))
    np.testing.assert_array_equal(lines(axis)["observed"].get_ydata(), rows["y"].to_numpy()[-10:])
    np.testing.assert_array_equal(lines(axis)["forecast"].get_ydata(), ahead["forecast"])
    widths = []
    for area, (low, high) in zip(axis.collections, (("q0.05", "q0.95"), ("q0.25", "q0.75")), strict=True):
        [path] = area.get_paths()
        assert path.get_extents().ymin == pytest.approx(ahead[low].min())
        assert path.get_extents().ymax == pytest.approx(ahead[high].max())
        widths.append(sum(area.get_facecolor()[0][:3]))
    assert widths[0] > widths[1]  # the wider is the paler


def test_what_came_goes_on_from_the_history():
    forecast = forecast_of("a").assign(y=[1.0, 2.0, NAN, 4.0, 5.0], cutoff=39)
    [axis] = panels(plot_forecast(history_of("a", steps=45), forecast))
    np.testing.assert_array_equal(lines(axis)["observed"].get_ydata()[-5:], forecast["y"])
    assert lines(axis)["cutoff"].get_xdata()[0] == 39
    whole = history_of("a", steps=45)
    [axis] = panels(plot_forecast(whole, forecast_of("a", steps=3)))
    np.testing.assert_array_equal(lines(axis)["observed"].get_ydata()[-3:], whole["y"].to_numpy()[40:43])


def test_what_lies_between_two_forecasts_is_shown():
    history = history_of("a", steps=60)
    parts = [forecast_of("a", steps=2, start=start).assign(cutoff=start - 1, y=0.0) for start in (40, 50)]
    [axis] = panels(plot_forecast(history, pd.concat(parts), history_steps=5))
    seen = lines(axis)["observed"]
    np.testing.assert_array_equal(seen.get_xdata(), np.arange(35, 52))
    np.testing.assert_array_equal(seen.get_ydata()[5:8], [0.0, 0.0, history["y"][42]])


def test_several_cutoffs_have_a_fan_each():
    parts = [forecast_of("a", start=start).assign(cutoff=start - 1, y=0.0) for start in (40, 45)]
    [axis] = panels(plot_forecast(history_of("a"), pd.concat(parts)))
    marks = [line.get_xdata()[0] for line in axis.lines if line.get_label() == "cutoff"]
    assert marks == [39, 44]
    assert len(axis.collections) == 4
    assert sum(line.get_label() == "forecast" for line in axis.lines) == 2


def test_gaps_stay_gaps_and_lone_values_are_dots():
    history = history_of("a", steps=8)
    history["y"] = [1.0, 2.0, NAN, 4.0, NAN, 6.0, 7.0, NAN]
    [axis] = panels(plot_forecast(history, forecast_of("a", steps=1, start=8)))
    np.testing.assert_array_equal(lines(axis)["observed"].get_ydata()[:8], history["y"])
    dots = [line.get_xydata().tolist() for line in axis.lines if line.get_marker() == "o"]
    assert dots[0] == [[3.0, 4.0]]
    assert len(dots) == 2  # a forecast of one step is a dot too, and its intervals are bars
    bars = [area for area in axis.collections if area.get_label().startswith("_")]
    assert len(bars) == 2


@pytest.mark.parametrize("time_zone", [None, "America/New_York"])
def test_times_are_labelled_with_the_clocks_of_their_zone(time_zone):
    days = pd.date_range("2024-03-08", periods=60, freq="h", tz=time_zone)
    history, forecast = history_of("a", steps=50), forecast_of("a", steps=10, start=50)
    history["ds"], forecast["ds"] = days[:50], days[50:]
    figure = plot_forecast(history, forecast.assign(cutoff=days[49]))
    figure.draw_without_rendering()
    [axis] = panels(figure)
    formatter = axis.xaxis.get_major_formatter()
    [mark] = [line.get_xdata()[0] for line in axis.lines if line.get_label() == "cutoff"]
    shown = num2date(axis.convert_xunits(mark), tz=formatter._tz)
    assert (shown.day, shown.hour) == (days[49].day, days[49].hour)


@pytest.fixture(scope="module")
def result():
    table = read_series(history_of("a", "b", steps=60), frequency=1)

    def predict(known, windows):
        quantiles = np.tile([-1.3, -0.7, 0.0, 0.7, 1.3], (len(windows), windows.horizon, 1))
        return Forecast.of_quantiles(quantiles, (0.1, 0.25, 0.5, 0.75, 0.9))

    return backtest(table, RollingOrigins(folds=4, horizon=6), lambda train: predict, season_length=3)


def test_a_backtest_by_step_and_fold_beside_seasonal_naive(result):
    figure = plot_result(result, metric="rmsse")
    figure.draw_without_rendering()
    steps, coverage, folds = figure.get_axes()
    assert steps.get_title(loc="left").startswith("RMSSE")
    np.testing.assert_array_equal(lines(steps)["forecast"].get_ydata(), result.by_step()["rmsse"])
    np.testing.assert_array_equal(lines(steps)["seasonal naive"].get_ydata(), result.by_step("seasonal_naive")["rmsse"])
    np.testing.assert_array_equal(lines(coverage)["80%"].get_ydata(), result.by_step()["coverage"])
    nominal = [line.get_ydata()[0] for line in coverage.lines if line.get_linestyle() == "--"]
    assert nominal == pytest.approx([0.95, 0.9, 0.8, 0.5, 0.1])
    heights = np.reshape([bar.get_height() for bar in folds.patches], (2, 4))
    np.testing.assert_array_equal(heights[0], result.by_fold()["rmsse"])
    np.testing.assert_array_equal(heights[1], result.by_fold("seasonal_naive")["rmsse"])
    with pytest.raises(ValueError, match=r"expected metric to be one of mase, .*, found 'mape'"):
        plot_result(result, metric="mape")


def test_points_alone_have_no_panel_of_coverage_and_many_folds_are_lines():
    table = read_series(history_of("a", steps=60), frequency=1)

    def predict(known, windows):
        return Forecast(np.zeros((len(windows), 1)))

    made = backtest(table, RollingOrigins(folds=40, horizon=1), lambda train: predict, season_length=1)
    figure = plot_result(made)
    figure.draw_without_rendering()
    _, folds = figure.get_axes()
    assert not folds.patches
    np.testing.assert_array_equal(lines(folds)["forecast"].get_ydata(), made.by_fold()["mase"])


def test_scores_above_the_threshold_are_marked_in_both_panels():
    scores = history_of("a", "b", steps=20).assign(score=0.5)
    scores.loc[[3, 27], "score"] = 9.0
    scores.loc[5, ["y", "score"]] = NAN
    scores = scores.assign(**{"q0.1": scores["y"] - 1, "q0.9": scores["y"] + 1})
    figure = plot_scores(scores, threshold=4)
    figure.draw_without_rendering()
    axes = figure.get_axes()
    assert len(axes) == 4
    for number, (row, step) in enumerate(((3, 3), (27, 7))):
        above, below = axes[2 * number : 2 * number + 2]
        assert lines(above)["anomaly"].get_xydata().tolist() == [[step, scores.loc[row, "y"]]]
        assert lines(below)["anomaly"].get_xydata().tolist() == [[step, 9.0]]
    assert np.isnan(lines(axes[1])["score"].get_ydata()[5])
    assert legends(figure) == ["80% interval", "observed", "anomaly", "score", "threshold 4"]
    assert "anomaly" not in legends(plot_scores(scores, max_series=1))


def test_effects_are_bars_with_the_largest_on_top():
    effects = pd.DataFrame({"covariate": ["a", "b", "c"], "increase": [0.5, -0.1, 2.0]})
    axis = plot_effects(effects).get_axes()[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b", "a", "c"]
    assert [bar.get_width() for bar in axis.patches] == [-0.1, 0.5, 2.0]
    assert [to_hex(bar.get_facecolor()) for bar in axis.patches] == [BASELINE, FORECAST, FORECAST]
    figure = plot_effects(effects.assign(deviation=[0.1, 0.1, 0.3]), label="rise of the quantile loss")
    figure.draw_without_rendering()
    assert figure.get_axes()[0].get_xlabel() == "rise of the quantile loss"


def test_frames_that_cannot_be_drawn():
    history, forecast = history_of("a"), forecast_of("a")
    with pytest.raises(ValueError, match="expected columns unique_id, ds, y in history, found no 'y'"):
        plot_forecast(history.drop(columns="y"), forecast)
    with pytest.raises(ValueError, match="expected columns unique_id, ds, forecast in forecast, found no 'forecast'"):
        plot_forecast(history, history)
    with pytest.raises(ValueError, match="expected series of the frame, found 'z'"):
        plot_forecast(history, forecast, series=["z"])
    with pytest.raises(ValueError, match="expected at least one series to show, found none"):
        plot_forecast(history, forecast.iloc[:0])
    with pytest.raises(ValueError, match="expected columns unique_id, ds, y, score in scores, found no 'score'"):
        plot_scores(history)
    with pytest.raises(ValueError, match="expected effects of at least one covariate, found no rows"):
        plot_effects(pd.DataFrame({"covariate": [], "increase": []}))
