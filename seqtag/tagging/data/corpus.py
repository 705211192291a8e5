"""Tagged sentences in memory, from a column file, a DataFrame or Python lists."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqtag.errors import DataError, DataWarning
from seqtag.tagging.config import DataConfig
from seqtag.tagging.data.frames import sentences_of_frame
from seqtag.tagging.data.layouts import LAYOUTS, Layout
from seqtag.tagging.data.notation import Normaliser, Notation
from seqtag.tagging.data.python_sentences import paired, pairs_of, place
from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.samples import sample_path
from seqtag.tagging.data.tags import UNKNOWN_TAG, is_span_tag

SAMPLE_PREFIX = "sample:"
# From how many sentences of one token on, and from how many tokens in a single sentence, a corpus looks misread.
FEWEST_SENTENCES = 10
LONGEST_SENTENCE = 2_000


@dataclass(frozen=True)
class ReadingOptions:
    """How column files are read; the meanings are those of the configuration's `data` section.

    Attributes:
        layout, token_column, tag_column, sentence_column, encoding, comment_prefix: see `SentenceReader`.
        features: further columns that the model reads.
        labels: whether tags are labels, whatever they look like.
        unknown_tag: what stands in the place of a tag that is not known; None where all are.
        notation: how the training file spells tags; None for the usual `B-PER`, and before a file is read.
    """

    layout: str | Layout = "auto"
    token_column: str | int | None = None
    tag_column: str | int | None = None
    features: tuple[str | int, ...] = ()
    encoding: str = "utf-8"
    comment_prefix: str | None = None
    sentence_column: str | int | None = None
    labels: bool = False
    notation: Notation | None = None
    unknown_tag: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ReadingOptions:
        """The options that `to_dict` described."""
        layout = data["layout"]
        if isinstance(layout, dict):
            layout = Layout.from_dict(layout)
        notation = Notation.from_dict(data.get("notation"))
        return cls(**{**data, "layout": layout, "features": tuple(data["features"]), "notation": notation})

    def spelt_as(self, train: TaggedCorpus) -> ReadingOptions:
        """These options for files beside the training data: their tags are labels, or spelt so, as there."""
        is_span = all(map(is_span_tag, set().union(*train.tags) - {UNKNOWN_TAG}))
        return replace(self, notation=train.notation, labels=self.labels or not is_span)

    def with_unknown(self, tags: Sequence[str]) -> list[str]:
        """Tags as a file has them, with `UNKNOWN_TAG` for those that are not known."""
        return [UNKNOWN_TAG if tag == self.unknown_tag else tag for tag in tags]

    def reader(self, source: Any, tags_required: bool = True) -> SentenceReader:
        """A reader of this kind of file; `sample:train` is a file of the corpus inside the package."""
        if isinstance(source, str) and source.startswith(SAMPLE_PREFIX):
            try:
                source = sample_path(source.removeprefix(SAMPLE_PREFIX))
            except ValueError as error:
                raise DataError(str(error), source) from None
        return SentenceReader(
            source,
            layout=self.layout,
            encoding=self.encoding,
            token_column=self.token_column,
            tag_column=self.tag_column,
            tags_required=tags_required,
            comment_prefix=self.comment_prefix,
            sentence_column=self.sentence_column,
            notation=self.notation,
        )


def reading_options(data: DataConfig) -> ReadingOptions:
    """How the files of a configuration are read."""
    return ReadingOptions(
        data.layout,
        data.token_column,
        data.tag_column,
        data.features,
        data.encoding,
        data.comment_prefix,
        data.sentence_column,
        data.scheme == "none",
        unknown_tag=data.unknown_tag,
    )


class TaggerInput(NamedTuple):
    """A sentence to be tagged.

    Attributes:
        tokens: its tokens.
        columns: for each further column that the model reads, its values token by token.
    """

    tokens: Sequence[str]
    columns: Sequence[Sequence[str]] = ()


@dataclass
class TaggedCorpus:
    """Sentences with their tags.

    Attributes:
        tokens, tags: one list per sentence; a tag that is not known is `UNKNOWN_TAG`.
        columns: one list per sentence, which holds a list of values for each further column; empty without any.
        path: where the sentences come from, for messages; None for Python objects.
        lines: 1-based line numbers of the tokens, one list per sentence; empty for Python objects.
        numbers: of Python lists, the 0-based number of each sentence.
        weights: how much each sentence counts in training; empty where all count the same.
        layout: of the file; two columns for Python objects.
        notation: how the source spells tags, which are in the usual spelling here; None where that is its own.
    """

    tokens: list[list[str]] = field(default_factory=list)
    tags: list[list[str]] = field(default_factory=list)
    columns: list[list[list[str]]] = field(default_factory=list)
    path: str | None = None
    lines: list[list[int]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    layout: Layout = LAYOUTS["tsv"]
    notation: Notation | None = None
    weights: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def inputs(self) -> list[TaggerInput]:
        """The sentences without their tags."""
        columns = self.columns or [[]] * len(self)
        return [TaggerInput(*sentence) for sentence in zip(self.tokens, columns, strict=True)]

    def place(self, sentence: int, token: int) -> dict[str, Any]:
        """Where this token stands, as keyword arguments of a `DataError`."""
        if self.numbers:
            return {"path": place(self.numbers[sentence], token), "line": None}
        return {"path": self.path, "line": self.lines[sentence][token] if self.lines else None}

    def find(self, wanted: Collection[str]) -> tuple[int, int]:
        """The first token with one of these tags: its sentence, and its position there."""
        return next(
            (sentence, position)
            for sentence, tags in enumerate(self.tags)
            for position, tag in enumerate(tags)
            if tag in wanted
        )

    def subset(self, sentences: Sequence[int]) -> TaggedCorpus:
        """The chosen sentences."""

        def pick(rows: list) -> list:
            return [rows[n] for n in sentences] if rows else []

        return replace(
            self,
            tokens=pick(self.tokens),
            tags=pick(self.tags),
            columns=pick(self.columns),
            lines=pick(self.lines),
            numbers=pick(self.numbers),
            weights=pick(self.weights),
        )


def load_corpus(source: Any, options: ReadingOptions = ReadingOptions(), tags: Iterable | None = None) -> TaggedCorpus:
    """Reads tagged sentences.

    Args:
        source: a path; an iterable of `(tokens, tags)` pairs; token lists, with their tags in `tags`; or a DataFrame in
            long form with the columns `sentence, token, tag` (and those of `options.features`), one token per row.
            Their usual names are known too, such as `Sentence #`, `Word` and `Tag`, and those that `options` names.
        options: how a column file is read.
        tags: tag lists, when `source` holds token lists.

    Raises:
        DataError: the source holds no sentence, a sentence whose tokens and tags differ in number, or what is no
            string; the message says where.

    Example:

        >>> load_corpus([(["Ann", "sleeps"], ["B-PER", "O"])]).tags
        [['B-PER', 'O']]
    """
    corpus = _read(source, options, tags)
    _check_lengths(corpus)
    _normalise(corpus, options)
    return corpus


def _read(source: Any, options: ReadingOptions, tags: Iterable | None) -> TaggedCorpus:
    """The sentences of any source, with tags as they are spelt there."""
    if isinstance(source, (str, os.PathLike)):
        return _from_file(source, options)
    if isinstance(source, pd.DataFrame):
        tokens, tags, columns, weights = sentences_of_frame(source, options)
        return TaggedCorpus(tokens, tags, columns, weights=weights)
    return _from_pairs(source if tags is None else paired(source, tags), options.features)


def _from_file(source: str | os.PathLike[str], options: ReadingOptions) -> TaggedCorpus:
    reader = options.reader(source)
    corpus = TaggedCorpus(path=reader.path)
    weights: list[float | None] = []
    for sentence in reader:
        corpus.tokens.append(sentence.tokens)
        corpus.tags.append(sentence.tags)
        corpus.lines.append(sentence.line_numbers)
        corpus.layout = sentence.layout
        corpus.columns.append([sentence.column(column) for column in options.features])
        weights.append(sentence.weight)
    if any(weight is not None for weight in weights):
        corpus.weights = [1.0 if weight is None else weight for weight in weights]
    return corpus


def _check_lengths(corpus: TaggedCorpus) -> None:
    """Warns of what is no text in sentences: one token in each, or all tokens in one."""
    if len(corpus) >= FEWEST_SENTENCES and all(len(tokens) == 1 for tokens in corpus.tokens):
        _warn(corpus, f"each of the {len(corpus)} sentences is one token: what separates sentences may be read wrongly")
    if len(corpus) == 1 and len(corpus.tokens[0]) > LONGEST_SENTENCE:
        _warn(corpus, f"one sentence holds all {len(corpus.tokens[0])} tokens: what separates sentences may be missing")


def _normalise(corpus: TaggedCorpus, options: ReadingOptions) -> None:
    """Brings the tags into the usual spelling, and says what was changed."""
    if options.unknown_tag is not None:
        corpus.tags = [options.with_unknown(tags) for tags in corpus.tags]
    distinct = {tag for tags in corpus.tags for tag in tags} - {UNKNOWN_TAG}
    normaliser = Normaliser(distinct, options.labels, options.notation)
    corpus.tags = [normaliser(tags) for tags in corpus.tags]
    corpus.notation = normaliser.notation
    for change in normaliser.changes():
        _warn(corpus, change)


def _warn(corpus: TaggedCorpus, message: str) -> None:
    warnings.warn(DataWarning(message, corpus.path), stacklevel=4)


def _from_pairs(pairs: Any, features: Sequence[str | int]) -> TaggedCorpus:
    if features:
        raise DataError("expected a path or a DataFrame, since further columns are read, found Python lists")
    corpus = TaggedCorpus()
    for tokens, tags in pairs_of(pairs):
        corpus.tokens.append(tokens)
        corpus.tags.append(tags)
    if not corpus.tokens:
        raise DataError("expected sentences, found none")
    corpus.numbers = list(range(len(corpus)))
    return corpus


def share_of(corpus: TaggedCorpus, fraction: float, seed: int) -> TaggedCorpus:
    """A share of the sentences, drawn by the seed, in the order of the file; one sentence at least.

    What a smaller share has, a larger one of the same seed has too.

    >>> corpus = load_corpus([([word], ["O"]) for word in "abcdefghi"])
    >>> [[tokens[0] for tokens in share_of(corpus, fraction, seed=1).tokens] for fraction in (0.2, 0.4)]
    [['a', 'h'], ['a', 'b', 'e', 'h']]
    """
    count = max(1, round(fraction * len(corpus)))
    if count == len(corpus):
        return corpus
    return corpus.subset(sorted(np.random.default_rng(seed).permutation(len(corpus))[:count].tolist()))


def split_off_dev(corpus: TaggedCorpus, every: int = 10) -> tuple[TaggedCorpus, TaggedCorpus]:
    """Splits off every tenth sentence as dev data, for a user who brings none.

    Raises:
        DataError: there are too few sentences for that.
    """
    if len(corpus) < every:
        raise DataError(f"expected validation_data or at least {every} sentences, found {len(corpus)} sentences")
    train = [n for n in range(len(corpus)) if n % every != every - 1]
    return corpus.subset(train), corpus.subset(range(every - 1, len(corpus), every))
