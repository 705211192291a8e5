"""What the network reads of a step: values, masks, covariates and calendar, each at its place."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from seqtag.forecasting.network.features import StepFeatures
from seqtag.forecasting.network.window_scale import filled, observed_steps


def read(network, batch):
    history = batch["history"]
    observed = observed_steps(history)
    return network.features(batch, filled(history, observed), observed)


def standardised(values, mean, deviation):
    """The number, 0 where missing, and whether it is there."""
    there = ~np.isnan(values)
    return np.where(there, (values - mean) / deviation, 0), there


def test_without_covariates_there_are_value_mask_and_waiting(make_network, make_batch):
    network = make_network()
    batch = {name: part[:1] for name, part in make_batch(network).items()}
    batch["history"] = tf.constant([[np.nan, 2, 3, np.nan, np.nan, 6]], tf.float32)
    history, future, static = read(network, batch)
    waited = np.log1p([1, 0, 0, 1, 2, 0]) / np.log1p(6)
    np.testing.assert_allclose(history[0].numpy().T, [[0, 2, 3, 0, 0, 6], [0, 1, 1, 0, 0, 1], waited], rtol=1e-6)
    assert future.shape == (1, 3, 0) and static.shape == (1, 0)


def test_covariates_stand_side_by_side(make_network, make_batch):
    network = make_network(covariates=True)
    batch = make_batch(network)
    numpy = {name: part.numpy() for name, part in batch.items()}
    history, future, static = (part.numpy() for part in read(network, batch))
    tables = {kind: [t.embeddings.numpy() for t in of] for kind, of in network.features.embeddings.items()}
    past = [*standardised(numpy["past"][..., 0], 1, 2), tables["past"][0][numpy["past_codes"][..., 0]]]
    known = [*standardised(numpy["known"][..., 0], 0, 3), tables["known"][0][numpy["known_codes"][..., 0]]]
    columns = [part[..., None] if part.ndim == 2 else part for part in past]
    ahead = [numpy["calendar"], *(part[..., None] if part.ndim == 2 else part for part in known)]
    expected = np.concatenate([history[..., :3], *columns, *(part[:, :6] for part in ahead)], axis=-1)
    np.testing.assert_allclose(history, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(future, np.concatenate([part[:, 6:] for part in ahead], axis=-1), rtol=1e-5, atol=1e-6)
    size, there = standardised(numpy["static"][:, 0], 5, 1)
    expected = np.concatenate(
        [np.stack([size, there], axis=1), tables["static"][0][numpy["static_codes"][:, 0]]], axis=1
    )
    np.testing.assert_allclose(static, expected, rtol=1e-5, atol=1e-6)
    assert (history.shape[-1], future.shape[-1], static.shape[-1]) == network.features.widths()


def test_the_number_in_place_of_a_missing_one_has_no_effect(make_network, make_batch):
    """Gradients too: a missing covariate moves no weight."""
    network = make_network(covariates=True)
    batch = make_batch(network)
    with tf.GradientTape() as tape:
        tape.watch([batch["past"], batch["known"]])
        history, future, _ = read(network, batch)
        total = tf.reduce_sum(history**2) + tf.reduce_sum(future**2)
    for name, gradient in zip(("past", "known"), tape.gradient(total, [batch["past"], batch["known"]]), strict=True):
        assert np.isfinite(gradient).all()
        np.testing.assert_array_equal(gradient[np.isnan(batch[name])], 0)


def test_embeddings_grow_with_their_vocabulary_up_to_a_width():
    inputs = {"series": 1, "calendar": 0, "past": [], "known": [], "static": []}
    features = StepFeatures(inputs | {"past_codes": [3, 9], "known_codes": [400], "static_codes": []})
    assert {kind: [t.output_dim for t in of] for kind, of in features.embeddings.items()} == {
        "past": [2, 5],
        "known": [16],
        "static": [],
    }
