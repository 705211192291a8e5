"""Language models of characters and of words, beside a window model of equal size and counted n-grams.

    SEQTAG_DATA=... python -m benchmarks.language_model [--sets characters words] [--runs DIR] [--epochs N] [--seeds 1]
        [--markdown]

`characters` is `configs/lm_shakespeare.yaml`: 90% train, 5% dev, 5% test by position. `words` are those of the
sentences of UD English-EWT, a sentence a document, with a vocabulary of the words that occur twice in train. For each
the table has the weights, bits per character, perplexity per symbol and seconds of: the recurrent model; the same with
a cache; a window model of as many weights (`model.cell: window`); and interpolated modified Kneser-Ney n-grams.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.finished_runs import metrics_of
from benchmarks.kneser_ney import KneserNey
from benchmarks.tables import markdown_table, text_table
from seqtag.language_model.config import LanguageModelConfig
from seqtag.language_model.data.texts import Texts, load_splits
from seqtag.runs.config_file import resolve_path
from seqtag.tasks import load_config

CONFIGS = Path(__file__).parents[1] / "configs"
HEADER = ("model", "weights", "dev bits/char", "test bits/char", "test perplexity", "s")
# The orders of n-grams, the symbols of a window and the units of its layers, by set.
ORDERS = {"characters": (5, 6, 7), "words": (3, 4)}
WINDOWS = {"characters": (10, 800), "words": (5, 336)}
CACHES = {"characters": (500, 0.02, 0.5), "words": (500, 0.1, 0.2)}
SPLITS = ("train", "dev", "test")


def plain_text_of_ewt(root: str | None, folder: Path) -> dict[str, str]:
    """The sentences of the treebank, a line each, in files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for split in SPLITS:
        path = folder / f"ewt-{split}.txt"
        source = resolve_path(f"ud_ewt/en_ewt-ud-{split}.conllu", root)
        lines = source.read_text(encoding="utf-8").splitlines()
        path.write_text("".join(f"{line[9:]}\n" for line in lines if line.startswith("# text = ")), encoding="utf-8")
        found[split] = str(path.absolute())
    return found


def config_of(name: str, runs: Path, settings: list[str]) -> LanguageModelConfig:
    """The configuration of a set."""
    config = load_config(CONFIGS / "lm_shakespeare.yaml")
    if name == "words":
        files = plain_text_of_ewt(config.data.root, runs / "text")
        of_words = [
            *(f"data.{split}={path}" for split, path in files.items()),
            "data.documents=lines",
            "model.symbols=words",
            "model.units=300",
            "model.embedding_dim=300",
            "model.tied=true",
            "model.dropout=0.5",
            "model.embedding_dropout=0.3",
            "training.steps=40",
            "training.learning_rate=0.002",
        ]
        settings = [*of_words, *settings]
    return load_config(CONFIGS / "lm_shakespeare.yaml", settings)


def row_of(name: str, run: Path, config: LanguageModelConfig, cache: tuple | None = None) -> list[str]:
    """The figures of a run, or of the same run with a cache."""
    metrics = metrics_of(config, run)
    from seqtag.language_model.evaluation.evaluate import evaluate_model
    from seqtag.language_model.model import FittedLanguageModel
    from seqtag.language_model.network.cache import Cache

    model = FittedLanguageModel.load(run)
    dev, test = metrics["dev"], metrics["test"]
    if cache is not None:
        model = FittedLanguageModel(model.networks, model.coder, Cache(*cache), model.data)
        splits = load_splits(config.data)
        dev, test = (evaluate_model(model, splits[split]).to_metrics() for split in ("dev", "test"))
    weights = f"{model.networks.count_params():,}"
    figures = [f"{dev['bits_per_character']:.3f}", f"{test['bits_per_character']:.3f}", f"{test['perplexity']:.2f}"]
    return [name, weights, *figures, "" if cache else f"{metrics['train']['seconds']:.0f}"]


def counted_rows(name: str, run: Path, config: LanguageModelConfig) -> list[list[str]]:
    """The figures of n-grams over the vocabulary of a run."""
    from seqtag.language_model.data.corpus import Corpus
    from seqtag.language_model.evaluation.evaluate import figure
    from seqtag.language_model.model import FittedLanguageModel

    coder = FittedLanguageModel.load(run).coder
    splits = load_splits(config.data)

    def documents(texts: Texts) -> list[list[int]]:
        corpus = Corpus.of(texts, coder)
        return [corpus.row[a : b + 1].tolist() for a, b in zip(corpus.starts, corpus.stops, strict=True)]

    rows = []
    for order in ORDERS[name]:
        started = time.process_time()
        model = KneserNey(order, len(coder)).fit(documents(splits["train"]))
        found = {
            split: np.concatenate([model.log_probabilities(document) for document in documents(splits[split])])
            for split in ("dev", "test")
        }
        seconds = time.process_time() - started
        bits = [figure("bits_per_character", found[split], splits[split]) for split in ("dev", "test")]
        perplexity = figure("perplexity", found["test"], splits["test"])
        grams = sum(map(len, model.counts))
        shown = [f"{bits[0]:.3f}", f"{bits[1]:.3f}", f"{perplexity:.2f}", f"{seconds:.0f}"]
        rows.append([f"{order}-grams, Kneser-Ney", f"{grams:,} counts", *shown])
    return rows


def main() -> None:
    """Prints a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=ORDERS, default=list(ORDERS))
    parser.add_argument("--runs", type=Path, default=Path("runs/language_model"))
    parser.add_argument("--epochs", type=int, help="of every model; those of the configuration unless set")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    epochs = [] if options.epochs is None else [f"training.epochs={options.epochs}"]
    for name in options.sets:
        rows = []
        for seed in range(1, options.seeds + 1):
            settings = [*epochs, f"seed={seed}"]
            folder = options.runs / f"{name}-{seed}"
            config = config_of(name, options.runs, settings)
            rows.append(row_of(f"LSTM of {config.model.units}", folder, config))
            rows.append(row_of("the same with a cache", folder, config, CACHES[name]))
            context, units = WINDOWS[name]
            window = [f"model.context={context}", f"model.units={units}", "model.cell=window", "model.layers=2"]
            config = config_of(name, options.runs, [*settings, *window])
            rows.append(row_of(f"window of {context}", options.runs / f"{name}-window-{seed}", config))
        rows += counted_rows(name, options.runs / f"{name}-1", config)
        print(f"\n{name}\n")
        print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
