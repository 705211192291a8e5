"""Raw text, one paragraph per line, as tokens with their positions in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tensorflow as tf

from seqtag.data.text.tokenizer import tokenize

# How many characters are tokenised together.
CHUNK_CHARACTERS = 200_000
# Where a longer line is cut: at a space between words of letters, and between ideographs or kana. No rule of the
# tokeniser looks across such a place, but for a URL that ideographs go on without a space.
_CUT = re.compile(r"(?<=[^\W\d_]{2})[ \t](?=[^\W\d_]{2})|(?<=[ぁ-ゖァ-ヺ一-鿿]{2})(?=[ぁ-ゖァ-ヺ一-鿿]{2})")


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text and its tokens: `text[starts[n]:ends[n]] == tokens[n]`."""

    text: str
    tokens: list[str]
    starts: list[int]
    ends: list[int]


def read_text(lines: Iterable[str]) -> Iterator[TextLine]:
    """The tokenised lines of a text, such as `read_lines` gives, empty ones included, in bounded memory."""
    chunk: list[str] = []
    characters = 0
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        chunk.append(text.removeprefix("\ufeff") if number == 0 else text)
        characters += len(text)
        if characters >= CHUNK_CHARACTERS:
            *before, last = chunk
            yield from tokenize_lines(before)
            yield _tokenize_in_pieces(last)
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


def _tokenize_in_pieces(text: str) -> TextLine:
    """Tokenises a line of any length, in memory that grows with its tokens alone."""
    whole = TextLine(text, [], [], [])
    for offset, piece in _pieces(text):
        [part] = tokenize_lines([piece])
        whole.tokens.extend(part.tokens)
        whole.starts.extend(start + offset for start in part.starts)
        whole.ends.extend(end + offset for end in part.ends)
    return whole


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """A text in pieces of about `CHUNK_CHARACTERS`, each with its place in it."""
    start = 0
    while cut := _CUT.search(text, start + CHUNK_CHARACTERS):
        yield start, text[start : cut.end()]
        start = cut.end()
    yield start, text[start:]


_tokenize = tf.function(tokenize, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
