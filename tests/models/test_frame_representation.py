from __future__ import annotations

import keras
import numpy as np

from seqtag.models.frame_representation import FrameRepresentation

FRAMES = np.random.default_rng(0).normal(size=(5, 400, 2)).astype("float32")


def built(noise):
    layer = FrameRepresentation(2, noise)
    layer.build()
    # What each number becomes is seen in a direction of its own.
    layer.projection.kernel.assign(np.eye(2, layer.output_units))
    return layer


def vectors(layer, training):
    return keras.ops.convert_to_numpy(layer({"frames": FRAMES}, training=training))[..., :2]


def test_noise_of_the_wanted_deviation_is_for_training_alone():
    layer = built(0.5)
    assert np.array_equal(vectors(layer, training=False), FRAMES)
    added = vectors(layer, training=True) - FRAMES
    np.testing.assert_allclose(added.std(axis=(0, 1)), 0.5, rtol=0.05)
    np.testing.assert_allclose(added.mean(axis=(0, 1)), 0, atol=0.05)
    assert not np.array_equal(vectors(layer, training=True) - FRAMES, added)
    again = FrameRepresentation.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_without_noise_training_reads_the_frames_as_they_are():
    assert np.array_equal(vectors(built(0.0), training=True), FRAMES)
