"""Files to be tagged: their first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

from seqtag.data.text.lines import Source, read_lines
from seqtag.data.text.read_ahead import FileInput, file_size, read_ahead
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput
from seqtag.tagging.data.document_marks import Mark, document_numbers, marks_of
from seqtag.tagging.data.forced_tags import ForcedTagError, ForcedTags
from seqtag.tagging.data.sentences import Sentence

TOKENS_AHEAD = 40_000
CHARACTERS_AHEAD = 200_000


def read_columns(
    source: Source, options: ReadingOptions, forced: ForcedTags | None = None
) -> FileInput[tuple[Sentence, TaggerInput]]:
    """The sentences of a column file, with what a model reads of them; the file may lack tags.

    Args:
        source: the file.
        options: how it is read.
        forced: reads its tags, where answers must have them; then it may not lack them.

    Raises:
        DataError: the file is at fault; for faults further down it is raised when `items` come to them.
    """
    marked = marks_of(options.reader(source, tags_required=False))
    ahead = read_ahead(_inputs(marked, options, forced), lambda sentence: len(sentence[1].tokens), TOKENS_AHEAD)
    return FileInput(ahead, options.encoding, file_size(source))


def _inputs(
    marked: Iterable[tuple[Sentence, Mark]], options: ReadingOptions, forced: ForcedTags | None
) -> Iterator[tuple[Sentence, TaggerInput]]:
    """The sentences with what a model reads of them, in documents."""
    sentences, marks = tee(marked)
    numbers = document_numbers((mark for _, mark in marks), options.documents)
    for (sentence, _), number in zip(sentences, numbers, strict=True):
        columns = [sentence.column(name) for name in options.features]
        yield sentence, TaggerInput(sentence.tokens, columns, _forced(sentence, forced), number)


def _forced(sentence: Sentence, forced: ForcedTags | None) -> Sequence[str]:
    """The tags that a file forces on a sentence."""
    if forced is None:
        return ()
    try:
        return forced(sentence.tags)
    except ForcedTagError as error:
        raise error.at(sentence.path, sentence.line_numbers[error.position]) from None


def read_raw(source: Source, encoding: str = "utf-8") -> FileInput[str]:
    """The lines of a file of raw text.

    Raises:
        DataError: as `read_columns`.
    """
    return FileInput(read_ahead(read_lines(source, encoding), len, CHARACTERS_AHEAD), encoding, file_size(source))
