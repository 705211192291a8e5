"""What is in a tagged corpus, and what is wrong with it: scheme, counts, illegal tags, repeated sentences.

>>> import io
>>> report = inspect_corpus([io.StringIO("in\\tO\\nRome\\tI-LOC\\nand\\tO\\nOslo\\tB-LOC\\n")])
>>> print(report.to_text())
<stream>
  layout tsv (token, tag), encoding utf-8, scheme IOB2
  1 sentence, 4 tokens; lengths: shortest 4, median 4, 95% up to 4, longest 4
  entities: LOC 2
  tags: O 2, I-LOC 1, B-LOC 1
  illegal tags: 1
    line 2: expected tags in IOB2, found 'I-LOC' after 'O'
  repeated sentences: 0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, islice, pairwise
from typing import Any

from seqtag.data.text.lines import Source
from seqtag.data.text.vectors.coverage import Coverage
from seqtag.data.text.vectors.store import WordVectors
from seqtag.errors import escaped
from seqtag.tagging.data.corpus import ReadingOptions
from seqtag.tagging.data.notation import Normaliser, Notation
from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.schemes import Scheme, TagError, is_span_tag, scheme_of_pairs, spans, violations
from seqtag.tagging.data.sentences import Sentence
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.data.unknown_tags import known_tags, listed, unknown_tags

# How many sentences show how a file spells its tags.
FIRST_SENTENCES = 2_000
# Letters of schemes that stand by themselves where spans have no types.
UNTYPED = frozenset("BIEMSOLU")


@dataclass(frozen=True)
class FileReport:
    """One file of a corpus.

    Attributes:
        path: its name.
        layout: the name of its layout.
        columns: the names of its columns.
        encoding: its encoding.
        scheme: the scheme of its tags; ``None`` for plain labels and for files without tags.
        sentences: how many there are.
        tokens: how many there are.
        lengths: of sentences in tokens: ``min``, ``median``, ``p95``, ``max``.
        tags: how often each tag occurs, most frequent first.
        entities: how many entities of each type there are, conlleval's reading; empty without a scheme.
        illegal: how many tags the scheme does not allow where they stand.
        illegal_examples: lines and messages of the first ones.
        duplicates: how many sentences repeat an earlier one of the file.
        notes: what is odd about its tags, and how they were read for that.
        vectors: how word vectors cover its words, if there are any.
    """

    path: str
    layout: str
    columns: tuple[str, ...]
    encoding: str
    scheme: str | None
    sentences: int
    tokens: int
    lengths: Mapping[str, int]
    tags: Mapping[str, int]
    entities: Mapping[str, int]
    illegal: int
    illegal_examples: tuple[tuple[int, str], ...]
    duplicates: int
    notes: tuple[str, ...] = ()
    vectors: Coverage | None = None

    def to_text(self) -> str:
        """The report in lines for people."""
        lengths = "shortest {min}, median {median}, 95% up to {p95}, longest {max}".format(**self.lengths)
        lines = [
            f"layout {self.layout} ({', '.join(self.columns)}), encoding {self.encoding}, "
            f"scheme {self.scheme or 'none'}",
            f"{_count(self.sentences, 'sentence')}, {_count(self.tokens, 'token')}; lengths: {lengths}",
        ]
        lines += [f"entities: {_listed(self.entities)}"] if self.entities else []
        lines += [f"tags: {_listed(self.tags)}"] if self.tags else ["no tags"]
        lines += [f"illegal tags: {self.illegal}"] if self.scheme else []
        lines += [f"  line {line}: {message}" for line, message in self.illegal_examples]
        unlisted = self.illegal - len(self.illegal_examples)
        lines += [f"  and {unlisted} more"] if unlisted else []
        lines += [f"repeated sentences: {self.duplicates}"]
        lines += [f"word vectors: {self.vectors.to_text()}"] if self.vectors else []
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(map(escaped, [self.path, *(f"  {line}" for line in lines)]))


@dataclass(frozen=True)
class Overlap:
    """What a file has in common with an earlier one, such as a test set with its training set.

    Attributes:
        path: the later file.
        earlier: the earlier file.
        shared_sentences: how many of its sentences occur there.
        shared_lines: where the first of them start.
        unseen_words: the share of its tokens that do not occur there.
        unseen_tags: how often each tag occurs that a tagger trained on the earlier file would not know.
        unseen_vectors: how word vectors cover the tokens that do not occur there, if there are any.
    """

    path: str
    earlier: str
    shared_sentences: int
    shared_lines: tuple[int, ...]
    unseen_words: float
    unseen_tags: Mapping[str, int]
    unseen_vectors: Coverage | None = None

    def to_text(self) -> str:
        """The report as one line for people."""
        lines = ", ".join(map(str, self.shared_lines))
        where = f" (first at line {lines})" if lines else ""
        vectors = f", {self.unseen_vectors.share:.1%} of them with word vectors" if self.unseen_vectors else ""
        tags = f", and {listed(self.unseen_tags)}" if self.unseen_tags else ""
        return escaped(
            f"{self.path} and {self.earlier}: {_count(self.shared_sentences, 'shared sentence')}{where}, "
            f"{self.unseen_words:.1%} of tokens unseen{vectors}{tags}"
        )


@dataclass(frozen=True)
class CorpusReport:
    """All files of a corpus, and what each has in common with the files before it."""

    files: tuple[FileReport, ...]
    overlaps: tuple[Overlap, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The report in types that JSON knows."""
        return asdict(self)

    def to_text(self) -> str:
        """The report for people."""
        texts = [file.to_text() for file in self.files] + [overlap.to_text() for overlap in self.overlaps]
        return "\n".join(texts)


