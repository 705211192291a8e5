"""Runs with a broken file: the members of the network's archive with right checksums, JSON, tables, pipes."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.fuzz.mutation import PIECES, mutated

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "format_2"
FILES = ("encoders.json", "config.yaml", "metrics.json", "history.csv", "series.csv", "model.keras")
MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
ODD: list[Any] = [
    *(None, True, -1, 0, 1, 0.5, 10**6, 10**9, 2**63, 10**30, float("nan"), float("inf"), "", "x", "\x1b", "os.system"),
    *([], {}, [1], ["a", "a"], [[]], {"class_name": "Lambda", "module": "keras.layers", "config": {}}, "keras.layers"),
]  # fmt: skip
# More than a load of a tiny run may add to a process.
MOST_GROWTH = 600


class Given(NamedTuple):
    """A task's run whose file of this name has another content; None for what is no file."""

    task: str
    name: str
    content: bytes | None
    odd: str = ""


class Bundles:
    """The kind of inputs that runs are."""

    name, seconds, memory = "bundles", 20.0, 6000

    def start(self) -> None:
        """Imports what loads, loads once, and copies the runs to a folder that may be broken."""
        from seqtag import Forecaster, Tagger

        self.estimators = {"tagging": Tagger, "forecasting": Forecaster}
        self.folder = Path(tempfile.mkdtemp())
        for task, estimator in self.estimators.items():
            shutil.copytree(GOLDEN / task, self.folder / task)
            estimator.load(self.folder / task)

    def make(self, seed: int, number: int) -> tuple[str, Given]:
        """A run with one broken file, mostly of those that sizes and classes are read from."""
        rng = random.Random(f"{seed} bundle {number}")
        task = rng.choice(("tagging", "forecasting"))
        kind = rng.choice(
            ("json", "json", "member json", "member json", "member json", "weights", "bytes", "zip", "odd")
        )
        name = "encoders.json" if kind == "json" else "model.keras"
        if kind in ("bytes", "odd"):
            name = rng.choice([name for name in FILES if (GOLDEN / task / name).exists()])
        content = (GOLDEN / task / name).read_bytes()
        if kind == "odd":
            return f"{task} {name}", Given(task, name, None, rng.choice(("none", "pipe", "device", "folder", "empty")))
        change: Callable[[random.Random, bytes], bytes] = {
            "json": _json, "member json": _member_json, "weights": _weights, "bytes": _bytes, "zip": _bytes,
        }[kind]  # fmt: skip
        return f"{task} {name}", Given(task, name, change(rng, content))

    def run(self, target: str, given: Given) -> None:
        """Loads the run; a file that is restored afterwards has been broken."""
        path = self.folder / given.task / given.name
        before = _start_of_peak()
        path.unlink()
        try:
            _put(path, given)
            self.estimators[given.task].load(path.parent)
        finally:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            shutil.copy(GOLDEN / given.task / given.name, path)
            if _peak() - before > MOST_GROWTH:
                raise MemoryError(f"{_peak() - before} MB more at the peak")

    def keep(self, given: Given, path: Path) -> None:
        """Writes the file."""
        path.with_suffix(f".{given.task}.{given.name}").write_bytes(given.content or given.odd.encode())


def _put(path: Path, given: Given) -> None:
    if given.content is not None:
        path.write_bytes(given.content)
    elif given.odd == "pipe":
        os.mkfifo(path)
    elif given.odd == "device":
        path.symlink_to("/dev/zero")
    elif given.odd == "folder":
        path.mkdir()
    elif given.odd == "empty":
        path.touch()


def _json(rng: random.Random, content: bytes) -> bytes:
    data = json.loads(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change_value(rng, data)
    return json.dumps(data).encode("utf-8", "surrogatepass")


def _change_value(rng: random.Random, data: Any) -> None:
    """Replaces, removes or doubles something somewhere in JSON."""
    places = []
    waiting = [data]
    while waiting:
        part = waiting.pop()
        keys = list(part) if isinstance(part, dict) else range(len(part))
        places += [(part, key) for key in keys]
        waiting += [part[key] for key in keys if isinstance(part[key], dict | list)]
    if not places:
        return
    part, key = rng.choice(places)
    action = rng.random()
    if action < 0.6:
        part[key] = rng.choice(ODD)
    elif action < 0.8:
        del part[key]
    elif isinstance(part, list):
        part.insert(key, part[key])
    else:
        part[rng.choice(("units", "name", "class_name", "x"))] = part[key]


def _rewritten(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in members.items():
            archive.writestr(name, part)
    return written.getvalue()


def _member_json(rng: random.Random, content: bytes) -> bytes:
    def change(members: dict[str, bytes]) -> None:
        name = rng.choice(("config.json", "config.json", "config.json", "metadata.json"))
        members[name] = _json(rng, members[name])

    return _rewritten(content, change)


def _weights(rng: random.Random, content: bytes) -> bytes:
    def change(members: dict[str, bytes]) -> None:
        weights = bytearray(members["model.weights.h5"])
        for _ in range(rng.choice((1, 2, 8, 40))):
            # Headers of arrays and groups stand in front of and between the numbers.
            at = rng.randrange(min(len(weights), rng.choice((100, 3000, len(weights)))))
            piece = rng.choice([bytes([rng.randrange(256)]), b"\xff" * 8, b"\x00" * 8, *PIECES])
            weights[at : at + len(piece)] = piece
        members["model.weights.h5"] = bytes(weights)

    return _rewritten(content, change)


def _bytes(rng: random.Random, content: bytes) -> bytes:
    """Anywhere; of a large file its ends, where archives have their lists."""
    if len(content) < 4000:
        return mutated(rng, [content])
    at = rng.choice((rng.randrange(len(content)), len(content) - rng.randrange(1, 400), rng.randrange(100)))
    piece = rng.choice([bytes([rng.randrange(256)]), b"\xff" * 4, b"\x00" * 4, *PIECES])
    return content[:at] + piece + content[at + rng.choice((0, len(piece))) :]


def _start_of_peak() -> int:
    """Forgets the highest memory of the process so far; its memory now, in MB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak()


def _peak() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0
