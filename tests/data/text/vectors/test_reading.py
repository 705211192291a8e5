"""Vector files of each form, packed or not, as gensim writes them or by hand, and what is wrong with others."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import zipfile

import numpy as np
import pytest

from seqtag.data.text.vectors.reading import read_vectors, read_words
from seqtag.errors import DataError, DataWarning, OutputError

WORDS = ["the", "Paris", "naïve", "a\u00a0b", "0\r7"]
VECTORS = np.arange(15, dtype=np.float32).reshape(5, 3) / 8 - 0.5


def rows(words=WORDS, vectors=VECTORS, end="\n"):
    lines = [" ".join([word, *map(str, vector)]) for word, vector in zip(words, vectors.tolist(), strict=True)]
    return "".join(line + end for line in lines)


def read(path, **arguments):
    return read_vectors(path, verbose=False, **arguments)


def check(vectors, words=WORDS, matrix=VECTORS):
    assert list(vectors.words) == words
    np.testing.assert_array_equal(vectors.matrix, matrix)
    assert vectors.subwords is None


@pytest.mark.parametrize(
    "content",
    [
        rows(),
        rows()[:-1],
        "5 3\n" + rows(end=" \n"),
        rows(end="\r\n"),
        rows().replace(" ", "\t"),
        rows() + "\n",
        "5 3\n" + rows(end=" \n\n"),
    ],
    ids=["glove", "no last end", "fasttext", "windows", "tabs", "empty last line", "empty lines"],
)
def test_text(tmp_path, content):
    path = tmp_path / "vectors"
    path.write_text(content, encoding="utf-8")
    check(read(path))


def test_gzip_and_zip_hold_any_form(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(rows().encode()))
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/glove.txt", rows())
    for name in "ab":
        check(read(tmp_path / name))


def test_words_with_spaces_are_read_and_told(tmp_path):
    """As GloVe's file of 840 billion tokens has them, at any place."""
    path = tmp_path / "glove.txt"
    path.write_text(rows([". . .", "the", "at name@host", "x", "y"]), encoding="utf-8")
    with pytest.warns(DataWarning, match=r"glove.txt: words that hold a space.*: 2, such as '. . .'"):
        check(read(path), [". . .", "the", "at name@host", "x", "y"])


def test_of_a_word_that_comes_twice_the_first_vector_counts(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(rows(["a", "b", "a", "c", "b"]), encoding="utf-8")
    check(read(path), ["a", "b", "c"], VECTORS[[0, 1, 3]])


def test_words_that_are_no_text_are_left_out_and_told(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_bytes(rows().encode().replace("ï".encode(), b"\xff"))
    with pytest.warns(DataWarning, match=r"words left out that are no text in utf-8: 1"):
        check(read(path), [word for word in WORDS if word != "naïve"], VECTORS[[0, 1, 3, 4]])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a 1 2\nb 1 2\nc 1\n", ":3: expected a word and 2 numbers, found 1; the file may be cut off"),
        ("a 1 2\nb 1 2\nc 1 2 3\n", ":3: expected a word and 2 numbers, found 3"),
        ("a 1\nb 1 2\nc 1 2\n", ":1: expected a word and 2 numbers, found 1; the file may be cut off"),
        ("3 2\na 1 2\nb 1 2\n", ":3: expected 3 words as in the header, found 2; the file may be cut off"),
        ("1 2\na 1 2\nb 1 2\n", ":2: expected 1 words as in the header, found more"),
        ("2 3\na 1 2\nb 1 2\n", ":2: expected a word and 3 numbers, found 2; the file may be cut off"),
        ("a 1 2\nb 1 x2\n", ":2: expected a number, found 'x2'"),
        ("a 1 2\nb nan 2\n", ":2: expected finite numbers, found nan in the vector of 'b'"),
        ("2 0\na\nb\n", ": expected vectors of 1 to 65536 numbers, found a header with 0"),
        ("the cat sat\n", ":1: expected word vectors .*, found b'the cat sat'"),
        ("", ": expected word vectors, found an empty file"),
        (b"\x80\x04\x95gensim pickles\n", ":1: expected word vectors .*, found b'.*gensim pickles'"),
        (b"PK\x03\x04 no archive", ": expected a readable archive, found: .*"),
        (gzip.compress(rows().encode(), mtime=0)[:-20], ": expected a whole packed file, found damage: .*"),
    ],
)
def test_faults(tmp_path, content, fault):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=f"vectors.txt{fault}$"):
        read(path, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").glob("*")) == []


def test_faults_of_places(tmp_path):
    with pytest.raises(DataError, match=r"none.txt: expected a readable file, found: no such file"):
        read(tmp_path / "none.txt")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a", rows())
        archive.writestr("b", rows())
    with pytest.raises(DataError, match=r"two.zip: expected an archive of one vector file, found 2: \['a', 'b'\]"):
        read(tmp_path / "two.zip")


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "glove.txt").write_text(rows(), encoding="utf-8")
    with pytest.raises(OutputError, match=r"glove.txt: expected a folder to write to, found a fault"):
        read(tmp_path / "glove.txt", cache=tmp_path / "glove.txt")


