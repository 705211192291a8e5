"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# A shared machine may stall in any example, and TensorFlow traces in the first: slowness is no failure.
settings.register_profile("seqtag", deadline=None)
settings.load_profile("seqtag")
