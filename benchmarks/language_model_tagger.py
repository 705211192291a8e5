"""What the states of a language model bring a tagger, and what they cost.

    SEQTAG_DATA=... python -m benchmarks.language_model_tagger [--corpora CORPUS ...] [--seeds 3] [--epochs N]
        [--fraction 1] [--language-epochs 5] [--units 256] [--budget TIME] [--runs DIR] [--markdown]

fits `configs/CORPUS.yaml` without a language model, with one of the training text alone, and with one of more text
besides, and prints for each the mean over the seeds of the measure on dev and on test, the bits a character of the
forward network on the text of dev, and the words a second that the tagger reads in training and in prediction.

A language model has GRUs of `--units`, forwards and backwards. A sentence is a line of its text, tokens with spaces
between. More text is

| corpus | text |
| --- | --- |
| `pos_ewt` | Shakespeare's plays (`tinyshakespeare`) and the English side of Tatoeba's pairs (`tatoeba_swe`) |
| `ner_ncbi` | the training text of BC5CDR's chemicals (`ner_chem`) |

Texts and runs stay in DIR/CORPUS. What is there is read, not computed again; an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.finished_runs import metrics_of
from benchmarks.real_data import config_of, load_split
from benchmarks.tables import markdown_table, text_table
from seqtag.config.section import TaskConfig
from seqtag.data.text.tokenizer import tokenize
from seqtag.errors import SeqtagError
from seqtag.runs.config_file import resolve_path
from seqtag.tagging.model import TaggingModel
from seqtag.tasks import parse_config

WITHOUT, OWN, MORE = "without", "training text", "more text"
HEADER = ("corpus", "language model", "bits", "measure", "dev", "test", "words/s training", "words/s prediction")


def shakespeare_and_tatoeba(root: str | None) -> Iterable[str]:
    """Lines of plays and English sentences of pairs, in tokens."""
    plays = resolve_path("tinyshakespeare/input.txt", root).read_text(encoding="utf-8").splitlines()
    pairs = resolve_path("tatoeba_swe/swe.txt", root).read_text(encoding="utf-8").splitlines()
    # A sentence with several translations stands on several lines.
    english = dict.fromkeys(pair.split("\t")[0] for pair in pairs)
    words, _, _ = tokenize([*filter(None, plays), *english])
    return (" ".join(word.decode() for word in line) for line in words.to_list())


def chemicals(root: str | None) -> Iterable[str]:
    """The training sentences of the corpus of chemicals."""
    return map(" ".join, load_split(config_of("ner_chem").data, "train").tokens)


MORE_TEXT: dict[str, Callable[[str | None], Iterable[str]]] = {
    "pos_ewt": shakespeare_and_tatoeba,
    "ner_ncbi": chemicals,
}


def write_lines(path: Path, lines: Callable[[], Iterable[str]]) -> Path:
    """A file of these lines, made once."""
    if not path.exists():
        path.write_text("".join(f"{line}\n" for line in lines()), encoding="utf-8")
    return path.absolute()


def language_model(corpus: str, line: str, folder: Path, options: argparse.Namespace) -> TaskConfig:
    """The job of a language model."""
    data = config_of(corpus).data
    texts = {
        split: write_lines(folder / f"{split}.txt", lambda split=split: map(" ".join, load_split(data, split).tokens))
        for split in ("train", "dev")
    }
    files = [texts["train"]]
    if line == MORE:
        files.append(write_lines(folder / "more.txt", lambda: MORE_TEXT[corpus](data.root)))
    training = {"rows": 64, "steps": 64, "epochs": options.language_epochs, "budget": options.budget}
    return parse_config(
        {
            "task": "language_model",
            "data": {"train": list(map(str, files)), "dev": str(texts["dev"]), "documents": "lines"},
            "model": {"cell": "gru", "units": options.units, "directions": "both", "dropout": 0.1},
            "training": training | {"ema": 0.99},
        }
    )


def row(corpus: str, line: str, folder: Path, options: argparse.Namespace) -> list[str]:
    """A line of the table; its runs are trained unless they are there."""
    shared = [f"training.seeds={options.seeds}", f"data.fraction={options.fraction}"]
    shared += [] if options.epochs is None else [f"training.epochs={options.epochs}"]
    bits = ""
    if line != WITHOUT:
        run = folder / f"language_model_{line.replace(' ', '_')}"
        found = metrics_of(language_model(corpus, line, folder, options), run)
        bits = f"{found['dev']['bits_per_character']:.2f}"
        shared.append(f"model.language_model={run}")
    tagger = folder / f"tagger_{line.replace(' ', '_')}"
    metrics = metrics_of(config_of(corpus, shared), tagger)
    measure, dev, test = scores_of(metrics)
    speeds = metrics["train"]["tokens_per_second"], words_per_second(tagger, corpus)
    return [corpus, line, bits, measure, f"{dev:.2f}", f"{test:.2f}", *(f"{speed:,.0f}" for speed in speeds)]


def scores_of(metrics: dict[str, Any]) -> tuple[str, float, float]:
    """The measure, and its means on dev and on test in percent."""
    if "seeds" in metrics:
        seeds = metrics["seeds"]
        return seeds["measure"], 100 * seeds["dev"]["mean"], 100 * seeds["test"]["mean"]
    measure = "f1" if "f1" in metrics["dev"] else "accuracy"
    return measure, 100 * metrics["dev"][measure], 100 * metrics["test"][measure]


def words_per_second(run: Path, corpus: str) -> float:
    """How many words of dev a tagger answers in a second, after it has answered some."""
    model, inputs = TaggingModel.load(run), load_split(config_of(corpus).data, "dev").inputs
    model.tag(inputs[:100])
    started = time.perf_counter()
    model.tag(inputs)
    return sum(len(sentence.tokens) for sentence in inputs) / (time.perf_counter() - started)


def main() -> None:
    """Trains what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", nargs="+", choices=list(MORE_TEXT), default=list(MORE_TEXT))
    parser.add_argument("--lines", nargs="+", choices=[WITHOUT, OWN, MORE], default=[WITHOUT, OWN, MORE])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of the taggers; those of their configurations unless given")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the taggers' training sentences")
    parser.add_argument("--language-epochs", type=int, default=5)
    parser.add_argument("--units", type=int, default=256, help="of a language model's layers")
    parser.add_argument("--budget", help="most time of a language model's training; no limit unless given")
    parser.add_argument("--runs", type=Path, default=Path("runs/language_model_tagger"), metavar="DIR")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = []
    try:
        for corpus in options.corpora:
            folder = options.runs / corpus
            folder.mkdir(parents=True, exist_ok=True)
            rows += [row(corpus, line, folder, options) for line in options.lines]
    except SeqtagError as error:
        raise SystemExit(f"error: {error}") from None
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
