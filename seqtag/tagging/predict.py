"""Tags files sentence by sentence, in memory that does not grow with the file."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator

from seqtag.data.text.paragraphs import TextLine, read_text
from seqtag.data.text.read_ahead import FileInput
from seqtag.progress import with_progress
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.sentences import Sentence
from seqtag.tagging.formats import to_columns, to_json, to_text
from seqtag.tagging.model import TaggingModel

FORMATS = {"columns": to_columns, "jsonl": to_json, "text": to_text}


def predict_columns(
    model: TaggingModel, file: FileInput[tuple[Sentence, TaggerInput]], format: str, n_best: int = 0
) -> Iterator[bytes]:
    """Tags a column file.

    Columns come in the encoding of the file, the other formats in UTF-8.

    Args:
        model: a fitted tagger.
        file: what `read_columns` gives.
        format: of the answers: `"columns"`, `"jsonl"` or `"text"`.
        n_best: how many candidates a JSON line has.

    Raises:
        DataError: the file is at fault.
    """
    # One encoder for all, so that a byte order mark is written once.
    encode = codecs.getincrementalencoder(file.encoding)().encode
    waiting: deque[Sentence] = deque()

    def inputs() -> Iterator[TaggerInput]:
        for sentence, read in with_progress(
            file.items, lambda item: len(item[0].tokens), lambda item: sum(map(len, item[0].lines)), file.size
        ):
            waiting.append(sentence)
            yield read

    for tagged in model.tag_stream(inputs(), n_best):
        sentence = waiting.popleft()
        if format == "columns":
            further = {name: of_column.tags for name, of_column in tagged.further.items()}
            yield encode(sentence.with_tags(tagged.tags, further))
        else:
            yield FORMATS[format](tagged).encode()


def predict_text(model: TaggingModel, file: FileInput[str], format: str, n_best: int = 0) -> Iterator[bytes]:
    """Tags raw text, one paragraph per line; the output is UTF-8.

    Args:
        model: a fitted tagger that reads tokens alone.
        file: what `read_raw` gives.
        format, n_best: as in `predict_columns`.

    Raises:
        DataError: the file is at fault.
    """
    waiting: deque[TextLine] = deque()

    def inputs() -> Iterator[TaggerInput]:
        watched = with_progress(
            read_text(file.items), lambda line: len(line.tokens), lambda line: len(line.text) + 1, file.size
        )
        for line in watched:
            waiting.append(line)
            yield TaggerInput(line.tokens)

    for tagged in model.tag_stream(inputs(), n_best):
        line = waiting.popleft()
        yield (to_json(tagged, line) if format == "jsonl" else FORMATS[format](tagged)).encode()
