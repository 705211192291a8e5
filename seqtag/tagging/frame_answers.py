"""Answers to sequences of frames: the rows of their table with the labels and their probabilities, or JSON lines."""

from __future__ import annotations

import codecs
import json
from collections import deque
from collections.abc import Iterator, Sequence

from seqtag.data.frames.sequence import FrameSequence
from seqtag.data.frames.table import Header
from seqtag.data.text.fields import field_places, written_field
from seqtag.data.text.read_ahead import FileInput
from seqtag.progress import with_progress
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.frame_sequences import ID, LABEL
from seqtag.tagging.evaluation.segments import segments_of
from seqtag.tagging.formats import SCORE_DIGITS, entity_record
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.tagged_sentence import TaggedSentence

SCORE, STEP = "score", "step"


def predict_frames(
    model: TaggingModel,
    header: Header | None,
    file: FileInput[tuple[FrameSequence, TaggerInput]],
    format: str,
    n_best: int = 0,
) -> Iterator[bytes]:
    """Tags the sequences of a file.

    Columns are the rows of the table in the encoding of the file, with the labels in its column of labels, or in a new
    one, and their probabilities in a column `score`. For `.ts`, which has no rows, they are `id`, `step`, `label` and
    `score`, separated by commas. JSON lines are UTF-8.

    Args:
        model: a fitted tagger of frames.
        header: of the table; None for `.ts`.
        file: what `read_frame_inputs` gives.
        format: of the answers: `"columns"` or `"jsonl"`.
        n_best: how many candidates a JSON line has.

    Raises:
        DataError: the file is at fault.
    """
    encode = codecs.getincrementalencoder(file.encoding)().encode
    waiting: deque[FrameSequence] = deque()

    def inputs() -> Iterator[TaggerInput]:
        for sequence, read in with_progress(
            file.items, lambda item: len(item[0]), lambda item: sum(map(len, item[0].rows)), file.size
        ):
            waiting.append(sequence)
            yield read

    table = None if header is None else AnsweredTable(header, model)
    if format == "columns":
        yield encode(f"{ID},{STEP},{LABEL},{SCORE}\n" if table is None else table.header)
    for tagged in model.tag_stream(inputs(), n_best):
        sequence = waiting.popleft()
        if format == "jsonl":
            yield frames_to_json(sequence, tagged, model.codec.scheme is not None).encode()
        else:
            yield encode("".join(_new_rows(sequence, tagged) if table is None else table.rows(sequence, tagged)))


class AnsweredTable:
    """A table with the answers in its columns of labels and of scores, which are new where it has none.

    Args:
        header: of the table.
        model: the tagger, whose features are left alone, also where one is called as a column of answers.
    """

    def __init__(self, header: Header, model: TaggingModel) -> None:
        label = model.options.tag_name
        read = set(map(str, model.options.features))
        self.separator = header.separator
        self.columns = (label, next(name for name in (SCORE, f"{label}_{SCORE}") if name not in read))
        folded = [name.casefold() for name in header.names]
        self.places = [folded.index(c.casefold()) if c.casefold() in folded else None for c in self.columns]
        if header.places.label is not None:
            self.places[0] = header.places.label
        named = [name for name, place in zip(self.columns, self.places, strict=True) if place is None]
        self.header = self._row(header.text, [None, None], named)

    def rows(self, sequence: FrameSequence, tagged: TaggedSentence) -> Iterator[str]:
        """The rows of a sequence with its answers."""
        for text, tag, score in zip(sequence.rows, tagged.tags, tagged.scores, strict=True):
            values = [tag, f"{score:.{SCORE_DIGITS}f}"]
            new = [value for value, place in zip(values, self.places, strict=True) if place is None]
            yield self._row(text, values, new)

    def _row(self, text: str, values: Sequence[str | None], new: Sequence[str]) -> str:
        """A row with values in the places of answers, from the last to the first, and new ones at its end."""
        replaced = [(p, v) for p, v in zip(self.places, values, strict=True) if p is not None and v is not None]
        for place, value in sorted(replaced, reverse=True):
            start, end = field_places(text, self.separator)[place]
            text = text[:start] + written_field(value, self.separator) + text[end:]
        return self.separator.join([text, *(written_field(value, self.separator) for value in new)]) + "\n"


def _new_rows(sequence: FrameSequence, tagged: TaggedSentence) -> Iterator[str]:
    for step, (tag, score) in enumerate(zip(tagged.tags, tagged.scores, strict=True)):
        yield f"{written_field(sequence.id, ',')},{step},{written_field(tag, ',')},{score:.{SCORE_DIGITS}f}\n"


def frames_to_json(sequence: FrameSequence, tagged: TaggedSentence, has_spans: bool) -> str:
    """One JSON line: `id`, `tags`, `scores` and `entities`; of plain labels `segments`, their runs, instead."""
    record = {"id": sequence.id, "tags": tagged.tags, "scores": [round(score, SCORE_DIGITS) for score in tagged.scores]}
    if has_spans:
        record["entities"] = list(map(entity_record, tagged.entities))
    else:
        runs = segments_of(tagged.tags)
        record["segments"] = [{"label": run.type, "start": run.start, "end": run.end} for run in runs]
    if tagged.candidates:
        record["candidates"] = [
            {"tags": one.tags, "score": round(one.score, SCORE_DIGITS)} for one in tagged.candidates
        ]
    return json.dumps(record, ensure_ascii=False) + "\n"
