"""Commands that are killed at any moment: what they write is there whole or as it was before, and can be gone on from.

A worker imports TensorFlow and never uses it; each command runs in a fork of it, since the import alone takes seconds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.fuzz.bundles import GOLDEN
from benchmarks.fuzz.trial import Loss
from seqtag.files.asides import MARK
from seqtag.runs import bundle
from seqtag.runs.reading import read_json
from seqtag.tagging.data.samples import sample_path
from seqtag.tagging.stored_sizes import stored_sizes

COMMANDS = ("train", "predict", "backtest")
JOB = """task: tagging
data: {train: FOLDER/train.tsv, dev: FOLDER/train.tsv, test: FOLDER/train.tsv}
model: {units: 4, word_dim: 4, cell: gru, head: softmax, char_encoder: none, context_features: false}
training: {epochs: 4, batch_tokens: 200, tensorboard: false}
evaluation: {show_sentences: 0}
"""
SENTENCES = 20
OLD = b"what was there before\n"
MOST_TRIES = 6


class Given(NamedTuple):
    """A command, and the shares of its usual time after which it is killed, one after the other."""

    command: str
    shares: list[float]
    replaces: bool


class Kills:
    """The kind of inputs that killed commands are."""

    name, seconds, memory = "kills", 300.0, 40_000

    def start(self) -> None:
        """Runs each command to its end once, for what it writes and how long it takes."""
        import tensorflow  # noqa: F401 - so that forks need not

        self.folder = Path(tempfile.mkdtemp(prefix="seqtag-kills-"))
        parts = sample_path("train").read_bytes().split(b"\n\n")[:SENTENCES]
        (self.folder / "train.tsv").write_bytes(b"\n\n".join(parts) + b"\n\n")
        (self.folder / "job.yaml").write_text(JOB.replace("FOLDER", str(self.folder)), encoding="utf-8")
        shutil.copytree(GOLDEN / "forecasting", self.folder / "forecaster")
        self.usual = {command: self._usual(command) for command in COMMANDS}
        self.scores = _scores(self.folder / "train")
        self.answer = (self.folder / "predict").read_bytes()
        self.tables = _names(self.folder / "backtest")

    def make(self, seed: int, number: int) -> tuple[str, Given]:
        """A command and when it is killed, up to three times."""
        rng = random.Random(f"{seed} kill {number}")
        command = rng.choice(COMMANDS)
        shares = [rng.random() * 1.1 for _ in range(rng.choice((1, 1, 2, 3)))]
        return command, Given(command, shares, rng.random() < 0.5)

    def run(self, target: str, given: Given) -> None:
        """Kills a command, checks what is there after each time, and runs it to its end."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        output = place / "out"
        if given.command == "predict" and given.replaces:
            output.write_bytes(OLD)
        try:
            for share in given.shares:
                # The first command uses the run's own time; what is resumed may have less to do.
                self._start(given.command, output, share * self.usual[given.command])
                self._check(given, output)
            self._finish(given.command, output)
            self._check(given, output, done=True)
            if names := _names(place) - {"out"}:
                raise Loss(f"left behind: {sorted(names)}")
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def keep(self, given: Given, path: Path) -> None:
        """Writes the command and its times."""
        path.with_suffix(".json").write_text(json.dumps(given), encoding="utf-8")

    def _usual(self, command: str) -> float:
        started = time.monotonic()
        code = self._start(command, self.folder / command, None)
        if code:
            raise RuntimeError(f"{command} exits with {code}")
        return time.monotonic() - started

    def _arguments(self, command: str, output: Path, resume: bool) -> list[str]:
        if command == "train":
            return ["train", f"{self.folder}/job.yaml", "-o", str(output), *(["--resume"] if resume else [])]
        if command == "predict":
            return ["predict", f"{self.folder}/train", f"{self.folder}/train.tsv", "-o", str(output)]
        source = ["--set", f"data.train={self.folder}/forecaster/series.csv", "--folds", "2", "--no-refit"]
        return ["backtest", f"{self.folder}/forecaster", "-o", str(output), *source]

    def _start(self, command: str, output: Path, killed_after: float | None) -> int:
        """Runs a command in a fork; the exit code, -9 where it was killed. An unfinished training is gone on with."""
        partial = bundle.partial_path(output)
        resume = command == "train" and any(partial.glob("checkpoints/*/[!.]*"))
        child = os.fork()
        if not child:
            _become(self._arguments(command, output, resume))
        if killed_after is not None:
            time.sleep(killed_after)
            os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _finish(self, command: str, output: Path) -> None:
        """Does what a person would do: again, or gone on with."""
        if command == "train" and output.exists():
            return
        if code := self._start(command, output, None):
            raise Loss(f"{command} after a kill exits with {code}")

    def _check(self, given: Given, output: Path, done: bool = False) -> None:
        """What is at the output is whole, or what was there before."""
        if given.command == "predict":
            wanted = [self.answer] if done else [self.answer, OLD if given.replaces else None]
            if (output.read_bytes() if output.exists() else None) not in wanted:
                raise Loss("half an answer")
        elif not output.exists():
            if done:
                raise Loss("no output of a finished command")
        elif given.command == "backtest":
            # What a killed writer left in a folder that was there before is cleared by the next writer.
            names = {name for name in _names(output) if done or MARK not in name}
            if names != self.tables:
                raise Loss(f"another folder: {sorted(self.tables ^ names)}")
        elif _scores(output) != self.scores:
            raise Loss("a run of other scores")


def _become(arguments: list[str]) -> None:
    """The end of a fork: a command, without a word."""
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    from seqtag.cli import run

    os._exit(run(arguments))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _scores(run: Path) -> dict:
    """The scores of a run whose files are whole."""
    bundle.load_encoders(run, "tagging", dict, stored_sizes)
    bundle.read_history(run / bundle.HISTORY)
    metrics = read_json(run / bundle.METRICS)
    return {split: metrics[split] for split in ("dev", "test")}
