"""Answers files text by text, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from seqtag.classification.data.inputs import TextInput
from seqtag.classification.formats import to_json, to_text
from seqtag.classification.model import CHUNK, ClassificationModel
from seqtag.data.text.read_ahead import FileInput
from seqtag.progress import with_progress


def predict_texts(model: ClassificationModel, file: FileInput[TextInput], format: str) -> Iterator[bytes]:
    """Answers a file of texts; the output is UTF-8.

    Args:
        model: a fitted model.
        file: what `read_inputs` gives.
        format: `"text"` or `"jsonl"`.

    Raises:
        DataError: the file is at fault.
    """
    watched = with_progress(file.items, lambda item: 1, lambda item: item.size, file.size, unit="texts")
    names, several = model.labels.names, model.labels.several
    while part := list(islice(watched, CHUNK)):
        for answer in model.answer([item.text for item in part]):
            yield (to_json(answer, names, several) if format == "jsonl" else to_text(answer)).encode()
