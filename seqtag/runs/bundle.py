"""The files of a run: the bundle (`model.keras` and `encoders.json`), from which a model answers, and the tables."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seqtag.errors import RunError, SeqtagError, shown
from seqtag.files.asides import aside_of
from seqtag.files.writing import atomic_write
from seqtag.runs.reading import check_regular, first_line, read_json
from seqtag.runs.stored_network import METADATA, StoredNetwork

if TYPE_CHECKING:
    import keras

M = TypeVar("M")
# What the configuration of a network and the encoders both say: a name for it, the network's, the encoders'.
Sizes = Callable[[dict[str, Any], dict[str, Any]], Iterable[tuple[str, Any, Any]]]

FORMAT_VERSION = 2
MODEL, ENCODERS, CONFIG, METRICS, HISTORY = "model.keras", "encoders.json", "config.yaml", "metrics.json", "history.csv"
REPORT = "report.html"
PARTIAL_SUFFIX = ".partial"
# The entry of the network's metadata that says which encoders it was written with, and what that leaves out.
FINGERPRINT, NOT_LEARNED = "encoders", ("format_version", "task", "options")


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
    from seqtag.process.forks import check_can_run

    check_can_run()
    # As JSON reads it back: without tuples, and with text as keys.
    encoders = json.loads(json.dumps(encoders))
    with atomic_write(folder / MODEL) as aside, aside_of(folder / "parts") as parts:
        network.save(parts, zipped=False)
        metadata = json.loads((parts / METADATA).read_text(encoding="utf-8"))
        (parts / METADATA).write_text(json.dumps({**metadata, FINGERPRINT: fingerprint(encoders)}), encoding="utf-8")
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(path for path in parts.iterdir() if path.is_file()):
                archive.write(part, part.name)
    write_json(folder / ENCODERS, {"format_version": FORMAT_VERSION, "task": task, **encoders})


def load_bundle(run: str | os.PathLike[str], task: str, build: Callable[[Any, dict[str, Any]], M], sizes: Sizes) -> M:
    """Reads what `save_bundle` wrote.

    Args:
        run: the run directory.
        task: the name of the expected task.
        build: makes the model from the network and the encoders.
        sizes: what both say of their sizes.

    Raises:
        RunError: there is no finished run, it is of another task, a file of it is missing or damaged, its format
            is another version's, or the network and the encoders are of different runs.
    """
    folder = Path(run)
    encoders, stored = _opened(folder, task, sizes)
    from seqtag.process.forks import check_can_run

    check_can_run()
    with _damage_named(folder):
        return build(stored.load(), encoders)


def load_encoders(run: str | os.PathLike[str], task: str, build: Callable[[dict[str, Any]], M], sizes: Sizes) -> M:
    """Reads what `save_bundle` wrote except the network; this is quick, since it needs no TensorFlow.

    Args:
        run: the run directory.
        task: the name of the expected task.
        build: makes the result from the encoders.
        sizes: as for `load_bundle`.

    Raises:
        RunError: as `load_bundle`.
    """
    folder = Path(run)
    encoders, _ = _opened(folder, task, sizes)
    with _damage_named(folder):
        return build(encoders)


def _opened(folder: Path, task: str, sizes: Sizes) -> tuple[dict[str, Any], StoredNetwork]:
    """The encoders of a run and its network, which is not built yet; both are of one run as far as they tell."""
    encoders = _read_encoders(folder)
    if encoders["task"] != task:
        raise RunError(f"{folder}: expected a run of {task}, found one of {encoders['task']}")
    stored = StoredNetwork.open(folder / MODEL)
    with _damage_named(folder):
        for what, expected, found in sizes(stored.config["config"], encoders):
            if expected != found:
                message = f"expected {what} {shown(expected)} as in {MODEL}, found {shown(found)}"
                raise RunError(f"{folder / ENCODERS}: {message}")
    found = fingerprint(encoders)
    if stored.metadata.get(FINGERPRINT, found) != found:
        raise RunError(f"{folder / ENCODERS}: expected what was written together with {MODEL}, found another run's")
    return encoders, stored


def fingerprint(encoders: dict[str, Any]) -> str:
    """A hash of what was learned: of vocabularies and their order, moments, corrections; not of how files are read.

    >>> fingerprint({"words": ["a", "b"], "options": {}}) == fingerprint({"words": ["a", "b"]})
    True
    """
    learned = {name: value for name, value in encoders.items() if name not in NOT_LEARNED}
    return hashlib.sha256(json.dumps(learned, sort_keys=True).encode()).hexdigest()


@contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    """Turns the errors of a damaged bundle, of whatever library, into one that names the run."""
    try:
        yield
    except SeqtagError:
        raise
    except Exception as error:
        raise RunError(f"{folder}: expected a bundle that seqtag wrote, found {first_line(error)}") from error


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
        raise RunError(f"{folder / ENCODERS}: expected format version {FORMAT_VERSION}, found {shown(version)}{hint}")
    if not isinstance(encoders.get("task"), str):
        raise RunError(f"{folder / ENCODERS}: expected the name of a task, found {shown(encoders.get('task'))}")
    return encoders


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
    check_regular(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, TypeError, ValueError) as error:
        raise RunError(f"{path}: expected a table of numbers, found {first_line(error)}") from None
