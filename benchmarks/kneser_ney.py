"""A count-based n-gram model with interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998, section 3).

    p(s | h) = max(c(h s) - D(c(h s)), 0) / c(h .) + γ(h) p(s | h without its first symbol)

Below the highest order c counts in how many different contexts an n-gram stands. The three discounts of an order follow
from the numbers of n-grams that occur one to four times. Below single symbols all are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

Gram = tuple[int, ...]
# More often than this, an n-gram has the discount of this count.
MOST_DISCOUNTED = 3


class KneserNey:
    """An n-gram model of rows of symbols.

    Args:
        order: the symbols of the longest n-grams.
        size: how many different symbols there are.
    """

    def __init__(self, order: int, size: int) -> None:
        self.order = order
        self.size = size

    def fit(self, documents: Sequence[Sequence[int]]) -> KneserNey:
        """Counts the n-grams of documents, each of which begins with a boundary."""
        highest = [Counter[Gram]() for _ in range(self.order + 1)]
        for document in documents:
            symbols = list(document)
            for n in range(1, self.order + 1):
                highest[n].update(zip(*(symbols[k:] for k in range(n)), strict=False))
        counts: list[Counter[Gram]] = [Counter()] * (self.order + 1)
        counts[self.order] = highest[self.order]
        for n in range(self.order - 1, 0, -1):
            counts[n] = Counter(gram[1:] for gram in highest[n + 1])
            # What stands at the beginning of a document has no symbol before it: its own count stands for contexts.
            for document in documents:
                gram = tuple(document[:n])
                counts[n][gram] = max(counts[n][gram], highest[n][gram])
        self.counts = counts
        self.discounts = [None, *(_discounts(counts[n]) for n in range(1, self.order + 1))]
        self.totals: list[dict[Gram, int]] = [{} for _ in range(self.order + 1)]
        self.kinds: list[dict[Gram, list[int]]] = [{} for _ in range(self.order + 1)]
        for n in range(1, self.order + 1):
            totals: dict[Gram, int] = defaultdict(int)
            kinds: dict[Gram, list[int]] = defaultdict(lambda: [0, 0, 0])
            for gram, count in counts[n].items():
                totals[gram[:-1]] += count
                kinds[gram[:-1]][min(count, MOST_DISCOUNTED) - 1] += 1
            self.totals[n], self.kinds[n] = dict(totals), dict(kinds)
        return self

    def probability(self, context: Gram, symbol: int) -> float:
        """p(s | h) of a symbol after a context, of which the last `order - 1` symbols count."""
        found = 1.0 / self.size
        for n in range(1, self.order + 1):
            if len(context) < n - 1:
                break
            history = context[len(context) - (n - 1) :]
            total = self.totals[n].get(history)
            if total is None:
                break
            discounts = self.discounts[n]
            count = self.counts[n].get((*history, symbol), 0)
            taken = discounts[min(count, MOST_DISCOUNTED) - 1] if count else 0.0
            left = sum(d * k for d, k in zip(discounts, self.kinds[n][history], strict=True)) / total
            found = max(count - taken, 0.0) / total + left * found
        return found

    def log_probabilities(self, document: Sequence[int]) -> np.ndarray:
        """The natural log-probability of each symbol but the first, `(symbols - 1,)`."""
        symbols = tuple(document)
        reach = self.order - 1
        return np.log([self.probability(symbols[max(0, t - reach) : t], symbols[t]) for t in range(1, len(symbols))])


def _discounts(counts: Counter[Gram]) -> list[float]:
    """D1, D2 and D3+ of an order (Chen and Goodman 1998, equation 26)."""
    n1, n2, n3, n4 = (sum(count == k for count in counts.values()) for k in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return [0.5, 0.5, 0.5]
    y = n1 / (n1 + 2 * n2)
    wanted = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return [min(max(discount, 0.0), count) for count, discount in enumerate(wanted, 1)]
