"""Worker processes that try inputs by number. One that dies or stands still costs the input that it had at hand."""

from __future__ import annotations

import ctypes
import multiprocessing as mp
import os
import resource
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.fuzz.trial import FINDINGS, OUTCOMES, Finding, try_once

# Kept of each finding, for replay.
MOST_KEPT = 3
CONTEXT = mp.get_context("fork")


class Kind(Protocol):
    """A kind of inputs. What an input is follows from its seed and number alone."""

    name: str
    seconds: float
    memory: int

    def start(self) -> None:
        """Prepares a worker."""

    def make(self, seed: int, number: int) -> tuple[str, Any]:
        """The target and the input of a number."""

    def run(self, target: str, given: Any) -> None:
        """Tries an input."""

    def keep(self, given: Any, path: Path) -> None:
        """Writes an input for replay."""


@dataclass
class Tally:
    """What came of inputs.

    Attributes:
        counts: the number of inputs by outcome.
        findings: for each place, how often, and the first one with its number.
        seconds: of the clock.
    """

    counts: Counter[str] = field(default_factory=Counter)
    findings: dict[tuple[str, str], tuple[int, Finding, int]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, number: int, finding: Finding) -> int:
        """Counts a finding; how many of its kind there are."""
        count, first, at = self.findings.get(finding.key, (0, finding, number))
        self.findings[finding.key] = (count + 1, first, at)
        return count + 1


def try_all(kind: Kind, count: int, seed: int, first: int, workers: int, folder: Path | None) -> Tally:
    """Tries `count` inputs from number `first` on, in several processes."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
        # Where the workers, which are forks, put their files: they may die at any moment.
        tempfile.tempdir = scratch
        try:
            return _tallied(kind, count, seed, first, workers, folder)
        finally:
            tempfile.tempdir = None


def _tallied(kind: Kind, count: int, seed: int, first: int, workers: int, folder: Path | None) -> Tally:
    tally, started = Tally(), time.monotonic()
    running = [_Worker(kind, seed, range(first + n, first + count, workers), folder) for n in range(workers)]
    while running:
        for worker in running:
            worker.collect(tally)
        running = [worker for worker in running if not worker.done]
        time.sleep(0.02)
    tally.seconds = time.monotonic() - started
    return tally


class _Worker:
    """A process, the numbers that it has to try, and what it says while it does."""

    def __init__(self, kind: Kind, seed: int, numbers: range, folder: Path | None) -> None:
        self.kind, self.seed, self.numbers, self.folder = kind, seed, numbers, folder
        self.at = CONTEXT.Value(ctypes.c_longlong, 0, lock=False)
        self.since = CONTEXT.Value(ctypes.c_double, 0.0, lock=False)
        self.counts = CONTEXT.Array(ctypes.c_longlong, len(OUTCOMES), lock=False)
        self.done = not numbers
        self.start()

    def start(self) -> None:
        self.since.value = time.monotonic() + 120  # what a worker needs to import
        self.receiver, sender = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=self._work, args=(sender,), daemon=True)
        self.process.start()
        sender.close()

    def collect(self, tally: Tally) -> None:
        """Takes what the process has found; starts another one where it has died."""
        self._receive(tally)
        stands = time.monotonic() - self.since.value > 2 * self.kind.seconds + 5
        if self.process.is_alive() and not stands:
            return
        if stands:
            self.process.kill()
        self.process.join()
        self._receive(tally)
        if self.at.value < len(self.numbers):
            outcome = "hang" if stands else "crash"
            self.counts[OUTCOMES.index(outcome)] += 1
            finding = Finding(outcome, self.kind.name, f"exit code {self.process.exitcode}", "the process was lost")
            self._found(tally, self.numbers[self.at.value], finding)
            self.numbers = self.numbers[self.at.value + 1 :]
            self.at.value = 0
        else:
            self.numbers = self.numbers[:0]
        if self.numbers:
            self.start()
            return
        self.done = True
        tally.counts.update({name: self.counts[n] for n, name in enumerate(OUTCOMES)})

    def _receive(self, tally: Tally) -> None:
        try:
            while self.receiver.poll():
                self._found(tally, *self.receiver.recv())
        except EOFError:
            return

    def _found(self, tally: Tally, number: int, finding: Finding) -> None:
        if tally.add(number, finding) <= MOST_KEPT and self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{self.kind.name}-{finding.outcome}-{number}"
            path.with_suffix(".txt").write_text(f"{finding.target}\n{finding.place}\n{finding.message!a}\n")
            self.kind.keep(self.kind.make(self.seed, number)[1], path)

    def _work(self, sender: Any) -> None:
        warnings.simplefilter("ignore")
        self.kind.start()
        _limit_memory(self.kind.memory)
        for at, number in enumerate(self.numbers):
            self.at.value, self.since.value = at, time.monotonic()
            target, given = self.kind.make(self.seed, number)
            outcome, finding = try_once(target, _call(self.kind.run, target, given), self.kind.seconds)
            self.counts[OUTCOMES.index(outcome)] += 1
            if outcome in FINDINGS and finding is not None:
                sender.send((number, finding))
        self.at.value = len(self.numbers)
        sender.close()


def _call(function: Callable[[str, Any], None], target: str, given: Any) -> Callable[[], None]:
    return lambda: function(target, given)


def _limit_memory(megabytes: int) -> None:
    """Lets a process take so much more address space than it has; what it asks for beyond is a `MemoryError`."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
