"""What the runs of all tasks have in common: run directories that are whole or not there, and their files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from seqtag.config import Config, dump_config, load_config
from seqtag.data.time_series.leakage import LeakageReport
from seqtag.diagnostics.sparsity import SparsityReport
from seqtag.errors import ConfigError, RunError, SeqtagError
from seqtag.export import bundle
from seqtag.files import written_aside
from seqtag.models.tagging_model import TaggedSentence
from seqtag.training.checkpoint import FILE_NAME as CHECKPOINT
from seqtag.training.trainer import FitResult


class Report(Protocol):
    """What the scores of a split give, whatever the task."""

    def to_metrics(self) -> dict[str, Any]:
        """The split's entry of `metrics.json`."""

    def to_text(self) -> str:
        """The scores for people."""


@dataclass(frozen=True)
class TrainedRun:
    """What training leaves for the command line to show.

    Attributes:
        folder: the run directory.
        metrics: the contents of `metrics.json`.
        reports: the report on each scored split.
        sparsity: the zeros of the weights, where a penalty was to make some.
        leakage: the audit of a forecaster's known covariates, where it has any.
        measure: the measure that chose the epoch of a tagger.
        shown: some dev sentences that a tagger tagged.
        types: its entity types or labels, for colours.
    """

    folder: Path
    metrics: dict[str, Any]
    reports: Mapping[str, Report]
    sparsity: SparsityReport | None
    leakage: LeakageReport | None = None
    measure: str = ""
    shown: list[TaggedSentence] = field(default_factory=list)
    types: list[str] = field(default_factory=list)


@contextmanager
def run_directory(config: Config, output: Path, resume: bool) -> Iterator[Path]:
    """Gives the folder `OUTPUT.partial`, which takes the name `output` when the block ends without a fault.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: `resume` with another configuration.
    """
    folder = _open_run(config, output, resume)
    try:
        yield folder
    except SeqtagError:
        # Without a whole epoch there is nothing to resume, and the cause once mended the run shall start afresh.
        if not any(folder.glob(f"checkpoints/*/{CHECKPOINT}")):
            shutil.rmtree(folder)
        raise
    folder.rename(output)


def _open_run(config: Config, output: Path, resume: bool) -> Path:
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
    elif load_config(folder / bundle.CONFIG) != config:
        raise ConfigError(f"{folder / bundle.CONFIG}: expected the configuration of the unfinished run, found another")
    return folder


def write_run(folder: Path, model: bundle.Model, fit: FitResult, metrics: dict[str, Any]) -> None:
    """Writes a fitted model and its figures into a run directory."""
    bundle.save_model(folder, model)
    bundle.write_history(folder / bundle.HISTORY, fit.history)
    bundle.write_json(folder / bundle.METRICS, metrics)


def write_output(parts: Iterable[bytes], target: Path | None) -> None:
    """Writes to a file, which appears only when it is whole, or to standard output."""
    if target is None:
        _write(parts, sys.stdout.buffer)
    elif target.exists() and not target.is_file():
        # A device or a pipe must not be replaced by a file.
        with target.open("wb") as file:
            _write(parts, file)
    else:
        with written_aside(target) as aside, aside.open("wb") as file:
            _write(parts, file)


def _write(parts: Iterable[bytes], file: BinaryIO) -> None:
    for part in parts:
        file.write(part)
    file.flush()
