"""Does `seqtag doubts` find label errors? Wrong tags are put into a training file, and searched for.

    SEQTAG_DATA=... python -m benchmarks.doubts [SET ...] [--wrong tags|entities] [--rate .02] [--folds 5]
        [--fraction 1] [--set KEY=VALUE ...]

changes tags of the training file of `configs/SET.yaml` (`ner_ncbi` unless given), trains a model for each fold on
the other ones, and prints how many of the worst 50, of the worst 100 and of as many doubts as errors were put in
are such errors (precision at k), the average precision of the whole list, and the share of the errors that is in
it (recall). The doubts that are marked as likely errors have their number and precision.

* `--wrong tags`: that share of the tokens, each with another tag of the file by chance. Most become entities where
  nothing speaks for one.
* `--wrong entities`: that share of the entities, as annotators err: left out, a token too short or too long, or,
  where there are several types, of another type.

A doubt is right that covers an error which no earlier doubt covers. Errors that the file had before count as wrong
doubts: the figures are lower bounds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.real_data import config_of, load_split
from benchmarks.tables import text_table
from seqtag.errors import SeqtagError
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Span, spans, to_tags
from seqtag.tagging.data.shares import share_of
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.doubts.cross_validation import cross_validate
from seqtag.tagging.doubts.folds import fold_config, folds_of
from seqtag.tagging.doubts.report import Doubt, find_doubts

HEADER = [
    *("set", "wrong", "errors", "doubts", "at 50", "at 100", "at errors", "average", "recall"),
    *("likely", "likely right", "s"),
]
Tokens = set[tuple[int, int]]


def with_wrong_tags(corpus: TaggedCorpus, rate: float, seed: int) -> tuple[TaggedCorpus, list[Tokens]]:
    """The corpus with another tag at this share of its tokens, and each error as the tokens that it changes."""
    draw = np.random.default_rng(seed)
    names = sorted({tag for tags in corpus.tags for tag in tags})
    tags = [list(row) for row in corpus.tags]
    places = [(sentence, n) for sentence, row in enumerate(tags) for n in range(len(row))]
    chosen = [places[n] for n in draw.permutation(len(places))[: round(rate * len(places))]]
    for sentence, n in chosen:
        others = [name for name in names if name != tags[sentence][n]]
        tags[sentence][n] = others[draw.integers(len(others))]
    return replace(corpus, tags=tags), [{place} for place in chosen]


def with_wrong_entities(
    corpus: TaggedCorpus, codec: TagCodec, rate: float, seed: int
) -> tuple[TaggedCorpus, list[Tokens]]:
    """The corpus with errors in this share of its entities, and each error as the tokens that it changes."""
    draw = np.random.default_rng(seed)
    scheme = str(codec.scheme)
    rows = [spans(tags, scheme) for tags in corpus.tags]
    entities = [(sentence, n) for sentence, row in enumerate(rows) for n in range(len(row))]
    errors: list[Tokens] = []
    tags = list(corpus.tags)
    for place in draw.permutation(len(entities))[: round(rate * len(entities))]:
        sentence, n = entities[place]
        row = rows[sentence]
        changes = _changes(row, n, len(tags[sentence]), codec.symbols)
        changed = changes[draw.integers(len(changes))]
        rows[sentence] = [*row[:n], changed, *row[n + 1 :]]
        kept = [span for span in rows[sentence] if span.start < span.end]
        new = to_tags(kept, len(tags[sentence]), scheme)
        errors.append({(sentence, k) for k, (a, b) in enumerate(zip(tags[sentence], new, strict=True)) if a != b})
        tags[sentence] = new
    return replace(corpus, tags=tags), errors


def _changes(row: Sequence[Span], n: int, length: int, types: Sequence[str]) -> list[Span]:
    """What may become of an entity; an empty span is one that is left out."""
    span = row[n]
    before = row[n - 1].end if n else 0
    after = row[n + 1].start if n + 1 < len(row) else length
    found = [span._replace(end=span.start), *(span._replace(type=other) for other in types if other != span.type)]
    if span.end - span.start > 1:
        found += [span._replace(start=span.start + 1), span._replace(end=span.end - 1)]
    if before < span.start:
        found.append(span._replace(start=span.start - 1))
    if span.end < after:
        found.append(span._replace(end=span.end + 1))
    return found


def hits(doubts: Sequence[Doubt], errors: Sequence[Tokens]) -> np.ndarray:
    """Which doubts cover an error that none before covers."""
    of_token: dict[tuple[int, int], set[int]] = {}
    for number, tokens in enumerate(errors):
        for token in tokens:
            of_token.setdefault(token, set()).add(number)
    seen: set[int] = set()
    right = []
    for doubt in doubts:
        tokens = [(doubt.place.sentence, n) for n in range(doubt.place.start, doubt.place.end)]
        found = set().union(*(of_token.get(token, set()) for token in tokens)) - seen
        right.append(bool(found))
        seen |= found
    return np.array(right, bool)


def measure(name: str, arguments: argparse.Namespace) -> list[str]:
    """One line of the table."""
    started = time.monotonic()
    config = config_of(name, arguments.settings)
    corpus = share_of(load_split(config.data, "train"), arguments.fraction, config.seed)
    codec = TagCodec.fit(corpus, config.data.scheme)
    if arguments.wrong == "tags":
        noisy, errors = with_wrong_tags(corpus, arguments.rate, config.seed)
    else:
        noisy, errors = with_wrong_entities(corpus, codec, arguments.rate, config.seed)
    judged = cross_validate(noisy, fold_config(config, codec), folds_of(noisy, arguments.folds, config.seed))
    doubts = find_doubts(noisy, judged, limit=1).doubts
    right = hits(doubts, errors)
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    likely = np.array([doubt.is_likely for doubt in doubts])
    at = [f"{right[:k].mean():.3f}" for k in (50, 100, len(errors))]
    average, recall = (precision * right).sum() / len(errors), right.sum() / len(errors)
    counts = [name, arguments.wrong, str(len(errors)), str(len(doubts))]
    end = [str(likely.sum()), f"{right[likely].mean():.3f}", f"{time.monotonic() - started:.0f}"]
    return [*counts, *at, f"{average:.3f}", f"{recall:.3f}", *end]


def main(arguments: Sequence[str]) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doubts")
    parser.add_argument("sets", nargs="*", default=["ner_ncbi"])
    parser.add_argument("--wrong", choices=("tags", "entities"), default="tags")
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fraction", type=float, default=1.0, help="of the training file, for a quick try")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    given = parser.parse_args(arguments)
    try:
        print(text_table(HEADER, [measure(name, given) for name in given.sets]))
    except SeqtagError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
