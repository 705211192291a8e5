"""Speed of sequence-to-sequence models, each figure beside the one to compare it with.

    SEQTAG_DATA=... python -m benchmarks.seq2seq_speed [--run RUN] [--parts abcd] [--quick]

prints a table for pronunciations of CMUdict (`g014b2b.train`). All times are medians; what is compared runs in turns
(A B A B ...) in one process:

a. training: symbols a second of whole epochs, ours as the trainer makes them (without the scoring of dev), beside
   `benchmarks.plain_keras_seq2seq` of the same widths and attention. Our default has input feeding too, for which
   attention waits for each symbol. The plain networks have no input feeding, dropout, clipping or average of the
   weights, so they do less work per symbol. All see the same random pairs in batches of the same plan.
b. padding: the share of padded positions in the training batches.
c. search: one batch of sources, greedily and with a beam of five.
d. latency: one answer of the exported SavedModel at a time, beam search inside, in a process that has TensorFlow alone.

(c) and (d) use the finished run RUN, or else the network that (a) has trained for a minute.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.saved_model_latency import latency
from benchmarks.seq2seq_training import Subject, padding, search_seconds, training_seconds
from benchmarks.tables import markdown_table, text_table
from seqtag.errors import SeqtagError
from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.load import load_pairs
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.export import export_saved_model
from seqtag.seq2seq.model import Seq2SeqModel

FILE = "cmudict/g014b2b.train"
BEAMS = (1, 5)
# What the whole file has unless it is set; the default for some of its pairs is lower.
BATCH_SYMBOLS = 3000
# Our networks: that of the defaults, and those that are built as the plain ones are.
OURS: dict[str, dict[str, Any]] = {
    "seqtag, default (input feeding)": {},
    "seqtag, additive": {"input_feeding": False},
    "seqtag, dot": {"input_feeding": False, "attention": "dot"},
}
BESIDE = {name: "keras, dot" if "dot" in name else "keras, additive" for name in OURS}
QUICK = {"pairs": 600, "repeats": 1, "sources": 40, "calls": 20}

Row = list[str]


def subjects_of(train: Pairs, units: int) -> dict[str, Subject]:
    """The networks of `OURS`."""
    found = {}
    for name, values in OURS.items():
        model = {"target": "symbols", "units": units, **values}
        config = {"task": "seq2seq", "model": model, "training": {"batch_symbols": BATCH_SYMBOLS}}
        found[name] = Subject.build(train, Seq2SeqConfig.model_validate(config))
    return found


def training_rows(subjects: Mapping[str, Subject], options: argparse.Namespace) -> Iterator[Row]:
    """Part a; sources, targets and their ends count as symbols, padding does not."""
    seconds = training_seconds(subjects, options.repeats)
    symbols = next(iter(subjects.values())).stream.items
    for name, taken in seconds.items():
        speed = symbols / statistics.median(taken)
        yield ["a", f"training symbols/s, {name}", f"{speed:,.0f}", _ratio(seconds, name, BESIDE.get(name))]


def _ratio(seconds: Mapping[str, list[float]], name: str, beside: str | None) -> str:
    """How many times as fast one is as another: the median over epochs; those of a turn ran side by side."""
    if beside is None:
        return ""
    pairs = zip(seconds[name], seconds[beside], strict=True)
    return f"{statistics.median(other / own for own, other in pairs):.2f}x {beside}"


def search_rows(model: Seq2SeqModel, sources: Pairs, options: argparse.Namespace) -> Iterator[Row]:
    """Part c."""
    seconds = search_seconds(model, sources, BEAMS, options.calls // 5)
    greedy = seconds[1]
    for beam, taken in seconds.items():
        name = f"search of {len(sources)} sources, beam {beam}, ms"
        yield ["c", name, f"{1000 * taken:,.1f}", f"{taken / greedy:.2f}x greedy"]


def latency_rows(model: Seq2SeqModel, sources: Pairs) -> Iterator[Row]:
    """Part d."""
    with tempfile.TemporaryDirectory() as folder:
        exported, file = Path(folder, "exported"), Path(folder, "sources")
        export_saved_model(model, exported)
        file.write_text("\n".join(sources.sources) + "\n", encoding="utf-8")
        median, high = latency(exported, file)
    name = f"latency of one answer, beam {model.search.beam}, ms"
    yield ["d", name, f"{median:.1f}", f"95th percentile {high:.1f}"]


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """The table."""
    pairs = load_pairs(Path(os.environ.get("SEQTAG_DATA", "."), FILE))
    draws = np.random.default_rng(0)
    train, sources = (
        pairs.subset(draws.choice(len(pairs), count, replace=False).tolist())
        for count in (options.pairs, max(options.sources, options.calls))
    )
    subjects = subjects_of(train, options.units) if options.run is None or set("ab") & set(options.parts) else {}
    if "a" in options.parts:
        yield from training_rows(subjects, options)
    if "b" in options.parts:
        share = padding(next(iter(subjects.values())))
        yield ["b", "padding in training batches", f"{share:.1%}", ""]
    model = Seq2SeqModel.load(options.run) if options.run else next(iter(subjects.values())).model()
    if "c" in options.parts:
        yield from search_rows(model, sources.subset(range(options.sources)), options)
    if "d" in options.parts:
        yield from latency_rows(model, sources.subset(range(options.calls)))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, help="a finished run of pronunciations, for parts c and d")
    parser.add_argument("--parts", default="abcd", help="letters of what to measure")
    parser.add_argument("--pairs", type=int, default=3000, help="of the file, for parts a and b")
    parser.add_argument("--units", type=int, default=256, help="of the networks of part a")
    parser.add_argument("--repeats", type=int, default=5, help="fits of part a")
    parser.add_argument("--sources", type=int, default=128, help="in the batch of part c")
    parser.add_argument("--calls", type=int, default=100, help="answers of part d; a fifth of them searches of part c")
    parser.add_argument("--quick", action="store_true", help="everything once and small, to see that it works")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    table = markdown_table if options.markdown else text_table
    try:
        print(table(("part", "cmudict", "figure", "beside it"), list(rows(options))), flush=True)
    except SeqtagError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
