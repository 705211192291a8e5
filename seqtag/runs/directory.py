"""Run directories, which exist only when they are complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from seqtag.config.section import TaskConfig
from seqtag.errors import ConfigError, RunError, SeqtagError
from seqtag.files.asides import MARK, clear_asides
from seqtag.files.folders import locked_folder, make_folder, rename_new
from seqtag.runs import bundle
from seqtag.runs.config_file import dump_config, load_run_config
from seqtag.runs.places import check_new_name

# The last is what a task makes of other files before the first epoch, for `--resume`.
CHECKPOINTS, LOGS, PREPARED = "checkpoints", "logs", "prepared"


@contextmanager
def run_directory(config: TaskConfig, output: Path, resume: bool) -> Iterator[Path]:
    """Gives the folder `OUTPUT.partial`, which is renamed to `output` when the block ends without a fault.

    The folder is locked for the block. What a process left that was killed before the end of its first epoch is
    removed, since there is nothing to resume.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: `resume` with another configuration, or `output` has the ending of unfinished runs.
        OutputError: the run cannot be written there, or another process writes it.
    """
    folder = check_place(output, resume)
    if not resume:
        _make_room(folder)
    with _locked(folder):
        _begin(folder, config, resume)
        try:
            yield folder
        except SeqtagError:
            if not has_state(folder):
                shutil.rmtree(folder)
            raise
        rename_new(folder, output)


def check_place(output: Path, resume: bool) -> Path:
    """The folder of the unfinished run of `output`, once no run is there, and one to resume where that is wanted.

    Raises:
        RunError, ConfigError: as `run_directory`.
    """
    folder = bundle.partial_path(output)
    if output.exists():
        raise RunError(f"{output}: expected no run there, found one; choose another --output or remove it")
    check_new_name(output)
    if resume and not folder.is_dir():
        raise RunError(f"{folder}: expected an unfinished run to resume, found none")
    return folder


def has_state(folder: Path) -> bool:
    """Whether an unfinished run has the state of a whole epoch, to resume from."""
    return any(folder.glob(f"{CHECKPOINTS}/*/[!.]*"))


def _make_room(folder: Path) -> None:
    """Creates the folder of a new run, in place of one that was killed before the end of its first epoch."""
    if _has_only_begun(folder):
        with _locked(folder) as is_dead:
            if is_dead:
                shutil.rmtree(folder)
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        raise RunError(f"{folder}: found an unfinished run; go on with --resume, or remove it") from None


def _has_only_begun(folder: Path) -> bool:
    """Whether a folder holds what a run writes before the end of its first epoch, and nothing else."""
    if not folder.is_dir() or has_state(folder):
        return False
    names = {path.name for path in folder.iterdir() if MARK not in path.name}
    return names <= {bundle.CONFIG, CHECKPOINTS, LOGS, PREPARED}


def _locked(folder: Path) -> AbstractContextManager[bool]:
    return locked_folder(folder, f"{folder}: found a run that another process is writing")


def _begin(folder: Path, config: TaskConfig, resume: bool) -> None:
    path = folder / bundle.CONFIG
    if not resume:
        bundle.write_text(path, dump_config(config))
        return
    if load_run_config(folder, type(config)) != config:
        raise ConfigError(f"{path}: expected the configuration of the unfinished run, found another")
    # Nobody else writes here, as long as this process holds the lock.
    for place in (folder, folder / CHECKPOINTS, *(folder / CHECKPOINTS).glob("*")):
        clear_asides(place)


def write_figures(folder: Path, history: Sequence[dict[str, float]], metrics: dict[str, Any]) -> None:
    """Writes `history.csv` and `metrics.json`."""
    bundle.write_history(folder / bundle.HISTORY, history)
    bundle.write_json(folder / bundle.METRICS, metrics)


def runs_in(path: Path) -> list[Path]:
    """A run, or those in a folder, which are taken for fits of one system with different seeds.

    Raises:
        RunError: there is none.
    """
    if path.is_dir() and not (path / bundle.ENCODERS).exists():
        found = sorted(run.parent for run in path.glob(f"*/{bundle.ENCODERS}"))
        found = [run for run in found if not run.name.endswith(bundle.PARTIAL_SUFFIX)]
        if not found:
            raise RunError(f"{path}: expected a finished run, or a folder of some, found none")
        return found
    return [path]
