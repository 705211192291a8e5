"""Files that are answered, through the command line."""

from __future__ import annotations

import json
import warnings

import pytest

from seqtag.cli import run
from seqtag.errors import DataWarning
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.model import Seq2SeqModel

CONLLU = """# sent_id = 1
# text = They saw mice don't
1\tThey\tthey\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2\tsaw\t_\tVERB\tVBD\tTense=Past\t0\troot\t_\tSpaceAfter=No
3-4\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
3\tdo\t?\tAUX\tVB\t_\t2\taux\t_\t_
4\tn't\t\tPART\tRB\t_\t2\tadvmod\t_\t_
4.1\tghost\tghost\tVERB\t_\t_\t_\t_\t_\t_

1\tÆrø\tx\tPROPN\tNNP\t_\t0\troot\t_\t_

"""


@pytest.fixture
def said(capsysbinary):
    """`said("predict", ...)`: what a successful command prints."""

    def call(*arguments) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            code = run([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        assert code == 0, captured.err.decode()
        return captured.out.decode()

    return call


def stored(model, folder):
    """The run of a model."""
    folder.mkdir()
    model.save(folder)
    (folder / "config.yaml").write_text("task: seq2seq\n")
    (folder / "metrics.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def model(reversal_run):
    return Seq2SeqModel.load(reversal_run)


@pytest.fixture
def sources(tmp_path):
    """A file of sources, one of them blank, one of symbols never seen."""
    path = tmp_path / "sources.txt"
    path.write_text("ab\n\ncab\nxyz\n", "utf-8")
    return path


def test_text_and_json_are_the_models_answers(reversal_run, model, sources, tmp_path, said):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        wanted = model.answer(Pairs(["ab", "", "cab", "xyz"]), n_best=2)
    text = said("predict", reversal_run, sources)
    assert text.split("\n") == [*(answer.target for answer in wanted), ""]
    lines = [
        json.loads(line)
        for line in said("predict", reversal_run, sources, "--format", "jsonl", "--n-best", "2").splitlines()
    ]
    assert [line["source"] for line in lines] == ["ab", "", "cab", "xyz"]
    for line, answer in zip(lines, wanted, strict=True):
        found = [(candidate["target"], candidate["score"]) for candidate in line["candidates"]]
        assert found == [
            (candidate.target, pytest.approx(candidate.score, rel=1e-4)) for candidate in answer.candidates
        ]
        assert (line["target"], line["score"]) == found[0]
    assert lines[1]["candidates"] == [{"target": "", "score": 1.0}]
    assert said("predict", reversal_run, sources, "-o", tmp_path / "out.txt") == ""
    assert (tmp_path / "out.txt").read_text("utf-8") == text


def test_the_columns_of_a_file_of_pairs(reversal, reversal_run, sources, said, tmp_path):
    wanted = said("predict", reversal_run, reversal / "test.tsv").splitlines()
    assert len(wanted) == len((reversal / "test.tsv").read_text().splitlines())
    rows = [line.split("\t") for line in (reversal / "test.tsv").read_text().splitlines()]
    (tmp_path / "turned.tsv").write_text("".join(f"{target};{source}\n" for source, target in rows))
    options = ["--source-column", "2", "--target-column", "1", "--separator", ";"]
    assert said("predict", reversal_run, tmp_path / "turned.tsv", *options).splitlines() == wanted
    scores = [said("evaluate", reversal_run, reversal / "test.tsv", "--json")]
    scores.append(said("evaluate", reversal_run, tmp_path / "turned.tsv", "--json", *options))
    assert json.loads(scores[0]) == json.loads(scores[1])


def test_a_picture_of_attention_beside_the_answers(reversal_run, sources, said, tmp_path):
    assert said("predict", reversal_run, sources, "--attention", tmp_path / "a.png") == said(
        "predict", reversal_run, sources
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "sources.txt"]


def test_the_picture_of_a_run_without_attention_is_refused(unfitted, sources, refused, tmp_path):
    folder = stored(unfitted(Pairs(["ab"], ["ba"]), attention=None), tmp_path / "run")
    told = refused(2, "predict", folder, sources, "--attention", tmp_path / "a.png")
    assert told == "--attention: expected a run with attention, found one without"
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lemmas_are_filled_in_and_all_else_is_as_it_was(unfitted, said, tmp_path, ends):
    train = Pairs(
        ["They", "saw", "do", "n't"], ["they", "see", "do", "not"], [("PRON",), ("VERB",), ("AUX",), ("PART",)]
    )
    model = unfitted(train, dictionary=True, max_length=4)
    model.data = DataConfig(layout="conllu")
    folder = stored(model, tmp_path / "run")
    path = tmp_path / "words.conllu"
    path.write_bytes(CONLLU.replace("\n", ends).encode())
    out = said("predict", folder, path)
    before, after = CONLLU.split("\n"), out.split(ends)
    assert len(before) == len(after)
    lemmas = {}
    for old, new in zip(before, after, strict=True):
        fields, filled = old.split("\t"), new.split("\t")
        assert fields[:2] == filled[:2] and fields[3:] == filled[3:]
        if fields[0].isdecimal():
            lemmas[fields[1]] = filled[2]
        else:
            assert old == new
    assert {form: lemmas[form] for form in ("They", "saw", "do", "n't")} == {
        "They": "they",
        "saw": "see",
        "do": "do",
        "n't": "not",
    }
    assert lemmas["Ærø"]
