"""The shipped corpus is what its generator writes, and is what it is said to be."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

import pytest

from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.samples import SENTENCES, generate, sample_path
from seqtag.tagging.data.schemes import detect_scheme, spans, violations
from seqtag.tagging.data.sentences import Sentence

TYPES = {"PER", "LOC", "ORG", "DATE", "PROD"}


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[Sentence]]:
    return {split: list(SentenceReader(sample_path(split))) for split in SENTENCES}


def entities(sentences: list[Sentence]) -> list[tuple[str, str]]:
    """(type, text) of all entities."""
    return [
        (span.type, " ".join(sentence.tokens[span.start : span.end]))
        for sentence in sentences
        for span in spans(sentence.tags, "IOB2")
    ]


def test_shipped_files_are_what_the_generator_writes():
    assert {split: sample_path(split).read_bytes() for split in SENTENCES} == {
        split: text.encode() for split, text in generate().items()
    }


def test_module_writes_the_files(tmp_path):
    subprocess.run([sys.executable, "-m", "seqtag.tagging.data.samples", tmp_path / "new"], check=True)
    for split in SENTENCES:
        assert (tmp_path / "new" / f"{split}.tsv").read_bytes() == sample_path(split).read_bytes()
    wrong = subprocess.run([sys.executable, "-m", "seqtag.tagging.data.samples"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "usage: python -m seqtag.tagging.data.samples DIR" in wrong.stderr


def test_sizes_and_tags(corpus):
    assert {split: len(sentences) for split, sentences in corpus.items()} == SENTENCES
    for sentences in corpus.values():
        tags = [sentence.tags for sentence in sentences]
        assert detect_scheme(tags) == "IOB2"
        assert not any(violations(sentence, "IOB2") for sentence in tags)
        assert {kind for kind, _ in entities(sentences)} == TYPES
    lengths = [len(sentence.tokens) for sentence in corpus["train"]]
    assert min(lengths) == 1 and 40 <= max(lengths) <= 80


def test_no_sentence_twice(corpus):
    texts = [tuple(s.tokens) for sentences in corpus.values() for s in sentences]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_many_names_are_new(corpus, split):
    known_words = {token for sentence in corpus["train"] for token in sentence.tokens}
    known = {text for _, text in entities(corpus["train"])}
    found = [text for _, text in entities(corpus[split])]
    assert sum(text not in known for text in found) > 0.5 * len(found)
    assert sum(any(word not in known_words for word in text.split()) for text in found) > 0.3 * len(found)


def test_names_are_ambiguous(corpus):
    types = defaultdict(set)
    for kind, text in entities(corpus["train"]):
        types[text].add(kind)
    assert sum(len(kinds) > 1 for kinds in types.values()) > 100
    assert types["Lincoln"] >= {"PER", "LOC", "ORG"}
    assert {"PER", "DATE"} <= types["May"]
    outside = {
        token
        for sentence in corpus["train"]
        for token, tag in zip(sentence.tokens, sentence.tags, strict=True)
        if tag == "O"
    }
    assert {"apple", "orange", "may", "march", "ford", "shell"} <= outside


def test_unknown_split():
    with pytest.raises(ValueError, match="expected a split of train, dev, test, found 'valid'"):
        sample_path("valid")
