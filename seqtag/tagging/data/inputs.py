"""Files to be tagged: their first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

from seqtag.data.frames.sequence import FrameSequence
from seqtag.data.frames.table import Header
from seqtag.data.text.lines import Source, read_lines
from seqtag.data.text.read_ahead import FileInput, file_size, read_ahead
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput
from seqtag.tagging.data.document_marks import Mark, document_numbers, marks_of
from seqtag.tagging.data.forced_tags import ForcedTagError, ForcedTags
from seqtag.tagging.data.frame_sequences import frame_file, step_names
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


def read_frame_inputs(
    source: Source, options: ReadingOptions, forced: ForcedTags | None = None
) -> tuple[Header | None, FileInput[tuple[FrameSequence, TaggerInput]]]:
    """The header of a table of frames, None for `.ts`, and its sequences with what a model reads of them.

    The file may lack labels.

    Args:
        source: the file.
        options: how it is read.
        forced: reads its labels, where answers must have them; then it may not lack them.

    Raises:
        DataError: as `read_columns`.
    """
    file = frame_file(source, options, needs_labels=forced is not None, keeps_rows=True)
    inputs = ((sequence, _frame_input(sequence, forced)) for sequence in file.sequences)
    ahead = read_ahead(inputs, lambda item: len(item[0]), TOKENS_AHEAD)
    return file.header, FileInput(ahead, options.encoding, file_size(source))


def _frame_input(sequence: FrameSequence, forced: ForcedTags | None) -> TaggerInput:
    tags: Sequence[str] = ()
    if forced is not None:
        try:
            tags = forced(sequence.step_labels or ())
        except ForcedTagError as error:
            raise error.at(**sequence.place(error.position)) from None
    return TaggerInput(step_names(len(sequence)), forced=tags, frames=sequence.frames)


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
