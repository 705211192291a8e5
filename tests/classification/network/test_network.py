from __future__ import annotations

import numpy as np
import tensorflow as tf

from seqtag.classification.network.network import ClassifierNetwork


def test_noise_on_frames_is_for_training_alone():
    frames = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    batch = {"frames": tf.constant(frames), "lengths": tf.constant([5, 2, 0])}
    plain, noisy = (
        ClassifierNetwork(2, frame_width=2, units=3, pooling="mean", dropout=0.0, input_noise=noise)
        for noise in (0.0, 0.5)
    )
    for network in (plain, noisy):
        network.build()
    noisy.set_weights([*plain.get_weights(), *noisy.get_weights()[len(plain.get_weights()) :]])
    expected = plain(batch, training=False).numpy()
    np.testing.assert_array_equal(plain(batch, training=True), expected)
    np.testing.assert_allclose(noisy(batch, training=False), expected, rtol=1e-6)
    changed = noisy(batch, training=True).numpy() != expected
    assert changed.any(axis=1).tolist() == [True, True, False], "an empty sequence has no frame to change"
    assert ClassifierNetwork.from_config(noisy.get_config()).get_config() == noisy.get_config()
