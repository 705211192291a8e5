from __future__ import annotations

import numpy as np

from seqtag.seq2seq.data.frame_scale import FrameScale

SOURCES = [np.array([[1e6, 7.0], [1e6 + 2, 7.0]], np.float32), np.array([[1e6 + 4, 7.0]], np.float32)]


def test_training_frames_have_mean_zero_and_deviation_one():
    scale = FrameScale.fit(SOURCES)
    values = scale.ragged(SOURCES).flat_values.numpy()
    np.testing.assert_allclose(values[:, 0], [-1.2247449, 0, 1.2247449], rtol=1e-5)
    assert not values[:, 1].any(), "a number that never changes"
    assert scale.width == 2


def test_the_graph_says_the_same():
    scale = FrameScale.from_dict(FrameScale.fit(SOURCES).to_dict())
    found = scale.in_graph(np.stack([SOURCES[0], SOURCES[0] + 1]))
    np.testing.assert_array_equal(found[0], scale.ragged(SOURCES[:1]).to_tensor()[0])
    assert scale.ragged([]).to_list() == []
