"""Scores files document by document, in memory that does not grow with the number of documents."""

from __future__ import annotations

from collections.abc import Iterator

from seqtag.data.text.read_ahead import FileInput
from seqtag.language_model.data.texts import Texts
from seqtag.language_model.formats import FORMATS
from seqtag.language_model.model import FittedLanguageModel
from seqtag.progress import with_progress

# How many characters of documents are scored together.
CHUNK_CHARACTERS = 200_000


def predict_texts(model: FittedLanguageModel, file: FileInput[str], format: str) -> Iterator[bytes]:
    """The symbols of a file's documents with their probabilities; the output is UTF-8.

    Args:
        model: a fitted model.
        file: its documents.
        format: `"columns"`, `"jsonl"` or `"text"`; see `seqtag.language_model.formats`.

    Raises:
        DataError: the file is at fault.
    """
    watched = with_progress(file.items, len, len, file.size, unit="characters")
    for documents in _chunks(watched):
        for text, scored in zip(documents, model.score(Texts(documents, model.has_ends)), strict=True):
            yield FORMATS[format](text, scored)


def _chunks(documents: Iterator[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    total = 0
    for document in documents:
        chunk.append(document)
        total += len(document)
        if total >= CHUNK_CHARACTERS:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk
