"""`seqtag doubts`: gold tags that were made wrong are found, each as a whole, worst first."""

from __future__ import annotations

import csv
import json

import pytest

from seqtag import Tagger
from seqtag.cli import run
from seqtag.tagging.data.corpus import TaggedCorpus, load_corpus
from seqtag.tagging.doubts import cross_validation
from seqtag.tagging.doubts.folds import folds_of
from seqtag.tagging.doubts.readings import judge_gold

# Sentences of the file, and what is made wrong there.
WRONG = {8: "missed", 20: "type", 33: "boundary", 47: "spurious"}


def made_wrong(kind: str, tags: list[str]) -> tuple[list[str], int]:
    """The tags of a sentence such as Ann saw New York Paris with an error, and the token where it begins."""
    place = tags.index("B-LOC")
    return {
        "missed": (["O", *tags[1:]], 0),
        "type": (["B-LOC", *tags[1:]], 0),
        "boundary": ([*tags[: place - 1], "B-LOC", "I-LOC", *tags[place + 1 :]], place - 1),
        "spurious": ([tags[0], "B-PER", *tags[2:]], 1),
    }[kind]


@pytest.fixture(scope="module")
def noisy(sentences, tmp_path_factory):
    """A file with errors, and the lines where the wrong entities begin."""
    rows, lines = [], set()
    for number, (tokens, tags) in enumerate(sentences):
        if number in WRONG:
            tags, start = made_wrong(WRONG[number], tags)
            lines.add(len(rows) + 1 + start)
        rows += [f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)] + ["\n"]
    path = tmp_path_factory.mktemp("noisy") / "noisy.tsv"
    path.write_text("".join(rows), encoding="utf-8")
    return path, lines


def doubts(capsys, *arguments):
    assert run(["doubts", *map(str, arguments)]) == 0
    return capsys.readouterr()


