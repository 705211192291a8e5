r"""A small grammar of sentences whose entities are known, for corpora that are generated.

A grammar is text in sections: ``<name>`` and below it the alternatives of that name, a line each or with `` |
`` between them. ``3*`` before an alternative makes it three times as likely. In an alternative ``{name}``
stands for an alternative of that section, ``{?name}`` for one or, half of the time, nothing, ``^{name}`` for
one with a capital, and ``[PER ...]`` for an entity. Lines that start with ``# `` are comments. A section
marked ``<name open>`` is a list of names that a generator may restrict.

>>> grammar = Grammar("<sentence>\n[PER {name}] sleeps\n<name open>\nAnn")
>>> Generator(grammar, random.Random(1)).sentence("sentence")
[('Ann', 'B-PER'), ('sleeps', 'O')]
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

_HEADER = re.compile(r"<(\w+)( open)?>")
_WEIGHT = re.compile(r"(\d+)\* ")
_REFERENCE = re.compile(r"\{(\w+)\}")
_WHOLE = re.compile(r"(\^?)\{(\??)(\w+)\}")
_ENTITY = re.compile(r"\[([A-Z]+)")


class Grammar:
    """Sections of alternatives.

    Attributes:
        alternatives: for each section its alternatives, repeated as often as their weight says.
        open: the sections that are lists of names.

    Raises:
        ValueError: an alternative refers to a section that is not there, or a line stands before any section.
    """

    def __init__(self, text: str) -> None:
        self.alternatives: dict[str, list[str]] = {}
        self.open: list[str] = []
        section: list[str] | None = None
        for line in text.splitlines():
            if not line or line.startswith("# "):
                continue
            if header := _HEADER.fullmatch(line):
                section = self.alternatives.setdefault(header[1], [])
                if header[2]:
                    self.open.append(header[1])
            elif section is None:
                raise ValueError(f"expected a section such as <sentence>, found {line!r}")
            else:
                section.extend(_weighted(line))
        self._check()

    def _check(self) -> None:
        for section, alternatives in self.alternatives.items():
            for name in _WHOLE.findall(" ".join(alternatives)):
                if name[2] not in self.alternatives:
                    raise ValueError(f"expected a section <{name[2]}>, found only a reference to it in <{section}>")

    def language(self, section: str) -> list[str]:
        """All one-token strings of a section without entities, sorted.

        >>> Grammar("<a>\\n{b}{b}\\n<b>\\nx | y").language("a")
        ['xx', 'xy', 'yx', 'yy']
        """
        return sorted({text for alternative in self.alternatives[section] for text in self._strings(alternative)})

    def _strings(self, alternative: str) -> Iterator[str]:
        *pairs, last = _REFERENCE.split(alternative)
        fixed, names = pairs[::2], pairs[1::2]
        for parts in product(*map(self.language, names)):
            yield "".join(text + part for text, part in zip(fixed, parts, strict=True)) + last


def _weighted(line: str) -> Iterator[str]:
    for alternative in line.split(" | "):
        weight = _WEIGHT.match(alternative)
        yield from [alternative[weight.end() :] if weight else alternative] * (int(weight[1]) if weight else 1)


class Generator:
    """Draws sentences from a grammar.

    Args:
        grammar: the grammar.
        source: random numbers; only its `random` method is used, whose numbers no Python version changes.
        names: for open sections, what may be drawn instead of all their strings: a list of pools of names. Each draw
            first chooses a pool, all equally likely.
    """

    def __init__(
        self,
        grammar: Grammar,
        source: random.Random,
        names: Mapping[str, Sequence[Sequence[str]]] | None = None,
    ) -> None:
        self._alternatives = grammar.alternatives
        self._source = source
        self._names = names or {}

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._source.random() < probability

    def choose(self, items: Sequence) -> str:
        """One of the items, all equally likely."""
        return items[int(self._source.random() * len(items))]

    def sentence(self, section: str) -> list[tuple[str, str]]:
        """Tokens and IOB2 tags of a sentence drawn from a section."""
        tokens = self._expand(section)
        return [(_article(text, tokens[n + 1 : n + 2]), tag) for n, (text, tag) in enumerate(tokens)]

    def _expand(self, section: str) -> list[tuple[str, str]]:
        if section in self._names:
            return [(self.choose(self.choose(self._names[section])), "O")]
        tokens: list[tuple[str, str]] = []
        entity, start = "", 0
        for word in self.choose(self._alternatives[section]).split():
            if opening := _ENTITY.fullmatch(word):
                entity, start = opening[1], len(tokens)
                continue
            tokens += self._word(word.removesuffix("]"))
            if word.endswith("]"):
                tokens[start:] = [(text, f"{'I' if n else 'B'}-{entity}") for n, (text, _) in enumerate(tokens[start:])]
        return tokens

    def _word(self, word: str) -> list[tuple[str, str]]:
        whole = _WHOLE.fullmatch(word)
        if whole is None:
            return [(_REFERENCE.sub(self._part, word), "O")]
        capital, optional, name = whole.groups()
        if optional and self.chance(0.5):
            return []
        tokens = self._expand(name)
        if capital:
            first = 1 if tokens[0][0] in "\"'" else 0
            text, tag = tokens[first]
            tokens[first] = (text[:1].upper() + text[1:], tag)
        return tokens

    def _part(self, reference: re.Match[str]) -> str:
        """The text that replaces a reference within a word: always one token."""
        [(text, _)] = self._expand(reference[1])
        return text


def _article(text: str, following: Sequence[tuple[str, str]]) -> str:
    """`text`, or "an" where it is "a" before a vowel."""
    vowel = bool(following) and following[0][0][0] in "aeioAEIO"
    return f"{text}n" if text in ("a", "A") and vowel else text
