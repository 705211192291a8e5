"""The time that scoring takes: `python -m benchmarks.tagging_scores [--tokens 1000000]`.

It makes sentences with entities of four types and predictions of which one tag in twenty is another, and prints the
processor's seconds of each part of a report: the scores by our own reading and by seqeval's, both with the strict ones,
the scores by how well words are known, and the kinds of errors.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

from benchmarks.tables import text_table
from seqtag.tagging.evaluation.entities import read_entities
from seqtag.tagging.evaluation.errors import find_errors
from seqtag.tagging.evaluation.evaluate import final_report, quick_report
from seqtag.tagging.evaluation.words import KNOWN, UNKNOWN, evaluate_words

SCHEME, TYPES, LENGTH = "IOB2", ("LOC", "MISC", "ORG", "PER"), 20


def sentence(source: random.Random) -> tuple[list[str], list[str]]:
    """Gold tags of a sentence, and predicted ones."""
    gold: list[str] = []
    while len(gold) < LENGTH:
        kind = source.choice(TYPES)
        gold += ["O"] * source.randrange(8) + [f"B-{kind}"] + [f"I-{kind}"] * source.choice((0, 0, 1, 2))
    tags = ["O", *(f"{prefix}-{kind}" for prefix in "BI" for kind in TYPES)]
    return gold, [source.choice(tags) if source.random() < 0.05 else tag for tag in gold]


def seconds(function: Callable[..., object], *arguments: object) -> str:
    """The processor's seconds of a call."""
    started = time.process_time()
    function(*arguments)
    return f"{time.process_time() - started:.2f}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=990_000)
    source, gold, predicted, count = random.Random(1), [], [], 0
    wanted = parser.parse_args().tokens
    while count < wanted:
        true, tags = sentence(source)
        gold.append(true)
        predicted.append(tags)
        count += len(true)
    words = [[f"word{n}" for n in range(len(tags))] for tags in gold]
    kinds = [[UNKNOWN if n % 9 == 0 else KNOWN for n in range(len(tags))] for tags in gold]
    entities = read_entities(gold, predicted, SCHEME)
    rows = [
        ("our reading, strict scores with it", seconds(quick_report, gold, predicted, SCHEME)),
        ("seqeval's reading, strict scores with it", seconds(final_report, gold, predicted, SCHEME)),
        ("by how well words are known", seconds(evaluate_words, gold, predicted, kinds, entities)),
        ("kinds of errors", seconds(find_errors, words, entities)),
    ]
    print(text_table([f"{count} tokens in {len(gold)} sentences", "seconds"], rows))


if __name__ == "__main__":
    main()
