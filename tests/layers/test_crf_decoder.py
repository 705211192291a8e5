"""Models that end in decoded tags."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from seqtag.keras_internals import keras_mask
from seqtag.layers import CRF, CRFDecoder

TAGS = 3
RANDOM = np.random.default_rng(0)
IDS = (RANDOM.integers(1, 9, size=(4, 6)) * (np.arange(6) < [[6], [3], [1], [0]])).astype("int32")


def layers() -> list[keras.layers.Layer]:
    crf = CRF(initializer=keras.initializers.RandomNormal(seed=1), name="crf")
    embed = keras.layers.Embedding(9, TAGS, mask_zero=True, embeddings_initializer="normal")
    return [embed, crf, CRFDecoder(crf, name="tags")]


def both_outputs() -> keras.Model:
    ids, (embed, crf, decoder) = keras.Input((None,), dtype="int32"), layers()
    emissions = crf(embed(ids))
    model = keras.Model(ids, [emissions, decoder(emissions)])
    # Without compiling, JAX takes a step of training apart into its operations, for each of 40 epochs.
    jit = keras.config.backend() == "jax"
    model.compile("sgd", loss=[crf.loss, None], metrics=[[], [keras.metrics.Accuracy()]], jit_compile=jit)
    return model


@pytest.fixture(params=["sequential", "both outputs"])
def model(request) -> keras.Model:
    return keras.Sequential(layers()) if request.param == "sequential" else both_outputs()


def tags_of(model: keras.Model) -> np.ndarray:
    found = model.predict(IDS, verbose=0)
    return found if isinstance(found, np.ndarray) else found[1]


def test_the_output_is_the_best_path_with_zeros_at_masked_steps(model):
    found = tags_of(model)
    crf = model.get_layer("crf")
    emissions = model.get_layer(index=-3)(IDS)
    assert found.dtype == np.int32
    assert_array_equal(found, crf.decode(emissions, mask=IDS != 0))
    assert not found[IDS == 0].any() and found[IDS != 0].any()


def test_a_stored_model_has_the_weights_once_and_shares_them(model, tmp_path):
    wanted = tags_of(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("tags").crf is loaded.get_layer("crf")
    assert len(loaded.weights) == 4
    assert_array_equal(tags_of(loaded), wanted)
    loaded.get_layer("crf").transitions.assign([[0, 0, 99], [99, 0, 0], [0, 99, 0]])
    assert not np.array_equal(tags_of(loaded), wanted)


def test_training_by_the_loss_is_seen_by_the_decoder():
    model = both_outputs()
    model.optimizer.learning_rate = 0.5
    tags = (IDS % TAGS).astype("int32")
    history = model.fit(IDS, [tags, tags], epochs=40, batch_size=4, verbose=0).history
    assert history["tags_accuracy"][-1] == 1.0  # of the real steps
    assert_array_equal(tags_of(model)[IDS != 0], tags[IDS != 0])


def test_the_mask_goes_on():
    embed, crf, decoder = layers()
    assert_array_equal(keras_mask(decoder(crf(embed(IDS)))), IDS != 0)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_decodes_what_the_crf_returns(policy):
    wanted = tags_of(keras.Sequential(plain := layers()))
    keras.config.set_dtype_policy(policy)
    try:
        crf = CRF(name="crf")
        half = keras.Sequential([plain[0], crf, CRFDecoder(crf)])
        half.build((None, None))
    finally:
        keras.config.set_dtype_policy("float32")
    crf.set_weights(plain[1].get_weights())
    assert_array_equal(tags_of(half), wanted)


def test_what_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="expected crf to be a CRF layer, found Dense"):
        CRFDecoder(keras.layers.Dense(2))
    embed, crf, decoder = layers()
    with pytest.raises(ValueError, match="expected the emissions that a CRF returns, found decoded tags"):
        crf.loss(np.zeros((4, 6), int), decoder(crf(embed(IDS))))
    with pytest.raises(ValueError, match=r"expected emissions of 3 tags, found shape \(1, 2, 5\)"):
        decoder(keras.KerasTensor((1, 2, 5)))
