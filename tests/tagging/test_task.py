"""Faults of the data are told before TensorFlow is imported, which takes seconds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from seqtag.cli import run

# Runs a command and says which of the slow packages it imported.
COMMAND = """
import sys
from seqtag.cli import run
code = run(sys.argv[1:])
print(code, *[name for name in ("tensorflow", "keras") if name in sys.modules])
"""


def refused(*arguments) -> tuple[str, str]:
    """The exit code with the slow packages that were imported, and the error line, of a command in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip(), done.stderr.strip()


@pytest.fixture
def unknown(tmp_path):
    """A file of other tags than spans."""
    path = tmp_path / "unknown.tsv"
    path.write_text("it\tO\n\nAcme\tNOUN\n")
    return path


@pytest.mark.parametrize("command", [["evaluate"], ["gradients", "--data"]], ids=lambda words: words[0])
def test_a_file_for_a_run(run_folder, unknown, tmp_path, command):
    name, *option = command
    answer, line = refused(name, run_folder, *option, unknown)
    assert answer == "1"
    assert line == f"error: {unknown}:3: expected O or a tag such as B-LOC, found 'NOUN'"
    answer, line = refused(name, run_folder, *option, tmp_path / "none.tsv")
    assert answer == "1" and "none.tsv: expected a readable file" in line


@pytest.mark.parametrize(
    ("options", "content", "fault"),
    [
        ([], b"Ann\tO\n\nBo\tO\tO\n", ":3: expected 2 columns, found 3"),
        ([], "Ærø\tO\n".encode("latin-1"), ":1: expected utf-8, found byte 0xc6 .*; use --encoding"),
        (["--tag-column", "ner"], b"Ann\tO\n", ": expected column 'ner', found columns token, tag; use --tag-column"),
        (["--text"], "Ærø\n".encode("latin-1"), ":1: expected utf-8, found byte 0xc6 .*; use --encoding"),
    ],
)
def test_a_file_to_be_tagged(run_folder, tmp_path, options, content, fault):
    path = tmp_path / "new.tsv"
    path.write_bytes(content)
    answer, line = refused("predict", run_folder, path, *options)
    assert answer == "1"
    assert re.fullmatch(f"error: {path}{fault}", line), line


def test_raw_text_has_no_columns(run_folder, tmp_path):
    answer, line = refused("predict", run_folder, tmp_path, "--text", "--layout", "conllu")
    assert (answer, line) == ("2", "error: --layout: expected a file of columns, found --text, for raw text")


def test_only_json_lines_hold_candidates(run_folder, tmp_path):
    answer, line = refused("predict", run_folder, tmp_path, "--n-best", 3)
    wanted = "--n-best: expected --format jsonl, which has room for several answers, found columns"
    assert (answer, line) == ("2", f"error: {wanted}")


def test_a_page_is_a_new_file(run_folder, job, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    answer, line = refused("evaluate", run_folder, job / "dev.tsv", "--html", page)
    wanted = f"{page}: expected no file of this name, found one; choose another name or remove it"
    assert (answer, line) == ("1", f"error: {wanted}")
    assert page.read_text() == "old"


def told(page) -> list[dict]:
    """The sentences that a page holds."""
    [data] = re.findall('<script type="application/json" id="data">(.*)</script>', page.read_text(encoding="utf-8"))
    [of_column] = json.loads(data)
    return of_column["rows"]


def test_a_page_shows_what_the_report_says(run_folder, job, tmp_path, capsys):
    page = tmp_path / "page.html"
    arguments = ["evaluate", str(run_folder), str(job / "dev.tsv"), "--json"]
    assert run([*arguments, "--html", str(page)]) == 0
    metrics = json.loads(capsys.readouterr().out)
    text, rows = page.read_text(encoding="utf-8"), told(page)
    assert len(rows) == metrics["sentences"] == 20 and f"<strong>{metrics['f1']:.2%}</strong> F1" in text
    assert text.count("<figure>") == 4  # of tags, of entities, of dev, of the loss
    counts = Counter(kind for row in rows for kind, *_ in row["errors"])
    assert set(counts) == {kind for kind, count in metrics["errors"].items() if count}
    assert list(tmp_path.iterdir()) == [page]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out) == metrics


def test_a_training_leaves_a_page_of_dev(run_folder):
    page = run_folder / "report.html"
    text = page.read_text(encoding="utf-8")
    scores = json.loads((run_folder / "metrics.json").read_text())
    assert all(f"<strong>{scores[split]['f1']:.2%}</strong> F1" in text for split in ("dev", "test"))
    assert len(told(page)) == scores["dev"]["sentences"] and "<h1>dev.tsv</h1>" in text


def test_a_test_file_is_checked_before_training(job, unknown, tmp_path):
    answer, line = refused("train", job / "job.yaml", "--set", f"data.test={unknown}", "-o", tmp_path / "run")
    assert answer == "1" and f"{unknown}:3: expected O or a tag such as B-LOC" in line
    assert not list(tmp_path.glob("run*"))


def test_a_measure_is_checked_before_training(job, unknown, tmp_path):
    settings = ["data.scheme=none", "evaluation.measure=f1"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    answer, line = refused("train", job / "job.yaml", *arguments, "-o", tmp_path / "run")
    assert answer == "2" and "evaluation.measure: expected accuracy for plain labels" in line