def test_errors_are_found_by_models_of_other_folds(run_folder, noisy, tmp_path, capsys):
    path, lines = noisy
    captured = doubts(capsys, run_folder, path, "--folds", 2, "--json", "-o", tmp_path / "doubts.csv")
    found = json.loads(captured.out)
    assert {row["line"] for row in found["worst"][: len(lines)]} == lines
    assert "fold 1/2 epoch" in captured.err and "fold 2/2 epoch" in captured.err
    with (tmp_path / "doubts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    margins = [float(row["gold_probability"]) - float(row["model_probability"]) for row in rows]
    assert len(rows) == found["doubts"] and margins == sorted(margins)


@pytest.fixture
def fits(run_folder, monkeypatch):
    """The sentences that each model of a fold was trained on; a run stands for all of them, which takes no time."""
    model, fitted = Tagger.load(run_folder).model_, []

    def fit(train, dev, *rest, **options):
        fitted.append(train.tokens + dev.tokens)
        return model, None

    monkeypatch.setattr(cross_validation, "fit_tagging_model", fit)
    return fitted


def test_an_interrupted_command_goes_on_after_the_last_whole_fold(
    run_folder, noisy, fits, tmp_path, capsys, monkeypatch
):
    run_copy = tmp_path / "run"
    run_copy.symlink_to(run_folder)
    arguments = run_copy, noisy[0], "--folds", 3, "-o", tmp_path / "doubts.csv"
    doubts(capsys, *arguments)
    whole = (tmp_path / "doubts.csv").read_bytes()
    assert len(fits) == 3 and sorted(path.name for path in tmp_path.iterdir()) == ["doubts.csv", "run"]

    def interrupted(model, corpus, fold):
        if len(fits) == 5:
            raise KeyboardInterrupt
        return judge_gold(model, corpus, fold)

    with monkeypatch.context() as patch:
        patch.setattr(cross_validation, "judge_gold", interrupted)
        assert run(["doubts", *map(str, arguments)]) == 1
    assert capsys.readouterr().err.endswith("error: interrupted; the same command goes on after the last whole fold\n")
    assert len(fits) == 5 and (tmp_path / "doubts.csv").read_bytes() == whole
    # Other folds, and another file, have nothing to do with what was interrupted.
    doubts(capsys, run_copy, noisy[0], "--folds", 2)
    other = tmp_path / "other.tsv"
    other.write_text(noisy[0].read_text("utf-8").replace("Cy\tB-PER", "Cy\tO"), "utf-8")
    doubts(capsys, run_copy, other, "--folds", 3)
    assert len(fits) == 10
    captured = doubts(capsys, *arguments)
    assert "fold 1/3: judged before" in captured.err and fits[10:] == fits[1:3]
    assert (tmp_path / "doubts.csv").read_bytes() == whole
    assert not (tmp_path / "doubts.partial").exists()


def test_a_file_that_cannot_be_written_is_a_fault_before_the_first_fold(run_folder, noisy, fits, tmp_path, refused):
    told = refused(1, "doubts", run_folder, noisy[0], "-o", tmp_path / "none" / "doubts.csv")
    assert told == f"{tmp_path / 'none'}: expected a folder to write to, found none" and not fits


def test_the_run_itself_is_asked_without_folds(run_folder, noisy, capsys):
    path, lines = noisy
    first, *told, last = doubts(capsys, run_folder, path, "--folds", 0, "--limit", 2).out.splitlines()
    assert first.endswith("likely errors") and last.startswith("and ") and len(told) == 2
    for line in told:
        assert line.startswith(f"{path}:") and "likelier" in line
        assert int(line.removeprefix(f"{path}:").partition(":")[0]) in lines


def test_probabilities_are_those_of_the_model(run_folder, noisy):
    model, corpus = Tagger.load(run_folder).model_, load_corpus(str(noisy[0]))
    numbers = list(range(0, len(corpus), 3))
    judged = judge_gold(model, corpus, numbers)
    labels = [model.codec.encode(tags) for tags in corpus.tags]
    # A softmax scores each tag alone, and the constraints hold: a reading of one token is as probable as its tag.
    marginals = model.probabilities(corpus.inputs)
    assert judged.places and {place.sentence for place in judged.places} <= set(numbers)
    for sentence, start, end, gold, own in judged.places:
        assert gold.spans != own.spans and 0 <= gold.probability <= 1 and 0 < own.probability <= 1
        if end - start == 1:
            of_gold = marginals[sentence][start, labels[sentence][start]]
            assert gold.probability == pytest.approx(of_gold, rel=1e-3, abs=1e-6)
    entities = sum(tag.startswith("B-") for n in numbers for tag in corpus.tags[n])
    assert sum(len(values) for kind, values in judged.trust.items() if kind != "O") == entities
    assert len(judged.trust["O"]) == sum(tag == "O" for n in numbers for tag in corpus.tags[n])


def test_what_is_not_known_is_not_judged(run_folder):
    model = Tagger.load(run_folder).model_
    tokens = [["Ann", "saw", "Paris", "."]]

    def places(*tags):
        judged = judge_gold(model, TaggedCorpus(tokens, [list(tags)]), [0])
        return {(place.start, place.end) for place in judged.places}, judged.unjudged

    assert places("O", "O", "O", "O") == ({(0, 1), (2, 3)}, 0)
    assert places("O", "O", "", "O") == ({(0, 1)}, 0)
    assert places("O", "O", "B-ORG", "O") == ({(0, 1)}, 1)


def test_folds_hold_every_sentence_once_and_the_same_words_together():
    tokens = [[word] for word in "abcdefghij" * 3]
    corpus = TaggedCorpus(tokens, tokens, documents=[n // 4 for n in range(len(tokens))])
    for fold in folds_of(corpus, 3, seed=2, whole_documents=True):
        inside = {corpus.documents[n] for n in fold}
        assert fold == [n for n, number in enumerate(corpus.documents) if number in inside]
    folds = folds_of(TaggedCorpus(tokens, tokens), 3, seed=2)
    assert sorted(n for fold in folds for n in fold) == list(range(30))
    letters = [{n % 10 for n in fold} for fold in folds]
    assert not letters[0] & letters[1] and not letters[0] & letters[2] and not letters[1] & letters[2]


def test_faults_are_one_line(run_folder, noisy, tmp_path, refused):
    path, _ = noisy
    assert refused(2, "doubts", run_folder, path, "--folds", 1).startswith("--folds: expected 2 at least, or 0")
    assert refused(2, "doubts", run_folder, path, "--folds", 99).startswith("--folds: expected 10 sentences outside")
    assert "none.tsv: expected a readable file" in refused(1, "doubts", run_folder, tmp_path / "none.tsv")
    bad = tmp_path / "bad.tsv"
    bad.write_text("Ann\tB-PER\nsat\tO\n\nBo\tNOUN\n\n" * 9)
    for folds in (0, 2):
        assert refused(1, "doubts", run_folder, bad, "--folds", folds).startswith(f"{bad}:4: expected ")
