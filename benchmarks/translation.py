"""English and Swedish, both directions: BLEU and chrF beside JoeyNMT's recurrent network of the same width.

    SEQTAG_DATA=... python -m benchmarks.translation [DIRECTION ...] [--set KEY=VALUE ...] [--joeynmt PYTHON]
        [--runs DIR] [--markdown]

fits `configs/translate_swe.yaml` for `en-sv` and `sv-en`. What stands in dev and test is decided by the English
sentence in both. With `--joeynmt`, an interpreter that has JoeyNMT trains its network on the same words for as many
seconds as ours took, and answers with the checkpoint that was best on dev. BLEU and chrF are sacrebleu's, of whole
sentences of test, put back together from words. What is in DIR is not trained again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.finished_runs import metrics_of
from benchmarks.joeynmt_config import joeynmt_config
from benchmarks.tables import markdown_table, text_table
from seqtag.config.yaml_text import write_yaml
from seqtag.errors import SeqtagError
from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.load import load_splits
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.references import grouped
from seqtag.seq2seq.evaluation.measures import bleu, chrf
from seqtag.tasks import load_config

CONFIG = Path(__file__).parents[1] / "configs" / "translate_swe.yaml"
DIRECTIONS = {"en-sv": [], "sv-en": ["data.source_column=2", "data.target_column=1"]}
HEADER = ("direction", "system", "BLEU", "chrF", "greedy BLEU", "s")
# Of a peer that does not stop, beyond the time that it may take.
GRACE = 30


def our_row(direction: str, config: Seq2SeqConfig, run: Path) -> tuple[list[str], float]:
    """The figures of a run, and its seconds."""
    metrics = metrics_of(config, run)
    test, seconds = metrics["test"], metrics["train"]["seconds"]
    scores = [f"{score:.2f}" for score in (test["bleu"], test["chrf"], test["greedy"]["bleu"])]
    return [direction, "seqtag", *scores, f"{seconds:.0f}"], seconds


def joeynmt_row(direction: str, config: Seq2SeqConfig, folder: Path, python: str, seconds: float) -> list[str]:
    """The figures of JoeyNMT after so many seconds of training."""
    splits = load_splits(config.data)
    settings, taken = folder / "config.yaml", folder / "seconds"
    if not taken.exists():
        taken.write_text(f"{train_joeynmt(config, splits, settings, python, seconds):.0f}")
    references = grouped(splits["test"])
    asked = "".join(f"{' '.join(words)}\n" for words in words_of(references.sources))
    command = [python, "-m", "joeynmt", "translate", str(settings)]
    done = subprocess.run(command, input=asked, text=True, check=True, capture_output=True, env=environment())
    answers = joined(done.stdout.splitlines())
    scores = [f"{score(answers, references.targets).score:.2f}" for score in (bleu, chrf)]
    return [direction, "JoeyNMT", *scores, "", taken.read_text()]


def train_joeynmt(
    config: Seq2SeqConfig, splits: dict[str, Pairs], settings: Path, python: str, seconds: float
) -> float:
    """Trains JoeyNMT for so many seconds; returns how many it took."""
    folder = settings.parent
    folder.mkdir(parents=True, exist_ok=True)
    for split, pairs in splits.items():
        for side, texts in (("src", pairs.sources), ("trg", pairs.targets)):
            lines = (" ".join(words) for words in words_of(texts))
            Path(folder, f"{split}.{side}").write_text("".join(f"{line}\n" for line in lines))
    settings.write_text(write_yaml(joeynmt_config(config, folder)))
    command = [python, "-m", "joeynmt", "train", str(settings), "--skip-test"]
    began = time.monotonic()
    with Path(folder, "train.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(GRACE)
    return time.monotonic() - began


def environment() -> dict[str, str]:
    """The environment of JoeyNMT, which has as many cores as we do."""
    return {**os.environ, "OMP_NUM_THREADS": os.environ.get("TF_NUM_INTRAOP_THREADS", "2")}


def words_of(texts: list[str]) -> list[list[str]]:
    """The words of texts with their joiner marks, as our networks read them."""
    from seqtag.data.text.symbols import symbols_of

    return [[word.decode() for word in row] for row in symbols_of("words", texts).to_list()]


def joined(lines: list[str]) -> list[str]:
    """Words with joiner marks put back together."""
    import tensorflow as tf

    from seqtag.data.text.symbols import join_symbols

    return [
        text.decode() for text in join_symbols("words", tf.ragged.constant([line.split() for line in lines])).numpy()
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directions", nargs="*", metavar="DIRECTION", help=", ".join(DIRECTIONS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the configuration")
    parser.add_argument("--joeynmt", metavar="PYTHON")
    parser.add_argument("--runs", type=Path, default=Path("runs/translation"))
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = []
    for direction in options.directions or DIRECTIONS:
        try:
            config = load_config(CONFIG, [*DIRECTIONS[direction], *options.set])
            row, seconds = our_row(direction, config, options.runs / direction)
        except SeqtagError as error:
            sys.exit(f"error: {error}")
        rows.append(row)
        if options.joeynmt:
            folder = options.runs / f"{direction}-joeynmt"
            rows.append(joeynmt_row(direction, config, folder.absolute(), options.joeynmt, seconds))
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
