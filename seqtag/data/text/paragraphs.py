"""Raw text, one paragraph per line, as tokens with their positions in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import tensorflow as tf

from seqtag.data.text.lines import Source, read_lines
from seqtag.data.text.tokenizer import tokenize

# How many characters are tokenised together.
CHUNK_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text and its tokens: `text[starts[n]:ends[n]] == tokens[n]`."""

    text: str
    tokens: list[str]
    starts: list[int]
    ends: list[int]


def read_text(source: Source, encoding: str = "utf-8") -> Iterator[TextLine]:
    """The tokenised lines of a text file or stream, empty ones included, in bounded memory.

    Raises:
        DataError: the file cannot be read or decoded.
    """
    chunk: list[str] = []
    characters = 0
    for number, line in enumerate(read_lines(source, encoding)):
        text = line.rstrip("\r\n")
        chunk.append(text.removeprefix("\ufeff") if number == 0 else text)
        characters += len(text)
        if characters >= CHUNK_CHARACTERS:
            yield from tokenize_lines(chunk)
            chunk, characters = [], 0
    yield from tokenize_lines(chunk)


def tokenize_lines(lines: list[str]) -> list[TextLine]:
    """Tokenises lines with `seqtag.data.text.tokenizer`.

    >>> tokenize_lines(["Ann's here."])[0].tokens
    ['Ann', "'s", 'here', '.']
    """
    if not lines:
        return []
    tokens, starts, ends = _tokenize(tf.constant(lines, tf.string))
    return [
        TextLine(text, [token.decode() for token in row], row_starts, row_ends)
        for text, row, row_starts, row_ends in zip(
            lines, tokens.to_list(), starts.to_list(), ends.to_list(), strict=True
        )
    ]


_tokenize = tf.function(tokenize, input_signature=[tf.TensorSpec([None], tf.string)])
