"""The real corpora, where they are at hand: each as its configuration names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tasks import load_config

CONFIGS = Path(__file__).parents[2] / "configs"
# Sentences of train, dev and test, as the corpora's own descriptions count them; the scheme of the tags.
SETS = {
    "pos_ewt": ([12544, 2001, 2077], None),
    "ner_wnut17": ([3394, 1009, 1287], "IOB2"),
    "ner_ddt": ([4383, 564, 565], "IOB2"),
    "ner_ncbi": ([5424, 923, 940], "IOB2"),
    "ner_chem": ([4560, 4581, 4797], "IOB2"),
}
LINES = 400


@pytest.fixture(params=SETS)
def name(request):
    return request.param


@pytest.fixture
def config(name):
    found = load_config(CONFIGS / f"{name}.yaml")
    root = found.data.root or os.environ.get("SEQTAG_DATA")
    if not root or not Path(root, found.data.train).exists():
        pytest.skip(f"the files of {name} are not under SEQTAG_DATA")
    return found


def test_it_loads_as_the_config_says(name, config):
    from seqtag.tagging.task import load_splits

    counts, scheme = SETS[name]
    corpora = load_splits(config.data)
    assert [len(corpora[split]) for split in ("train", "dev", "test")] == counts
    codec = TagCodec.fit(corpora["train"], config.data.scheme)
    assert codec.scheme == scheme
    for corpus in corpora.values():
        assert [len(tags) for tags in codec.encode_corpus(corpus)] == [len(tokens) for tokens in corpus.tokens]


def test_every_line_of_the_file_comes_back(config, run_folder, tmp_path):
    """The tiny model tags a slice, read as its own layout says: what counts here is the lines."""
    from seqtag.tagging.task import predict

    slice_ = tmp_path / "slice"
    lines = Path(os.environ["SEQTAG_DATA"], config.data.dev).read_bytes().splitlines(keepends=True)[:LINES]
    slice_.write_bytes(b"".join(lines))
    reading = {"layout": config.data.layout, "tag_column": config.data.tag_column}
    tagged = b"".join(predict(run_folder, str(slice_), **reading)).splitlines(keepends=True)
    [column] = {sentence.tag_index for sentence in SentenceReader(slice_, config.data.layout)}
    assert [without(line, column) for line in tagged] == [without(line, column) for line in lines]


def without(line: bytes, column: int) -> list[bytes]:
    """The columns of a line but one, comments whole."""
    values = line.rstrip(b"\r\n").split(b"\t")
    return values if len(values) <= column else values[:column] + values[column + 1 :]
