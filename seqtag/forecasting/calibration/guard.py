"""The guard: a blend of networks and rules, each with its weight, so that a forecast is never worse than a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.forecasting.network.ensemble import mean_output
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.network.seasonal_scaling import window_unit
from seqtag.forecasting.rules.side_by_side import RULES, rule_forecasts


@dataclass(frozen=True, eq=False)
class Guard:
    """Blends the distributions of networks and rules, level by level, so that quantiles never cross.

    A rule's quantiles are its point and a width for each step and level, in units of the window: its mean change from
    season to season, see `SeasonalScaling`. Where a season repeats exactly the unit is zero: there seasonal naive has
    all the weight, and no width.

    Attributes:
        weights: ``(series + 1, groups, sources)``, adding to one over the sources, the networks first, then `RULES`;
            row 0 is for series that were not among the fitted ones, row s for series s.
        groups: int ``(horizon,)``, the group of each step.
        widths: ``(rules, horizon, levels)``; without them a rule has the shape of the networks' mean.
        multiplicative: whether Theta takes seasons as factors.
        typical: the deviation of most series in training: the unit of windows with too few values for their own.
    """

    weights: np.ndarray
    groups: np.ndarray
    widths: np.ndarray | None = None
    multiplicative: bool = False
    typical: float | None = None

    @property
    def networks(self) -> int:
        """How many sources are networks."""
        return self.weights.shape[2] - len(RULES)

    def blended(
        self, outputs: Sequence[ForecastOutput], batch: Mapping[str, tf.Tensor], season_length: int
    ) -> ForecastOutput:
        """The blend of a batch, in the graph.

        Args:
            outputs: of the networks, as many of each source, one source after the other.
            batch: the inputs of the networks.
            season_length: of seasonal naive, Theta and the unit.
        """
        horizon = outputs[0].point.shape[1]
        sources = _means(outputs, self.networks)
        points = rule_forecasts(batch["history"], horizon, season_length, self.multiplicative)
        unit = window_unit(batch["history"], season_length, self.typical)
        weights = tf.gather(tf.constant(self.weights, tf.float64), batch["series"])
        weights = tf.gather(weights, tf.constant(self.groups, tf.int32), axis=1)
        if self.widths is not None:
            repeats = tf.one_hot(self.networks + RULES.index("seasonal_naive"), weights.shape[2], dtype=tf.float64)
            weights = tf.where(unit[..., None] > 0, weights, repeats)
        network, rule = weights[..., : self.networks], weights[..., self.networks :]
        quantiles = tf.stack([source.quantiles for source in sources], axis=2)
        point = tf.stack([source.point for source in sources], axis=2)
        network, rule = _of_answers(network, rule, tf.math.is_finite(point))
        around, rule_spread = self._widths(sources, unit)
        by_rule = tf.transpose(points, [0, 2, 1])
        # What lies above naive is blended, so that sources that all say the same are followed exactly.
        base = by_rule[..., :1]
        spread = tf.stack([source.spread for source in sources], axis=2)
        return ForecastOutput(
            point=base[..., 0] + _sum(network, point - base) + _sum(rule, by_rule - base),
            quantiles=base
            + _sum(network[..., None], quantiles - base[..., None])
            + _sum(rule[..., None], by_rule[..., None] + around - base[..., None]),
            spread=_sum(network, spread) + _sum(rule, rule_spread + tf.zeros_like(by_rule)),
        )

    def _widths(self, sources: Sequence[ForecastOutput], unit: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Quantiles of the rules less their points `(batch, horizon, rules or 1, levels)`, and the rules' spreads."""
        if self.widths is not None:
            widths = tf.constant(self.widths.transpose(1, 0, 2), tf.float64)
            return widths * unit[:, :, None, None], unit[..., None]
        mean = mean_output(sources)
        return (mean.quantiles - mean.point[..., None])[:, :, None], mean.spread[..., None]

    def to_dict(self) -> dict[str, Any]:
        """The guard as plain JSON, which `from_dict` reads back."""
        widths = None if self.widths is None else self.widths.tolist()
        arrays = {"weights": self.weights.tolist(), "groups": self.groups.tolist(), "widths": widths}
        return {**arrays, "multiplicative": self.multiplicative, "typical": self.typical}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Guard:
        """The guard that `to_dict` described; the weights of networks beside seasonal naive alone are one, too."""
        weights = np.array(data["weights"], float)
        if weights.ndim == 2:
            return cls._of_seasonal_naive(weights)
        widths = None if data["widths"] is None else np.array(data["widths"], float)
        return cls(weights, np.array(data["groups"], int), widths, data["multiplicative"], data["typical"])

    @classmethod
    def _of_seasonal_naive(cls, share: np.ndarray) -> Guard:
        """The guard of the networks' shares `(series + 1, horizon)`, the rest seasonal naive's, of the same shape."""
        weights = np.zeros((*share.shape, 1 + len(RULES)))
        weights[..., 0], weights[..., 1 + RULES.index("seasonal_naive")] = share, 1 - share
        return cls(weights, np.arange(share.shape[1]))


def _means(outputs: Sequence[ForecastOutput], sources: int) -> list[ForecastOutput]:
    """The mean output of each source."""
    each = len(outputs) // sources
    groups = [outputs[number * each : (number + 1) * each] for number in range(sources)]
    return [mean_output(group) for group in groups]


def _of_answers(network: tf.Tensor, rule: tf.Tensor, answers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The weights, with those of networks without an answer given to the other sources; the rules always have one."""
    network = tf.where(answers, network, tf.zeros_like(network))
    total = tf.reduce_sum(network, axis=2, keepdims=True) + tf.reduce_sum(rule, axis=2, keepdims=True)
    # Where the weights left are all zero, Theta answers.
    only = tf.one_hot(RULES.index("theta"), len(RULES), dtype=tf.float64) + tf.zeros_like(rule)
    return tf.math.divide_no_nan(network, total), tf.where(total > 0, rule / tf.where(total > 0, total, 1.0), only)


def _sum(weights: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """The weighted sum over the sources; a source without a weight may be NaN."""
    return tf.reduce_sum(tf.where(weights > 0, weights * values, tf.zeros_like(values)), axis=2)
