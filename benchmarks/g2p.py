"""Pronunciations of English words: word and phoneme error rates on CMUdict's published split.

    SEQTAG_DATA=... python -m benchmarks.g2p [--seeds 1] [--set KEY=VALUE ...] [--runs DIR] [--phonetisaurus PROGRAM]
        [--markdown]

fits `configs/g2p_cmudict.yaml` with each seed (dev, a tenth of the training words, chooses the epochs), and prints for
the 12,000 test words

* `WER`: the share of words whose answer is none of their pronunciations, in percent;
* `PER`: edit distances to the nearest pronunciation over the lengths of these;
* the same of greedy search, and the seconds of training;

and the same of all these networks as one model, which is that of `model.ensemble_size` with the first seed.

`--phonetisaurus` names the program of the package of this name; it trains an 8-gram model on the same words and answers
the same test words. `published` are the figures of others on this split. A run stays in DIR and is resumed where it was
interrupted; what is there is read, not trained again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.finished_runs import metrics_of
from benchmarks.tables import markdown_table, text_table
from seqtag.errors import SeqtagError
from seqtag.seq2seq.data.load import load_splits
from seqtag.seq2seq.data.references import grouped
from seqtag.seq2seq.evaluation.measures import exact_match, token_error_rate
from seqtag.tasks import load_config

CONFIG = Path(__file__).parents[1] / "configs" / "g2p_cmudict.yaml"
HEADER = ("system", "WER", "PER", "greedy WER", "greedy PER", "s")
PUBLISHED = {
    "Sequitur (published)": (24.5, 5.9),
    "Yao and Zweig 2015, BiLSTM with alignments (published)": (23.55, 5.45),
    "Toshniwal and Livescu 2016, attention (published)": (21.69, 5.04),
    "Toshniwal and Livescu 2016, five networks (published)": (20.24, 4.69),
}


class Rates(NamedTuple):
    """Error rates in percent."""

    words: float
    phonemes: float

    def to_row(self) -> list[str]:
        """The rates as cells of the table."""
        return [f"{self.words:.2f}", f"{self.phonemes:.2f}"]


def rates_of(metrics: dict) -> Rates:
    """The rates of a part of `metrics.json`."""
    return Rates(100 * (1 - metrics["exact_match"]), 100 * metrics["token_error_rate"])


def our_row(name: str, overrides: list[str], run: Path) -> list[str]:
    """The figures of a run."""
    metrics = metrics_of(load_config(CONFIG, overrides), run)
    found, greedy = rates_of(metrics["test"]), rates_of(metrics["test"]["greedy"])
    return [name, *found.to_row(), *greedy.to_row(), f"{metrics['train']['seconds']:.0f}"]


def ensemble_row(runs: Sequence[Path]) -> list[str]:
    """The figures of the networks of several runs whose probabilities are averaged."""
    from seqtag.seq2seq.evaluation.evaluate import evaluate_model
    from seqtag.seq2seq.model import Seq2SeqModel
    from seqtag.seq2seq.network.ensemble import Seq2SeqEnsemble

    models = [Seq2SeqModel.load(run) for run in runs]
    whole = models[0]
    whole.network = Seq2SeqEnsemble([member for model in models for member in model.network.members])
    report = evaluate_model(whole, load_splits(load_config(CONFIG).data)["test"]).to_metrics()
    found, greedy = rates_of(report), rates_of(report["greedy"])
    return [f"seqtag, {len(runs)} networks", *found.to_row(), *greedy.to_row(), ""]


def phonetisaurus_row(program: str) -> list[str]:
    """The figures of Phonetisaurus on the words that our networks are fitted on."""
    splits = load_splits(load_config(CONFIG).data)
    train, references = splits["train"], grouped(splits["test"])
    with tempfile.TemporaryDirectory() as folder:
        lexicon, model = Path(folder, "train.dict"), Path(folder, "model.fst")
        rows = zip(train.sources, train.targets, strict=True)
        lexicon.write_text("".join(f"{word} {phonemes}\n" for word, phonemes in rows))
        began = time.monotonic()
        subprocess.run([program, "train", "--model", str(model), str(lexicon)], check=True, capture_output=True)
        seconds = time.monotonic() - began
        words = "\n".join(references.sources)
        command = [program, "predict", "--model", str(model)]
        done = subprocess.run(command, input=words, check=True, capture_output=True, text=True)
    answers = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if " " in line)
    predicted = [answers.get(word, "").split() for word in references.sources]
    targets = [[target.split() for target in found] for found in references.targets]
    rates = Rates(100 * (1 - exact_match(predicted, targets)), 100 * token_error_rate(predicted, targets))
    return ["Phonetisaurus, 8-gram", *rates.to_row(), "", "", f"{seconds:.0f}"]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="how many runs of one network")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the configuration")
    parser.add_argument("--runs", type=Path, default=Path("runs/g2p"))
    parser.add_argument("--phonetisaurus", metavar="PROGRAM")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = []
    try:
        runs = {seed: options.runs / f"seed-{seed}" for seed in range(1, options.seeds + 1)}
        rows += [our_row(f"seqtag, seed {seed}", [*options.set, f"seed={seed}"], run) for seed, run in runs.items()]
        if len(runs) > 1:
            rows.append(ensemble_row(list(runs.values())))
    except SeqtagError as error:
        sys.exit(f"error: {error}")
    if options.phonetisaurus:
        rows.append(phonetisaurus_row(options.phonetisaurus))
    rows += [[name, *Rates(*rates).to_row(), "", "", ""] for name, rates in PUBLISHED.items()]
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
