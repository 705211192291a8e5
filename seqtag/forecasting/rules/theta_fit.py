"""Fits the dynamic optimised theta model: exact in two of its three parameters, a search over the third.

With k values observed before step t, the model's one-step forecast is

    mu[t] = S[k] + (1 - alpha)^k l + w (A[k] (1 - alpha)^k + B[k] (t - T[k])),    w = 1 - 1 / theta

where A[k] + B[k] t is the least-squares line through these values, and S and T are the values and their times,
exponentially smoothed from zero: ``S[k] = alpha y + (1 - alpha) S[k - 1]``. None of them depends on the level l before
the first value or on w, so that for each alpha the best (l, w) is a linear least-squares problem in two variables. Its
sum of squares is convex, so that a w outside [0, 1] is best at the nearer bound. alpha is searched on a grid, on a
finer grid around the best place, and at the lowest point of the parabola through the best three of that.

The bounds, and the errors that count (from the fourth value on), are those of `statsforecast`: alpha in [0.1, 0.99],
theta of at least 1. From 40 values on the fit is the lowest sum of squares there, where its own search may stop above.

In a short row the lowest sum of squares is one of noise. Below 40 values two weak pulls are added, in full at 20 and
fewer: w is drawn to 1/2 as if by three errors of the size of the row's steps, and the sum of squares of each alpha is
multiplied by exp(6 (1 - alpha) / errors). Both were chosen on held-out ends of the training series of M3. With fewer
values than 7 nothing is fitted: alpha = 1/2, theta = 2, l = y[1] / 2, where the search of `statsforecast` begins. With
fewer than 4 the model is naive.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from seqtag.forecasting.rules.observed import Observed

ALPHAS = (0.1, 0.99)
COARSE, FINE = 16, 9
FEWEST_FITTED, FEWEST_SMOOTHED = 7, 4
LONG, SHORT = 40, 20
PULL_OF_WEIGHT, PULL_OF_ALPHA = 3.0, 6.0
# The share of the product of two squared lengths below which their vectors are taken for parallel.
PARALLEL = 1e-13
# Stands for 1 - alpha = 0, which has no logarithm.
SMALLEST = 1e-300


class Fit(NamedTuple):
    """Fitted models, each `(batch, 1)`, or `(batch, alphas)` while several are compared.

    Attributes:
        alpha: the smoothing parameter.
        weight: w = 1 - 1 / theta, the weight of the line.
        level: S + (1 - alpha)^n l after all n values.
        time: T after all values.
        squares: the sum of squared errors that count.
        cost: what is lowest for the best alpha: the same, with the pulls of a short row.
    """

    alpha: tf.Tensor
    weight: tf.Tensor
    level: tf.Tensor
    time: tf.Tensor
    squares: tf.Tensor
    cost: tf.Tensor

    def at(self, column: tf.Tensor) -> Fit:
        """The model of one column in each row."""
        return Fit(*(tf.gather(part, column, axis=1, batch_dims=1)[:, None] for part in self))


class Line(NamedTuple):
    """Least-squares lines ``intercept + slope t`` through the first 1, 2, ... values of a row, each `(batch, time)`."""

    intercept: tf.Tensor
    slope: tf.Tensor


def line(count: tf.Tensor, times: tf.Tensor, squares: tf.Tensor, values: tf.Tensor, products: tf.Tensor) -> Line:
    """The line of sums over points: of 1, t, t^2, y and t y. Through one point it is flat."""
    spread = count * squares - tf.square(times)
    slope = (count * products - times * values) / tf.where(spread > 0, spread, tf.ones_like(spread))
    return Line((values - slope * times) / tf.maximum(count, 1), slope)


def skipped_errors(count: tf.Tensor) -> tf.Tensor:
    """How many values at the beginning have errors that do not count: 3, or the first alone where nothing is fitted."""
    return tf.where(count < FEWEST_FITTED, tf.ones_like(count), 3 * tf.ones_like(count))


def fit(seen: Observed) -> Fit:
    """The best model of each row of observed values, whose largest size should be near 1."""
    count = seen.count
    low, high = ALPHAS
    width = (high - low) / (COARSE - 1)
    coarse = low + width * tf.range(COARSE, dtype=tf.float64)[None]
    middle = _best(models(seen, coarse)).alpha
    steps = tf.range(FINE, dtype=tf.float64)[None] * (2 / (FINE - 1)) - 1
    fine = models(seen, tf.clip_by_value(middle + width * steps, low, high))
    lowest = tf.concat([_best(fine).alpha, _vertex(fine)], axis=1)
    fixed = tf.where(count < FEWEST_SMOOTHED, tf.ones_like(count), tf.ones_like(count) / 2)
    return _best(models(seen, tf.where(count < FEWEST_FITTED, fixed, lowest)))


def models(seen: Observed, alpha: tf.Tensor) -> Fit:
    """The best models of each row for each of its alphas, `(batch, alphas)` or `(1, alphas)`."""
    count, skipped = seen.count, skipped_errors(seen.count)
    states = _smoothed(seen, alpha)
    decay = tf.math.log(tf.maximum(1 - alpha, SMALLEST))
    sums = _Sums(*_columns(seen, states, decay))
    pull = _shortness(count) * PULL_OF_WEIGHT * _variance_of_steps(seen)
    few = count < FEWEST_FITTED
    fixed = tf.where(count < FEWEST_SMOOTHED, tf.zeros_like(count), tf.ones_like(count) / 2)
    weight = tf.where(few, fixed, sums.weight(pull))
    start = tf.where(few, tf.exp(skipped * decay) * weight * seen.values[:, :1], sums.start(weight))
    squares = sums.squares(weight, start)
    rise = tf.exp(_shortness(count) * PULL_OF_ALPHA * (1 - alpha) / tf.maximum(count - skipped, 1))
    last = tf.cast(tf.maximum(count[:, 0] - 1, 0), tf.int32)
    ends = tf.gather_nd(states, tf.stack([last, tf.range(tf.shape(last)[0])], axis=1))
    return Fit(
        alpha=alpha + tf.zeros_like(weight),
        weight=weight,
        level=ends[:, 0] + tf.exp(tf.maximum(count - skipped, 0) * decay) * start,
        time=ends[:, 1],
        squares=squares,
        cost=(squares + pull * tf.square(weight - 0.5)) * rise,
    )


def _columns(seen: Observed, states: tf.Tensor, decay: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What an error has of the level and of w, and what it is without them, each `(time, batch, alphas)`.

    They are 0 where an error does not count. The level is what is left of it when errors begin to count.
    """
    number = tf.range(seen.values.shape[1], dtype=tf.float64)[:, None, None]
    skipped = skipped_errors(seen.count)
    counts = tf.cast((number >= skipped) & (number < seen.count), tf.float64)
    before = tf.pad(states[:-1], [[1, 0], [0, 0], [0, 0], [0, 0]])
    powers = tf.exp(number * decay) * counts
    parts = (*_lines(seen), seen.times, seen.values)
    intercept, slope, times, values = (tf.transpose(part)[..., None] for part in parts)
    trend = intercept * powers + slope * (times - before[:, :, 1]) * counts
    return powers * tf.exp(-skipped * decay), trend, (values - before[:, :, 0]) * counts


