"""Answers files source by source, in memory that does not grow with the file."""

from __future__ import annotations

import codecs
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from seqtag.data.text.read_ahead import FileInput
from seqtag.errors import DataWarning
from seqtag.files.writing import atomic_write
from seqtag.progress import with_progress
from seqtag.seq2seq.data.conllu import ConlluBlock
from seqtag.seq2seq.data.inputs import SourceInput
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.formats import FORMATS
from seqtag.seq2seq.model import CHUNK_SOURCES, Answer, Seq2SeqModel
from seqtag.seq2seq.network.ensemble import Search
from seqtag.seq2seq.plots.attention import MAX_PANELS, Alignment, plot_alignments

T = TypeVar("T")
# How many blocks of words are answered together.
CHUNK_BLOCKS = 200


def predict_sources(
    model: Seq2SeqModel,
    file: FileInput[SourceInput],
    format: str,
    search: Search,
    n_best: int,
    attention: Path | None = None,
) -> Iterator[bytes]:
    """Answers a file of sources; the output is UTF-8.

    Args:
        model: a fitted model.
        file: what `read_sources` gives.
        format: `"text"` or `"jsonl"`.
        search, n_best: see `Seq2SeqModel.answer`.
        attention: a file for a picture of the attention of the first answers.

    Raises:
        DataError: the file is at fault.
    """
    watched = with_progress(file.items, lambda item: 1, lambda item: item.size, file.size, unit="sources")
    is_first = True
    for part in chunks(watched, CHUNK_SOURCES):
        pairs = Pairs([item.source for item in part], features=[item.features for item in part])
        answers = model.answer(pairs, search, n_best)
        if is_first and attention is not None:
            draw_attention(model, pairs, answers, attention)
        is_first = False
        for source, answer in zip(pairs.sources, answers, strict=True):
            yield FORMATS[format](source, answer).encode()


def predict_conllu(model: Seq2SeqModel, file: FileInput[ConlluBlock], search: Search) -> Iterator[bytes]:
    """Fills the column of targets of a CoNLL-U file, and leaves all else as it was; in the file's encoding.

    Raises:
        DataError: the file is at fault.
    """
    watched = with_progress(
        file.items, lambda block: len(block.words), lambda block: sum(map(len, block.lines)), file.size
    )
    # One encoder for all, so that a byte order mark is written once.
    encode = codecs.getincrementalencoder(file.encoding)().encode
    for blocks in chunks(watched, CHUNK_BLOCKS):
        sources = [source for block in blocks for source in block.sources]
        features = [columns for block in blocks for columns in block.features]
        targets = (answer.target for answer in model.answer(Pairs(sources, features=features), search))
        for block in blocks:
            yield encode(block.filled(list(islice(targets, len(block.words)))))


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in lists of at most this size.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def draw_attention(model: Seq2SeqModel, pairs: Pairs, answers: Sequence[Answer], path: Path) -> None:
    """Writes a picture of the attention of the first answers to sources that are not empty; a warning says of none."""
    rows = zip(pairs.sources, pairs.features, answers, strict=True)
    shown = islice((row for row in rows if len(row[0])), MAX_PANELS)
    found = [Alignment(*model.attention(source, features, answer.target)) for source, features, answer in shown]
    if not found:
        warnings.warn(DataWarning(f"drew no attention: the first {len(pairs)} sources are empty"), stacklevel=2)
        return
    with atomic_write(path) as aside:
        plot_alignments(found).savefig(aside, format=path.suffix.removeprefix(".") or "png")
