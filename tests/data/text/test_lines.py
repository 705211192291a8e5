"""Encodings: what is wrong, or visibly another, is said with its line."""

from __future__ import annotations

import io
import warnings

import pytest

from seqtag.data.text.lines import read_lines
from seqtag.errors import ConfigError, DataError, DataWarning

TEXT = "Ærø\tB-LOC\nit\tO\n"


def read(data: bytes, encoding: str = "utf-8") -> str:
    return "".join(read_lines(io.BytesIO(data), encoding))


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", ""), ("utf-16-be", "")])
def test_utf16_without_a_byte_order_mark_is_named(encoding, mark):
    with pytest.raises(DataError, match=rf"1: expected text, found NUL bytes between all others, as in {encoding}"):
        read("It\tO\n".encode(encoding))


def test_the_byte_order_mark_of_another_encoding_is_named():
    with pytest.raises(DataError, match="1: expected utf-8, found the byte order mark of utf-16"):
        read(TEXT.encode("utf-16"))


@pytest.mark.parametrize(
    "encoding",
    ["base64", "hex", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-9", "", "a\0b", "\ud800"],
)
def test_what_is_no_encoding_of_text(encoding):
    with pytest.raises(ConfigError, match=r"data.encoding: expected an encoding such as utf-8, found"):
        read(b"it\tO\n", encoding)


@pytest.mark.parametrize(
    ("written", "read_as", "said"),
    [
        ("utf-8", "latin-1", "utf-8"),
        ("utf-8", "cp1252", "utf-8"),
        ("utf-8", "koi8-r", "utf-8"),
        ("cp1252", "latin-1", "cp1252"),
    ],
)
def test_a_file_in_another_encoding_that_decodes_is_warned_of_once(written, read_as, said):
    data = ("\u201c" + TEXT).encode(written) * 10_000  # several chunks
    with pytest.warns(DataWarning, match=f"<stream>: reads as {read_as}, but looks like {said}") as caught:
        read(data, read_as)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TEXT, "latin-1"),
        ("\u201cÆrø\u201d", "cp1252"),
        ("Москва\tB-LOC\n" * 9_999, "cp1251"),
        ("東京\tB-LOC\n" * 9_999, "shift_jis"),
        ("北京\tB-LOC\n" * 9_999, "gb18030"),
        ("é", "latin-1"),
        ("\x85\tO\n", "latin-1"),
        (TEXT, "utf-8"),
        (TEXT, "utf-16"),
    ],
)
def test_a_file_in_its_own_encoding_is_not(text, encoding):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(text.encode(encoding), encoding).removeprefix("\ufeff") == text
