"""Breaks bytes: flips, splices, truncation, odd encodings, and pieces that have broken readers before."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

LONGEST = 4000
CONTROLS = (0, 7, 8, 9, 10, 11, 12, 13, 27, 28, 31, 32, 34, 35, 39, 44, 45, 46, 58, 59, 92, 127, 255)
CHARACTERS = "\x85\xa0\u00ad\u200d\u2028\u202e\u2066\u3000\ufeff\ufffe\U0001f600\ud800"
PIECES = [
    *(bytes([code]) for code in CONTROLS),
    *(character.encode("utf-8", "surrogatepass") for character in CHARACTERS),
    *(b"\r\n", b"\n\n", b"\n\n\n", b"\r\r\n", b"\t\t", b"\t\n", b" \n", b",,", b'""', b'"\n"'),
    *(b"\xc0\xaf", b"\xed\xa0\x80", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1b[31m", b"\x1b]0;x\x07"),
    *(b"#", b"# newdoc", b"#begin document", b"1-2", b"1.1", b"1-1", b"9-1", b"-DOCSTART- -X- O O"),
    *(b"O", b"B-", b"-", b"B-LOC ", b"b-loc", b"B_PER", b"PER-B", b"a/X b/Y", b"a b\tX Y", b"(PER*", b"*)", b"(A(B*)"),
    *(b"nan", b"NaN", b"inf", b"-inf", b"1e308", b"1e309", b"1e-320", b"9" * 25, b"-" + b"9" * 19, b"9" * 400),
    *(b"0x10", b"2x", b"1,5", b"1_0", b"007", b"-0", b"+1", b".5", b"5.", b"1e5", b"True", b"null", b"None", b"NA"),
    *(b"2024-13-45", b"2024-02-30", b"0001-01-01", b"9999-12-31", b"2024-01-31 25:00", b"1/2/2024", b"20240131"),
    *(b"2024-10-27 02:30", b"2024-01-31T13:00:00Z", b"2024-01-31T13:00:00+02:00", b"1677-09-21", b"2262-04-12"),
    *(b'{"text": "a b", "label": [[0, 1, "X"]]}', b'["a", {"entities": [[0, 99, "X"]]}]', b"[]", b"{}", b"(((("),
    *(b'{"tokens": ["a"], "tags": []}', b"&a", b"*a", b"!!python/object:os.system", b"<<: *a"),
]  # fmt: skip
CODECS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "shift_jis", "utf-7")

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds after one to six changes; now and then as it is, or in another encoding."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 4, 6))):
        data = rng.choice(MUTATIONS)(rng, data, seeds)
    if rng.random() < 0.05:
        data = data.decode("utf-8", "replace").encode(rng.choice(CODECS), "replace")
    return data[:LONGEST]


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.expovariate(0.1)) + 1)


def _flip(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _insert(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(PIECES) * rng.choice((1, 1, 1, 1, 2, 30)) + data[at:]


def _replace(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Replaces a field, which is where most meanings are."""
    start, _ = _span(rng, data)
    while start and data[start - 1] not in b" \t\n,;:":
        start -= 1
    end = start
    while end < len(data) and data[end] not in b" \t\n,;:":
        end += 1
    return data[:start] + rng.choice(PIECES) + data[end:]


def _delete(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _repeat(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[start:end] * rng.choice((2, 3, 50)) + data[end:]


def _cut(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _splice(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _shuffle(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _insert,
    _insert,
    _replace,
    _replace,
    _delete,
    _repeat,
    _cut,
    _splice,
    _shuffle,
)
