"""Word vectors made from raw text by gensim, which is an extra."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from seqtag.data.text.lines import read_lines
from seqtag.data.text.read_ahead import file_size
from seqtag.errors import ConfigError, DataError
from seqtag.progress import LiveLine, time_left

# gensim leaves out what a sentence has beyond so many words.
LONGEST_SENTENCE = 10_000
WORDS_AT_ONCE = 1_000


class SkipGram(NamedTuple):
    """How vectors are made: skip-gram with negative samples (Mikolov et al. 2013), which suits small corpora.

    Attributes:
        width: the numbers of a vector.
        window: how many words to each side of a word are predicted, at most.
        min_count: words that occur less often have no vector.
        epochs: passes over the text.
        seed: gives the same vectors again, with one worker.
        workers: threads.
    """

    width: int
    window: int
    min_count: int
    epochs: int
    seed: int
    workers: int


def train_vectors(path: str, settings: SkipGram, encoding: str = "utf-8") -> Iterator[bytes]:
    """Yields vectors in word2vec's text form, the most frequent words first.

    The text is tokenised as raw text is for taggers. It is read once for the words and once an epoch, so that memory
    holds no more of it than its distinct words.

    Args:
        path: of the text, a paragraph a line.
        settings: how they are made.
        encoding: of the text.

    Raises:
        DataError: the text cannot be read, or has no word that is frequent enough.
        ConfigError: gensim is not installed.
    """
    if not os.path.isfile(path):
        raise DataError("expected a file, which is read several times, found none", path)
    vectors = _trained(_Sentences(path, encoding, 1 + settings.epochs), settings)
    yield f"{len(vectors)} {settings.width}\n".encode()
    for start in range(0, len(vectors), WORDS_AT_ONCE):
        words = vectors.index_to_key[start : start + WORDS_AT_ONCE]
        rows = vectors.vectors[start : start + len(words)].tolist()
        yield "".join(_line(word, row) for word, row in zip(words, rows, strict=True)).encode()


def _line(word: str, numbers: list[float]) -> str:
    # Nine digits tell any two float32 apart.
    return f"{word} {' '.join(format(number, '.9g') for number in numbers)}\n"


def _trained(sentences: _Sentences, settings: SkipGram) -> Any:
    """The vectors as gensim has them."""
    try:
        from gensim.models import Word2Vec
    except ImportError:
        raise ConfigError("expected gensim for making word vectors, found none; install seqtag[vectors]") from None
    model = Word2Vec(
        vector_size=settings.width,
        window=settings.window,
        min_count=settings.min_count,
        workers=settings.workers,
        seed=settings.seed,
        sg=1,
    )
    with sentences:
        model.build_vocab(sentences)
        if not len(model.wv):
            message = f"expected words that occur at least {settings.min_count} times, found none"
            raise DataError(message, sentences.path)
        model.train(sentences, total_examples=model.corpus_count, epochs=settings.epochs)
    return model.wv


class _Sentences:
    """The paragraphs of a file as tokens, as often as it is asked for them; a line shows how far that is.

    Args:
        path: of the file.
        encoding: of the file.
        passes: how often it will be read.
    """

    def __init__(self, path: str, encoding: str, passes: int) -> None:
        self.path = path
        self.encoding = encoding
        self.total = passes * (file_size(path) or 1)
        self.words = self.read = 0
        self.started = time.monotonic()
        self.line = LiveLine(plain_lines=True)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self.line.close()

    def __iter__(self) -> Iterator[list[str]]:
        from seqtag.data.text.paragraphs import read_text

        for paragraph in read_text(self._lines()):
            self.words += len(paragraph.tokens)
            self.line.show(self._text)
            for start in range(0, len(paragraph.tokens), LONGEST_SENTENCE):
                yield paragraph.tokens[start : start + LONGEST_SENTENCE]

    def _lines(self) -> Iterator[str]:
        for line in read_lines(self.path, self.encoding):
            self.read += len(line.encode("utf-8", "replace"))
            yield line

    def _text(self) -> str:
        seconds = time.monotonic() - self.started
        share = min(1.0, self.read / self.total)
        left = time_left(seconds, self.read, max(self.read, self.total))
        return f"{self.words:,} words  {self.words / max(seconds, 1e-9):,.0f} words/s  {share:.0%}  {left}"
