"""Speed and memory of the tagger, each figure beside the one to compare it with.

    SEQTAG_DATA=... python -m benchmarks.tagger_speed [--config ner_ncbi] [--parts abcdefg] [--quick]

prints a table for the set of `configs/NAME.yaml`. All times are medians; what is compared runs in turns (A
B A B ...) in one process, on the real files:

a. training: words a second of whole epochs, ours as the trainer makes them (without the scoring of dev)
   beside `benchmarks.plain_keras_tagger` of the same units, with the config's word width and with the whole
   width of our token vectors. The plain model has no characters, spelling features, dropout or CRF, so it does
   less work per token. Both see the same random sentences of train (`--sentences`).
b. prediction: words a second from the train file to a file of columns, beside CRFsuite (its features
   included); and the seconds of `seqtag predict` of one sentence in a new process, from start to end.
c. memory: the peak of `seqtag train`, and of `seqtag predict` on the train file once and repeated to many
   MB.
d. padding: the share of padded positions in the training batches.
e. the CRF: what it adds to a training step with a softmax head (see `crf_cost`).
f. help: the seconds of `seqtag --help`, seven times.
g. the limit: the words a second that a token's multiply-adds allow at the machine's measured rate of
   products of similar shapes (see `floor`), and the share of it that training in (a) reached.

The run that (b) and (c) use is trained first, for `--epochs` epochs, in a folder that is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.processes import Usage, measure, median_seconds
from benchmarks.real_data import config_of, config_path, load_split
from benchmarks.tables import markdown_table, text_table
from benchmarks.tagger_prediction import prediction_speed, repeated
from benchmarks.tagger_training import Subject, crf_cost, floor, padding, training_speed
from seqtag.errors import SeqtagError
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus, reading_options

SEQTAG = str(Path(sys.executable).with_name("seqtag"))
QUICK = {"sentences": 300, "repeats": 1, "steps": 10, "megabytes": 3.0, "epochs": 1}

Row = list[str]


def train_run(name: str, run: Path, epochs: int) -> Usage:
    """Trains a run directory from the command line."""
    settings = [f"--set=training.epochs={epochs}", "--set=training.tensorboard=false"]
    return measure([SEQTAG, "train", str(config_path(name)), *settings, "--output", str(run)])


def training_rows(train: TaggedCorpus, config: TaggingConfig, options: argparse.Namespace) -> Iterator[Row]:
    """Parts a and g."""
    longest = max(map(len, train.tokens))
    count = min(options.sentences, len(train))
    chosen = np.random.default_rng(0).choice(len(train), count, replace=False).tolist()
    subject = Subject.build(train.subset(chosen), config)
    speeds = training_speed(subject, longest, options.repeats)
    ours = speeds.pop("seqtag")
    if "a" in options.parts:
        yield ["a", f"training words/s, {count} sentences", f"{ours:,.0f}", ""]
        for name, speed in speeds.items():
            yield ["a", f"{name}, padded to {longest}", f"{speed:,.0f}", f"seqtag {ours / speed:.2f}x"]
    if "g" in options.parts:
        millions, words = floor(subject, options.steps)
        yield ["g", "multiply-adds of a word in training, millions", f"{millions:.2f}", ""]
        yield ["g", "words/s that these alone allow", f"{words:,.0f}", f"seqtag reaches {ours / words:.0%}"]


def prediction_rows(
    run: Path, train: TaggedCorpus, config: TaggingConfig, options: argparse.Namespace
) -> Iterator[Row]:
    """Part b."""
    words = sum(map(len, train.tokens))
    seconds = prediction_speed(run, train, reading_options(config.data), run.parent, options.repeats)
    peer = words / seconds["CRFsuite, model loaded"]
    for name, taken in seconds.items():
        speed = words / taken
        yield ["b", f"prediction words/s, {name}", f"{speed:,.0f}", f"{speed / peer:.2f}x CRFsuite"]
    sentence = run.parent / "sentence"
    text = next(iter(reading_options(config.data).reader(str(train.path)))).raw
    sentence.write_text(text, encoding=config.data.encoding)
    cold = median_seconds([SEQTAG, "predict", str(run), str(sentence)], options.repeats)
    yield ["b", "seqtag predict of one sentence, s", f"{cold:.1f}", ""]


def memory_rows(run: Path, train: TaggedCorpus, usage: Usage, options: argparse.Namespace) -> Iterator[Row]:
    """Part c."""
    source = Path(str(train.path))
    large = run.parent / "large"
    times = repeated(source, large, options.megabytes)
    yield ["c", f"seqtag train, {options.epochs} epochs, peak MB", f"{usage.peak_mb:,.0f}", ""]
    once, many = (
        measure([SEQTAG, "predict", str(run), str(path), "--output", str(run.parent / "tagged")])
        for path in (source, large)
    )
    size = large.stat().st_size / 1e6
    yield ["c", "seqtag predict, train once, peak MB", f"{once.peak_mb:,.0f}", f"{once.seconds:.1f} s"]
    grown = f"{many.peak_mb - once.peak_mb:+,.0f} MB, {many.seconds:.1f} s"
    yield [
        "c",
        f"seqtag predict, train {times} times ({size:.0f} MB), peak MB",
        f"{many.peak_mb:,.0f}",
        grown,
    ]


def rows(name: str, options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """The table of one set."""
    config = config_of(name)
    train = load_split(config.data, "train")
    if set("ag") & set(options.parts):
        yield from training_rows(train, config, options)
    if set("bc") & set(options.parts):
        run = folder / name
        usage = train_run(name, run, options.epochs)
        if "b" in options.parts:
            yield from prediction_rows(run, train, config, options)
        if "c" in options.parts:
            yield from memory_rows(run, train, usage, options)
    if "d" in options.parts:
        yield ["d", "padding in training batches", f"{padding(Subject.build(train, config)):.1%}", ""]
    if "e" in options.parts:
        crf, softmax, added = crf_cost(train, config, options.steps)
        yield ["e", "training step with a softmax head, ms", f"{softmax:.1f}", ""]
        yield ["e", "training step with the CRF, ms", f"{crf:.1f}", f"the CRF adds {added:.1%}"]
    if "f" in options.parts:
        yield ["f", "seqtag --help, s", f"{median_seconds([SEQTAG, '--help'], 7):.2f}", ""]


def main() -> None:
    """Prints a table for each set that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", nargs="+", default=["ner_ncbi"], metavar="NAME", help="of configs/NAME.yaml")
    parser.add_argument("--parts", default="abcdefg", help="letters of what to measure")
    parser.add_argument("--sentences", type=int, default=2000, help="of train, for part a")
    parser.add_argument("--repeats", type=int, default=3, help="of what is timed whole")
    parser.add_argument("--steps", type=int, default=60, help="batches for parts e and g")
    parser.add_argument("--megabytes", type=float, default=20, help="of the large file of part c")
    parser.add_argument("--epochs", type=int, default=3, help="of the run of parts b and c")
    parser.add_argument("--quick", action="store_true", help="everything once and small, to see that it works")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    table = markdown_table if options.markdown else text_table
    try:
        for name in options.config:
            with tempfile.TemporaryDirectory() as folder:
                found = list(rows(name, options, Path(folder)))
            print(table(("part", name, "figure", "beside it"), found), flush=True)
    except SeqtagError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
