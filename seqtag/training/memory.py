"""The most memory that this process has held."""

from __future__ import annotations

import sys


def peak_memory_mb() -> float | None:
    """The peak of the resident memory so far, in MB; None on Windows, where Python cannot ask for it."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kilobytes, macOS in bytes.
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
