"""The figures of runs, which are trained, or resumed, unless they are finished."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from seqtag.config.section import TaskConfig
from seqtag.runs import bundle
from seqtag.tasks import load_config, task_named

__all__ = ["metrics_of"]


def metrics_of(config: TaskConfig, run: Path) -> dict[str, Any]:
    """The contents of `metrics.json` of a run directory."""
    if not run.exists():
        task_named(config.task).train(config, run, resume=bundle.partial_path(run).exists())
    elif load_config(run / bundle.CONFIG) != config:
        print(f"note: {run} is of another configuration; its figures are printed as they are", file=sys.stderr)
    return bundle.read_json(run / bundle.METRICS)
