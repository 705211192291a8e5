"""Tagged sentences in memory, from a column file, a DataFrame or Python lists."""

from __future__ import annotations

import os
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqtag.errors import DataError
from seqtag.tagging.config import DataConfig
from seqtag.tagging.data.dataframes import sentences_of_frame
from seqtag.tagging.data.document_marks import (
    Documents,
    Mark,
    document_numbers,
    marks_of,
    marks_of_values,
    resolved,
)
from seqtag.tagging.data.frame_sequences import FRAMES, LABEL, labelled_sequences, step_names
from seqtag.tagging.data.layouts import LAYOUTS, Layout
from seqtag.tagging.data.normalising import check_lengths, normalise_tags
from seqtag.tagging.data.notation import Notation
from seqtag.tagging.data.python_sentences import paired, pairs_of, pairs_of_columns, place
from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.samples import sample_path
from seqtag.tagging.data.tags import UNKNOWN_TAG, is_span_tag

SAMPLE_PREFIX = "sample:"
# Tokens of the longest sentence that is tagged as a whole; see `seqtag.tagging.data.windows`.
LONGEST = 4_000


@dataclass(frozen=True)
class ReadingOptions:
    """How column files are read; the meanings are those of the configuration's `data` section.

    Attributes:
        layout, token_column, tag_column, sentence_column, encoding, comment_prefix: see `SentenceReader`.
        features: further columns that the model reads.
        labels: whether tags are labels, whatever they look like.
        unknown_tag: what stands in the place of a tag that is not known; None where all are.
        notation: how the training file spells tags; None for the usual `B-PER`, and before a file is read.
        further: the same for each further column of tags, which is its `tag_column`.
        documents: what tells documents; see `seqtag.tagging.data.document_marks`.
        time_column: of frames of numbers, what orders the rows of a sequence.
        frame_width: how many numbers a frame has; None for tokens, and before the training data are read.
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
    further: tuple[ReadingOptions, ...] = ()
    documents: Documents = "marked"
    time_column: str | int | None = None
    frame_width: int | None = None

    @property
    def reads_frames(self) -> bool:
        """Whether frames of numbers are read, and not tokens."""
        return self.layout == FRAMES

    @property
    def tag_name(self) -> str:
        """The name of the column of tags."""
        usual = LABEL if self.reads_frames else "tag"
        return usual if self.tag_column is None else str(self.tag_column)

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
        further = tuple(map(cls.from_dict, data.get("further", ())))
        read = {"layout": layout, "features": tuple(data["features"]), "notation": notation, "further": further}
        return cls(**data | read)

    def spelt_as(self, train: TaggedCorpus) -> ReadingOptions:
        """These options for files beside the training data: their tags are labels, or spelt so, as there."""
        is_span = all(map(is_span_tag, set().union(*train.tags) - {UNKNOWN_TAG}))
        further = tuple(column.spelt_as(train.further[column.tag_name]) for column in self.further)
        labels = self.labels or not is_span
        spelt = replace(self, notation=train.notation, labels=labels, further=further, documents=train.told_by)
        if not self.reads_frames:
            return spelt
        # Later files are read by the names of the columns, wherever they stand.
        return replace(spelt, features=train.feature_names or self.features, frame_width=train.frames[0].shape[1])

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
            further_notations={column.tag_name: column.notation for column in self.further},
        )


def reading_options(data: DataConfig) -> ReadingOptions:
    """How the files of a configuration are read."""
    first, *further = data.tag_columns or (data.tag_column,)
    return ReadingOptions(
        data.layout,
        data.token_column,
        first,
        data.features,
        data.encoding,
        data.comment_prefix,
        data.sentence_column,
        data.scheme == "none",
        unknown_tag=data.unknown_tag,
        further=tuple(ReadingOptions(tag_column=column, unknown_tag=data.unknown_tag) for column in further),
        documents=data.documents,
        time_column=data.time_column,
    )


class TaggerInput(NamedTuple):
    """A sentence to be tagged.

    Attributes:
        tokens: its tokens.
        columns: for each further column that the model reads, its values token by token.
        forced: the tags that the answer must have, in the usual spelling, with `UNKNOWN_TAG` for tokens that are free;
            nothing where all are.
        document: what tells its document from the one before, equal for sentences of one; None for a sentence alone.
        frames: of frames of numbers `(time, features)`, NaN where one is missing; `tokens` are the names of its steps.
    """

    tokens: Sequence[str]
    columns: Sequence[Sequence[str]] = ()
    forced: Sequence[str] = ()
    document: Hashable | None = None
    frames: np.ndarray | None = None


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
        further: the same sentences with the tags of each further column of tags, by the column's name.
        documents: for each sentence the number of its document, None where it is in none; empty where all are in none.
        told_by: what told the documents.
        frames: of sequences of frames of numbers, `(time, features)` each, and `tokens` are the names of their steps;
            empty for tokens.
        feature_names: the names of the columns of numbers, where the source has names.
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
    further: dict[str, TaggedCorpus] = field(default_factory=dict)
    documents: list[int | None] = field(default_factory=list)
    told_by: Documents = "marked"
    frames: list[np.ndarray] = field(default_factory=list)
    feature_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def inputs(self) -> list[TaggerInput]:
        """The sentences without their tags."""
        columns = self.columns or [[]] * len(self)
        documents = self.documents or [None] * len(self)
        of_frames: list[Any] = [*self.frames] or [None] * len(self)
        sentences = zip(self.tokens, columns, documents, of_frames, strict=True)
        return [
            TaggerInput(tokens, values, document=document, frames=frames)
            for tokens, values, document, frames in sentences
        ]

    @property
    def identities(self) -> list[Hashable]:
        """What two sentences share that are the same but for their tags."""
        return [frames.tobytes() for frames in self.frames] or list(map(tuple, self.tokens))

    @property
    def document_keys(self) -> list[int]:
        """A number for each sentence, from 0, equal for those of one document; one in no document is one by itself."""
        documents = self.documents or [None] * len(self)
        keys: dict[int, int] = {}
        names = (~n if number is None else number for n, number in enumerate(documents))
        return [keys.setdefault(name, len(keys)) for name in names]

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
            documents=pick(self.documents),
            frames=pick(self.frames),
            further={name: column.subset(sentences) for name, column in self.further.items()},
        )

    @property
    def columns_of_tags(self) -> list[TaggedCorpus]:
        """This corpus and those of the further columns of tags."""
        return [self, *self.further.values()]


def load_corpus(source: Any, options: ReadingOptions = ReadingOptions(), tags: Iterable | None = None) -> TaggedCorpus:
    """Reads tagged sentences.

    Args:
        source: a path; an iterable of `(tokens, tags)` pairs; token lists, with their tags in `tags`; or a DataFrame in
            long form with the columns `sentence, token, tag` (and those of `options.features`), one token per row.
            Their usual names are known too, such as `Sentence #`, `Word` and `Tag`, and those that `options` names.
            Of frames of numbers see `labelled_sequences`.
        options: how a column file is read.
        tags: tag lists, when `source` holds token lists.

    Raises:
        DataError: the source holds no sentence, a sentence whose tokens and tags differ in number, or what is no
            string; the message says where.

    Example:

        >>> load_corpus([(["Ann", "sleeps"], ["B-PER", "O"])]).tags
        [['B-PER', 'O']]
    """
    corpus = _from_frames(source, options, tags) if options.reads_frames else _read(source, options, tags)
    check_lengths(corpus)
    for of_column, spelling in zip(corpus.columns_of_tags, (options, *options.further), strict=True):
        normalise_tags(of_column, spelling)
    return corpus


def _read(source: Any, options: ReadingOptions, tags: Iterable | None) -> TaggedCorpus:
    """The sentences of any source, with tags as they are spelt there."""
    if isinstance(source, (str, os.PathLike)):
        return _from_file(source, options)
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, options)
    return _from_pairs(source if tags is None else paired(source, tags), options)


def _from_file(source: str | os.PathLike[str], options: ReadingOptions) -> TaggedCorpus:
    reader = options.reader(source)
    corpus = TaggedCorpus(path=reader.path)
    weights: list[float | None] = []
    marks: list[Mark] = []
    further: list[list[list[str]]] = [[] for _ in options.further]
    for sentence, mark in marks_of(reader):
        marks.append(mark)
        corpus.tokens.append(sentence.tokens)
        corpus.tags.append(sentence.tags)
        corpus.lines.append(sentence.line_numbers)
        corpus.layout = sentence.layout
        corpus.columns.append([sentence.column(column) for column in options.features])
        weights.append(sentence.weight)
        for tags, of_column in zip(further, options.further, strict=True):
            tags.append(sentence.tags_in(of_column.tag_name))
    if any(weight is not None for weight in weights):
        corpus.weights = [1.0 if weight is None else weight for weight in weights]
    return _with_further(_with_documents(corpus, options, marks), options, further)


def _from_frames(source: Any, options: ReadingOptions, tags: Iterable | None) -> TaggedCorpus:
    names, sequences = labelled_sequences(source, options, tags)
    in_file = sequences[0].path is not None
    return TaggedCorpus(
        [step_names(len(sequence)) for sequence in sequences],
        [list(sequence.step_labels or ()) for sequence in sequences],
        path=sequences[0].path,
        lines=[list(sequence.lines) or [sequence.line] * len(sequence) for sequence in sequences] if in_file else [],
        numbers=[] if in_file else list(range(len(sequences))),
        frames=[sequence.frames for sequence in sequences],
        feature_names=names,
    )


def _with_documents(corpus: TaggedCorpus, options: ReadingOptions, marks: Sequence[Mark]) -> TaggedCorpus:
    """The corpus with the numbers of its documents."""
    told_by = resolved(options.documents, marks)
    return replace(corpus, documents=list(document_numbers(marks, told_by)), told_by=told_by)


def _with_further(corpus: TaggedCorpus, options: ReadingOptions, further: Sequence[list[list[str]]]) -> TaggedCorpus:
    """The corpus with the tags of its further columns."""
    if options.further and corpus.path is None:
        # What does not come from a file is read as a file with these columns later.
        names = tuple(column.tag_name for column in (options, *options.further))
        corpus = replace(corpus, layout=replace(corpus.layout, columns=("token", *names), tag=names[0]))
    columns = zip(options.further, further, strict=True)
    return replace(corpus, further={column.tag_name: replace(corpus, tags=tags) for column, tags in columns})


def _from_frame(frame: pd.DataFrame, options: ReadingOptions) -> TaggedCorpus:
    tokens, tags, columns, weights, documents = sentences_of_frame(frame, options)
    features = len(options.features)
    further = [[values[n] for values in columns] for n in range(features, features + len(options.further))]
    corpus = TaggedCorpus(tokens, tags, [values[:features] for values in columns], weights=weights)
    marks = marks_of_values(documents) if documents else [Mark.NONE] * len(corpus)
    return _with_further(_with_documents(corpus, options, marks), options, further)


def _from_pairs(pairs: Any, options: ReadingOptions) -> TaggedCorpus:
    if options.features:
        raise DataError("expected a path or a DataFrame, since further columns are read, found Python lists")
    names = [column.tag_name for column in (options, *options.further)]
    read = pairs_of_columns(pairs, names) if options.further else ((tokens, [tags]) for tokens, tags in pairs_of(pairs))
    tokens, of_sentences = [], []
    for found in read:
        tokens.append(found[0])
        of_sentences.append(found[1])
    if not tokens:
        raise DataError("expected sentences, found none")
    tags, *further = map(list, zip(*of_sentences, strict=True))
    corpus = TaggedCorpus(tokens, tags, numbers=list(range(len(tokens))))
    return _with_further(_with_documents(corpus, options, [Mark.NONE] * len(corpus)), options, further)
