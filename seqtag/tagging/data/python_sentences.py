"""Sentences from Python objects: tokens and tags as lists, tuples, arrays, Series or generators of strings, checked.

What cannot be tagged is told with the number of its sentence and its position there, both from 0 as Python counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from seqtag.errors import DataError, shown


def sentences_of(X: Any) -> Iterator[list[str]]:
    """The tokens of each sentence.

    Raises:
        DataError: `X` holds no sentences; see also `strings`.

    >>> list(sentences_of([["Ann", "sleeps"], ()]))
    [['Ann', 'sleeps'], []]
    """
    for number, tokens in enumerate(_elements(X, "sentences, each a list of tokens")):
        yield strings(tokens, "token", number)


def pairs_of(pairs: Any) -> Iterator[tuple[list[str], list[str]]]:
    """The tokens and the tags of each sentence.

    Raises:
        DataError: `pairs` holds no pairs, or tokens and tags that differ in number; see also `strings`.

    >>> list(pairs_of([(["Ann", "sleeps"], ["B-PER", "O"])]))
    [(['Ann', 'sleeps'], ['B-PER', 'O'])]
    """
    for number, (tokens, tags) in enumerate(_pairs(pairs)):
        yield tokens, _tags(tags, tokens, "tags", number)


def _pairs(pairs: Any) -> Iterator[tuple[list[str], Any]]:
    """The tokens of each sentence, and what stands for its tags."""
    for number, pair in enumerate(_elements(pairs, "a path, a DataFrame or (tokens, tags) pairs")):
        try:
            tokens, tags = pair
        except (TypeError, ValueError):
            raise DataError(f"expected a pair (tokens, tags), found {shown(pair)}", place(number)) from None
        yield strings(tokens, "token", number), tags


def _tags(values: Any, tokens: Sequence[str], what: str, sentence: int) -> list[str]:
    """The tags of one sentence, as many as tokens."""
    tags = strings(values, "tag", sentence)
    if len(tags) != len(tokens):
        raise DataError(f"expected as many {what} as tokens, found {len(tags)} for {len(tokens)}", place(sentence))
    return tags


def pairs_of_columns(pairs: Any, names: Sequence[str]) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The tokens of each sentence, and its tags in each of some columns.

    Raises:
        DataError: as `pairs_of`, or a pair without a dict of tags, or one that lacks a column.

    >>> list(pairs_of_columns([(["it", "rains"], {"upos": ["PRON", "VERB"], "n": ["1", "1"]})], ["upos", "n"]))
    [(['it', 'rains'], [['PRON', 'VERB'], ['1', '1']])]
    """
    for number, (tokens, tags) in enumerate(_pairs(pairs)):
        if not isinstance(tags, Mapping) or not set(names) <= set(tags):
            expected = f"expected a dict of tags with the columns {', '.join(names)}"
            found = f"the columns {', '.join(map(str, tags))}" if isinstance(tags, Mapping) else shown(tags)
            raise DataError(f"{expected}, found {found}", place(number))
        yield tokens, [_tags(tags[name], tokens, f"tags in {shown(name)}", number) for name in names]


def paired(X: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """Pairs of two lists of the same length, as `pairs_of` takes them.

    Raises:
        DataError: the lists differ in length.
    """
    sentences, tags = _elements(X, "sentences, each a list of tokens"), _elements(y, "lists of tags, one a sentence")
    if len(sentences) != len(tags):
        raise DataError(f"expected as many tag lists as sentences, found {len(tags)} for {len(sentences)}")
    return zip(sentences, tags, strict=True)


def place(sentence: int, position: int | None = None) -> str:
    """Where something stands, for messages.

    >>> place(3, 0)
    'sentence 3, position 0'
    """
    return f"sentence {sentence}" + ("" if position is None else f", position {position}")


def strings(values: Any, what: str, sentence: int) -> list[str]:
    """The tokens or the tags of one sentence as a list of strings.

    Args:
        values: any iterable of strings but a string itself.
        what: `"token"` or `"tag"`, for messages.
        sentence: its number, for messages.

    Raises:
        DataError: `values` is something else, or one of them is no string, is empty, or is no text in Unicode.

    >>> strings(["a", None], "token", 3)
    Traceback (most recent call last):
    seqtag.errors.DataError: sentence 3, position 1: expected a token as a string, found None
    """
    found = _elements(values, f"a list of {what}s", place(sentence))
    try:
        "".join(found).encode()
        if "" not in found:
            return list(map(str, found))  # strings of NumPy become Python's
    except (TypeError, UnicodeEncodeError):
        pass
    position, fault = next((n, fault) for n, value in enumerate(found) if (fault := _fault(value, what)))
    raise DataError(fault, place(sentence, position))


def _elements(values: Any, expected: str, where: str | None = None) -> list[Any]:
    """The elements of an iterable that is no string."""
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        try:
            return list(values)
        except TypeError:  # an array of no dimension says that it is iterable
            pass
    raise DataError(f"expected {expected}, found {shown(values)}", where)


def _fault(value: Any, what: str) -> str | None:
    """What is wrong with a token or a tag, if something is."""
    if not isinstance(value, str):
        return f"expected a {what} as a string, found {shown(value)}"
    if not value:
        return f"expected a {what}, found an empty string"
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return f"expected a {what} in Unicode, found half of a surrogate pair in {shown(value)}"
    return None