def _shortness(count: tf.Tensor) -> tf.Tensor:
    """1 for the rows with up to 20 values, falling to 0 at 40."""
    return tf.clip_by_value((LONG - count) / (LONG - SHORT), 0, 1)


def _variance_of_steps(seen: Observed) -> tf.Tensor:
    """The variance of the changes in a step from each value to the next, `(batch, 1)`."""
    both = tf.cast(seen.known[:, 1:], tf.float64)
    changes, times = (part[:, 1:] - part[:, :-1] for part in (seen.values, seen.times))
    rates = changes / tf.where(times > 0, times, tf.ones_like(times)) * both
    count = tf.maximum(seen.count - 1, 1)
    average = tf.reduce_sum(rates, axis=1, keepdims=True) / count
    return tf.reduce_sum(tf.square((rates - average) * both), axis=1, keepdims=True) / count


class _Sums:
    """The sums of products over time of the level's column, the line's and the target, each `(batch, alphas)`."""

    def __init__(self, column: tf.Tensor, trend: tf.Tensor, target: tf.Tensor) -> None:
        self.cc, self.ct, self.tt = _dot(column, column), _dot(column, trend), _dot(trend, trend)
        self.cy, self.ty, self.yy = _dot(column, target), _dot(trend, target), _dot(target, target)

    def weight(self, pull: tf.Tensor) -> tf.Tensor:
        """The best w in [0, 1] with a pull to 1/2; 1/2 itself where the line's column is a multiple of the level's."""
        size = self.cc * (self.tt + pull)
        apart = size - tf.square(self.ct)
        told = apart > PARALLEL * size
        best = (self.cc * (self.ty + pull / 2) - self.ct * self.cy) / tf.where(told, apart, tf.ones_like(apart))
        return tf.where(told, tf.clip_by_value(best, 0, 1), tf.ones_like(best) / 2)

    def start(self, weight: tf.Tensor) -> tf.Tensor:
        """The best factor of the level's column for a w."""
        return (self.cy - weight * self.ct) / tf.where(self.cc > 0, self.cc, tf.ones_like(self.cc))

    def squares(self, weight: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        """The sum of squared errors."""
        moved = tf.square(start) * self.cc + 2 * start * weight * self.ct + tf.square(weight) * self.tt
        return tf.maximum(self.yy - 2 * (start * self.cy + weight * self.ty) + moved, 0)


def _dot(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(left * right, axis=0)


def _smoothed(seen: Observed, alpha: tf.Tensor) -> tf.Tensor:
    """S and T after each value, `(time, batch, 2, alphas)`."""
    inputs = tf.transpose(tf.stack([seen.values, seen.times]), [2, 1, 0])[..., None]
    length = seen.values.shape[1]
    alpha = alpha[:, None]
    start = tf.zeros_like(inputs[0]) * alpha

    def step(number: tf.Tensor, state: tf.Tensor, found: tf.TensorArray) -> tuple:
        state += alpha * (inputs[number] - state)
        return number + 1, state, found.write(number, state)

    first = (0, start, tf.TensorArray(tf.float64, length, element_shape=start.shape))
    return tf.while_loop(lambda number, *_: number < length, step, first, maximum_iterations=length)[-1].stack()


def _lines(seen: Observed) -> Line:
    """The line through the values before each place, `(batch, time)`."""
    known = tf.cast(seen.known, tf.float64)
    times, values = seen.times, seen.values
    sums = (known, times, tf.square(times), values, times * values)
    return line(*(tf.cumsum(part, axis=1, exclusive=True) for part in sums))


def _best(found: Fit) -> Fit:
    return found.at(tf.argmin(found.cost, axis=1))


def _vertex(found: Fit) -> tf.Tensor:
    """The alpha of the lowest point of the parabola through the best column and its neighbours, `(batch, 1)`."""
    best = tf.clip_by_value(tf.argmin(found.cost, axis=1), 1, FINE - 2)
    left, middle, right = (found.at(best + step) for step in (-1, 0, 1))
    rise, fall = right.cost - middle.cost, left.cost - middle.cost
    far, near = right.alpha - middle.alpha, middle.alpha - left.alpha
    bend = 2 * (rise * near + fall * far)
    shift = (fall * tf.square(far) - rise * tf.square(near)) / tf.where(bend > 0, bend, tf.ones_like(bend))
    return tf.clip_by_value(middle.alpha + tf.where(bend > 0, shift, tf.zeros_like(shift)), *ALPHAS)
