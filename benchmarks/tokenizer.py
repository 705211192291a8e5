"""How far the tokeniser agrees with the gold tokens of a treebank, and how fast it is.

    SEQTAG_DATA=... python -m benchmarks.tokenizer [--split dev|test|train] [--differences 40]

reads `ud_ewt/en_ewt-ud-<split>.conllu`, tokenises the `# text =` comments, and prints precision, recall and
F1 over tokens (a token is right when both its ends are), then the most frequent differences.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from seqtag.data.text.tokenizer import tokenize

Spans = set[tuple[int, int]]


def read_gold(path: Path) -> Iterator[tuple[str, Spans]]:
    """Text and gold spans of each sentence; a multiword token is split where its words spell it."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = block.splitlines()
        text = next((row.removeprefix("# text = ") for row in rows if row.startswith("# text = ")), None)
        if text is not None:
            yield text, _align(text, _forms([row.split("\t") for row in rows if not row.startswith("#")]))


def _forms(rows: list[list[str]]) -> list[str]:
    words = {row[0]: row[1] for row in rows}
    forms, last = [], 0
    for number, form, *_ in rows:
        if "-" in number:
            first, last = map(int, number.split("-"))
            parts = [words[str(part)] for part in range(first, last + 1)]
            forms += parts if "".join(parts) == form else [form]
        elif "." not in number and int(number) > last:
            forms.append(form)
    return forms


def _align(text: str, forms: list[str]) -> Spans:
    spans, position = set(), 0
    for form in forms:
        start = text.index(form, position)
        position = start + len(form)
        spans.add((start, position))
    return spans


def _show(text: str, spans: Spans, start: int, end: int) -> str:
    return " ".join(text[s:e] for s, e in sorted(spans) if s < end and e > start)


def _differences(text: str, gold: Spans, found: Spans) -> Iterator[str]:
    """Pairs `gold / found` of the pieces between two places where both have a boundary."""
    cuts = sorted({e for _, e in gold} & {e for _, e in found})
    for start, end in zip([0, *cuts], cuts, strict=False):
        left, right = _show(text, gold, start, end), _show(text, found, start, end)
        if left != right:
            yield f"{left}  /  {right}"


def main() -> None:
    """Prints agreement, differences and speed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="dev", choices=["train", "dev", "test"])
    parser.add_argument("--differences", type=int, default=40)
    options = parser.parse_args()
    root = os.environ.get("SEQTAG_DATA")
    if root is None:
        raise SystemExit("error: expected the environment's SEQTAG_DATA to name the folder that holds ud_ewt")
    texts, golds = zip(*read_gold(Path(root) / "ud_ewt" / f"en_ewt-ud-{options.split}.conllu"), strict=True)
    _report(texts, golds, options.differences)


def _report(texts: tuple[str, ...], golds: tuple[Spans, ...], limit: int) -> None:
    lines = tf.constant(texts)
    tokenize(lines)
    began = time.perf_counter()
    answer = tokenize(lines)
    seconds = time.perf_counter() - began
    pairs = zip(answer.starts.to_list(), answer.ends.to_list(), strict=True)
    founds = [set(zip(starts, ends, strict=True)) for starts, ends in pairs]
    right = sum(len(gold & found) for gold, found in zip(golds, founds, strict=True))
    precision, recall = right / sum(map(len, founds)), right / sum(map(len, golds))
    f1 = 2 * precision * recall / (precision + recall)
    print(f"precision {precision:.2%}, recall {recall:.2%}, F1 {f1:.2%}")
    print(f"{sum(map(len, texts)) / seconds / 1e6:.1f} million characters a second")
    differences = Counter(
        difference for triple in zip(texts, golds, founds, strict=True) for difference in _differences(*triple)
    )
    for difference, count in differences.most_common(limit):
        print(f"{count:5}  {difference}")


if __name__ == "__main__":
    main()