def inspect_corpus(
    sources: Sequence[Source],
    options: ReadingOptions = ReadingOptions(),
    examples: int = 10,
    vectors: Sequence[WordVectors] = (),
) -> CorpusReport:
    """Reads each file once and reports on it.

    Memory is bounded by the distinct words and by two numbers for each distinct sentence.

    Args:
        sources: paths or streams; the training data first, so that the report says what the others share with it.
        options: how all files are read. A file may lack tags unless `tag_column` says where they are.
        examples: how many illegal tags, and shared sentences, are listed with their lines.
        vectors: those of which it is said how they cover the words.

    Raises:
        DataError: a file cannot be read as columns.
        ConfigError: no such layout or encoding.
    """
    readers = [options.reader(source, tags_required=options.tag_column is not None) for source in sources]
    surveys: list[_Survey] = []
    for reader in readers:
        likely = surveys[0].normaliser.notation if surveys else None
        surveys.append(_Survey(reader, examples, likely, vectors, options))
    overlaps = [later.overlap(earlier, examples) for n, later in enumerate(surveys) for earlier in surveys[:n]]
    return CorpusReport(tuple(survey.report() for survey in surveys), tuple(overlaps))


@dataclass
class _Illegal:
    """Tags that one scheme would not allow."""

    total: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)


