"""What is in files of plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.errors import shown
from seqtag.language_model.config import DataConfig
from seqtag.language_model.data.texts import load_texts

# How many of the most frequent and of the rarest characters are shown.
SHOWN = 8


@dataclass(frozen=True)
class TextReport:
    """The figures of a file.

    Attributes:
        path: of the file.
        characters, lines, words: how many there are; words as white space separates them.
        longest_line: in characters.
        distinct_characters, distinct_words: how many different ones.
        single_words: the share of the distinct words that occur once.
        frequent, rare: characters with their counts.
        repeated_lines: the share of the lines that stood before, blank ones left out.
    """

    path: str
    characters: int
    lines: int
    words: int
    longest_line: int
    distinct_characters: int
    distinct_words: int
    single_words: float
    frequent: list[tuple[str, int]]
    rare: list[tuple[str, int]]
    repeated_lines: float

    @classmethod
    def of(cls, path: str, text: str) -> TextReport:
        """The figures of a text.

        >>> TextReport.of("a.txt", "a b\\na").distinct_words
        2
        """
        characters, words = Counter(text), Counter(text.split())
        lines = [line for line in text.split("\n") if line.strip()]
        ranked = characters.most_common()
        return cls(
            path,
            len(text),
            text.count("\n") + (not text.endswith("\n")),
            words.total(),
            max(map(len, text.split("\n"))),
            len(characters),
            len(words),
            sum(count == 1 for count in words.values()) / max(len(words), 1),
            ranked[:SHOWN],
            ranked[: -SHOWN - 1 : -1],
            1 - len(set(lines)) / max(len(lines), 1),
        )

    def to_text(self) -> str:
        """The figures for people."""
        once = f"{self.single_words:.1%} once"
        return "\n".join(
            [
                self.path,
                f"  characters  {self.characters:,}, {self.distinct_characters:,} distinct",
                f"  lines       {self.lines:,}, the longest of {self.longest_line:,} characters, "
                f"{self.repeated_lines:.1%} repeated",
                f"  words       {self.words:,}, {self.distinct_words:,} distinct, of which {once}",
                f"  frequent    {_listed(self.frequent)}",
                f"  rare        {_listed(self.rare)}",
            ]
        )


def _listed(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{shown(character)} {count:,}" for character, count in counts)


@dataclass(frozen=True)
class TextsReport:
    """The figures of files, and the characters that the first one lacks."""

    files: list[TextReport]
    unseen: dict[str, list[str]]

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""
        return {"files": [vars(file) for file in self.files], "unseen": self.unseen}

    def to_text(self) -> str:
        """The figures for people."""
        parts = [file.to_text() for file in self.files]
        for path, characters in self.unseen.items():
            some = ", ".join(map(shown, characters[:SHOWN]))
            parts.append(f"{path} has {len(characters)} characters that {self.files[0].path} lacks: {some}")
        return "\n".join(parts)


def inspect_texts(files: Sequence[str], data: DataConfig) -> TextsReport:
    """The report on files, of which the first is for training.

    Raises:
        DataError: a file cannot be read or is empty.
    """
    texts = ["\n".join(load_texts(file, data).documents) for file in files]
    known = set(texts[0])
    unseen = {file: sorted(set(text) - known) for file, text in zip(files, texts, strict=True)}
    reports = [TextReport.of(file, text) for file, text in zip(files, texts, strict=True)]
    return TextsReport(reports, {file: found for file, found in unseen.items() if found})
