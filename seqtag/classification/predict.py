"""Answers files sequence by sequence, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, repeat

from seqtag.classification.data.inputs import Input
from seqtag.classification.explanation import Method, explain
from seqtag.classification.formats import to_json, to_text
from seqtag.classification.model import CHUNK, ClassificationModel
from seqtag.data.text.read_ahead import FileInput
from seqtag.progress import with_progress

# How many texts are explained at a time: each is asked without each of its words.
EXPLAINED = 10


def predict_inputs(
    model: ClassificationModel, file: FileInput[Input], format: str, method: Method | None = None
) -> Iterator[bytes]:
    """Answers a file of sequences; the output is UTF-8.

    Args:
        model: a fitted model.
        file: what `read_inputs` gives.
        format: `"text"` or `"jsonl"`.
        method: how words are explained; None for not at all.

    Raises:
        DataError: the file is at fault.
    """
    unit = "sequences" if model.kind.is_frames else "texts"
    watched = with_progress(file.items, lambda item: 1, lambda item: item.size, file.size, unit=unit)
    names, several = model.labels.names, model.labels.several
    while part := list(islice(watched, CHUNK if method is None else EXPLAINED)):
        sources = [item.source for item in part]
        explained = repeat(None) if method is None else explain(model, sources, method)
        for answer, words in zip(model.answer(sources), explained, strict=False):
            yield to_json(answer, names, several, words) if format == "jsonl" else to_text(answer, words)
