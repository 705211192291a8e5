"""Metrics of forecasts against figures worked out by hand, loops over values, and utilsforecast."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqtag.forecasting.evaluation import metrics

NAN = math.nan
LEVELS = (0.1, 0.25, 0.5, 0.9)


@pytest.fixture
def made() -> dict:
    """Five series of unequal history, missing values on both sides, quantiles that do not always ascend."""
    source = np.random.default_rng(7)
    target = source.normal(3, 5, size=(5, 6))
    target[source.random(target.shape) < 0.25] = NAN
    histories = [source.normal(3, 5, size=length) for length in (9, 14, 30, 11, 20)]
    histories[2][source.random(30) < 0.3] = NAN
    return {
        "target": target,
        "point": source.normal(3, 5, size=target.shape),
        "quantiles": source.normal(3, 5, size=(*target.shape, len(LEVELS))),
        "histories": histories,
        "season_lengths": [4, 1, 7, 3, 12],
    }


def test_scales_worked_by_hand():
    found = metrics.scales([[1.0, 5.0, 3.0, NAN, 9.0], [2.0, 6.0, 3.0, 1.0]], [1, 2])
    # |5-1|, |3-5|; |3-2|, |1-6|
    np.testing.assert_allclose(found.mean, [3.0, 3.0])
    np.testing.assert_allclose(found.rms, [10**0.5, 13**0.5])


@pytest.mark.parametrize(
    ("history", "season_length"),
    [
        ([4.0] * 6, 1),
        ([0.0, 0.0], 1),
        ([1.0, 2.0, 1.0, 2.0], 2),  # repeats itself exactly
        ([1.0, 2.0, 3.0], 3),  # shorter than a season and a value
        ([1.0, NAN, 3.0, NAN], 1),  # no pair
        ([], 1),
        ([0.1 + 0.2, 0.3], 1),  # constant to within rounding
    ],
)
def test_a_history_without_a_scale_is_left_out_and_never_infinite(history, season_length):
    found = metrics.scales([history, [0.0, 2.0]], [season_length, 1])
    assert np.isnan([found.mean[0], found.rms[0]]).all()
    target, point = np.array([[1.0], [1.0]]), np.array([[9.0], [4.0]])
    assert metrics.mase(target, point, found.mean) == 1.5
    assert metrics.rmsse(target, point, found.rms) == 1.5
    assert math.isnan(metrics.mase(target[:1], point[:1], found.mean[:1]))


def test_smape_worked_by_hand():
    target, point = np.array([[100.0, NAN], [-2.0, 0.0]]), np.array([[50.0, 7.0], [2.0, 0.0]])
    # 200 * 50 / 150 in the first row; 200 and 0 in the second
    assert metrics.smape(target, point) == pytest.approx((200 / 3 + 100) / 2)


def test_quantile_loss_worked_by_hand():
    target, quantiles = np.array([[10.0, NAN, -2.0]]), np.array([[[8.0, 12.0], [0.0, 0.0], [-1.0, 0.0]]])
    # level .1: .1 x 2, .9 x 1; level .5: .5 x 2, .5 x 2
    assert metrics.wql(target, quantiles, (0.1, 0.5)) == pytest.approx((2 * 1.1 / 12 + 2 * 2 / 12) / 2)
    assert metrics.crps(target, quantiles, (0.1, 0.5)) == pytest.approx(2 * (1.1 + 2) / 2 / 2)


def test_crps_of_even_levels_approaches_the_integral():
    # Uniform on (0, 1) and y = .5: the integral of (F - 1[x >= y])^2 is 2 x .5^3 / 3.
    levels = [(k + 0.5) / 1000 for k in range(1000)]
    found = metrics.crps(np.array([[0.5]]), np.array([[levels]]), levels)
    assert found == pytest.approx(1 / 12, abs=1e-6)


def test_coverage_counts_both_ends_and_observed_values_alone():
    target = np.array([[1.0, 2.0, 3.0, 9.0, NAN]])
    assert metrics.coverage(target, np.full((1, 5), 1.0), np.full((1, 5), 3.0)) == 0.75


def test_central_intervals_pair_levels_however_they_are_ordered():
    assert metrics.central_intervals((0.9, 0.5, 0.3, 0.1, 0.7, 0.2)) == {0.8: (3, 0), 0.4: (2, 4)}
    assert metrics.central_intervals((0.5,)) == {}


def test_owa_divides_averages_once():
    assert metrics.owa(10.0, 1.0, 20.0, 0.8) == pytest.approx((0.5 + 1.25) / 2)
    assert math.isnan(metrics.owa(10.0, 1.0, 20.0, 0.0))
    assert math.isnan(metrics.skill(0.5, 0.0))
    assert metrics.skill(3.0, 2.0) == -0.5


def test_metrics_are_loops_over_observed_values(made):
    target, point, quantiles = made["target"], made["point"], made["quantiles"]
    found = metrics.scales(made["histories"], made["season_lengths"])
    absolute, squared, mase, rmsse, smape, losses = [], [], [], [], [], []
    for row, (history, season_length) in enumerate(zip(made["histories"], made["season_lengths"], strict=True)):
        pairs = [(history[t], history[t - season_length]) for t in range(season_length, len(history))]
        naive = [now - before for now, before in pairs if not math.isnan(now - before)]
        steps = [step for step in range(6) if not math.isnan(target[row, step])]
        errors = [target[row, step] - point[row, step] for step in steps]
        absolute += [abs(error) for error in errors]
        squared += [error**2 for error in errors]
        mase.append(np.mean(np.abs(errors)) / np.mean(np.abs(naive)))
        rmsse.append(math.sqrt(np.mean(np.square(errors)) / np.mean(np.square(naive))))
        sizes = [(abs(target[row, step]) + abs(point[row, step])) / 2 for step in steps]
        smape.append(100 * np.mean(np.abs(errors) / sizes))
        for step in steps:
            for column, level in enumerate(LEVELS):
                error = target[row, step] - quantiles[row, step, column]
                losses.append(level * error if error >= 0 else (level - 1) * error)
    assert metrics.mae(target, point) == pytest.approx(np.mean(absolute))
    assert metrics.mse(target, point) == pytest.approx(np.mean(squared))
    assert metrics.rmse(target, point) == pytest.approx(math.sqrt(np.mean(squared)))
    assert metrics.mase(target, point, found.mean) == pytest.approx(np.mean(mase))
    assert metrics.rmsse(target, point, found.rms) == pytest.approx(np.mean(rmsse))
    assert metrics.smape(target, point) == pytest.approx(np.mean(smape))
    size = np.abs(target[~np.isnan(target)]).sum()
    assert metrics.wql(target, quantiles, LEVELS) == pytest.approx(2 * sum(losses) / len(LEVELS) / size)
    assert metrics.crps(target, quantiles, LEVELS) == pytest.approx(2 * np.mean(losses))


def test_a_missing_target_counts_nowhere(made):
    """Forecasts of missing targets, and rows or columns of missing targets, do not change a metric."""
    target, quantiles = made["target"], made["quantiles"]
    other = np.where(np.isnan(target)[..., None], 1e9, quantiles)
    wider = np.pad(target, ((0, 1), (0, 2)), constant_values=NAN)
    padded = np.pad(other, ((0, 1), (0, 2), (0, 0)), constant_values=5.0)
    scale = metrics.scales([*made["histories"], [1.0, 2.0]], [*made["season_lengths"], 1])
    for rows, quantile in ((target, other), (wider, padded)):
        mean, rms = scale.mean[: len(rows)], scale.rms[: len(rows)]
        before, point = quantiles[..., 2], quantile[..., 2]
        assert metrics.mase(rows, point, mean) == pytest.approx(metrics.mase(target, before, scale.mean[:5]))
        assert metrics.rmsse(rows, point, rms) == pytest.approx(metrics.rmsse(target, before, scale.rms[:5]))
        for metric in (metrics.smape, metrics.mae, metrics.mse, metrics.rmse):
            assert metric(rows, point) == pytest.approx(metric(target, before))
        for metric in (metrics.wql, metrics.crps):
            assert metric(rows, quantile, LEVELS) == pytest.approx(metric(target, quantiles, LEVELS))


@pytest.mark.filterwarnings("error")
def test_nothing_to_count_is_nan_without_a_warning():
    target, point = np.full((2, 3), NAN), np.ones((2, 3))
    assert math.isnan(metrics.mae(target, point))
    assert math.isnan(metrics.smape(target, point))
    assert math.isnan(metrics.mase(target, point, np.ones(2)))
    assert math.isnan(metrics.coverage(target, point, point))
    assert math.isnan(metrics.wql(target, point[..., None], (0.5,)))
    assert math.isnan(metrics.wql(np.zeros((2, 3)), point[..., None], (0.5,)))
    assert math.isnan(metrics.wql(point, np.empty(0), ()))
    assert math.isnan(metrics.crps(point, np.empty(0), ()))


def test_all_metrics_are_utilsforecasts(made):
    losses = pytest.importorskip("utilsforecast.losses")
    import pandas as pd

    source = np.random.default_rng(11)
    target, season_length, levels = source.normal(20, 5, size=(4, 6)), 3, [0.1, 0.5, 0.9]
    quantiles = np.sort(source.normal(20, 5, size=(4, 6, 3)), axis=-1)
    point = quantiles[..., 1]
    histories = [source.normal(20, 5, size=length) for length in (8, 12, 15, 30)]

    frame = pd.DataFrame({"unique_id": np.repeat(range(4), 6), "ds": np.tile(range(100, 106), 4), "y": target.ravel()})
    for column, name in enumerate(("low", "point", "high")):
        frame[name] = quantiles[..., column].ravel()
    known = [
        pd.DataFrame({"unique_id": row, "ds": range(100 - len(history), 100), "y": history})
        for row, history in enumerate(histories)
    ]
    train = pd.concat(known, ignore_index=True)

    def theirs(name: str, **options: object) -> np.ndarray:
        models = options.pop("models", ["point"])
        return getattr(losses, name)(frame, models, **options).iloc[:, 1].to_numpy()

    scale = metrics.scales(histories, season_length)
    seasonal = {"seasonality": season_length, "train_df": train}
    assert metrics.mase(target, point, scale.mean) == pytest.approx(theirs("mase", **seasonal).mean())
    assert metrics.rmsse(target, point, scale.rms) == pytest.approx(theirs("rmsse", **seasonal).mean())
    assert metrics.smape(target, point) == pytest.approx(200 * theirs("smape").mean())
    assert metrics.mae(target, point) == pytest.approx(theirs("mae").mean())
    assert metrics.mse(target, point) == pytest.approx(theirs("mse").mean())
    named = {"models": {"model": ["low", "point", "high"]}, "quantiles": np.array(levels)}
    assert metrics.crps(target, quantiles, levels) == pytest.approx(2 * theirs("mqloss", **named).mean())
    for row, expected in enumerate(theirs("scaled_crps", **named)):
        assert metrics.wql(target[[row]], quantiles[[row]], levels) == pytest.approx(expected)
    frame["model-lo-80"], frame["model-hi-80"] = frame["low"], frame["high"]
    expected = theirs("coverage", models=["model"], level=80).mean()
    assert metrics.coverage(target, quantiles[..., 0], quantiles[..., 2]) == pytest.approx(expected)
