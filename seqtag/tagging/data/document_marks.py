"""Where documents begin, as files say it: by a line above a sentence, by blank lines, or by a column."""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Iterable, Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Literal

from seqtag.errors import ConfigError, DataWarning
from seqtag.tagging.data.detection import BLANK
from seqtag.tagging.data.one_line import BOM

if TYPE_CHECKING:
    from seqtag.tagging.config import TaggingConfig
    from seqtag.tagging.data.corpus import TaggedCorpus
    from seqtag.tagging.data.sentences import Sentence

# The key of JSON lines, and the column of tables and DataFrames, compared as `find_column` does.
DOCUMENT_NAMES = ("document", "documentid", "docid", "doc")
_BEGIN = re.compile(rf"{BOM}?(-DOCSTART-|#\s*(newdoc|begin document)\b)")

MARKS = "-DOCSTART-, # newdoc, two blank lines or a column 'document'"

# What the documents of a file are: what it marks, what stands between two blank lines or more, or so many sentences in
# a row; auto: what the file has of the first two.
Documents = Literal["auto", "marked", "sections"] | int


class Mark(Enum):
    """What stands before a sentence.

    Attributes:
        NONE: nothing that tells documents.
        SECTION: two blank lines or more.
        DOCUMENT: the beginning of a document.
    """

    NONE = 0
    SECTION = 1
    DOCUMENT = 2


def marks_of(sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, Mark]]:
    """Each sentence of a file with what stands before it.

    `-DOCSTART-`, `# newdoc` and `#begin document` begin a document, and so does another value of the column or key
    `document` (`document_id`, `doc_id`, `doc`).
    """
    blanks, before = 0, None
    for sentence in sentences:
        above = sentence.lines_above
        blanks += _blank_lines(above)
        if any(map(_BEGIN.match, above)) or sentence.document != before:
            yield sentence, Mark.DOCUMENT
        else:
            yield sentence, Mark.SECTION if blanks > 1 else Mark.NONE
        blanks, before = _blank_lines(sentence.lines_below), sentence.document


def _blank_lines(lines: Sequence[str]) -> int:
    return sum(not line.strip(BLANK) for line in lines)


def marks_of_values(documents: Iterable[Hashable]) -> list[Mark]:
    """The marks of sentences with these values of a column of documents.

    >>> [mark.name for mark in marks_of_values(["a", "a", "b"])]
    ['DOCUMENT', 'NONE', 'DOCUMENT']
    """
    marks: list[Mark] = []
    before = None
    for number, value in enumerate(documents):
        marks.append(Mark.DOCUMENT if not number or value != before else Mark.NONE)
        before = value
    return marks


def resolved(documents: Documents, marks: Sequence[Mark]) -> Documents:
    """What `documents` are in a file with these marks, where that is left to the file.

    >>> resolved("auto", [Mark.NONE, Mark.SECTION]), resolved("auto", [Mark.NONE]), resolved(10, [Mark.DOCUMENT])
    ('sections', 'marked', 10)
    """
    if documents != "auto":
        return documents
    return "sections" if Mark.SECTION in marks and Mark.DOCUMENT not in marks else "marked"


def document_numbers(marks: Iterable[Mark], documents: Documents) -> Iterator[int | None]:
    """The number of each sentence's document; None where no document has begun.

    >>> marks = [Mark.NONE, Mark.DOCUMENT, Mark.NONE, Mark.SECTION]
    >>> [list(document_numbers(marks, kind)) for kind in ("marked", "sections", 3)]
    [[None, 0, 0, 0], [0, 1, 1, 2], [0, 0, 0, 1]]
    """
    number: int | None = None if documents == "marked" else 0
    for place, mark in enumerate(marks):
        if isinstance(documents, int):
            number = place // documents
        elif mark is Mark.DOCUMENT or (mark is Mark.SECTION and documents == "sections"):
            number = 0 if number is None or not place else number + 1
        yield number


def check_documents(train: TaggedCorpus, config: TaggingConfig) -> None:
    """Says so where the network is to read documents and training has none: it then learns nothing from them.

    Raises:
        ConfigError: they were to be marked. Where that was left to the file, it is a `DataWarning`.
    """
    if not config.model.document_context or any(number is not None for number in train.documents):
        return
    if config.data.documents != "auto":
        raise ConfigError(f"expected documents in the training data ({MARKS}), found none", setting="data.documents")
    message = f"no documents are marked ({MARKS}): each sentence is read alone; data.documents may be a number of them"
    warnings.warn(DataWarning(message, train.path), stacklevel=2)
