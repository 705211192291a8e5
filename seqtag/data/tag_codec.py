"""Between the tags of a file and the indices of a model, whose spans are always IOBES inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtag.data.corpus import TaggedCorpus
from seqtag.data.schemes import convert, legal_transitions, spans, tagset
from seqtag.errors import DataError

MODEL_SCHEME = "IOBES"
UNKNOWN_TAG = -1


class TagCodec:
    """Tags to indices and back.

    Spans are learnt as IOBES whatever the file's scheme, which tells the model more (Ratinov and Roth 2009, section
    3.2), and are given back in the file's scheme. Plain labels, such as parts of speech, stay as they are.

    Args:
        scheme: the scheme of the files; None for plain labels.
        symbols: the entity types of a scheme, or the plain labels.

    Attributes:
        labels: the model's tags, in the order of its indices.
        tables: (2, labels) of strings, what the file calls each label: after anything else, and after an entity of
            the same type, where IOB1 alone differs.
        types: (labels,) index of each label's type, 0 for `O` and plain labels.

    Example:

        >>> codec = TagCodec("IOB1", ["LOC"])
        >>> codec.labels
        ['O', 'B-LOC', 'I-LOC', 'E-LOC', 'S-LOC']
        >>> codec.encode(["I-LOC", "B-LOC", "O"]), codec.decode(np.array([4, 4, 0]))
        ([4, 4, 0], ['I-LOC', 'B-LOC', 'O'])
    """

    def __init__(self, scheme: str | None, symbols: Sequence[str]) -> None:
        self.scheme = scheme
        self.symbols = list(symbols)
        self.labels = list(symbols) if scheme is None else tagset(self.symbols, MODEL_SCHEME)
        self._indices = {label: n for n, label in enumerate(self.labels)}
        self.tables = np.array([self._in_file(label) for label in self.labels]).T
        self.types = np.array([self._type(label) for label in self.labels], np.int32)

    @classmethod
    def fit(cls, corpus: TaggedCorpus, scheme: str | None) -> TagCodec:
        """The types or labels of training data, sorted."""
        if scheme is None:
            return cls(None, sorted({tag for tags in corpus.tags for tag in tags}))
        return cls(scheme, sorted({span.type for tags in corpus.tags for span in spans(tags, scheme)}))

    def encode(self, tags: Sequence[str]) -> list[int]:
        """Indices of one sentence's tags.

        Raises:
            KeyError: a tag that the training data did not have.
        """
        labels = tags if self.scheme is None else convert(tags, self.scheme, MODEL_SCHEME)
        return [self._indices[label] for label in labels]

    def encode_corpus(self, corpus: TaggedCorpus) -> list[list[int]]:
        """Indices of every sentence's tags.

        Raises:
            DataError: a tag that the training data did not have; the message names its file and line.
        """
        return [self._encode_at(corpus, sentence) for sentence in range(len(corpus))]

    def _encode_at(self, corpus: TaggedCorpus, sentence: int) -> list[int]:
        tags = corpus.tags[sentence]
        try:
            return self.encode(tags)
        except (KeyError, ValueError):
            position = next(n for n, tag in enumerate(tags) if not self._knows(tag))
            known = ", ".join(self.symbols[:12]) + (", ..." if len(self.symbols) > 12 else "")
            what = "tags" if self.scheme is None else f"{self.scheme} tags of the types"
            message = f"expected {what} that the model knows ({known}), found {tags[position]!r}"
            raise DataError(message, **corpus.place(sentence, position)) from None

    def _knows(self, tag: str) -> bool:
        try:
            self.encode([tag])
        except (KeyError, ValueError):
            return False
        return True

    def decode(self, indices: np.ndarray) -> list[str]:
        """The file's tags of one sentence's indices `(time,)`."""
        types = self.types[indices]
        after_same = np.zeros(len(indices), np.int32)
        after_same[1:] = (types[1:] == types[:-1]) & (types[1:] > 0)
        return self.tables[after_same, indices].tolist()

    def constraints(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Boolean tables of the legal starts, transitions and ends; None for plain labels."""
        return None if self.scheme is None else legal_transitions(self.labels, MODEL_SCHEME)

    def _type(self, label: str) -> int:
        if self.scheme is None or label == "O":
            return 0
        return 1 + self.symbols.index(label.partition("-")[2])

    def _in_file(self, label: str) -> tuple[str, str]:
        if self.scheme is None or label == "O":
            return label, label
        prefix, _, type_ = label.partition("-")
        prefixes = "S" if prefix == "S" else "BIE"
        entity = [f"{p}-{type_}" for p in prefixes]
        position = prefixes.index(prefix)
        alone = convert(entity, MODEL_SCHEME, self.scheme)
        after_same = convert([f"S-{type_}", *entity], MODEL_SCHEME, self.scheme)
        return alone[position], after_same[1 + position]

    def to_dict(self) -> dict[str, object]:
        """What `from_dict` reads back."""
        return {"scheme": self.scheme, "symbols": self.symbols}

    @classmethod
    def from_dict(cls, data: dict) -> TagCodec:
        """The codec that `to_dict` described."""
        return cls(data["scheme"], data["symbols"])
