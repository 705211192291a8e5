"""Counts what broken inputs and kills do: untyped errors, hangs, memory, losses.

    python -m benchmarks.fuzz --inputs 100000 --bundles 200 --kills 30 --seed 1 --keep findings

An input follows from its seed and number alone, whatever the number of workers: `--first N --inputs 1` tries the one of
number N again. Exits with 1 where anything was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzz.bundles import Bundles
from benchmarks.fuzz.configs import Configs
from benchmarks.fuzz.kills import Kills
from benchmarks.fuzz.pool import Kind, Tally, try_all
from benchmarks.fuzz.readers import Readers
from benchmarks.fuzz.trial import FINDINGS, OUTCOMES

# One configuration for so many files: its parser takes as long as they all.
FILES_PER_CONFIG = 50


def main(arguments: list[str] | None = None) -> int:
    """Tries all kinds, prints a table and the findings; the exit code."""
    options = _parser().parse_args(arguments)
    tallies = {}
    for kind, count in _kinds(options):
        if count:
            workers = min(options.workers, count)
            tallies[kind.name] = try_all(kind, count, options.seed, options.first, workers, options.keep)
    _print(tallies)
    return int(any(tally.findings for tally in tallies.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="files to read")
    parser.add_argument("--configs", type=int, help=f"configurations; one for {FILES_PER_CONFIG} inputs unless set")
    parser.add_argument("--bundles", type=int, default=0, help="runs with a broken file to load")
    parser.add_argument("--kills", type=int, default=0, help="commands to kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input of each kind")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the first findings of each kind are written")
    return parser


def _kinds(options: argparse.Namespace) -> Iterator[tuple[Kind, int]]:
    yield Readers(), options.inputs
    yield Configs(), options.inputs // FILES_PER_CONFIG if options.configs is None else options.configs
    yield Bundles(), options.bundles
    yield Kills(), options.kills


def _print(tallies: dict[str, Tally]) -> None:
    print(f"{'':10} {'inputs':>9} {'seconds':>8} " + " ".join(f"{name:>9}" for name in OUTCOMES))
    for name, tally in tallies.items():
        counts = " ".join(f"{tally.counts[outcome]:>9,}" for outcome in OUTCOMES)
        print(f"{name:10} {tally.counts.total():>9,} {tally.seconds:>8,.0f} {counts}")
    for name, tally in tallies.items():
        for count, finding, number in sorted(tally.findings.values(), key=lambda item: -item[0]):
            print(f"{name} {number} ({count} such): {finding.outcome} in {finding.target}, {finding.place}")
            print(f"    {finding.message!a}")
    found = sum(tally.counts[outcome] for tally in tallies.values() for outcome in FINDINGS)
    print(f"{found} findings" if found else "nothing found")


if __name__ == "__main__":
    raise SystemExit(main())
