"""Configurations: broken YAML, values of all types, and `--set` options."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.fuzz.mutation import PIECES, mutated
from benchmarks.fuzz.trial import Loss
from seqtag.runs.config_file import dump_config, packaged_configs
from seqtag.tasks import load_config

VALUES = [
    *(b"010", b"0x10", b"1:30", b"1_000", b"1e999", b".nan", b"-.inf", b"9" * 5000, b"2024-13-45", b"2024-01-31"),
    *(b"yes", b"No", b"on", b"~", b"null", b"''", b'"\\ud800"', b'"\\0"', b"[1, [2, [3]]]", b"{a: {b: {c: 1}}}"),
    *(b"!!int x", b"!!binary aGk=", b"&a [x]", b"*a", b"<<: {units: 3}", b"[" * 300, b"{a: " * 300, b"- " * 300),
    *(b"? [a]\n: b", b"|\n  x", b">\n  y", b"%YAML 9.9", b"---", b"...", b"\t", b"'", b'"', b"# x", b"-1", b"1.5"),
    *(b"2147483648", b"9223372036854775808", b"true", b"None", b"lstm", b"crf", b"os.system", b"../../etc/passwd"),
]  # fmt: skip
KEYS = (
    "model.units",
    "training.l1",
    "data.train",
    "data.features",
    "seed",
    "task",
    "model",
    "data.quantiles",
    "a" * 500,
    "a.b",
    "..",
    "",
)


class Given(NamedTuple):
    """A file's content and the overrides."""

    content: bytes
    overrides: list[str]


class Configs:
    """The kind of inputs that configurations are."""

    name, seconds, memory = "configs", 5.0, 1000

    def start(self) -> None:
        """Makes the file that configurations are read from."""
        self.file = Path(tempfile.mkstemp(suffix=".yaml")[1])

    def make(self, seed: int, number: int) -> tuple[str, Given]:
        """One of the configurations that come with seqtag, broken."""
        rng = random.Random(f"{seed} config {number}")
        seeds = [path.read_bytes() for path in packaged_configs().values()]
        content = mutated(rng, seeds)
        for _ in range(rng.choice((0, 0, 1, 2))):
            content = _with_value(rng, content)
        overrides = []
        if rng.random() < 0.3:
            value = rng.choice([*VALUES, *PIECES]).decode("utf-8", "surrogateescape")
            overrides = [f"{rng.choice(KEYS)}={value}"]
        return "configs", Given(content, overrides)

    def run(self, target: str, given: Given) -> None:
        """Reads a configuration; what is read must be written and read again as the same."""
        self.file.write_bytes(given.content)
        config = load_config(self.file, given.overrides)
        self.file.write_text(dump_config(config), encoding="utf-8")
        if load_config(self.file) != config:
            raise Loss("a configuration is not what was written")

    def keep(self, given: Given, path: Path) -> None:
        """Writes the file and the overrides."""
        path.with_suffix(".yaml").write_bytes(given.content)
        path.with_suffix(".set").write_text(ascii(given.overrides), encoding="utf-8")


def _with_value(rng: random.Random, content: bytes) -> bytes:
    """Another value of some key."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    key, colon, _ = lines[at].partition(b":")
    lines[at] = key + colon + b" " + rng.choice(VALUES)
    return b"\n".join(lines)
