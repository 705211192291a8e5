"""The season of a history, where a test finds one: classical decomposition, as the theta method takes it out.

With a season length m of 4 or more, two whole seasons of history, and the autocorrelations r[k],

    |r[m]| > 1.645 sqrt((1 + 2 (r[1]^2 + ... + r[m - 1]^2)) / n)

says that the row is seasonal (the 90% test of Fiorucci et al. 2016). The trend is then a centred moving average over a
season; the index of a place in the season is the mean of what was observed there over the trend (multiplicative) or
less the trend (additive), brought to a mean of 1 or 0. These are `statsmodels`' `acf` and `seasonal_decompose`, which
`statsforecast` uses.

Rows with missing values: an autocorrelation takes the pairs that were observed. The trend reads a straight line across
a gap; an index takes the values observed at its place, and that line where the place was never observed.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from seqtag.forecasting.rules.observed import order_of_observed

SHORTEST = 4
CRITICAL = 1.6448536269514722
# The least index of a multiplicative season; a place near zero would divide by almost nothing.
LEAST_INDEX = 0.01
# A row that moves less than this beside its level: both decompositions agree, and only the additive one is exact.
LEAST_MOVEMENT = 1e-5


class Season(NamedTuple):
    """The index of each place in the season, `(batch, season_length)`, beginning with that of the first step ahead.

    Attributes:
        added: 0 where a row is not seasonal or its season is multiplicative.
        factor: 1 where a row is not seasonal or its season is additive.
        multiplicative: bool `(batch, 1)`, the rows with a multiplicative season.
    """

    added: tf.Tensor
    factor: tf.Tensor
    multiplicative: tf.Tensor

    def ahead(self, horizon: int) -> tuple[tf.Tensor, tf.Tensor]:
        """What is added and the factor at each step of the horizon, each `(batch, horizon)`."""
        return self._at(tf.range(horizon))

    def behind(self, length: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The same at each step of the history, each `(batch, length)`."""
        return self._at(tf.range(-length, 0))

    def _at(self, steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        places = steps % self.added.shape[1]
        return tf.gather(self.added, places, axis=1), tf.gather(self.factor, places, axis=1)


def season(history: tf.Tensor, last: tf.Tensor, season_length: int, multiplicative: bool) -> Season:
    """The season of each row.

    Args:
        history: float64 `(batch, time)`, NaN where missing.
        last: the newest value of each row, `(batch, 1)`.
        season_length: in steps.
        multiplicative: whether a season scales with the level. It is additive all the same in rows that are not above
            zero throughout, that have an index below 0.01, or that move by less than 1e-5 of their level.
    """
    if season_length < SHORTEST or history.shape[1] < 2 * season_length:
        none = tf.zeros_like(last)
        return Season(none, none + 1, none > 0)
    seen = ~tf.math.is_nan(history)
    above = tf.where(seen, history - last, tf.zeros_like(history))
    filled, inside = _across_gaps(above, seen)
    trend, valid = _moving_average(filled, inside, season_length)
    seasonal = _is_seasonal(above, seen, inside, season_length)
    added = _indices(filled - trend, seen, valid, season_length)
    added -= tf.reduce_mean(added, axis=1, keepdims=True)
    factor = tf.ones_like(added)
    scales = tf.zeros_like(seasonal)
    if multiplicative:
        ratio = (filled + last) / tf.where(trend + last > 0, trend + last, tf.ones_like(trend))
        factor = _indices(ratio, seen, valid, season_length)
        factor /= tf.maximum(tf.reduce_mean(factor, axis=1, keepdims=True), LEAST_INDEX)
        scales = seasonal & _may_scale(history, seen) & tf.reduce_all(factor >= LEAST_INDEX, axis=1, keepdims=True)
    return Season(
        added=tf.where(seasonal & ~scales, added, tf.zeros_like(added)),
        factor=tf.where(scales, factor, tf.ones_like(factor)),
        multiplicative=scales,
    )


def _may_scale(history: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """Rows that are above zero and move enough beside their level, `(batch, 1)`."""
    infinity = tf.constant(float("inf"), history.dtype)
    low = tf.reduce_min(tf.where(seen, history, infinity), axis=1, keepdims=True)
    high = tf.reduce_max(tf.where(seen, history, -infinity), axis=1, keepdims=True)
    return (low > 0) & (high - low > LEAST_MOVEMENT * high)


def _is_seasonal(above: tf.Tensor, seen: tf.Tensor, inside: tf.Tensor, season_length: int) -> tf.Tensor:
    """The test on the autocorrelations, bool `(batch, 1)`."""
    known = tf.cast(seen, above.dtype)
    count = tf.maximum(tf.reduce_sum(known, axis=1, keepdims=True), 1)
    centred = (above - tf.reduce_sum(above, axis=1, keepdims=True) / count) * known
    size = tf.reduce_max(tf.abs(centred), axis=1, keepdims=True)
    products = _products(centred / tf.where(size > 0, size, tf.ones_like(size)), season_length)
    pairs = tf.round(_products(known, season_length))
    steps = tf.cast(tf.math.count_nonzero(inside, axis=1, keepdims=True), above.dtype)
    # Without gaps, the number of pairs is that of the steps less the lag, and these factors are 1.
    weights = count / steps * (steps - tf.range(season_length + 1, dtype=above.dtype)) / tf.maximum(pairs, 1)
    found = products * weights / tf.where(size > 0, products[:, :1], tf.ones_like(size))
    before = tf.reduce_sum(tf.square(found[:, 1:-1]), axis=1, keepdims=True)
    return (steps >= 2 * season_length) & (tf.abs(found[:, -1:]) > CRITICAL * tf.sqrt((1 + 2 * before) / count))


def _products(rows: tf.Tensor, lags: int) -> tf.Tensor:
    """The sum of ``x[t] x[t + k]`` for each lag k from 0 to `lags`, `(batch, lags + 1)`."""
    length = [2 * rows.shape[1]]
    spectrum = tf.signal.rfft(rows, length)
    return tf.signal.irfft(spectrum * tf.math.conj(spectrum), length)[:, : lags + 1]


def _across_gaps(above: tf.Tensor, seen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows with a straight line across each gap, and which steps lie between the first and the last value."""
    length = above.shape[1]
    order = order_of_observed(seen)
    rank = tf.cumsum(tf.cast(seen, tf.int32), axis=1)
    count = rank[:, -1:]
    before = tf.gather(order, tf.maximum(rank - 1, 0), batch_dims=1) % length
    following = tf.minimum(tf.where(seen, rank - 1, rank), count - 1)
    after = tf.gather(order, tf.maximum(following, 0), batch_dims=1) % length
    start, end = (tf.gather(above, place, batch_dims=1) for place in (before, after))
    share = tf.cast(tf.range(length) - before, above.dtype) / tf.cast(tf.maximum(after - before, 1), above.dtype)
    inside = (rank > 0) & (tf.range(length) <= tf.gather(order, tf.maximum(count - 1, 0), batch_dims=1))
    return tf.where(inside, start + share * (end - start), tf.zeros_like(above)), inside


def _moving_average(filled: tf.Tensor, inside: tf.Tensor, season_length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The centred mean over a season, with half weights at both ends of an even one, and where it lies inside."""
    half, length = season_length // 2, filled.shape[1]
    sums = tf.pad(tf.cumsum(filled, axis=1), [[0, 0], [1, 0]])
    means = (sums[:, season_length:] - sums[:, :-season_length]) / season_length
    if season_length % 2 == 0:
        means = (means[:, 1:] + means[:, :-1]) / 2
    valid = inside[:, : length - 2 * half] & inside[:, 2 * half :]
    ends = [[0, 0], [half, half]]
    return tf.pad(means, ends), tf.pad(valid, ends)


def _indices(detrended: tf.Tensor, seen: tf.Tensor, valid: tf.Tensor, season_length: int) -> tf.Tensor:
    """The mean at each place of the season over the observed steps, `(batch, season_length)`; over all if none is."""
    missing = -detrended.shape[1] % season_length
    shape = (-1, (detrended.shape[1] + missing) // season_length, season_length)

    def mean_over(steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        known = tf.cast(steps, detrended.dtype)
        sums, counts = (
            tf.reduce_sum(tf.reshape(tf.pad(rows, [[0, 0], [missing, 0]]), shape), axis=1)
            for rows in (detrended * known, known)
        )
        return sums / tf.maximum(counts, 1), counts

    at_place, counts = mean_over(valid & seen)
    return tf.where(counts > 0, at_place, mean_over(valid)[0])
