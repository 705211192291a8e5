"""The files of a run: the bundle (`model.keras` and `encoders.json`), from which a model answers, and the tables."""

from __future__ import annotations

import csv
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seqtag.asides import aside_of
from seqtag.errors import RunError, shown
from seqtag.files import atomic_write

if TYPE_CHECKING:
    import keras

M = TypeVar("M")

FORMAT_VERSION = 2
MODEL, ENCODERS, CONFIG, METRICS, HISTORY = "model.keras", "encoders.json", "config.yaml", "metrics.json", "history.csv"
PARTIAL_SUFFIX = ".partial"


def partial_path(run: str | os.PathLike[str]) -> Path:
    """The folder of a run until it is complete."""
    return Path(f"{os.fspath(run).rstrip('/')}{PARTIAL_SUFFIX}")


def save_bundle(folder: Path, task: str, network: keras.Model, encoders: dict[str, Any]) -> None:
    """Writes a network, and everything else that its model needs to answer.

    The file of the network is compressed, which pays for kernels with many zeros.

    Args:
        folder: where the two files go.
        task: the name of the model's task.
        network: the network, not compiled: otherwise the optimizer's state would be stored too.
        encoders: the rest of the model, as JSON can hold it.
    """
    from seqtag.forks import check_can_run

    check_can_run()
    with atomic_write(folder / MODEL) as aside, aside_of(folder / "parts") as parts:
        network.save(parts, zipped=False)
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(path for path in parts.iterdir() if path.is_file()):
                archive.write(part, part.name)
    write_json(folder / ENCODERS, {"format_version": FORMAT_VERSION, "task": task, **encoders})


def load_bundle(run: str | os.PathLike[str], task: str, build: Callable[[Any, dict[str, Any]], M]) -> M:
    """Reads what `save_bundle` wrote.

    Args:
        run: the run directory.
        task: the name of the expected task.
        build: makes the model from the network and the encoders.

    Raises:
        RunError: there is no finished run, it is of another task, a file of it is missing or damaged, or its format
            is another version's.
    """
    folder = Path(run)
    encoders = _encoders_of(folder, task)
    _check_archive(folder / MODEL)
    # After the checks, which need no Keras: importing it takes seconds.
    import keras

    from seqtag.forks import check_can_run

    check_can_run()
    with _damage_named(folder):
        return build(keras.saving.load_model(folder / MODEL, compile=False), encoders)


def load_encoders(run: str | os.PathLike[str], task: str, build: Callable[[dict[str, Any]], M]) -> M:
    """Reads what `save_bundle` wrote except the network; this is quick, since it needs no TensorFlow.

    Args:
        run: the run directory.
        task: the name of the expected task.
        build: makes the result from the encoders.

    Raises:
        RunError: as `load_bundle`.
    """
    folder = Path(run)
    encoders = _encoders_of(folder, task)
    with _damage_named(folder):
        return build(encoders)


@contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    """Turns the errors of a damaged bundle into one that names the run."""
    try:
        yield
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder}: expected a bundle that seqtag wrote, found {_first_line(error)}") from None


def _encoders_of(folder: Path, task: str) -> dict[str, Any]:
    encoders = _read_encoders(folder)
    if encoders["task"] != task:
        raise RunError(f"{folder}: expected a run of {task}, found one of {encoders['task']}")
    return encoders


def task_of(run: str | os.PathLike[str]) -> str:
    """The task of a finished run.

    Raises:
        RunError: as `load_bundle`.
    """
    return _read_encoders(Path(run))["task"]


def _read_encoders(folder: Path) -> dict[str, Any]:
    """The encoders of a finished run, if they are of the current format."""
    if not folder.is_dir():
        hint = "; an unfinished run is there, go on with --resume" if partial_path(folder).is_dir() else ""
        raise RunError(f"{folder}: expected the directory of a finished run, found none{hint}")
    if folder.name.endswith(PARTIAL_SUFFIX):
        raise RunError(f"{folder}: expected a finished run, found one that was interrupted; go on with --resume")
    encoders = read_json(folder / ENCODERS)
    version = encoders.get("format_version")
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        hint = "; upgrade seqtag to read it" if newer else ""
        raise RunError(f"{folder / ENCODERS}: expected format version {FORMAT_VERSION}, found {version}{hint}")
    if not isinstance(encoders.get("task"), str):
        raise RunError(f"{folder / ENCODERS}: expected the name of a task, found {shown(encoders.get('task'))}")
    return encoders


def _check_archive(path: Path) -> None:
    """Reads the whole archive: Keras would load damaged weights without an error, since it reads no checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = _damaged_member(archive)
    except FileNotFoundError:
        raise RunError(f"{path}: expected a file of the run, found no such file") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: expected a model, found {_first_line(error)}") from None
    if damaged:
        raise RunError(f"{path}: expected a whole model, found damage in {damaged}")


def _damaged_member(archive: zipfile.ZipFile) -> str | None:
    """The first damaged file, as in `testzip`, which would not report errors of the decompression."""
    for name in archive.namelist():
        try:
            with archive.open(name) as member:
                while member.read(1 << 20):
                    pass
        except (zipfile.BadZipFile, zlib.error):
            return name
    return None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        RunError: the file is missing or is no JSON object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: expected a file of the run, found {(error.strerror or 'a fault').lower()}") from None
    except json.JSONDecodeError as error:
        raise RunError(f"{path}:{error.lineno}: expected JSON, found a fault: {error.msg.lower()}") from None
    except UnicodeDecodeError:
        raise RunError(f"{path}: expected JSON in utf-8, found other bytes") from None
    if not isinstance(data, dict):
        raise RunError(f"{path}: expected a JSON object, found {type(data).__name__}")
    return data


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Writes a JSON object, whole or not at all."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    with atomic_write(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_history(path: Path, history: Sequence[dict[str, Any]]) -> None:
    """Writes a row for each epoch."""
    with atomic_write(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows that `write_history` wrote.

    Raises:
        RunError: the file is missing or is no table of numbers.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, TypeError, ValueError) as error:
        raise RunError(f"{path}: expected a table of numbers, found {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
