"""Our tagger beside CRFsuite and spaCy: same files, no pretrained vectors, trained on train, scored on test.

    SEQTAG_DATA=... python -m benchmarks.tagger_quality [SET ...] [--seeds 3] [--runs DIR] [--no-peer]
        [--markdown]

fits `configs/SET.yaml` with that many seeds (dev chooses the epoch of each) and CRFsuite
(`benchmarks.crfsuite_peer`) on the same training file, and prints a table in percent:

* `test`, `lowest`, `highest`, `dev`: the measure's mean and range over the seeds on test, its mean on dev;
  `n` seeds.
* `chosen`, `strict`: the score on test of the seed with the best dev score, in the table's measure and in
  F1 of the strict reading.
* `CRFsuite`: measured here. `published`: measured once on the same files on one core of a like machine.
* `s`, `CRFsuite s`: seconds to train one seed (scoring dev after each epoch included), and the peer (its
  features included).
* `epoch`: the epoch kept, of those run, of the chosen seed.
* `tag ECE`, `entity ECE`: the expected calibration error on test of the chosen seed, at temperature 1 and
  at the temperature that was fitted on dev, in fractions; `chance`: what true probabilities of as many
  entities would show.

The measure is conlleval's F1 of spans, or accuracy where tags are plain labels. Test chooses nothing.

A run stays in DIR/SET and the peer's figures in DIR/SET.crfsuite.json. What is there is read, not computed
again; an interrupted run is resumed after its last whole epoch. To measure again, remove them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import crfsuite_peer
from benchmarks.finished_runs import metrics_of
from benchmarks.real_data import config_of, load_split
from benchmarks.tables import markdown_table, text_table
from seqtag.errors import SeqtagError
from seqtag.runs import bundle
from seqtag.tagging.config import DataConfig
from seqtag.tagging.data.schemes import detect_scheme

SETS = ("pos_ewt", "ner_ncbi", "ner_chem", "ner_ddt", "ner_wnut17")

# Test score in percent and seconds of training, each measured once on the same files on one core of a like
# machine: sklearn-crfsuite with the features of crfsuite_peer, and spaCy 3.8, blank English, with its
# defaults for the CPU.
CRFSUITE_PUBLISHED = {
    "pos_ewt": (94.99, 46),
    "ner_ncbi": (80.07, 19),
    "ner_chem": (83.37, 16),
    "ner_ddt": (70.50, 11),
    "ner_wnut17": (17.65, 11),
}
SPACY_PUBLISHED = {"pos_ewt": (94.66, 409), "ner_ncbi": (79.26, 425)}

HEADER = (
    *("set", "measure", "test", "lowest", "highest", "n", "dev", "chosen", "strict", "CRFsuite"),
    *("published", "spaCy published", "s", "CRFsuite s", "epoch", "tag ECE", "entity ECE", "chance"),
)


def peer_metrics(data: DataConfig, path: Path) -> dict[str, Any]:
    """The peer's figures (the fields of `PeerResult`), from `path` or measured and written there."""
    if not path.exists():
        train, test = load_split(data, "train"), load_split(data, "test")
        scheme = None if data.scheme == "none" else detect_scheme(train.tags)
        result = crfsuite_peer.evaluate((train.tokens, train.tags), (test.tokens, test.tags), scheme)
        bundle.write_json(path, result._asdict())
    return bundle.read_json(path)


def row(name: str, ours: dict[str, Any], peer: dict[str, Any] | None) -> list[str]:
    """One line of the table."""
    measure, spread = _spread(ours)
    test, train, seeds = spread["test"], ours["train"], len(spread["test"]["scores"])
    strict = ours["test"].get("f1_strict")
    spacy = SPACY_PUBLISHED.get(name)
    return [
        name,
        measure,
        *(_percent(test[key]) for key in ("mean", "min", "max")),
        str(seeds),
        _percent(spread["dev"]["mean"]),
        _percent(ours["test"][measure]),
        _percent(strict) if strict is not None else "",
        f"{peer['score']:.2f}" if peer else "",
        f"{CRFSUITE_PUBLISHED[name][0]:.2f} in {CRFSUITE_PUBLISHED[name][1]} s",
        f"{spacy[0]:.2f} in {spacy[1]} s" if spacy else "",
        f"{train['seconds'] / seeds:.0f}",
        f"{peer['train_seconds']:.0f}" if peer else "",
        f"{train['best_epoch']}/{train['epochs']}",
        *_calibration(ours["test"]),
    ]


def _calibration(test: dict[str, Any]) -> list[str]:
    """The errors of tags and of entities before and after, and that of chance; a run of an older version has none."""
    kinds = [test.get("calibration", {}).get(kind) for kind in ("tags", "entities")]
    errors = [f"{kind['ece_before']:.4f} to {kind['ece']:.4f}" if kind else "" for kind in kinds]
    return [*errors, f"{kinds[1]['ece_by_chance']:.4f}" if kinds[1] else ""]


def _spread(metrics: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The measure and its spread over seeds; a run of one seed has the same form here."""
    if "seeds" in metrics:
        return metrics["seeds"]["measure"], metrics["seeds"]
    measure = "f1" if "f1" in metrics["test"] else "accuracy"
    one = {split: metrics[split][measure] for split in ("dev", "test")}
    return measure, {
        split: {"mean": value, "min": value, "max": value, "scores": [value]} for split, value in one.items()
    }


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def main() -> None:
    """Trains what is missing, set by set, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all of them unless named")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path("runs/tagger_quality"), metavar="DIR")
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=True, help="fit CRFsuite too")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the configs")
    options = parser.parse_args()
    unknown = sorted(set(options.sets) - set(SETS))
    if unknown:
        parser.error(f"expected sets of {', '.join(SETS)}, found {', '.join(unknown)}")
    options.runs.mkdir(parents=True, exist_ok=True)
    rows = []
    try:
        for name in options.sets or SETS:
            print(f"{name} ...", file=sys.stderr)
            config = config_of(name, [*options.set, f"training.seeds={options.seeds}"])
            ours = metrics_of(config, options.runs / name)
            peer = peer_metrics(config.data, options.runs / f"{name}.crfsuite.json") if options.peer else None
            rows.append(row(name, ours, peer))
    except SeqtagError as error:
        raise SystemExit(f"error: {error}") from None
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
