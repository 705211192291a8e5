"""A number that decides what is held out of training: that of a content, whatever else is in the file."""

from __future__ import annotations

from hashlib import blake2b


def position_of(content: str | bytes) -> float:
    """A number from 0 to 1, the same on every machine: as if drawn evenly, but always the same for a content.

    The first 8 bytes of the BLAKE2b hash (`digest_size=8`) of the text in UTF-8, or of the bytes, are read as a
    big-endian whole number and divided by 2 ** 64.

    >>> round(position_of("one"), 6) == round(position_of(b"one"), 6)
    True
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") / 2**64
