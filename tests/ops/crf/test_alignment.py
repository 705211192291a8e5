from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from seqtag.ops.crf.alignment import Alignment


def test_alignment_finds_the_real_steps():
    alignment = Alignment(np.array([[0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool))
    assert_array_equal(alignment.lengths, [3, 0])
    assert_array_equal(np.asarray(alignment.order)[0, :3], [1, 3, 4])
    assert_array_equal(np.asarray(alignment.rank)[0, [1, 3, 4]], [0, 1, 2])
