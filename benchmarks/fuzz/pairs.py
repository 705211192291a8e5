"""Files of pairs, in every layout, with options that fit or do not."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from benchmarks.fuzz.trial import Loss
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.detection import TWO_FILES, recognises
from seqtag.seq2seq.data.inputs import read_conllu_blocks, read_sources
from seqtag.seq2seq.data.inspection import inspect_pairs
from seqtag.seq2seq.data.load import load_pairs
from seqtag.seq2seq.data.reading import reading_for, with_options

LAYOUTS = ("auto", "tsv", "parallel", "conllu", "frames")
SEEDS = {
    "tsv": [
        b"Go.\tK\xc3\xb6r!\tCC-BY\nRun!\tSpring!\tCC-BY\nRun!\tKila!\tCC-BY\n",
        b"source\ttarget\tupos\nsaw\tsee\tVERB\nsaw\tsaw\tNOUN\n",
        b'a,b\n"Go, now",\'x\n"a ""b""",c\n',
        b"16+75  _91  \n52+607 _659 \n",
    ],
    "parallel": [b"Go.\nRun!\nWho?\n"],
    "conllu": [
        b"1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\t_\t_\t0\troot\t_\t_\n"
        b"2\tel\tel\tDET\t_\t_\t1\tdet\t_\t_\n\n",
        b"# text = a\n\n1\ta\ta\tX\t_\t_\t0\troot\t_\t_",
    ],
    "frames": [b"id,time,x,y\na,1,1.5,2\na,2,2.5,3\nb,1,1,0\n", b"id;x\na;1\nb;2\n"],
}
ALL_SEEDS = [seed for seeds in SEEDS.values() for seed in seeds]
TARGETS = b"a\tfirst\nb\tsecond\n"
COLUMNS = ("1", "2", "3", 2, "-1", 0, "9" * 30, "source", "target", "upos", "id", "FORM", "misc", "", "\x1b", "x" * 500)


def pair_options(rng: random.Random, encodings: tuple[str, ...]) -> dict[str, Any]:
    """Options of a file, and of the run that reads it."""
    options: dict[str, Any] = {"layout": rng.choice(LAYOUTS), "encoding": rng.choice(encodings)}
    for name in ("source_column", "target_column", "split_column", "time_column"):
        if rng.random() < 0.04:
            options[name] = str(rng.choice(COLUMNS)) if name == "time_column" else rng.choice(COLUMNS)
    if rng.random() < 0.1:
        options["features"] = rng.choices(COLUMNS, k=rng.choice((0, 1, 2)))
    if rng.random() < 0.3:
        options["separator"] = rng.choice((",", ";", "_", " ", "tab", "\x1b", "|||", "\n", "x" * 500))
    return options


def pair_seeds(rng: random.Random, layout: str) -> list[bytes]:
    """What a file of a layout is made from: as a rule what stands in such files."""
    return ALL_SEEDS if rng.random() < 0.2 else SEEDS.get(layout, ALL_SEEDS)


def read_pairs(path: str, options: dict[str, Any]) -> None:
    """Reads a file as pairs, as a report, and as sources; of two files, it is that of the sources."""
    data = DataConfig(**options)
    recognises([path], None)
    reading = reading_for(data, {"layout": data.layout}, path)
    if reading.layout == "conllu":
        blocks = list(read_conllu_blocks(path, reading).items)
        text = "".join(block.filled(["\t"] * len(block.words)) for block in blocks)
        if text.count("\n") != Path(path).read_bytes().decode(reading.encoding).count("\n"):
            raise Loss("lines are lost")
    else:
        list(read_sources(path, reading).items)
    files = [path, _targets_beside(path, reading.layout)] if reading.layout in TWO_FILES else [path]
    pairs = load_pairs(tuple(files) if len(files) == 2 else path, data)
    if not all(pairs.targets) or len({len(pairs), len(pairs.sources), len(pairs.targets), len(pairs.features)}) > 1:
        raise Loss("a pair is not whole")
    report = inspect_pairs(files, with_options(data, {"layout": reading.layout}))
    if not all(line.isprintable() for line in report.to_text().split("\n")):
        raise Loss("the report is not printable")
    json.dumps(report.to_metrics())


def _targets_beside(path: str, layout: str) -> str:
    """The file of targets: of frames one with ids, of lines the file itself."""
    if layout != "frames":
        return path
    targets = Path(f"{path}.targets")
    targets.write_bytes(TARGETS)
    return str(targets)
