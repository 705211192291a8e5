"""`seqtag curve`: nested shares, each a run of its own, which is trained once."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import pairwise

import pytest

from seqtag import Tagger
from seqtag.cli import run
from seqtag.errors import RunError
from seqtag.tagging import task
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, load_corpus
from seqtag.tagging.data.shares import share_of
from seqtag.tagging.learning_curve import LearningCurve
from seqtag.tagging.task import evaluate
from seqtag.training.checkpoint import Checkpoint

QUICK = ["--set", "training.epochs=1", "--set", "training.tensorboard=false"]


@pytest.fixture(scope="module")
def folder(job, tmp_path_factory):
    """The folder of a finished curve."""
    folder = tmp_path_factory.mktemp("curve") / "curve"
    assert run(["curve", str(job / "job.yaml"), "--fractions", "1,.25", "-o", str(folder), *QUICK]) == 0
    return folder


def again(job, folder, capsys, *arguments):
    assert run(["curve", str(job / "job.yaml"), "-o", str(folder), "--json", *arguments]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def test_shares_are_nested_and_keep_the_order(job):
    corpus = load_corpus(str(job / "train.tsv"))
    places = [[lines[0] for lines in share_of(corpus, fraction, 3).lines] for fraction in (0.001, 0.3, 0.5, 1)]
    assert list(map(len, places)) == [1, 18, 30, 60]
    for smaller, larger in pairwise(places):
        assert set(smaller) < set(larger) and larger == sorted(larger)
    assert share_of(corpus, 0.3, 4).lines != share_of(corpus, 0.3, 3).lines


def test_shares_of_whole_documents():
    sentences = [([str(n)], ["O"]) for n in range(60)]
    corpus = load_corpus(sentences, ReadingOptions(documents=4))
    shares = [share_of(corpus, fraction, 3, whole_documents=True) for fraction in (0.001, 0.3, 0.5, 1)]
    assert list(map(len, shares)) == [4, 20, 32, 60]
    for share in shares:
        assert all(share.documents.count(number) == 4 for number in share.documents)
        assert share.documents == sorted(share.documents)
    for smaller, larger in pairwise(shares):
        assert set(smaller.documents) < set(larger.documents)
    # Sentences in no document are drawn one by one.
    alone = load_corpus(sentences)
    assert share_of(alone, 0.3, 3, whole_documents=True).tokens == share_of(alone, 0.3, 3).tokens


def test_points_are_the_dev_scores_of_the_runs(job, folder, capsys, monkeypatch):
    monkeypatch.delattr(task, "train")  # nothing is trained twice
    found, told = again(job, folder, capsys, "--fractions", ".25,1", *QUICK)
    assert found["measure"] == "f1" and told.count("trained before") == 2
    part, whole = found["points"]
    assert (part["sentences"], whole["sentences"], whole["fraction"]) == (15, 60, 1.0)
    for point, name in ((part, "0.25"), (whole, "1")):
        assert point["score"] == point["lowest"] == pytest.approx(evaluate(folder / name, str(job / "dev.tsv")).f1)
        assert "test" not in json.loads((folder / name / "metrics.json").read_text())
    with (folder / "curve.csv").open() as file:
        assert [float(row["score"]) for row in csv.DictReader(file)] == [part["score"], whole["score"]]
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_curve_is_that_of_one_column(tmp_path):
    columns = {"f1": 0.5, "columns": {"FEATS": {"f1": 0.75}}}
    one_seed = {"dev": columns}
    spread = {name: {"scores": scores} for name, scores in (("UPOS", [0.1, 0.2]), ("FEATS", [0.3, 0.4]))}
    seeds = {"dev": columns, "seeds": {"dev": {"scores": [0.8, 0.9], "columns": spread}}}
    alone = {"dev": columns, "seeds": {"dev": {"scores": [0.8, 0.9]}}}
    for column, metrics, scores in (
        *((None, one_seed, [0.5]), ("FEATS", one_seed, [0.75])),
        *((None, seeds, [0.1, 0.2]), ("FEATS", seeds, [0.3, 0.4]), (None, alone, [0.8, 0.9])),
    ):
        (tmp_path / "metrics.json").write_text(json.dumps(metrics | {"train": {"seconds": 1}}))
        curve = LearningCurve("f1", column)
        assert curve.add(tmp_path, 0.5, TaggedCorpus([["a"]])).scores == scores
    assert "dev F1  seconds" in curve.to_text() and "dev F1 of X  " in replace(curve, column="X").to_text()
    with pytest.raises(RunError, match="expected the scores of a tagger, found a fault: KeyError"):
        LearningCurve("f1", "XPOS").add(tmp_path, 0.5, TaggedCorpus([["a"]]))


def test_the_estimator_takes_the_same_share(job, folder, monkeypatch):
    class Asked(Exception):
        pass

    def fit(train, *rest, **options):
        raise Asked(train.lines)

    monkeypatch.setattr("seqtag.tagging.tagger.fit_tagging_model", fit)
    with pytest.raises(Asked) as asked:
        Tagger.load(folder / "0.25").fit(str(job / "train.tsv"), validation_data=str(job / "dev.tsv"))
    assert asked.value.args[0] == share_of(load_corpus(str(job / "train.tsv")), 0.25, seed=1).lines


def test_an_interrupted_curve_goes_on(job, folder, tmp_path, capsys, monkeypatch):
    save = Checkpoint.save

    def save_and_interrupt(self):
        save(self)
        raise KeyboardInterrupt

    arguments = ["curve", str(job / "job.yaml"), "--fractions", ".25", "-o", str(tmp_path / "new"), *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_interrupt)
        assert run(arguments) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: interrupted; the same command goes on from there"
    found, _ = again(job, tmp_path / "new", capsys, "--fractions", ".25", *QUICK)
    whole, _ = again(job, folder, capsys, "--fractions", ".25", *QUICK)
    assert found["points"][0]["score"] == whole["points"][0]["score"]


@pytest.mark.parametrize(("fractions", "found"), [("0,1", "'0'"), (".1,1.5", "'1.5'"), ("nan", "'nan'"), ("a", "'a'")])
def test_a_share_out_of_range_is_one_line(job, tmp_path, refused, fractions, found):
    told = refused(2, "curve", job / "job.yaml", "--fractions", fractions, "-o", tmp_path / "new")
    assert told == f"--fractions: expected numbers above 0 and up to 1, such as .1,.3,1, found {found}"
    assert not list(tmp_path.iterdir())


def test_what_is_there_already(job, folder, run_folder, capsys, refused):
    assert "found a run" in refused(1, "curve", job / "job.yaml", "-o", run_folder)
    assert run(["curve", str(job / "job.yaml"), "--fractions", "1", "-o", str(folder)]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    wanted = "expected the configuration of this curve, found another; choose another --output"
    assert line == f"error: {folder / '1' / 'config.yaml'}: {wanted}"
