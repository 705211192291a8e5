"""What every task keeps to on the command line. A task that is missing from the table fails the first test."""

from __future__ import annotations

import gc
import inspect
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tensorflow as tf
import typer

from seqtag.cli import app, run
from seqtag.tasks import NAMES, task_named
from seqtag.training.checkpoint import Checkpoint

# Commands that are of no task.
OTHERS = {"vectors", "doctor"}
# Commands of a configuration, not of a run.
OF_CONFIGS = {"train", "curve"}
COMMANDS: dict[str, Any] = {
    name: command for name, command in typer.main.get_command(app).commands.items() if name not in OTHERS
}
# Options of the command line that are no task's own: where output goes, and what every task takes.
COMMON = {"output", "json", "set", "seed", "resume", "folds", "refit", "data", "port", "help"}
# A value of every option that some task alone takes.
VALUES = {
    "text": [],
    "vectors": ["glove.txt"],
    "format": ["jsonl"],
    "forced": [],
    "horizon": ["3"],
    "future": ["later.csv"],
    "levels": [".1,.9"],
    "hierarchy": ["shops.csv"],
    "layout": ["auto"],
    "tag_column": ["2"],
    "token_column": ["1"],
    "sentence_column": ["1"],
    "comment_prefix": ["# "],
    "unknown_tag": ["?"],
    "encoding": ["utf-8"],
    "series": ["shop"],
    "time": ["day"],
    "target": ["sales"],
    "frequency": ["D"],
    "time_zone": ["UTC"],
    "date_format": ["%d.%m.%Y"],
    "separator": [";"],
    "source_column": ["1"],
    "target_column": ["2"],
    "text_column": ["1"],
    "label_column": ["2"],
    "id_column": ["1"],
    "time_column": ["2"],
    "beam": ["2"],
    "n_best": ["1"],
    "attention": ["picture.png"],
    "html": ["page.html"],
    "explain": ["attention"],
    "decimal": [","],
    "prompt": ["Go"],
    "length": ["3"],
    "temperature": ["1"],
    "top_k": ["3"],
    "top_p": ["0.5"],
    "greedy": [],
    "stop": ["."],
}


def count_graphs() -> int:
    """The graphs of TensorFlow in this process, but for the tokeniser's, which is traced once and kept."""
    kind = type(tf.function(lambda: tf.constant(1)).get_concrete_function().graph)
    # What lived while `predict` ran would not be collected.
    gc.unfreeze()
    gc.collect()
    return sum(type(thing) is kind and thing.name != "tokenize" for thing in gc.get_objects())


@pytest.fixture
def frees_its_graphs() -> Iterator[None]:
    """Fails a test that leaves a graph behind: a hundred trainings in one process would take all its memory."""
    before = count_graphs()
    yield
    assert count_graphs() == before


def others(name: str) -> Iterable[str]:
    return [other for other in NAMES if other != name]


def flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def options_of(command: str) -> set[str]:
    """The long options of a command of the command line, by the names that tasks know them by."""
    found = [opt for parameter in COMMANDS[command].params for opt in (*parameter.opts, *parameter.secondary_opts)]
    return {opt.removeprefix("--").replace("-", "_") for opt in found if opt.startswith("--")} - {"no_refit"}


def test_every_task_is_in_the_table(cases):
    assert set(cases) == set(NAMES)


def test_the_command_line_knows_every_command_and_option_of_a_task(task):
    assert set(task.OPTIONS) <= set(COMMANDS)
    for command, options in task.OPTIONS.items():
        assert options <= options_of(command) - COMMON
        parameters = inspect.signature(getattr(task, command)).parameters.values()
        named = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
        # The options that say how files are read travel together, as keys of the section `data`.
        others = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD]
        assert others in ([], ["reading"])
        assert options == named | (task.READING if others else frozenset())


def test_every_option_of_the_command_line_is_some_tasks():
    for command in COMMANDS:
        taken = [task_named(name).OPTIONS.get(command, frozenset()) for name in NAMES]
        assert options_of(command) - COMMON == frozenset().union(*taken)


def test_what_belongs_to_another_task_is_refused_in_a_line(name, task, case, folder, finished, refused):
    for command in COMMANDS:
        takers = [other for other in NAMES if command in task_named(other).OPTIONS]
        if command not in task.OPTIONS and command in OF_CONFIGS:
            told = refused(2, command, folder / "job.yaml")
            assert told == f"{folder / 'job.yaml'}: task: expected {' or '.join(map(repr, takers))}, found {name!r}"
            continue
        if command not in task.OPTIONS:
            told = refused(1, command, finished, *([folder / case.file] if command == "doubts" else []))
            assert told == f"{finished}: expected a run of {' or '.join(takers)}, found one of {name}"
            continue
        for option in options_of(command) - COMMON - task.OPTIONS[command]:
            takers = [other for other in NAMES if option in task_named(other).OPTIONS.get(command, ())]
            files = [folder / case.file, *case.inspect] if command == "inspect" else [finished, folder / case.file]
            told = refused(2, command, *files, flag(option), *VALUES[option])
            assert told == f"{flag(option)}: expected a run of {' or '.join(takers)}, found one of {name}"


