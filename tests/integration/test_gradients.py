"""`seqtag gradients` through the command line's own entry."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from seqtag.cli import run
from seqtag.tagging.model import TaggingModel

FILES = ["flow.png", "jacobians.png", "norms.csv", "summary.csv"]


@pytest.fixture
def copied_run(run_folder, tmp_path):
    return shutil.copytree(run_folder, tmp_path / "run")


def test_figures_and_tables_go_into_the_run_and_a_summary_to_standard_output(copied_run, capsys):
    assert run(["gradients", str(copied_run)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    title, header, *rows = shown.out.splitlines()
    assert title.startswith("sentences: 20, of 1 to ") and "loss" in title
    assert header.split()[:3] == ["layer", "direction", "steps"]
    assert [row.split()[:2] for row in rows] == [["recurrent_0", "forward"], ["recurrent_0", "backward"]]
    assert sorted(path.name for path in (copied_run / "gradients").iterdir()) == FILES
    norms, summary = (pd.read_csv(copied_run / "gradients" / name) for name in FILES[2:])
    forward = norms[norms["direction"] == "forward"]
    np.testing.assert_array_equal(forward["step"], np.arange(len(forward)))
    assert np.all(norms["norm"] > 0) and np.all(norms["cell_norm"] > 0)
    assert summary["first"][0] == pytest.approx(forward["norm"].iloc[0])
    assert np.all((summary["reach"] >= 0) & (summary["reach"] < summary["steps"]))
    kernel = TaggingModel.load(copied_run).network.stack[0].backward_layer.cell.recurrent_kernel
    assert summary["alpha"][1] == pytest.approx(np.linalg.norm(kernel.numpy(), 2), rel=1e-5)
    for name in FILES[:2]:
        assert min(imread(copied_run / "gradients" / name).shape[:2]) > 300
    assert TaggingModel.load(copied_run) is not None, "the run is still one"


def test_data_and_folder_of_ones_own(run_folder, job, tmp_path, capsys):
    long = tmp_path / "long.tsv"
    rows = "".join(f"{token}\tO\n" for token in ["Ann", "met", "Bo"] * 17)
    long.write_text(f"{rows}\nAnn\tB-PER\nmet\tO\n", encoding="utf-8")
    arguments = ["gradients", str(run_folder), "--data", str(long), "--output", str(tmp_path / "some" / "where")]
    assert run(arguments) == 0
    assert capsys.readouterr().out.startswith("sentences: 1, of 2 to 2 tokens"), "51 tokens are too many"
    assert sorted(path.name for path in (tmp_path / "some" / "where").iterdir()) == FILES
    assert not (run_folder / "gradients").exists()


def test_bad_input_is_one_line(copied_run, tmp_path, capsys):
    def error(*arguments):
        code = run(["gradients", *map(str, arguments)])
        shown = capsys.readouterr()
        assert shown.out == ""
        [line] = shown.err.splitlines()
        return code, line

    assert error(tmp_path / "none") == (
        1,
        f"error: {tmp_path / 'none'}: expected the directory of a finished run, found none",
    )
    code, line = error(copied_run, "--data", tmp_path / "none.tsv")
    assert code == 1 and "none.tsv" in line
    ragged = tmp_path / "ragged.tsv"
    ragged.write_text("Ann\tO\nmet\n", encoding="utf-8")
    code, line = error(copied_run, "--data", ragged)
    assert code == 1 and f"{ragged}:2: " in line
    (copied_run / "gradients").write_text("in the way", encoding="utf-8")
    code, line = error(copied_run)
    assert code == 1 and "gradients" in line
