"""The labels of a classifier: between their names and the numbers that a network gives."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from seqtag.classification.data.examples import Examples, Label
from seqtag.errors import DataError, DataWarning, shown


class LabelCodec:
    """The labels of the training data, sorted.

    Args:
        labels: texts or whole numbers, which differ as texts.
        several: whether a sequence may have several of them, or none.

    Example:

        >>> codec = LabelCodec(["neg", "pos"])
        >>> codec.targets([("pos",), ("neg",), ("unseen",)]).tolist()
        [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
        >>> codec.decode(np.array([[0.25, 0.75]])), LabelCodec(["a", "b"], several=True).decode(np.array([[0.6, 0.7]]))
        ([('pos',)], [('a', 'b')])
    """

    def __init__(self, labels: Sequence[Label], several: bool = False) -> None:
        self.labels = list(labels)
        self.several = several
        # A file has texts where a fit may have had whole numbers.
        self._numbers = {str(label): number for number, label in enumerate(self.labels)}
        if len(self._numbers) < len(self.labels):
            raise ValueError("expected labels that differ as texts")

    @classmethod
    def fit(cls, train: Examples, several: bool) -> LabelCodec:
        """The labels that the training data have.

        Raises:
            DataError: there are none, or one alone that all have; or a text and a whole number that read the same.
        """
        counts = Counter(label for labels in train.labels for label in labels)
        labels = sorted(counts, key=lambda label: (isinstance(label, str), label))
        least = 1 if several else 2
        if len(labels) < least or (several and all(counts[label] == len(train) for label in labels)):
            found = f"{shown(labels[0])} alone" if labels else "none"
            raise DataError(f"expected texts of two labels at least, found {found}", train.path)
        twice = [label for label in labels if isinstance(label, int) and str(label) in counts]
        if twice:
            raise DataError(f"expected labels as texts or as whole numbers, found both for {twice[0]}", train.path)
        return cls(labels, several)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> list[str]:
        """The labels as texts."""
        return list(self._numbers)

    def knows(self, label: Label) -> bool:
        """Whether the training data had it."""
        return str(label) in self._numbers

    def targets(self, labels: Iterable[Sequence[Label]]) -> np.ndarray:
        """`(sequences, labels)` float32, 1 for those that each has; labels that are not known are left out."""
        found = list(labels)
        targets = np.zeros((len(found), len(self)), np.float32)
        for row, names in zip(targets, found, strict=True):
            row[[self._numbers[str(name)] for name in names if str(name) in self._numbers]] = 1.0
        return targets

    def decode(self, probabilities: np.ndarray, threshold: float = 0.5) -> list[tuple[Label, ...]]:
        """The labels of each sequence from `(sequences, labels)`: the most probable, or all from the threshold on."""
        if self.several:
            return [tuple(self.labels[n] for n in np.flatnonzero(row >= threshold)) for row in probabilities]
        return [(self.labels[n],) for n in probabilities.argmax(axis=1)]

    def warn_of_unknown(self, examples: Examples) -> None:
        """Warns once of labels that the training data do not have; they count as errors."""
        unknown = {
            str(label): n for n, labels in enumerate(examples.labels) for label in labels if not self.knows(label)
        }
        if unknown:
            first = next(n for n, labels in enumerate(examples.labels) if not all(map(self.knows, labels)))
            told = ", ".join(shown(name) for name in sorted(unknown)[:5])
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            message = f"found labels that training did not have, which count as errors: {told}{more}"
            warnings.warn(DataWarning(message, **examples.place(first)), stacklevel=2)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"labels": self.labels, "several": self.several}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LabelCodec:
        """The codec that `to_dict` described.

        Raises:
            TypeError: labels that are neither texts nor whole numbers.
        """
        labels = data["labels"]
        if not isinstance(labels, list) or not all(isinstance(label, str | int) for label in labels):
            raise TypeError(f"{shown(labels)} instead of a list of labels")
        return cls(labels, bool(data["several"]))