def test_a_configuration_of_a_task_without_the_command_is_refused(name, task, folder, refused):
    if "backtest" in task.OPTIONS:
        pytest.skip("this task has backtests")
    assert refused(2, "backtest", folder / "job.yaml").endswith(f"expected 'forecasting', found {name!r}")


def test_a_missing_file_is_named(task, case, folder, finished, tmp_path, refused):
    nothing = tmp_path / "nothing.csv"
    for command in {"evaluate", "predict"} & set(task.OPTIONS):
        assert str(nothing) in refused(1, command, finished, nothing)
        assert "expected the directory of a finished run, found none" in refused(1, command, nothing, nothing)
    told = refused(1, "train", folder / "job.yaml", "-o", tmp_path / "run", "--set", f"data.train={nothing}")
    assert str(nothing) in told
    assert not list(tmp_path.iterdir())


def test_an_unknown_key_is_named_with_the_nearest_one(name, case, folder, tmp_path, refused):
    wrong = case.key + "s"
    for section, expected in (("model", wrong), ("training", "epoch"), ("data", "trian")):
        told = refused(2, "train", folder / "job.yaml", "-o", tmp_path / "run", "--set", f"{section}.{expected}=1")
        assert told.startswith(f"{folder / 'job.yaml'}: {section}.{expected}: unknown key, did you mean ")
    assert not list(tmp_path.iterdir())
    with pytest.raises(Exception, match="epoch: unknown key, did you mean 'epochs'"):
        case.estimator(training={"epoch": 1}).fit(folder / case.file)
    with pytest.raises(Exception, match="evaluation: colour: unknown key"):
        case.estimator(evaluation={"colour": 1}).fit(folder / case.file)


def test_runs_of_another_task_are_told_apart(name, case, cases, request):
    for other in others(name):
        foreign = request.getfixturevalue(cases[other].run)
        with pytest.raises(Exception, match=f"expected a run of {name}, found one of {other}"):
            case.estimator.load(foreign)


def test_a_run_of_another_format_says_so(case, folder, finished, tmp_path, refused):
    shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("logs", "checkpoints"))
    path = tmp_path / "run" / "encoders.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"format_version": 99}))
    line = f"{path}: expected format version {kept['format_version']}, found 99; upgrade seqtag to read it"
    for command in ("evaluate", "predict"):
        assert refused(1, command, tmp_path / "run", folder / case.file) == line
    assert refused(1, "export", tmp_path / "run", tmp_path / "out") == line
    with pytest.raises(Exception, match="expected format version"):
        case.estimator.load(tmp_path / "run")
    assert not (tmp_path / "out").exists()


def test_export_writes_a_saved_model(finished, tmp_path, capsys, frees_its_graphs):
    assert run(["export", str(finished), str(tmp_path / "model")]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (f"{tmp_path / 'model'}\n", "")
    assert b"Seqtag" not in (tmp_path / "model" / "saved_model.pb").read_bytes(), "kernels of ours are nowhere else"


def test_an_interrupted_training_is_resumed_to_the_same_numbers(
    case, folder, finished, tmp_path, monkeypatch, capsysbinary, frees_its_graphs
):
    arguments = ["train", str(folder / "job.yaml"), "-o", str(tmp_path / "run")]
    save = Checkpoint.save

    def save_and_interrupt(self):
        save(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_interrupt)
        assert run(arguments) == 1
    error = capsysbinary.readouterr().err.decode().splitlines()[-1]
    assert error == "error: interrupted; --resume goes on from the last whole epoch"
    assert not (tmp_path / "run").exists()
    assert run([*arguments, "--resume"]) == 0
    assert not (tmp_path / "run.partial").exists()
    assert figures(tmp_path / "run") == figures(finished)
    capsysbinary.readouterr()
    answers = []
    for place in (tmp_path / "run", finished):
        rest = [part.format(folder=folder) for part in case.predict]
        assert run(["predict", str(place), str(folder / case.file), *rest]) == 0
        answers.append(capsysbinary.readouterr().out)
    assert answers[0] == answers[1] and answers[0]


def figures(folder: Path) -> tuple[Any, list]:
    """All of a run's figures but the seconds."""
    metrics = json.loads((folder / "metrics.json").read_text())
    kept = {key: value for key, value in metrics["train"].items() if "second" not in key and key != "peak_rss_mb"}
    history = pd.read_csv(folder / "history.csv").drop(columns="train_seconds")
    return metrics | {"train": kept}, history.to_numpy().tolist()
