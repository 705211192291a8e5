"""Lemmas of UD English-EWT: the dictionary of the training data, alone and with the network behind it.

    SEQTAG_DATA=... python -m benchmarks.lemmas [--seeds 1] [--runs DIR] [--tagger RUN] [--markdown]

prints the accuracy over all words of the test file, in percent: of the most frequent lemma of (form, UPOS) in training,
else the form itself; the same of (lower-cased form, UPOS); and of `configs/lemmas_ewt.yaml`, given the gold UPOS and,
with `--tagger`, that which a run of `configs/pos_ewt.yaml` predicts. For the last, its parts as well: the words that
the dictionary is sure of, and those that the network answers.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.finished_runs import metrics_of
from benchmarks.tables import markdown_table, text_table
from seqtag.seq2seq.data.load import load_splits
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.tasks import load_config

CONFIG = Path(__file__).parents[1] / "configs" / "lemmas_ewt.yaml"
HEADER = ("system", "all words", "dictionary", "words", "network", "words", "s")


def dictionary_accuracy(train: Pairs, test: Pairs, normal: Callable[[str], str]) -> float:
    """The accuracy of the most frequent lemma of a form and its part of speech; the form where it is unknown."""
    counts: dict[tuple, Counter[str]] = defaultdict(Counter)
    for source, features, target in zip(train.sources, train.features, train.targets, strict=True):
        counts[(normal(source), features)][target] += 1
    best = {key: max(found, key=lambda lemma: (found[lemma], lemma)) for key, found in counts.items()}
    rows = zip(test.sources, test.features, test.targets, strict=True)
    right = sum(best.get((normal(s), f), s) == target for s, f, target in rows)
    return right / len(test)


def with_tags(pairs: Pairs, tagger: Path, file: Path) -> Pairs:
    """The pairs of a CoNLL-U file with the parts of speech that a tagger predicts for its words."""
    from seqtag.tagging.data.corpus import load_corpus
    from seqtag.tagging.model import TaggingModel

    model = TaggingModel.load(tagger)
    corpus = load_corpus(str(file), model.options)
    tags = [tag for sentence in model.tag(corpus.inputs) for tag in sentence.tags]
    if len(tags) != len(pairs):
        raise SystemExit(f"error: expected a tag for {len(pairs)} words, found {len(tags)}")
    return Pairs(pairs.sources, pairs.targets, [(tag,) for tag in tags], pairs.path, pairs.lines)


def our_rows(run: Path, overrides: list[str], tagger: Path | None) -> list[list[str]]:
    """The figures of a run, given the gold parts of speech and predicted ones."""
    config = load_config(CONFIG, overrides)
    seconds = f"{metrics_of(config, run)['train']['seconds']:.0f}"
    from seqtag.seq2seq.evaluation.evaluate import evaluate_model
    from seqtag.seq2seq.model import Seq2SeqModel

    model = Seq2SeqModel.load(run)
    test = load_splits(config.data)["test"]
    files = {"gold": test}
    if tagger is not None:
        files["predicted"] = with_tags(test, tagger, Path(str(test.path)))
    rows = []
    for name, pairs in files.items():
        report = evaluate_model(model, pairs)
        parts = [report.parts[part] for part in ("dictionary", "network")]
        shown = [text for part in parts for text in (f"{100 * part.exact_match:.2f}", f"{part.sources:,}")]
        rows.append([f"seqtag, {name} UPOS", f"{100 * report.exact_match:.2f}", *shown, seconds])
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/lemmas"))
    parser.add_argument("--tagger", type=Path, metavar="RUN")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    splits = load_splits(load_config(CONFIG).data)
    rows = []
    for name, normal in (("dictionary of form and UPOS", str), ("of lower-cased form and UPOS", str.lower)):
        accuracy = dictionary_accuracy(splits["train"], splits["test"], normal)
        rows.append([name, f"{100 * accuracy:.2f}", "", "", "", "", ""])
    for seed in range(1, options.seeds + 1):
        rows += our_rows(options.runs / f"seed-{seed}", [f"seed={seed}"], options.tagger)
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
