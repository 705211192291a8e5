"""Where runs, exported models and other output may go: to new names, and into no run that they would change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqtag.errors import ConfigError, OutputError, RunError
from seqtag.files.folders import check_folder, whole_folder
from seqtag.files.writing import atomic_write
from seqtag.runs import bundle

FILES_OF_A_RUN = {bundle.MODEL, bundle.ENCODERS, bundle.CONFIG, bundle.METRICS, bundle.HISTORY, bundle.REPORT}


@contextmanager
def new_folder(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a folder aside to write to, which is renamed to `target` after the block, or removed after a fault.

    Raises:
        RunError, ConfigError, OutputError: see `check_new_folder`.
    """
    check_new_folder(target)
    with whole_folder(Path(target)) as aside:
        yield aside


def check_new_folder(target: str | os.PathLike[str]) -> None:
    """Checks that a folder can be written to `target`.

    Raises:
        RunError: `target` exists, or an unfinished run of that name does, or it would be inside one.
        ConfigError: `target` has the ending of unfinished runs.
        OutputError: no folder can be created there.
    """
    check_new_name(target)
    unfinished = bundle.partial_path(target)
    if unfinished.exists():
        raise RunError(f"{unfinished}: found an unfinished run; choose another name or remove it")


def check_new_name(target: str | os.PathLike[str]) -> None:
    """As `check_new_folder`, but an unfinished run of that name may exist."""
    path = Path(target)
    if path.name.endswith(bundle.PARTIAL_SUFFIX):
        raise ConfigError(f"{target}: expected a name without {bundle.PARTIAL_SUFFIX}, the ending of unfinished runs")
    if os.path.lexists(target):
        raise RunError(f"{target}: expected a new directory, found one; choose another name or remove it")
    _check_outside_unfinished_runs(path)
    check_folder(path)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Gives an empty file aside to write to, which is renamed to `target` after the block, or removed after a fault.

    Everything is checked before the block.

    Raises:
        RunError: see `check_output_file`.
        OutputError: something is there already, also after the block, or there is no folder to write to.
    """
    check_output_file(target)
    _check_is_new(target)
    with atomic_write(target) as aside:
        yield aside
        _check_is_new(target)


def _check_is_new(target: Path) -> None:
    if os.path.lexists(target):
        raise OutputError(f"{target}: expected no file of this name, found one; choose another name or remove it")


def check_output_file(path: Path) -> None:
    """Checks that a file written to `path` changes no run.

    Raises:
        RunError: it is a file of a run, or inside an unfinished one.
    """
    _check_outside_unfinished_runs(path)
    if path.name in FILES_OF_A_RUN and _is_run(path.parent):
        raise RunError(f"{path}: expected a file to write, found one of a run")


def check_output_folder(folder: Path) -> None:
    """Checks that files can be written to `folder`, which may exist, and that they change no run.

    Raises:
        RunError: `folder` is a run, or inside an unfinished one.
        OutputError: it is no folder to write to.
    """
    _check_outside_unfinished_runs(folder)
    if _is_run(folder):
        raise RunError(f"{folder}: expected a folder of its own for the output, found a run")
    check_folder(folder)


def _is_run(folder: Path) -> bool:
    """Whether a folder is that of a run, finished or not."""
    return (folder / bundle.ENCODERS).exists() or _is_unfinished_run(folder)


def _is_unfinished_run(folder: Path) -> bool:
    return folder.name.endswith(bundle.PARTIAL_SUFFIX) and (folder / bundle.CONFIG).exists()


def _check_outside_unfinished_runs(path: Path) -> None:
    for folder in path.absolute().parents:
        if _is_unfinished_run(folder):
            raise RunError(f"{path}: expected a place outside of unfinished runs, found {folder}")