class _Survey:
    """What one pass over a file collects.

    A stream cannot be read twice, and the scheme is known only at the end. Therefore the violations of every scheme are
    collected.
    """

    def __init__(
        self,
        reader: SentenceReader,
        examples: int,
        likely: Notation | None,
        vectors: Sequence[WordVectors],
        options: ReadingOptions,
    ) -> None:
        self.reader = reader
        self.examples = examples
        self.vectors = vectors
        self.options = options
        self.lengths: Counter[int] = Counter()
        self.words: Counter[str] = Counter()
        self.first_lines: dict[int, int] = {}
        self.repeats: Counter[int] = Counter()
        self.tags: Counter[str] = Counter()
        self.unknown = 0
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.entities: Counter[str] = Counter()
        self.illegal = {scheme: _Illegal() for scheme in Scheme}
        sentences = iter(reader)
        first = list(islice(sentences, FIRST_SENTENCES))
        tags = {tag for sentence in first if sentence.has_tags for tag in options.with_unknown(sentence.tags)}
        self.normaliser = Normaliser(tags - {UNKNOWN_TAG}, likely=likely)
        for sentence in chain(first, sentences):
            self._add(sentence)
            self.layout = sentence.layout

    def _add(self, sentence: Sentence) -> None:
        self.lengths[len(sentence.tokens)] += 1
        self.words.update(sentence.tokens)
        key = hash(tuple(sentence.tokens))
        self.first_lines.setdefault(key, sentence.line_numbers[0])
        self.repeats[key] += 1
        if sentence.has_tags:
            self._add_tags(self.normaliser(self.options.with_unknown(sentence.tags)), sentence.line_numbers)

    def _add_tags(self, tags: Sequence[str], lines: Sequence[int]) -> None:
        self.tags.update(tag for tag in tags if tag != UNKNOWN_TAG)
        self.unknown += tags.count(UNKNOWN_TAG)
        readable = [tag if is_span_tag(tag) or tag == UNKNOWN_TAG else "O" for tag in tags]
        self.pairs.update(pairwise(("O", *readable)))
        self.entities.update(span.type for span in spans(readable, Scheme.IOB2))
        for scheme, illegal in self.illegal.items():
            found = violations(tags, scheme)
            illegal.total += len(found)
            missing = self.examples - len(illegal.examples)
            illegal.examples += [(lines[position], message) for position, message in found[:missing]]

    def report(self) -> FileReport:
        scheme = self._scheme()
        illegal = self.illegal[scheme] if scheme else _Illegal()
        sentences = self.lengths.total()
        return FileReport(
            path=self.reader.path,
            layout=self.layout.name,
            columns=self.layout.columns,
            encoding=self.reader.encoding,
            scheme=scheme.value if scheme else None,
            sentences=sentences,
            tokens=self.words.total(),
            lengths={
                "min": min(self.lengths),
                "median": _quantile(self.lengths, 0.5),
                "p95": _quantile(self.lengths, 0.95),
                "max": max(self.lengths),
            },
            tags=dict(self.tags.most_common()),
            entities=dict(self.entities.most_common()) if scheme else {},
            illegal=illegal.total,
            illegal_examples=tuple(illegal.examples),
            duplicates=sentences - len(self.repeats),
            vectors=self._coverage(self.words),
            notes=(*self._unknown(), *self.normaliser.changes(), *([] if scheme else self._like_spans())),
        )

    def _coverage(self, words: Mapping[str, int]) -> Coverage | None:
        return Coverage.of(words, self.vectors) if self.vectors else None

    def _unknown(self) -> list[str]:
        return [f"tokens whose tags are not known: {self.unknown}"] if self.unknown else []

    def _like_spans(self) -> list[str]:
        """Says that labels look like tags of spans, where they do."""
        typed = {tag: count for tag, count in self.tags.items() if tag != "O" and is_span_tag(tag)}
        if typed:
            return [f"labels that look like tags of spans, among others that do not: {_listed(typed, 5)}"]
        if "B" in self.tags and len(self.tags) > 1 and UNTYPED.issuperset(self.tags):
            return [f"labels that look like tags of spans without a type, such as B for B-X: {_listed(self.tags, 5)}"]
        return []

    def overlap(self, earlier: _Survey, examples: int) -> Overlap:
        shared = [key for key in self.first_lines if key in earlier.first_lines]
        unseen = {word: count for word, count in self.words.items() if word not in earlier.words}
        return Overlap(
            path=self.reader.path,
            earlier=earlier.reader.path,
            shared_sentences=sum(self.repeats[key] for key in shared),
            shared_lines=tuple(self.first_lines[key] for key in shared[:examples]),
            unseen_words=sum(unseen.values()) / self.words.total(),
            unseen_tags=unknown_tags(self.tags, earlier.known_tags()) if earlier.tags else {},
            unseen_vectors=self._coverage(unseen),
        )

    def known_tags(self) -> frozenset[str]:
        """The tags that a tagger trained on this file would know."""
        scheme = self._scheme()
        return known_tags(scheme, list(self.tags if scheme is None else self.entities))

    def _scheme(self) -> Scheme | None:
        """The scheme of the readable tags, if most tags are readable; the others then count as illegal."""
        labels = {tag: count for tag, count in self.tags.items() if tag != "O"}
        readable = sum(count for tag, count in labels.items() if is_span_tag(tag))
        if not self.tags or 2 * readable < sum(labels.values()):
            return None
        try:
            return scheme_of_pairs(self.pairs)
        except TagError:  # prefixes of both, such as S and U
            return min((Scheme.IOBES, Scheme.BILOU), key=lambda scheme: self.illegal[scheme].total)


def _quantile(lengths: Mapping[int, int], share: float) -> int:
    """The smallest length that this share of the sentences does not exceed."""
    needed = share * sum(lengths.values())
    reached = 0
    for length in sorted(lengths):
        reached += lengths[length]
        if reached >= needed:
            break
    return length


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(counts: Mapping[str, int], most: int = 20) -> str:
    listed = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:most])
    return listed + (f" and {len(counts) - most} more" if len(counts) > most else "")
