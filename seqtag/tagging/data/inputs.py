"""Files to be tagged: their first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from seqtag.data.text.lines import Source, read_lines
from seqtag.data.text.read_ahead import FileInput, file_size, read_ahead
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput
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
    reader = options.reader(source, tags_required=False)
    sentences = (
        (s, TaggerInput(s.tokens, [s.column(name) for name in options.features], _forced(s, forced))) for s in reader
    )
    ahead = read_ahead(sentences, lambda sentence: len(sentence[1].tokens), TOKENS_AHEAD)
    return FileInput(ahead, options.encoding, file_size(source))


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
