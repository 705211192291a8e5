"""Symbols to integers: words, characters, tags and column values, counted on training data alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

PADDING = 0
UNKNOWN = 1
FIRST_SYMBOL = 2
# In the row of padding: what stands before the first symbol of a text of a language model, and after its last one.
BOUNDARY = PADDING


class Vocabulary:
    """Symbols in falling order of frequency; index 0 is padding, index 1 stands for every unknown symbol.

    The order puts the symbols that occurred once at the end, so `singletons_from` alone tells which rows may be
    replaced by the unknown row while training (Lample et al. 2016, section 4.1).

    Args:
        symbols: the known symbols, without duplicates, at indices 2, 3, ...
        singletons_from: the first index whose symbol occurred once; `len(vocabulary)` when none did.

    Example:

        >>> vocabulary = Vocabulary.count(["the", "cat", "saw", "the", "dog", "dog"])
        >>> vocabulary.symbols
        ['dog', 'the', 'cat', 'saw']
        >>> vocabulary.index("the"), vocabulary.index("mouse"), vocabulary.singletons_from, len(vocabulary)
        (3, 1, 4, 6)
    """

    def __init__(self, symbols: Sequence[str], singletons_from: int | None = None) -> None:
        self.symbols = list(symbols)
        self._indices = {symbol: row for row, symbol in enumerate(self.symbols, FIRST_SYMBOL)}
        if len(self._indices) != len(self.symbols):
            raise ValueError("expected distinct symbols, found duplicates")
        self.singletons_from = len(self) if singletons_from is None else singletons_from

    @classmethod
    def count(cls, occurrences: Iterable[str], min_count: int = 1) -> Vocabulary:
        """Counts symbols; those seen fewer than `min_count` times stay unknown. Ties are sorted by the symbol."""
        counts = Counter(occurrences)
        kept = sorted((s for s, n in counts.items() if n >= min_count), key=lambda s: (-counts[s], s))
        frequent = sum(counts[symbol] > 1 for symbol in kept)
        return cls(kept, FIRST_SYMBOL + frequent)

    def __len__(self) -> int:
        return FIRST_SYMBOL + len(self.symbols)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._indices

    def index(self, symbol: str) -> int:
        """The symbol's row, or `UNKNOWN`."""
        return self._indices.get(symbol, UNKNOWN)

    def indices(self, symbols: Iterable[str]) -> list[int]:
        """The rows of many symbols."""
        get = self._indices.get
        return [get(symbol, UNKNOWN) for symbol in symbols]

    def to_dict(self) -> dict[str, object]:
        """What `from_dict` reads back."""
        return {"symbols": self.symbols, "singletons_from": self.singletons_from}

    @classmethod
    def from_dict(cls, data: dict) -> Vocabulary:
        """The vocabulary that `to_dict` described."""
        return cls(data["symbols"], data["singletons_from"])
