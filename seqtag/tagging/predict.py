"""Tags files sentence by sentence, in memory that does not grow with the file."""

from __future__ import annotations

import codecs
import os
from collections import deque
from collections.abc import Iterator
from typing import Any

from seqtag.data.text.paragraphs import TextLine, read_text
from seqtag.errors import ConfigError
from seqtag.progress import with_progress
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.sentences import Sentence
from seqtag.tagging.formats import to_columns, to_json, to_text
from seqtag.tagging.model import TaggingModel

FORMATS = {"columns": to_columns, "jsonl": to_json, "text": to_text}


def predict_columns(model: TaggingModel, source: Any, format: str) -> Iterator[bytes]:
    """Tags a column file.

    Columns come in the encoding of the run's files, the other formats in UTF-8.

    Args:
        model: a fitted tagger.
        source: a file, `-` for standard input, or an open stream.
        format: of the answers: `"columns"`, `"jsonl"` or `"text"`.

    Raises:
        DataError: the file is at fault.
    """
    # One encoder for all, so that a byte order mark is written once.
    encode = codecs.getincrementalencoder(model.options.encoding)().encode
    reader = model.options.reader(source, tags_required=False)
    waiting: deque[Sentence] = deque()

    def inputs() -> Iterator[TaggerInput]:
        watched = with_progress(reader, lambda s: len(s.tokens), lambda s: sum(map(len, s.lines)), _size(source))
        for sentence in watched:
            waiting.append(sentence)
            yield TaggerInput(sentence.tokens, [sentence.column(name) for name in model.options.features])

    for tagged in model.tag_stream(inputs()):
        sentence = waiting.popleft()
        if format == "columns":
            yield encode(sentence.with_tags(tagged.tags))
        else:
            yield FORMATS[format](tagged).encode()


def predict_text(model: TaggingModel, source: Any, format: str, encoding: str = "utf-8") -> Iterator[bytes]:
    """Tags raw text, one paragraph per line; the output is UTF-8.

    The arguments are those of `predict_columns`.

    Raises:
        ConfigError: the model reads further columns.
        DataError: the file is at fault.
    """
    if model.column_vocabularies:
        raise ConfigError("--text: expected a run that reads tokens alone, found one that reads further columns")
    waiting: deque[TextLine] = deque()

    def inputs() -> Iterator[TaggerInput]:
        watched = with_progress(
            read_text(source, encoding), lambda line: len(line.tokens), lambda line: len(line.text) + 1, _size(source)
        )
        for line in watched:
            waiting.append(line)
            yield TaggerInput(line.tokens)

    for tagged in model.tag_stream(inputs()):
        line = waiting.popleft()
        yield (to_json(tagged, line) if format == "jsonl" else FORMATS[format](tagged)).encode()


def _size(source: Any) -> int | None:
    """The size of a file in bytes, which is about its number of characters; None for a stream."""
    is_file = isinstance(source, str | os.PathLike) and os.path.isfile(source)
    return os.path.getsize(source) if is_file else None
