"""Run directories, which exist only when they are complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqtag.config.section import TaskConfig
from seqtag.errors import ConfigError, RunError, SeqtagError
from seqtag.runs import bundle
from seqtag.runs.config_file import dump_config, load_config

CHECKPOINTS, LOGS = "checkpoints", "logs"


@contextmanager
def run_directory(config: TaskConfig, output: Path, resume: bool) -> Iterator[Path]:
    """Gives the folder `OUTPUT.partial`, which is renamed to `output` when the block ends without a fault.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: `resume` with another configuration.
    """
    folder = _open_run(config, output, resume)
    try:
        yield folder
    except SeqtagError:
        # Before the end of the first epoch there is nothing to resume: the next try is a new run.
        if not any(folder.glob(f"{CHECKPOINTS}/*/[!.]*")):
            shutil.rmtree(folder)
        raise
    folder.rename(output)


def _open_run(config: TaskConfig, output: Path, resume: bool) -> Path:
    folder = bundle.partial_path(output)
    if output.exists():
        raise RunError(f"{output}: expected no run there, found one; choose another --output or remove it")
    if not resume:
        if folder.exists():
            raise RunError(f"{folder}: found an unfinished run; go on with --resume, or remove it")
        folder.mkdir(parents=True)
        bundle.write_text(folder / bundle.CONFIG, dump_config(config))
    elif not folder.exists():
        raise RunError(f"{folder}: expected an unfinished run to resume, found none")
    elif load_config(folder / bundle.CONFIG, type(config)) != config:
        raise ConfigError(f"{folder / bundle.CONFIG}: expected the configuration of the unfinished run, found another")
    return folder


def write_figures(folder: Path, history: Sequence[dict[str, float]], metrics: dict[str, Any]) -> None:
    """Writes `history.csv` and `metrics.json`."""
    bundle.write_history(folder / bundle.HISTORY, history)
    bundle.write_json(folder / bundle.METRICS, metrics)
