"""All rules side by side, in one order."""

from __future__ import annotations

import tensorflow as tf

from seqtag.forecasting.rules.line import drift, mean
from seqtag.forecasting.rules.naive import naive, seasonal_naive
from seqtag.forecasting.rules.theta import theta

RULES = ("naive", "seasonal_naive", "drift", "mean", "theta")


def rule_forecasts(history: tf.Tensor, horizon: int, season_length: int, multiplicative: bool = True) -> tf.Tensor:
    """The forecasts of all `RULES`, in their order: float64 `(batch, rules, horizon)`.

    Each row is forecast from its own values alone. All forecasts are finite; those of a row without a value are 0.

    Args:
        history: `(batch, time)`, oldest value first, NaN where missing. The batch may be unknown when a graph is built.
        horizon: the number of steps to forecast.
        season_length: the season length in steps.
        multiplicative: whether a season that Theta takes out scales with the level, where the row allows it.

    >>> rule_forecasts(tf.constant([[3.0, 1.0, 4.0, 2.0]]), 2, 2).numpy()[0, :4]
    array([[2.        , 2.        ],
           [4.        , 2.        ],
           [1.66666667, 1.33333333],
           [2.5       , 2.5       ]])
    """
    return tf.stack(
        [
            naive(history, horizon),
            seasonal_naive(history, horizon, season_length),
            drift(history, horizon),
            mean(history, horizon),
            theta(history, horizon, season_length, multiplicative).point,
        ],
        axis=1,
    )
