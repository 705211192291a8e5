"""Between the tags of a file and the indices of a model, whose spans are always IOBES inside."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from seqtag.errors import DataError, DataWarning, shown
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.partial_labels import SETS, partial_labels
from seqtag.tagging.data.schemes import (
    Scheme,
    TagError,
    convert,
    detect_scheme,
    is_span_tag,
    legal_transitions,
    spans,
    split_tag,
    tagset,
)
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.data.unknown_tags import known_tags, listed, unknown_tags

MODEL_SCHEME = "IOBES"
# What files often have in the place of a tag that is not known.
USUAL_UNKNOWN = ("?", "_")


class TagCodec:
    """Tags to indices and back.

    The model learns spans as IOBES whatever the file's scheme, since IOBES tells it more (Ratinov and Roth 2009,
    section 3.2), and answers in the file's scheme. Plain labels, such as parts of speech, stay as they are.

    Args:
        scheme: the scheme of the files; None for plain labels.
        symbols: the entity types of a scheme, or the plain labels.

    Attributes:
        labels: the model's tags, in the order of its indices.
        types: (labels,) index of each label's type, 0 for `O` and plain labels.
        label_sets: (labels + sets, labels) bool, the labels that an index stands for: each label itself, and, after the
            labels, those sets of them that tags beside unknown ones stand for; see `partial_labels`.
        begins: (labels + sets,) whether a token of this label goes on no entity of the token before.
        file_tags: the tags of the file that labels stand for, an array of strings.
        file_tag_rows: (labels, labels) int32, the row of `file_tags` for a label (column) after another label (row).
            Only in IOB1 does it matter which label comes before; at the start of a sentence the label before is 0.
        continues: (labels, labels) whether a label (column) goes on with the entity of the label before (row), as the
            tags of the file are read.

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
        sets = [] if scheme is None else [f"{letters}-{symbol}" for symbol in self.symbols for letters in SETS]
        self._indices = {label: n for n, label in enumerate([*self.labels, *sets])}
        self._known = known_tags(scheme, symbols)
        self.types = np.array([self._type(label) for label in self.labels], np.int32)
        self.label_sets = np.array([self._members(label) for label in self._indices], bool)
        begins = np.array([scheme is None or label[0] not in "IE" for label in self.labels], bool)
        self.begins = (begins | ~self.label_sets).all(axis=1)
        pairs = [self._in_file(label) for label in self.labels]
        self.file_tags = np.array([alone for alone, _ in pairs] + [after_same for _, after_same in pairs])
        is_same = (self.types[:, None] == self.types) & (self.types > 0)
        self.file_tag_rows = (np.arange(len(self.labels)) + len(self.labels) * is_same).astype(np.int32)
        self.continues = is_same & self._joined()

    @classmethod
    def fit(cls, corpus: TaggedCorpus, scheme: str | None) -> TagCodec:
        """The types or labels of training data, sorted; `scheme` may also be `"auto"`, to be detected, or `"none"`.

        Raises:
            DataError: a tag that is not of the scheme; the message names its file and line.
        """
        distinct = sorted({tag for tags in corpus.tags for tag in tags} - {UNKNOWN_TAG})
        if not distinct:
            raise DataError("expected tags, found none that is known", corpus.path)
        try:
            scheme = _settled(scheme, corpus.tags)
            if scheme is None:
                return cls(None, distinct)
            return cls(scheme, _types(distinct, scheme))
        except TagError as error:
            setting = "data.unknown_tag" if error.tag in USUAL_UNKNOWN else None
            raise DataError(str(error), **corpus.place(*corpus.find({error.tag})), setting=setting) from None

    def encode(self, tags: Sequence[str]) -> list[int]:
        """Indices of one sentence's tags, such as `check` accepts; -1 for unknown ones and an unknown type or label.

        A tag beside an unknown one may stand for several labels: see `label_sets`.
        """
        labels = tags
        if self.scheme is not None:
            is_whole = UNKNOWN_TAG not in tags
            labels = convert(tags, self.scheme, MODEL_SCHEME) if is_whole else partial_labels(tags, self.scheme)
        return [self._indices.get(label, -1) for label in labels]

    def check(self, corpus: TaggedCorpus) -> None:
        """Gives one `DataWarning` where a corpus has tags that training did not have; scores count them as missed.

        Raises:
            DataError: a tag that no scheme can read, where the model's tags have a scheme.
        """
        unknown = unknown_tags(Counter(chain.from_iterable(corpus.tags)), self._known | {UNKNOWN_TAG})
        unreadable = [tag for tag in unknown if self.scheme is not None and not is_span_tag(tag)]
        if unreadable:
            sentence, position = corpus.find(unreadable)
            message = f"expected O or a tag such as B-LOC, found {shown(corpus.tags[sentence][position])}"
            raise DataError(message, **corpus.place(sentence, position))
        if unknown:
            message = f"found {listed(unknown)} that training did not have; they count as missed"
            warnings.warn(DataWarning(message, **corpus.place(*corpus.find(unknown))), stacklevel=3)

    def encode_corpus(self, corpus: TaggedCorpus) -> list[list[int]]:
        """Indices of every sentence's tags; see `encode`."""
        return [self.encode(tags) for tags in corpus.tags]

    def decode(self, indices: np.ndarray) -> list:
        """The file's tags of indices `(time,)` or `(batch, time)`, as lists of the same shape.

        The exported SavedModel looks up the same table in its graph.
        """
        before = np.zeros_like(indices)
        before[..., 1:] = indices[..., :-1]
        return self.file_tags[self.file_tag_rows[before, indices]].tolist()

    def constraints(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Boolean tables of the legal starts, transitions and ends; None for plain labels."""
        return None if self.scheme is None else legal_transitions(self.labels, MODEL_SCHEME)

    def _members(self, label: str) -> list[bool]:
        """Which labels an index of this label, or this set of labels, stands for."""
        letters, _, symbol = label.partition("-")
        if self.scheme is None or label == "O":
            return [label == other for other in self.labels]
        return [other[0] in letters and other[2:] == symbol for other in self.labels]

    def _type(self, label: str) -> int:
        if self.scheme is None or label == "O":
            return 0
        return 1 + self.symbols.index(label.partition("-")[2])

    def _in_file(self, label: str) -> tuple[str, str]:
        """What the file calls a label: alone, and after an entity of the same type."""
        if self.scheme is None or label == "O":
            return label, label
        prefix, _, type_ = label.partition("-")
        prefixes = "S" if prefix == "S" else "BIE"
        entity = [f"{p}-{type_}" for p in prefixes]
        position = prefixes.index(prefix)
        alone = convert(entity, MODEL_SCHEME, self.scheme)
        after_same = convert([f"S-{type_}", *entity], MODEL_SCHEME, self.scheme)
        return alone[position], after_same[1 + position]

    def _joined(self) -> np.ndarray:
        """(labels, labels) whether the file's tags of two labels of one type are read as one entity."""
        if self.scheme is None or not self.symbols:
            return np.zeros((1, 1), bool)
        # The labels of every type stand in the same order: those of the first one tell of all.
        count = len(Scheme(MODEL_SCHEME).prefixes)
        alone, after = self.file_tags[1 : 1 + count], self.file_tags[self.file_tag_rows[1 : 1 + count, 1 : 1 + count]]
        joined = np.array(
            [
                [len(spans([first, second], self.scheme)) == 1 for second in row]
                for first, row in zip(alone, after, strict=True)
            ]
        )
        kinds = (np.arange(len(self.labels)) - 1) % count
        return joined[kinds[:, None], kinds]

    def to_dict(self) -> dict[str, object]:
        """What `from_dict` reads back."""
        return {"scheme": self.scheme, "symbols": self.symbols}

    @classmethod
    def from_dict(cls, data: dict) -> TagCodec:
        """The codec that `to_dict` described."""
        return cls(data["scheme"], data["symbols"])


def fit_codecs(train: TaggedCorpus, scheme: str | None) -> list[TagCodec]:
    """The codec of each column of tags. `scheme` is the first one's; those of the others are detected.

    Raises:
        DataError: see `TagCodec.fit`.
    """
    return [TagCodec.fit(train, scheme), *(TagCodec.fit(column, "auto") for column in train.further.values())]


def _settled(scheme: str | None, sequences: Sequence[Sequence[str]]) -> str | None:
    if scheme == "auto":
        return detect_scheme(sequences)
    return None if scheme == "none" else scheme


def _types(tags: Sequence[str], scheme: str) -> list[str]:
    """The types of distinct tags, sorted."""
    prefixes = "O" + Scheme(scheme).prefixes
    for tag in tags:
        if split_tag(tag)[0] not in prefixes:
            raise TagError(f"expected tags in {scheme}, found {shown(tag)}", tag)
    return sorted({split_tag(tag)[1] for tag in tags} - {""})
