"""Fits the guard on held-out windows: its weights, and the widths of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.forecasting.calibration.conformal import fit_offsets
from seqtag.forecasting.calibration.corrections import without_median
from seqtag.forecasting.calibration.guard import Guard
from seqtag.forecasting.calibration.weighing import HeldOutErrors, fit_weights, group_of_step
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.network.seasonal_scaling import window_unit
from seqtag.forecasting.rules.side_by_side import RULES, rule_forecasts

# Theta's share of the rules' weight without evidence.
THETA_SHARE = 0.6


class HeldOut(NamedTuple):
    """Held-out windows.

    Attributes:
        target: `(windows, horizon)`, NaN where missing.
        history: `(windows, lookback)`, NaN where missing.
        series: int `(windows,)`, from 1 on.
        age: int `(windows,)`, how many steps each window ends before the newest one of its series.
    """

    target: np.ndarray
    history: tf.Tensor
    series: np.ndarray
    age: np.ndarray


def fit_guard(
    held_out: HeldOut,
    outputs: Sequence[ForecastOutput],
    num_series: int,
    levels: Sequence[float],
    *,
    season_length: int,
    multiplicative: bool,
    typical: float,
) -> Guard:
    """The guard of least error on held-out windows, see `weighing`; errors count in units of their windows.

    Args:
        held_out: the windows.
        outputs: the forecasts of each network, or of each kind of them.
        num_series: the number of series.
        levels: of the quantiles.
        season_length, multiplicative, typical: see `Guard`.
    """
    target, horizon = held_out.target, held_out.target.shape[1]
    unit = np.asarray(window_unit(held_out.history, season_length, typical))
    rules = np.asarray(rule_forecasts(held_out.history, horizon, season_length, multiplicative))
    points = np.stack([*(output.point for output in outputs), *rules.transpose(1, 0, 2)])
    # Where nothing varies all sources agree, and errors have no unit.
    in_units = (target - points) / np.where(unit > 0, unit, np.nan)
    errors = HeldOutErrors(in_units, held_out.series, held_out.age)
    weights = fit_weights(errors, num_series, _prior(len(outputs), season_length))
    widths = [_widths(target, rules[:, number], unit[:, 0], levels) for number in range(len(RULES))]
    return Guard(weights, group_of_step(horizon, weights.shape[1]), np.stack(widths), multiplicative, typical)


def _prior(networks: int, season_length: int) -> np.ndarray:
    """The weights without evidence: half to the networks, most of the rest to Theta, which few rules beat.

    Without a season naive and seasonal naive are one rule.
    """
    others = np.ones(len(RULES))
    if season_length == 1:
        others[[RULES.index("naive"), RULES.index("seasonal_naive")]] = 0.5
    others[RULES.index("theta")] = 0.0
    rules = (1 - THETA_SHARE) * others / others.sum()
    rules[RULES.index("theta")] = THETA_SHARE
    return np.r_[np.full(networks, 0.5 / networks), 0.5 * rules]


def _widths(target: np.ndarray, point: np.ndarray, unit: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """The quantiles of a rule's held-out errors, in units of their windows, `(horizon, levels)`.

    A rule's median is its point. Where all its held-out errors were on one side, the quantiles of the other side are
    its point, too, so that none cross.
    """
    same = np.repeat(point[..., None], len(levels), axis=-1)
    offsets, at = without_median(fit_offsets(target, same, unit, levels)).offsets, np.array(levels)
    return np.where(at < 0.5, np.minimum(offsets, 0.0), np.maximum(offsets, 0.0))
