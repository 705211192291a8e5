"""Peak memory on Linux, macOS and Windows, whichever of them runs the test."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from seqtag.training.fit import FitResult
from seqtag.training.memory import peak_memory_mb

RESULT = FitResult([{"epoch": 1.0}], best_epoch=1, seconds=2.0, items_per_second=3.0, unit="words")


@pytest.mark.parametrize(("platform", "counted"), [("linux", 3 * 1024), ("darwin", 3 * 1024 * 1024)])
def test_each_platform_counts_in_its_own_unit(platform, counted, monkeypatch):
    usage = SimpleNamespace(ru_maxrss=counted)
    module = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: usage)
    monkeypatch.setitem(sys.modules, "resource", module)
    monkeypatch.setattr(sys, "platform", platform)
    assert peak_memory_mb() == 3.0
    assert RESULT.to_metrics()["peak_rss_mb"] == 3.0


def test_windows_has_no_such_figure(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory_mb() is None
    metrics = RESULT.to_metrics()
    assert "peak_rss_mb" not in metrics
    assert metrics["words_per_second"] == 3.0
