"""What each part of a tagger brings: configurations as they are, and with one part left out or added.

    SEQTAG_DATA=... python -m benchmarks.tagger_ablation [SET ...] [--lines LINE ...] [--seeds 3] [--runs DIR]
        [--fraction 1] [--markdown]

fits `configs/SET.yaml` with that many seeds for every line below, and prints the mean of the measure over the seeds on
dev and on test, the difference on dev to the configuration as it is, and the seconds of a seed. Dev alone may choose
among the lines; test is there to see whether a gain on dev was luck.

| line | what differs |
| --- | --- |
| `as it is` | nothing |
| `no CRF` | `model.head=softmax`; decoding under the constraints stays |
| `no scheme` | `data.scheme=none`: tags of IOB2 are plain labels, without constraints; accuracy on dev chooses |
| `no characters` | `model.char_encoder=none` |
| `characters by an RNN` | `model.char_encoder=birnn` |
| `no affixes` | `model.spelling=false`: no hashed affixes and shapes |
| `no window` | `model.context_features=false`: no scores of the words around a token |
| `no variational dropout` | `model.dropout=0` |
| `no averaging` | `training.ema=0` |
| `no word dropout` | `model.word_dropout=0`, `model.singleton_dropout=0` |
| `two layers` | `model.layers=2` |
| `vectors of the text` | word vectors made of the training text alone, by `seqtag vectors` |
| `document context` | `model.document_context=true`, and ten sentences in a row where files mark no documents |
| `ensemble of three` | `model.ensemble_size=3` |

A run stays in DIR/SET/LINE. What is there is read, not computed again; an interrupted run is resumed after its last
whole epoch.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.finished_runs import metrics_of
from benchmarks.real_data import config_of, load_split
from benchmarks.tables import markdown_table, text_table
from benchmarks.tagger_quality import SETS
from seqtag.data.text.vectors.training import SkipGram, train_vectors
from seqtag.errors import SeqtagError
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Scheme
from seqtag.tagging.evaluation.evaluate import quick_report
from seqtag.tagging.model import TaggingModel

LINES: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "no CRF": ("model.head=softmax", "model.entity_cost=0"),
    "no scheme": ("data.scheme=none", "model.entity_cost=0"),
    "no characters": ("model.char_encoder=none",),
    "characters by an RNN": ("model.char_encoder=birnn",),
    "no affixes": ("model.spelling=false",),
    "no window": ("model.context_features=false",),
    "no variational dropout": ("model.dropout=0",),
    "no averaging": ("training.ema=0",),
    "no word dropout": ("model.word_dropout=0", "model.singleton_dropout=0"),
    "two layers": ("model.layers=2",),
    "vectors of the text": (),
    "document context": ("model.document_context=true",),
    "ensemble of three": ("model.ensemble_size=3",),
}
NO_SCHEME, DOCUMENTS = "no scheme", "document context"
# The sets whose files mark documents.
MARKED = ("pos_ewt",)
VECTORS = "vectors of the text"
# The defaults of `seqtag vectors`, but for words that occur once: the text is small.
SKIP_GRAM = SkipGram(width=100, window=5, min_count=2, epochs=10, seed=1, workers=1)
HEADER = ("set", "line", "measure", "dev", "difference", "test", "s")


def overrides_of(name: str, line: str, folder: Path) -> list[str]:
    """The settings of a line, as `--set` takes them."""
    if line == DOCUMENTS and name not in MARKED:
        return [*LINES[line], "data.documents=10"]
    if line != VECTORS:
        return list(LINES[line])
    return [f"model.vectors=[{vectors_of_text(name, folder)}]", f"data.vector_cache={folder / 'vector_cache'}"]


def vectors_of_text(name: str, folder: Path) -> Path:
    """A file of the vectors that the training text of a set gives; made once."""
    path = (folder / "vectors.txt").absolute()
    if not path.exists():
        text = folder / "text.txt"
        sentences = load_split(config_of(name).data, "train").tokens
        text.write_text("".join(" ".join(tokens) + "\n" for tokens in sentences), encoding="utf-8")
        path.write_bytes(b"".join(train_vectors(str(text), SKIP_GRAM)))
    return path


def row(name: str, line: str, metrics: dict[str, Any], whole: dict[str, Any] | None) -> list[str]:
    """One line of the table; `whole` are the figures of the configuration as it is."""
    measure, dev, test = scores_of(metrics)
    difference = "" if whole is None else f"{dev - scores_of(whole)[1]:+.2f}"
    seconds = metrics["train"]["seconds"] / len(metrics["seeds"]["values"])
    return [name, line, measure, f"{dev:.2f}", difference, f"{test:.2f}", f"{seconds:.0f}"]


def scores_of(metrics: dict[str, Any]) -> tuple[str, float, float]:
    """The measure, and its means on dev and on test in percent."""
    seeds = metrics["seeds"]
    return seeds["measure"], 100 * seeds["dev"]["mean"], 100 * seeds["test"]["mean"]


def rows_of(name: str, lines: Sequence[str], options: argparse.Namespace) -> list[list[str]]:
    """The lines of a set; its runs are trained unless they are there."""
    folder = options.runs / name
    folder.mkdir(parents=True, exist_ok=True)
    found, whole = [], None
    for line in lines:
        print(f"{name}, {line} ...", file=sys.stderr)
        shared = [f"training.seeds={options.seeds}", f"data.fraction={options.fraction}"]
        config = config_of(name, [*shared, *overrides_of(name, line, folder)])
        run = folder / line.replace(" ", "_")
        metrics = metrics_without_scheme(config, run) if line == NO_SCHEME else metrics_of(config, run)
        found.append(row(name, line, metrics, whole))
        whole = metrics if line == "as it is" else whole
    return found


def metrics_without_scheme(config: Any, run: Path) -> dict[str, Any]:
    """What `metrics.json` says of seeds, with F1 of the spans that plain labels make by the file's scheme."""
    count, found, seconds = config.training.seeds, [], 0.0
    for seed in range(config.seed, config.seed + count):
        training = config.training.model_copy(update={"seeds": 1})
        part = run / f"seed-{seed}"
        seconds += metrics_of(config.model_copy(update={"seed": seed, "training": training}), part)["train"]["seconds"]
        model = TaggingModel.load(part)
        found.append({split: span_f1(model, load_split(config.data, split)) for split in ("dev", "test")})
    means = {split: {"mean": statistics.fmean(scores[split] for scores in found)} for split in ("dev", "test")}
    return {"seeds": {"measure": "f1", "values": list(range(count)), **means}, "train": {"seconds": seconds}}


def span_f1(model: TaggingModel, corpus: TaggedCorpus) -> float:
    """F1 of the spans of a model's labels, which are tags of IOB2."""
    [tags] = model.decode_tags(model.encode(corpus.inputs))
    return quick_report(corpus.tags, tags, Scheme.IOB2).f1


def main() -> None:
    """Trains what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all of them unless named")
    parser.add_argument("--lines", nargs="+", metavar="LINE", choices=list(LINES), default=list(LINES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fraction", type=float, default=1.0, help="of the training sentences")
    parser.add_argument("--runs", type=Path, default=Path("runs/tagger_ablation"), metavar="DIR")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    unknown = sorted(set(options.sets) - set(SETS))
    if unknown:
        parser.error(f"expected sets of {', '.join(SETS)}, found {', '.join(unknown)}")
    if options.seeds < 2:
        parser.error(f"expected two seeds at least, since one may be lucky, found {options.seeds}")
    try:
        rows = [line for name in options.sets or SETS for line in rows_of(name, options.lines, options)]
    except SeqtagError as error:
        raise SystemExit(f"error: {error}") from None
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
