"""Every command through the command line's own entry, on files of the user's."""

from __future__ import annotations

import json
import os

import pytest

from seqtag.cli import run
from seqtag.tagging.data.reader import SentenceReader

KEYS = ["tokens", "tags", "scores", "entities"]
ENTITY = ["type", "start", "end", "text", "score"]


@pytest.fixture
def said(capsysbinary):
    """`said("predict", ...)`: what a successful command prints."""

    def call(*arguments) -> str:
        code = run([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        assert code == 0, captured.err.decode()
        assert captured.err == b""
        return captured.out.decode()

    return call


@pytest.fixture
def unknown_types(job, tmp_path):
    """The dev file of `job` with a sentence of two entities whose type its training file does not have."""
    path = tmp_path / "unknown.tsv"
    path.write_text((job / "dev.tsv").read_text("utf-8") + "\nAcme\tB-ORG\nInc\tI-ORG\nBell\tB-ORG\n", "utf-8")
    return path


UNKNOWN = "warning: {}:153: found 3 tags (B-ORG 2, I-ORG 1) that training did not have; they count as missed"


def test_train_shows_the_report_and_progress_apart(job, tmp_path, capsys):
    arguments = ["train", str(job / "job.yaml"), "--set", "training.epochs=1", "--set", "training.row_l1=1"]
    assert run([*arguments, "--seed", "4", "--output", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr()
    assert "dev" in shown.out and "test" in shown.out and "run written to" in shown.out
    # A slow machine shows more lines between.
    begun, *_, line = shown.err.splitlines()
    assert "dev f1" in line
    assert begun == "epoch  1/1  building the graph" and "epoch  1/1" in line and "tokens/s" in line and "left" in line
    assert "seed: 4" in (tmp_path / "run" / "config.yaml").read_text()
    report = json.loads((tmp_path / "run" / "metrics.json").read_text())["train"]["sparsity"]
    [total] = [line.split() for line in shown.out.splitlines() if line.startswith("all ")]
    assert total == ["all", f"{report['parameters']:,}", f"{report['left']:,}", f"{report['share']:.1%}"]


def test_what_is_known_in_part_is_learnt_scored_and_kept_to(job, tmp_path, capsys):
    """Tags that are not known, weights and a gazetteer in training; then forced tags in a prediction."""
    text = (job / "train.tsv").read_text("utf-8")
    lines = [
        f"{line.partition(chr(9))[0]}\t?" if n % 3 == 1 and line else line for n, line in enumerate(text.split("\n"))
    ]
    half = tmp_path / "half.tsv"
    half.write_text("# weight = 2\n" + "\n".join(lines), "utf-8")
    names = tmp_path / "names.tsv"
    names.write_text("PER\tAnn\nLOC\tNew York\n", "utf-8")
    settings = {"data.train": half, "data.dev": half, "data.test": "null", "data.unknown_tag": "'?'"}
    settings |= {"data.comment_prefix": "'# '", "model.gazetteers": f"[{names}]", "model.tag_costs": "{PER: 1}"}
    arguments = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    assert run(["train", str(job / "job.yaml"), *arguments, "-o", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert run(["evaluate", str(tmp_path / "run"), str(half), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["tokens"] == sum(bool(line) and not line.endswith("?") for line in lines)
    words = tmp_path / "words.tsv"
    words.write_text("New\tB-LOC\nYork\t?\nis\tB-PER\n", "utf-8")
    assert run(["predict", str(tmp_path / "run"), str(words), "--forced", "-o", str(tmp_path / "tagged.tsv")]) == 0
    [first, _, last] = (tmp_path / "tagged.tsv").read_text("utf-8").splitlines()
    capsys.readouterr()
    assert (first, last) == ("New\tB-LOC", "is\tB-PER")
    words.write_text("New\tO\nYork\tI-LOC\n", "utf-8")
    assert run(["predict", str(tmp_path / "run"), str(words), "--forced"]) == 1
    assert capsys.readouterr().err == f"error: {words}:2: expected forced tags in IOB2, found 'I-LOC' after 'O'\n"


def test_several_seeds_report_mean_and_range(job, unknown_types, tmp_path, capsys):
    settings = ["training.epochs=1", "training.seeds=2", f"data.dev={unknown_types}", "data.test=null"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", str(job / "job.yaml"), *arguments, "-o", str(tmp_path / "run")]) == 0
    first, *progress = capsys.readouterr().err.splitlines()
    assert first == UNKNOWN.format(unknown_types), "warned of once"
    assert [line[:6] for line in progress if "dev f1" in line] == ["seed-1", "seed-2"], "the lines that stay"
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    spread = metrics["seeds"]["dev"]
    assert metrics["seeds"]["values"] == [1, 2]
    assert spread["min"] <= spread["mean"] <= spread["max"]
    assert metrics["dev"]["f1"] == spread["max"], "the best of them is kept"
    assert metrics["dev"]["per_type"]["ORG"] == {"precision": 0, "recall": 0, "f1": 0, "support": 2}


def test_tags_that_training_did_not_have_are_scored_as_missed(run_folder, unknown_types, job, tmp_path, capsys):
    assert run(["evaluate", str(run_folder), str(unknown_types), "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [UNKNOWN.format(unknown_types)]
    found = json.loads(shown.out)
    assert found["per_type"]["ORG"]["support"] == 2
    assert found["tokens"] == 132 + 3
    assert run(["gradients", str(run_folder), "--data", str(unknown_types), "-o", str(tmp_path / "flow")]) == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [UNKNOWN.format(unknown_types)]
    assert run(["inspect", str(job / "train.tsv"), str(unknown_types)]) == 0
    assert "and 3 tags (B-ORG 2, I-ORG 1)" in capsys.readouterr().out


def test_evaluate(run_folder, job, said):
    assert "accuracy" in said("evaluate", run_folder, job / "test.tsv")
    found = json.loads(said("evaluate", run_folder, job / "test.tsv", "--json"))
    kept = json.loads((run_folder / "metrics.json").read_text())["test"]
    assert found == kept


def test_predict_replaces_the_column_of_tags_and_nothing_else(run_folder, job, said):
    out = said("predict", run_folder, job / "test.tsv")
    content = (job / "test.tsv").read_text()
    assert [line.split("\t")[0] for line in out.split("\n")] == [line.split("\t")[0] for line in content.split("\n")]
    assert all(line.count("\t") == 1 for line in out.splitlines() if line)


def test_a_file_of_another_layout_and_encoding_than_the_runs(run_folder, job, tmp_path, said, capsysbinary):
    rows = [line.split("\t") for line in (job / "test.tsv").read_text("utf-8").splitlines()]
    other = tmp_path / "other.conll"
    lines = [f"{tag} x {token} {number}" if token else "" for number, (token, tag) in enumerate(map(padded, rows))]
    other.write_text("\n".join(lines), "latin-1")
    options = ["--layout", "conll2003", "--token-column", "3", "--tag-column", "1", "--encoding", "latin-1"]
    assert said("evaluate", run_folder, other, *options) == said("evaluate", run_folder, job / "test.tsv")
    expected = [line.split("\t")[-1] for line in said("predict", run_folder, job / "test.tsv").splitlines()]
    assert run(["predict", str(run_folder), str(other), *options]) == 0
    tagged = capsysbinary.readouterr().out.decode("latin-1").splitlines()
    assert [line.split(" ")[0] for line in tagged] == expected
    assert [line.split(" ")[1:] for line in tagged] == [line.split(" ")[1:] for line in lines]
    (tmp_path / "raw.txt").write_bytes("Ærø\n".encode("latin-1"))
    assert said("predict", run_folder, tmp_path / "raw.txt", "--text", "--encoding", "latin-1").startswith("Ærø\t")


def padded(row: list[str]) -> tuple[str, str]:
    token, tag = row if len(row) == 2 else ("", "")
    return token, tag


def test_predict_adds_the_column_where_there_is_none(run_folder, tmp_path, said):
    path = tmp_path / "bare.txt"
    path.write_bytes("\ufeffAnn\r\nmet\r\n\r\n\r\nÆrø\r\n".encode())
    out = said("predict", run_folder, path)
    assert [line.split("\t")[0] for line in out.split("\r\n")] == ["\ufeffAnn", "met", "", "", "Ærø", ""]
    assert [line.count("\t") for line in out.split("\r\n")] == [1, 1, 0, 0, 1, 0]


def test_predict_from_standard_input_and_into_a_file(run_folder, job, tmp_path, said, monkeypatch):
    expected = said("predict", run_folder, job / "test.tsv")
    with (job / "test.tsv").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert said("predict", run_folder, "-") == expected
    assert said("predict", run_folder, job / "test.tsv", "-o", tmp_path / "out.tsv") == ""
    assert (tmp_path / "out.tsv").read_bytes().decode() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["out.tsv"]


def test_predict_into_a_device_leaves_the_device(run_folder, job, tmp_path, said):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    expected = said("predict", run_folder, job / "test.tsv")
    said("predict", run_folder, job / "test.tsv", "-o", tmp_path / "pipe")
    assert os.read(reader, 1 << 16).decode() == expected
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_json_lines_of_columns(run_folder, job, said):
    records = [
        json.loads(line) for line in said("predict", run_folder, job / "test.tsv", "--format", "jsonl").splitlines()
    ]
    sentences = list(SentenceReader(job / "test.tsv"))
    assert [record["tokens"] for record in records] == [sentence.tokens for sentence in sentences]
    entities = [entity for record in records for entity in record["entities"]]
    assert entities
    for record in records:
        assert list(record) == KEYS
        assert len(record["tags"]) == len(record["scores"]) == len(record["tokens"])
        for entity in record["entities"]:
            assert list(entity) == ENTITY
            assert " ".join(record["tokens"][entity["start"] : entity["end"]]) == entity["text"]
            assert 0 < entity["score"] <= 1


def test_json_lines_of_text_have_places_in_the_line(run_folder, tmp_path, said):
    lines = ["Ann met Bo  in New  York, Paris.", "", "Ærø saw Cy"]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n")
    records = [
        json.loads(line)
        for line in said("predict", run_folder, tmp_path / "in.txt", "--text", "--format", "jsonl").splitlines()
    ]
    assert [bool(record["tokens"]) for record in records] == [True, False, True]
    assert any(record["entities"] for record in records)
    for line, record in zip(lines, records, strict=True):
        assert list(record) == KEYS
        for entity in record["entities"]:
            assert list(entity) == [*ENTITY[:4], "char_start", "char_end", "score"]
            assert line[entity["char_start"] : entity["char_end"]] == entity["text"]


def test_text_as_text_and_as_columns(run_folder, tmp_path, said):
    (tmp_path / "in.txt").write_text("Ann met Bo.\n\nshort\n")
    out = said("predict", run_folder, tmp_path / "in.txt", "--text", "--format", "text").splitlines()
    assert len(out) == 3 and out[1] == ""
    assert "Ann" in out[0] and "met Bo" in out[0].replace("[", "")
    rows = said("predict", run_folder, tmp_path / "in.txt", "--text").split("\n")
    assert [row.split("\t")[0] for row in rows] == ["Ann", "met", "Bo", ".", "", "", "short", "", ""]


def test_columns_keep_the_encoding_of_the_runs_files(job, run_folder, tmp_path, capsysbinary):
    for split in ("train", "dev"):
        (tmp_path / f"{split}.tsv").write_bytes((job / f"{split}.tsv").read_text().encode("latin-1"))
    settings = [f"data.root={tmp_path}", "data.test=null", "data.encoding=latin-1", "training.epochs=1"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", str(job / "job.yaml"), *arguments, "-o", str(tmp_path / "run")]) == 0
    capsysbinary.readouterr()
    assert run(["predict", str(tmp_path / "run"), str(tmp_path / "dev.tsv")]) == 0
    out = capsysbinary.readouterr().out
    words = [line.split(b"\t")[0] for line in out.split(b"\n")]
    assert words == [line.split(b"\t")[0] for line in (tmp_path / "dev.tsv").read_bytes().split(b"\n")]
    assert "Ærø".encode("latin-1") in words
    assert run(["predict", str(tmp_path / "run"), str(tmp_path / "dev.tsv"), "--format", "jsonl"]) == 0
    assert "Ærø" in capsysbinary.readouterr().out.decode("utf-8")


def test_inspect(job, said):
    assert "IOB2" in said("inspect", job / "train.tsv", job / "dev.tsv")
    assert json.loads(said("inspect", job / "train.tsv", "--json"))


def test_help_names_every_command(said):
    out = said("--help")
    assert all(command in out for command in ("train", "evaluate", "predict", "export", "inspect", "--debug"))
    assert "--resume" in said("train", "--help")
