"""What reaches a terminal is escaped; what reaches a file or a pipe comes as it was."""

from __future__ import annotations

import io
import json
import sys

import pytest
from rich.console import Console

from seqtag.cli import run
from seqtag.data.series.files import read_series
from seqtag.data.series.frames import csv_text
from seqtag.files.writing import output_file
from seqtag.runs.summary import show_part
from seqtag.tagging.evaluation.labels import evaluate_labels
from seqtag.tagging.evaluation.spans import evaluate_spans

EVIL = "\x1b]0;title\x07\u202e\x9b2J\x0c"
PARTS = [f"Ærø{EVIL}\tB-LOC\n".encode(), b"\xff\r\n"]


class Stdout(io.TextIOWrapper):
    def __init__(self, terminal: bool) -> None:
        super().__init__(io.BytesIO(), "utf-8")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def write_parts(target):
    with output_file(target) as write:
        for part in PARTS:
            write(part)


@pytest.mark.parametrize("terminal", [True, False])
def test_answers(monkeypatch, terminal, tmp_path):
    monkeypatch.setattr(sys, "stdout", Stdout(terminal))
    write_parts(None)
    written = sys.stdout.buffer.getvalue()
    escaped = "Ærø\\x1b]0;title\\x07\\u202e\\x9b2J\\x0c\tB-LOC\n\\xff\n".encode()
    assert written == (escaped if terminal else b"".join(PARTS))
    write_parts(tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"".join(PARTS)


@pytest.mark.parametrize("as_json", [False, True])
def test_inspection(tmp_path, capsys, as_json):
    path = tmp_path / f"{EVIL.replace('/', '')}.tsv"
    path.write_text(f"a\tB-{EVIL}\nb\tI-x{EVIL}\n\n", encoding="utf-8")
    assert run(["inspect", str(path), *(["--json"] if as_json else [])]) == 0
    text = capsys.readouterr().out
    assert all(line.isprintable() for line in text.split("\n"))
    if as_json:
        [report] = json.loads(text)["files"]
        assert report["path"] == str(path) and report["tags"] == {f"B-{EVIL}": 1, f"I-x{EVIL}": 1}


def test_series_with_odd_names(tmp_path, capsys):
    path = tmp_path / "series.csv"
    path.write_text("unique_id,ds,y\n" + "".join(f"a{EVIL},{n},5\n" for n in range(9)), encoding="utf-8")
    assert run(["inspect", str(path)]) == 0
    assert "constant series: 1 (a\\x1b]0;title" in capsys.readouterr().out


@pytest.mark.parametrize("text", [f"x\tO\ny\tB-{EVIL}\nz\tO\tO\n", f"x{EVIL}\n"])
def test_errors(tmp_path, capsys, text):
    path = tmp_path / f"bad{EVIL}"
    path.write_text(text, encoding="utf-8")
    assert run(["inspect", str(path), "--layout", "tsv"]) in (0, 1)
    assert run(["inspect", f"no{EVIL}such"]) == 1
    assert run([f"{EVIL}"]) == 2
    captured = capsys.readouterr()
    assert all(line.isprintable() for line in (captured.out + captured.err).split("\n"))


def test_scores_and_summaries():
    tags = [[f"B-{EVIL}", "O", "B-[red]:smile:"]]
    for report in (evaluate_spans(tags, tags, "IOB2"), evaluate_labels(tags, tags)):
        console = Console(file=io.StringIO(), soft_wrap=True, highlight=False)
        show_part(console, "dev", report.to_text())
        shown = console.file.getvalue()
        assert all(line.isprintable() for line in shown.split("\n"))
        assert "\\x1b]0;title" in shown and "[red]:smile:" in shown
        table = report.to_text().split("\n\n")[1].split("\n")
        assert len(set(map(len, table))) == 1


def test_csv_keeps_carriage_returns(tmp_path):
    """pandas quotes no carriage return, at which its own reader ends a row."""
    import pandas as pd

    names = ["a\rb", "c\x0cd", "e\x85\u2028", '"f"', "g,h"]
    frame = pd.DataFrame({"unique_id": names * 2, "ds": [1] * 5 + [2] * 5, "y": range(10)})
    path = tmp_path / "series.csv"
    path.write_bytes(csv_text(frame, index=False).encode())
    assert read_series(path).ids.tolist() == names
