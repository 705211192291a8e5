"""The CRF's loss under sample weights and reductions."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from seqtag.layers import CRF

TAGS = 3
RANDOM = np.random.default_rng(0)
EMISSIONS = RANDOM.normal(size=(4, 5, TAGS)).astype("float32")
LENGTHS = np.array([[5], [3], [1], [0]])
MASK = np.arange(5) < LENGTHS
TRUE = RANDOM.integers(TAGS, size=MASK.shape)
ROWS = np.array([1.0, 0.0, 2.0, 5.0], "float32")
STEPS = RANDOM.uniform(0, 2, size=MASK.shape).astype("float32")


@pytest.fixture(scope="module")
def crf() -> CRF:
    return made()


def made(**arguments) -> CRF:
    layer = CRF(initializer=keras.initializers.RandomNormal(stddev=1.0, seed=3), **arguments)
    layer.build((None, None, TAGS))
    return layer


def masked(layer: CRF):
    """Emissions with the mask that Keras keeps on them."""
    return layer(keras.layers.Masking()(np.where(MASK[..., None], EMISSIONS, 0)))


def test_a_weight_for_a_row_is_one_for_all_its_steps(crf):
    emissions, rows = masked(crf), np.asarray(crf.negative_log_likelihood(EMISSIONS, TRUE, mask=MASK))
    wanted = np.mean(ROWS * rows)
    for weights in (ROWS, ROWS[:, None], np.repeat(ROWS[:, None], 5, axis=1)):
        assert_allclose(crf.loss(TRUE, emissions, sample_weight=weights), wanted, rtol=1e-5)
    assert_allclose(crf.loss(TRUE, emissions, sample_weight=np.float32(2)), 2 * rows.mean(), rtol=1e-5)


def test_weights_of_steps_weigh_the_losses_of_steps(crf):
    steps = np.asarray(crf.token_losses(EMISSIONS, TRUE, mask=MASK))
    assert not steps[~MASK].any()
    found = crf.loss(TRUE, masked(crf), sample_weight=np.where(MASK, STEPS, np.nan))  # masked ones do not matter
    assert_allclose(found, np.mean((STEPS * steps).sum(1)), rtol=1e-5)


@pytest.mark.parametrize(
    ("reduction", "plain", "by_rows", "by_steps"),
    [
        ("sum_over_batch_size", 4, 4, 4),
        ("mean", 4, 4, 4),
        ("sum", 1, 1, 1),
        ("token_mean", MASK.sum(), MASK.sum(), MASK.sum()),
        ("mean_with_sample_weight", 4, ROWS.sum(), (STEPS * MASK).sum()),
    ],
)
def test_a_reduction_divides_the_sum(reduction, plain, by_rows, by_steps):
    crf = made(loss_reduction=reduction)
    rows = np.asarray(crf.negative_log_likelihood(EMISSIONS, TRUE, mask=MASK))
    steps = np.asarray(crf.token_losses(EMISSIONS, TRUE, mask=MASK))
    emissions = masked(crf)
    assert_allclose(crf.loss(TRUE, emissions), rows.sum() / plain, rtol=1e-5)
    assert_allclose(crf.loss(TRUE, emissions, sample_weight=ROWS), (ROWS * rows).sum() / by_rows, rtol=1e-5)
    assert_allclose(crf.loss(TRUE, emissions, sample_weight=STEPS), (STEPS * steps).sum() / by_steps, rtol=1e-5)


def test_no_reduction_gives_the_rows():
    crf = made(loss_reduction=None)
    assert_allclose(crf.loss(TRUE, masked(crf)), crf.negative_log_likelihood(EMISSIONS, TRUE, mask=MASK), rtol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_takes_weights_of_steps_and_keeps_the_reduction(jit_compile, tmp_path):
    """One step of gradient descent, by the loss written out; and the loss of the loaded model."""
    crf = made(loss_reduction="token_mean", name="crf")
    model = keras.Sequential([keras.Input((None, TAGS)), keras.layers.Masking(), crf])
    model.compile(keras.optimizers.SGD(0.0), loss=crf.loss, jit_compile=jit_compile)
    x = np.where(MASK[..., None], EMISSIONS, 0)
    steps = np.asarray(crf.token_losses(EMISSIONS, TRUE, mask=MASK))
    wanted = (STEPS * steps).sum() / MASK.sum()
    for tags in (TRUE, TRUE[..., None]):
        found = model.fit(x, tags, sample_weight=STEPS, batch_size=4, verbose=0).history["loss"]
        assert_allclose(found, [wanted], rtol=1e-5)
    if not jit_compile:
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert loaded.get_layer("crf").get_config()["loss_reduction"] == "token_mean"
        assert_allclose(loaded.evaluate(x, TRUE, sample_weight=STEPS, verbose=0), wanted, rtol=1e-5)
    # Last, since a fit that fails leaves a model of Keras without its variables on JAX.
    with pytest.raises(ValueError, match=r"one-hot tags"):
        model.fit(x, np.eye(TAGS)[TRUE], batch_size=4, verbose=0)


@pytest.mark.parametrize("shape", [(3,), (4, 4), (4, 5, 1)])
def test_other_weights_are_refused(crf, shape):
    with pytest.raises(ValueError, match=r"expected sample weights of shape \(4,\) for rows or \(4, 5\) for steps"):
        crf.loss(TRUE, EMISSIONS, sample_weight=np.ones(shape))
