"""The splits of a configuration."""

from __future__ import annotations

import subprocess
import sys

import pytest

from seqtag.errors import ConfigError, DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.load import load_splits


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.tsv").write_text("".join(f"word {n % 300}\tmot {n}\n" for n in range(600)))
    (tmp_path / "b.tsv").write_text("one\tun\n")
    for name in ("c.en", "c.fr"):
        (tmp_path / name).write_text("a\nb\n")
    return tmp_path


def splits(folder, **options):
    return load_splits(DataConfig(root=str(folder), **options))


def test_what_has_no_file_is_held_out_of_train(folder):
    found = splits(folder, train="a.tsv", test_share=0.2)
    assert list(found) == ["train", "dev", "test"]
    assert sum(map(len, found.values())) == 600
    assert not set(found["train"].sources) & set(found["dev"].sources + found["test"].sources)


def test_files_go_before_shares(folder):
    found = splits(folder, train="a.tsv", dev="b.tsv", test=("c.en", "c.fr"), test_share=0.2)
    assert {name: len(part) for name, part in found.items()} == {"train": 600, "dev": 1, "test": 2}
    assert list(splits(folder, train="a.tsv", dev_share=0)) == ["train"]


def test_the_last_pairs_may_be_test(folder):
    found = splits(folder, train="a.tsv", test_last=50)
    assert found["test"].targets == [f"mot {n}" for n in range(550, 600)]
    assert len(found["train"]) + len(found["dev"]) == 550
    with pytest.raises(DataError, match="expected more than the 600 pairs that are held out as test, found 600"):
        splits(folder, train="a.tsv", test_last=600)


def test_samples_are_no_files_below_the_root(folder):
    assert len(splits(folder, train="sample:numbers/train", dev="sample:numbers/dev")["dev"]) == 580


def test_train_must_be_there(folder):
    with pytest.raises(ConfigError, match=r"data\.train: expected a path, found none"):
        splits(folder, dev="b.tsv")


def test_reading_imports_neither_tensorflow_nor_pandas(folder):
    check = (
        "import sys; from seqtag.seq2seq.data import inputs, inspection, load, reading; "
        "from seqtag.seq2seq.config import DataConfig; "
        f"load.load_splits(DataConfig(train={str(folder / 'a.tsv')!r})); "
        "print(*[name for name in ('tensorflow', 'keras', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
