"""The command line as a process of its own: interruption, limits of the disk, pipes, memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from seqtag.cli import run

COMMAND = [sys.executable, "-c", "from seqtag.cli import main; main()"]
# The same, told to end when the first epoch is done, however fast the epochs are.
INTERRUPTED = """
import os, signal
from seqtag.cli import main
from seqtag.process.quiet_tensorflow import import_tensorflow
import_tensorflow()
from seqtag.training.progress import ProgressLine

show = ProgressLine.on_epoch_end

def show_and_interrupt(self, epoch, logs=None):
    show(self, epoch, logs)
    os.kill(os.getpid(), signal.SIGTERM)

ProgressLine.on_epoch_end = show_and_interrupt
main()
"""


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """TensorFlow, imported by other tests, sets this for its children, who would hear its chatter."""
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)


def seqtag(*arguments, **options) -> subprocess.CompletedProcess:
    """A finished process; its output is bytes."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def figures(folder):
    """All of a run's figures but the seconds."""
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["train"]["seconds"], metrics["train"]["tokens_per_second"], metrics["train"]["peak_rss_mb"]
    lines = (folder / "history.csv").read_text().splitlines()
    kept = [n for n, name in enumerate(lines[0].split(",")) if name != "train_seconds"]
    return metrics, [[line.split(",")[n] for n in kept] for line in lines]


def test_an_interrupted_training_is_resumed_to_the_same_figures(job, run_folder, tmp_path, refused):
    arguments = ["train", str(job / "job.yaml"), "-o", str(tmp_path / "run")]
    command = [sys.executable, "-c", INTERRUPTED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    graph, *_, epoch, last = done.stderr.splitlines()
    assert graph == "epoch  1/3  building the graph"
    assert epoch.startswith("epoch  1/3") and "dev f1" in epoch
    assert last == "error: interrupted; --resume goes on from the last whole epoch"
    assert not (tmp_path / "run").exists() and (tmp_path / "run.partial").exists()

    # This process goes on with what the other one left.
    assert "found an unfinished run; go on with --resume, or remove it" in refused(1, *arguments)
    other = refused(2, *arguments, "--resume", "--seed", "7")
    assert "expected the configuration of the unfinished run" in other
    assert run([*arguments, "--resume"]) == 0
    assert figures(tmp_path / "run") == figures(run_folder)
    assert not (tmp_path / "run.partial").exists()


def test_a_disk_that_takes_no_more_leaves_nothing_under_the_final_name(job, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = seqtag("train", job / "job.yaml", "-o", tmp_path / "run", preexec_fn=limit)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("error: ")
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
    assert not [path for path in tmp_path.rglob("*") if ".writing" in path.name]


def test_a_full_device_is_said(run_folder, job, refused):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    assert refused(1, "predict", run_folder, job / "test.tsv", "-o", "/dev/full") == "no space left on device"
    with open("/dev/full", "wb") as full:
        command = [*COMMAND, "predict", str(run_folder), str(job / "test.tsv")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"error: no space left on device\n")


def test_a_reader_that_leaves_early_is_no_fault(run_folder, job, tmp_path):
    (tmp_path / "long.tsv").write_text((job / "test.tsv").read_text().rstrip("\n") + "\n\n", "utf-8")
    long = (tmp_path / "long.tsv").read_text("utf-8") * 400
    (tmp_path / "long.tsv").write_text(long, "utf-8")
    command = [*COMMAND, "predict", str(run_folder), str(tmp_path / "long.tsv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().count(b"\t") == 1
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")


def test_standard_output_may_be_closed_from_the_start(run_folder, job):
    command = [*COMMAND, "evaluate", str(run_folder), str(job / "test.tsv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")


def test_a_file_is_written_though_no_standard_stream_is_open(run_folder, job, tmp_path):
    command = [*COMMAND, "predict", str(run_folder), str(job / "test.tsv"), "-o", str(tmp_path / "out.tsv")]
    done = subprocess.run(command, preexec_fn=lambda: os.closerange(0, 3), check=False)
    assert done.returncode == 0
    assert without_tags(tmp_path / "out.tsv") == without_tags(job / "test.tsv")


def test_memory_does_not_grow_with_the_file(run_folder, tmp_path):
    """Some 30,000 and then 240,000 tokens in one process, all sentences different."""
    program = (
        "import resource, sys\n"
        "from seqtag.cli import run\n"
        "for name in sys.argv[2:]:\n"
        "    code = run(['predict', sys.argv[1], f'{name}.tsv', '-o', f'{name}.out'])\n"
        "    print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    for name, count in (("small", 3_000), ("large", 24_000)):
        rows = (f"Ann\tX{n}\nmet\tO\nword{n}\tO\n" + "late\tO\n" * 7 + "\n" for n in range(count))
        (tmp_path / f"{name}.tsv").write_text("".join(rows))
    command = [sys.executable, "-c", program, str(run_folder), "small", "large"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=tmp_path)
    (code, peak), (later_code, later_peak) = (line.split() for line in done.stdout.splitlines())
    assert (code, later_code) == ("0", "0"), done.stderr
    assert int(later_peak) < int(peak) + 150, "MB"
    assert (tmp_path / "large.tsv").stat().st_size > 1_500_000
    for name in ("small", "large"):
        assert without_tags(tmp_path / f"{name}.out") == without_tags(tmp_path / f"{name}.tsv")


def without_tags(path) -> list[bytes]:
    return [line.split(b"\t")[0] for line in path.read_bytes().split(b"\n")]


SEARCH = """
from sklearn.model_selection import GridSearchCV
from seqtag import Tagger
tokens, tags = [["Ann", "saw", "Bo"]] * 14, [["B-PER", "O", "B-PER"]] * 14
training = {"epochs": 1, "tensorboard": False}
quick = {"cell": "gru", "head": "softmax", "char_encoder": "none", "spelling": False, "context_features": False}
tagger = Tagger(word_dim=4, **quick, training=training, verbose=0)
search = GridSearchCV(tagger, {"units": [2, 3]}, cv=[(range(12), range(12, 14))], n_jobs=2, refit=False)
scores = search.fit(tokens, tags).cv_results_["mean_test_score"]
print(len(scores), all(0 <= score <= 1 for score in scores))
"""


def test_a_search_by_scikit_learn_in_two_processes_says_nothing_but_its_result():
    """Neither TensorFlow's own lines, of any of the processes, nor progress, nor a warning of a fit that failed."""
    done = subprocess.run([sys.executable, "-c", SEARCH], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 True\n", "")


def test_figures_are_finite(run_folder):
    _, (_, *rows) = figures(run_folder)
    assert np.isfinite(np.array(rows, float)).all()