def test_the_cache_is_used_until_the_file_changes(tmp_path):
    path, cache = tmp_path / "glove.txt", tmp_path / "cache"
    path.write_text(rows(), encoding="utf-8")
    check(read(path, cache=cache))
    [folder] = cache.iterdir()
    status = path.stat()
    path.write_text(rows().replace("the", "she"), encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    check(read(path, cache=cache))  # the file looks as it did
    with pytest.raises(DataError, match=r"expected vectors of 4 numbers as in data.vector_dims, found 3"):
        read(path, cache=cache, width=4)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert read(path, cache=cache).words[0] == "she"
    (folder / "vectors.npy").write_bytes((folder / "vectors.npy").read_bytes()[:-4])
    assert read(path, cache=cache).words[0] == "she"
    shutil.rmtree(folder)
    assert read(path, cache=cache, width=3).words[0] == "she"
    assert [entry.name for entry in cache.iterdir()] == [folder.name]


@pytest.fixture(scope="module")
def word2vec_binary():
    """What word2vec itself writes: an end of the line after each vector."""
    parts = [word.encode() + b" " + vector.tobytes() + b"\n" for word, vector in zip(WORDS, VECTORS, strict=True)]
    return b"5 3\n" + b"".join(parts)


def test_word2vec_binary(tmp_path, word2vec_binary):
    for name, content in {
        "a": word2vec_binary,
        "b": gzip.compress(word2vec_binary),
        # As gensim writes it.
        "c": b"5 3\n" + b"".join(w.encode() + b" " + v.tobytes() for w, v in zip(WORDS, VECTORS, strict=True)),
    }.items():
        (tmp_path / name).write_bytes(content)
        check(read(tmp_path / name))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda content: content[:-5], ": expected 5 words as in the header, found 4; the file may be cut off"),
        (
            lambda content: content[:40],
            ": expected 5 words of 3 numbers .*, at least 70 bytes, found 36; the file may.*",
        ),
        (lambda content: gzip.compress(content[:40]), ": expected 5 words as in the header, found 2; the file may .*"),
        (lambda content: content + b"more", ": expected 5 words as in the header, found more"),
        (lambda content: b"90000000000 3\n" + content[4:], ": expected 90000000000 words of 3 numbers .*"),
        (lambda content: b"9 99999999\n" + content[4:], ": expected vectors of 1 to 65536 numbers, found .* 99999999"),
        (lambda content: b"2 3\n" + bytes(20_000), ": expected word 1 and its vector in word2vec's .*"),
        (lambda content: content[4:], ":1: expected word vectors in text, or in .*"),
        (
            lambda content: content.replace(VECTORS[1].tobytes(), np.full(3, np.inf, np.float32).tobytes()),
            ": expected finite numbers, found inf in the vector of 'Paris'",
        ),
    ],
)
def test_faults_of_word2vec_binary(tmp_path, word2vec_binary, change, fault):
    path = tmp_path / "vectors.bin"
    path.write_bytes(change(word2vec_binary))
    with pytest.raises(DataError, match=f"vectors.bin{fault}$"):
        read(path)


def test_gensim_writes_what_we_read(tmp_path):
    models = pytest.importorskip("gensim.models", reason="gensim is not installed")
    vectors = models.KeyedVectors(3)
    vectors.add_vectors(["the", "Paris"], VECTORS[:2])
    for binary in (False, True):
        vectors.save_word2vec_format(str(tmp_path / "vectors"), binary=binary)
        check(read(tmp_path / "vectors"), ["the", "Paris"], VECTORS[:2])


@pytest.mark.parametrize("form", ["glove", "word2vec", "binary", "zip"])
@pytest.mark.filterwarnings("ignore::seqtag.errors.DataWarning")
def test_damage_of_any_kind_is_a_fault_of_the_data(tmp_path, word2vec_binary, form):
    """Or it is read all the same."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.txt", rows())
    forms = {"glove": rows().encode(), "word2vec": f"5 3\n{rows()}".encode(), "binary": word2vec_binary}
    whole = {**forms, "zip": packed.getvalue()}[form]
    rng, path = np.random.default_rng(7), tmp_path / "vectors"
    told = set()
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content[: len(content) - rng.integers(0, 9)])
        try:
            assert len(read_words(path).words) <= 20
        except DataError as error:
            told.add(str(error))
    assert len(told) > 5
