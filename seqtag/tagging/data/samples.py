"""The corpus that ships with seqtag: named entities in generated English sentences.

People, places, organisations, dates and products (PER, LOC, ORG, DATE, PROD) in two columns and IOB2: 2,400
sentences to train on, 300 for development and 300 to test, no sentence twice. Many names belong to several types,
and only the context tells which: Washington, Ford, Jordan, Apple, Ashford. About half of the names in dev and test come
from lists that no training sentence uses. Some sentences are in capitals or in lower case throughout.

The files are what ``python -m seqtag.tagging.data.samples DIR`` writes, on every machine and version of Python.

>>> sample_path("train").name
'train.tsv'
"""

from __future__ import annotations

import random
import sys
from importlib.resources import files
from pathlib import Path

from seqtag.files.writing import atomic_write
from seqtag.tagging.data.grammar import Generator, Grammar

SENTENCES = {"train": 2400, "dev": 300, "test": 300}

_SHARES = {"train": 0.6, "dev": 0.8, "test": 1.0}  # where each split's part of a list of names ends
_CAPITALS, _LOWER = 0.03, 0.05  # shares of sentences written so
_SEED = 7


def sample_path(split: str) -> Path:
    """The file of a split of the corpus: ``train``, ``dev`` or ``test``.

    Raises:
        ValueError: another split.
    """
    if split not in SENTENCES:
        raise ValueError(f"expected a split of {', '.join(SENTENCES)}, found {split!r}")
    return _folder() / f"{split}.tsv"


def generate() -> dict[str, str]:
    """The text of each split's file."""
    grammar = Grammar("\n".join((_folder() / name).read_text("utf-8") for name in ("grammar.txt", "names.txt")))
    dealt = {section: _deal(grammar.language(section), section) for section in grammar.open}
    seen: set[tuple[str, ...]] = set()
    return {split: _split(grammar, dealt, split, seen) for split in SENTENCES}


def write(folder: Path) -> None:
    """Writes the three files into `folder`, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, text in generate().items():
        with atomic_write(folder / f"{split}.tsv") as aside:
            aside.write_text(text, "utf-8", newline="\n")


def _folder() -> Path:
    return Path(str(files("seqtag.tagging.data"))) / "sample_corpus"


def _deal(names: list[str], section: str) -> dict[str, list[str]]:
    """Divides names among the splits."""
    source = random.Random(f"{_SEED} {section}")
    shuffled = sorted(names, key=lambda _: source.random())
    dealt, start = {}, 0
    for split, share in _SHARES.items():
        end = round(share * len(names))
        dealt[split], start = shuffled[start:end], end
    return dealt


def _split(grammar: Grammar, dealt: dict[str, dict[str, list[str]]], split: str, seen: set[tuple[str, ...]]) -> str:
    pools = ["train"] if split == "train" else ["train", split]
    names = {section: [parts[pool] for pool in pools] for section, parts in dealt.items()}
    generator = Generator(grammar, random.Random(f"{_SEED} {split}"), names)
    sentences: list[str] = []
    while len(sentences) < SENTENCES[split]:
        tagged = _noisy(generator.sentence("sentence"), generator)
        tokens = tuple(token for token, _ in tagged)
        if tokens not in seen:
            seen.add(tokens)
            sentences.append("".join(f"{token}\t{tag}\n" for token, tag in tagged))
    return "\n".join(sentences)


def _noisy(tagged: list[tuple[str, str]], generator: Generator) -> list[tuple[str, str]]:
    """Writes some sentences in capitals, some in lower case."""
    if generator.chance(_CAPITALS):
        return [(token.upper(), tag) for token, tag in tagged]
    if generator.chance(_LOWER):
        return [(token.lower(), tag) for token, tag in tagged]
    return tagged


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: python -m seqtag.tagging.data.samples DIR", file=sys.stderr)
        sys.exit(2)
    write(Path(sys.argv[1]))
