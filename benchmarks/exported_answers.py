"""Are the answers of exported taggers those of `predict`? Every tag and every probability, on whole test files.

    SEQTAG_DATA=... python -m benchmarks.exported_answers [SET ...] [--runs DIR] [--set KEY=VALUE ...] [--markdown]

fits `configs/SET.yaml`, exports the run, tags the test file by both, and prints for each set how many tags were
compared (those of all columns), how many of them differ, and the largest difference of two probabilities of a tag.

A run stays in DIR/SET; one that is there is read, not fitted again, also one of `benchmarks.tagger_quality`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.finished_runs import metrics_of
from benchmarks.real_data import config_of, load_split
from benchmarks.tables import markdown_table, text_table
from seqtag.errors import SeqtagError
from seqtag.tagging.export import export_saved_model
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.tagged_sentence import TaggedSentence

SETS = ("ner_ncbi", "ner_chem", "ner_ddt", "ner_wnut17", "tags_ewt", "tags_vi_vtb")
HEADER = ("set", "sentences", "tags", "differ", "largest difference")
# Sentences of like length that the SavedModel answers at once.
ROWS = 64


class Compared(NamedTuple):
    """What was found on a file: how many tags, how many of them differ, the largest difference of probabilities."""

    tags: int = 0
    differ: int = 0
    largest: float = 0.0

    def and_of(self, other: Compared) -> Compared:
        """What was found here and there."""
        return Compared(self.tags + other.tags, self.differ + other.differ, max(self.largest, other.largest))


def compare(serving: Any, tagged: Sequence[TaggedSentence]) -> Compared:
    """Compares the answers to sentences with those of the signature `serving_default` to the same sentences."""
    found = Compared()
    order = np.argsort([len(sentence.tokens) for sentence in tagged])
    for start in range(0, len(order), ROWS):
        rows = [tagged[n] for n in order[start : start + ROWS]]
        width = len(rows[-1].tokens)
        padded = [sentence.tokens + [""] * (width - len(sentence.tokens)) for sentence in rows]
        output = {name: tensor.numpy() for name, tensor in serving(tokens=tf.constant(padded)).items()}
        for row, sentence in enumerate(rows):
            for suffix, answer in _columns(sentence):
                tags, scores = (output[f"{what}{suffix}"][row, : len(sentence.tokens)] for what in ("tags", "scores"))
                found = found.and_of(_compared(tags, scores, answer))
    return found


def _columns(sentence: TaggedSentence) -> Iterator[tuple[str, TaggedSentence]]:
    """The answer in each column of tags, with the end of its names in the SavedModel."""
    yield "", sentence
    for name, answer in sentence.further.items():
        yield f"_{name}", answer


def _compared(tags: np.ndarray, scores: np.ndarray, answer: TaggedSentence) -> Compared:
    differ = sum(a.decode() != b for a, b in zip(tags, answer.tags, strict=True))
    return Compared(len(tags), differ, float(np.abs(scores - np.array(answer.scores)).max(initial=0)))


def measure(name: str, runs: Path, settings: Sequence[str]) -> list[str]:
    """One line of the table."""
    config = config_of(name, settings)
    metrics_of(config, runs / name)
    model = TaggingModel.load(runs / name)
    # `serving_default` reads each sentence by itself, whatever its document.
    tagged = model.tag([sentence._replace(document=None) for sentence in load_split(config.data, "test").inputs])
    with TemporaryDirectory() as folder:
        export_saved_model(model, f"{folder}/exported")
        found = compare(tf.saved_model.load(f"{folder}/exported").signatures["serving_default"], tagged)
    return [name, f"{len(tagged):,}", f"{found.tags:,}", str(found.differ), f"{found.largest:.1e}"]


def main() -> None:
    """Fits what is missing, set by set, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all of them unless named")
    parser.add_argument("--runs", type=Path, default=Path("runs/exported_answers"), metavar="DIR")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the configs")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    try:
        rows = [measure(name, options.runs, options.set) for name in options.sets or SETS]
    except SeqtagError as error:
        sys.exit(f"error: {error}")
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
