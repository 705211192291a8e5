"""What every task keeps to. A task that is missing from the table below fails the first test."""

from __future__ import annotations

import copy
import dataclasses
import gc
import inspect
import io
import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import typer
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from seqtag import Forecaster, Seq2Seq, Tagger
from seqtag.cli import app, run
from seqtag.errors import ConfigError, ForkError
from seqtag.tasks import NAMES, Task, load_config, task_named
from seqtag.training.checkpoint import Checkpoint

# Commands that are of no task.
OTHERS = {"vectors"}
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
    "beam": ["2"],
    "n_best": ["1"],
    "attention": ["picture.png"],
    "html": ["page.html"],
    "decimal": [","],
}
SOURCES = ["ab", "cabc", "unseen", "bbbbbbbbb", ""]
TOKENS = [["Bo", "met", "New", "York", "Paris", "."], ["Ann"], ["unseen", "words"], []]


class Case(NamedTuple):
    """A task, as the tests need it.

    Attributes:
        folder, run: the fixtures of a folder with a `job.yaml`, and of the run that it gives.
        train, file: files of that folder that a fit and the run read.
        predict: further arguments of `predict` for that file, with `{folder}` in them.
        estimator: the scikit-learn class.
        key: an argument of it, which the job sets.
        answers: all that a fitted estimator says, as arrays and lists.
        calls: its methods that need a fit, with arguments for each.
        others: its methods that need none.
    """

    folder: str
    run: str
    train: str
    file: str
    predict: list[str]
    estimator: type[BaseEstimator]
    key: str
    answers: Callable[[Any, Path], Any]
    calls: dict[str, Callable[[Any, Path], Any]]
    others: set[str]


SCIKIT = {"fit", "load", "get_params", "set_params", "get_metadata_routing"}

CASES = {
    "tagging": Case(
        folder="job",
        run="run_folder",
        train="train.tsv",
        file="test.tsv",
        predict=[],
        estimator=Tagger,
        key="units",
        answers=lambda tagger, folder: tagger.tag(TOKENS),
        calls={
            "predict": lambda tagger, folder: tagger.predict(TOKENS),
            "predict_proba": lambda tagger, folder: tagger.predict_proba(TOKENS),
            "predict_n_best": lambda tagger, folder: tagger.predict_n_best(TOKENS),
            "tag": lambda tagger, folder: tagger.tag(TOKENS),
            "score": lambda tagger, folder: tagger.score(folder / "test.tsv"),
            "classes_": lambda tagger, folder: tagger.classes_.tolist(),
            "save": lambda tagger, folder: tagger.save(folder / "nothing"),
            "export": lambda tagger, folder: tagger.export(folder / "nothing"),
        },
        others=set(),
    ),
    "forecasting": Case(
        folder="shop",
        run="shop_run",
        train="train.csv",
        file="train.csv",
        predict=["--future", "{folder}/later.csv"],
        estimator=Forecaster,
        key="units",
        answers=lambda forecaster, folder: [
            forecaster.predict(horizon=10, future=folder / "later.csv").to_numpy().tolist(),
            forecaster.sample_paths(num_paths=3, future=folder / "later.csv").tolist(),
        ],
        calls={
            "predict": lambda forecaster, folder: forecaster.predict(),
            "score": lambda forecaster, folder: forecaster.score(folder / "train.csv"),
            "sample_paths": lambda forecaster, folder: forecaster.sample_paths(),
            "score_anomalies": lambda forecaster, folder: forecaster.score_anomalies(),
            "permutation_effects": lambda forecaster, folder: forecaster.permutation_effects(),
            "predict_history": lambda forecaster, folder: forecaster.predict_history(),
            "make_future": lambda forecaster, folder: forecaster.make_future(),
            "update": lambda forecaster, folder: forecaster.update(folder / "train.csv"),
            "plot": lambda forecaster, folder: forecaster.plot(),
            "save": lambda forecaster, folder: forecaster.save(folder / "nothing"),
            "export": lambda forecaster, folder: forecaster.export(folder / "nothing"),
        },
        # They fit by themselves, or read the series that they are given.
        others={"backtest", "audit_leakage"},
    ),
    "seq2seq": Case(
        folder="reversal",
        run="reversal_run",
        train="train.tsv",
        # Long enough for `inspect` to know it as pairs.
        file="train.tsv",
        predict=["--format", "jsonl", "--n-best", "2"],
        estimator=Seq2Seq,
        key="units",
        answers=lambda model, folder: model.answer(SOURCES, n_best=2),
        calls={
            "predict": lambda model, folder: model.predict(SOURCES),
            "answer": lambda model, folder: model.answer(SOURCES),
            "sample": lambda model, folder: model.sample(SOURCES),
            "score": lambda model, folder: model.score(folder / "train.tsv"),
            "plot_attention": lambda model, folder: model.plot_attention("ab"),
            "save": lambda model, folder: model.save(folder / "nothing"),
            "export": lambda model, folder: model.export(folder / "nothing"),
        },
        others=set(),
    ),
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def task(name: str) -> Task:
    return task_named(name)


@pytest.fixture
def case(name: str) -> Case:
    return CASES[name]


@pytest.fixture
def folder(case: Case, request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(case.folder)


@pytest.fixture
def finished(case: Case, request: pytest.FixtureRequest) -> Path:
    """The finished run of the task."""
    return request.getfixturevalue(case.run)


@pytest.fixture(scope="module")
def fitted(job: Path, shop: Path, reversal: Path) -> dict[str, BaseEstimator]:
    """A fitted estimator of each task, with all that a fit leaves on it; the fits were asked to be silent."""
    training = {"epochs": 1, "tensorboard": False}
    tagger = Tagger(units=6, word_dim=6, cell="gru", char_encoder="none", training=training, verbose=0)
    data = {"series": "shop", "time": "day", "target": "sales", "known": ["promotion", "holiday"]}
    quick = {"lookback": 14, "units": 6, "members": [], "training": training | {"windows_per_epoch": 64}}
    forecaster = Forecaster(horizon=7, data=data, **quick)
    model = Seq2Seq(units=6, embedding_dim=4, cell="gru", dropout=0.0, max_length=5, training=training, verbose=0)
    with redirect_stderr(io.StringIO()) as said:
        model.fit(reversal / "train.tsv", validation_data=reversal / "dev.tsv")
        tagger.fit(job / "train.tsv", validation_data=job / "dev.tsv")
        forecaster.fit(shop / "train.csv", verbose=0)
    assert said.getvalue() == ""
    return {"tagging": tagger, "forecasting": forecaster, "seq2seq": model}


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


@pytest.mark.skipif(sys.platform != "linux", reason="the figures are Linux's")
def test_four_fits_take_no_more_memory_than_two(name, case, folder, resident_mb):
    training = {"epochs": 1, "tensorboard": False}
    quick = {
        "tagging": {"cell": "gru", "head": "softmax", "char_encoder": "none", "training": training},
        "forecasting": {"horizon": 7, "lookback": 14, "members": [], "training": training | {"windows_per_epoch": 64}},
        "seq2seq": {"cell": "gru", "attention": None, "max_length": 4, "training": training},
    }
    data = {"forecasting": {"data": {"series": "shop", "time": "day", "target": "sales"}}}
    taken = []
    for _ in range(4):
        case.estimator(units=4, verbose=0, **quick[name], **data.get(name, {})).fit(folder / case.train)
        taken.append(resident_mb())
    # A fit that left its graphs behind took some 100 MB.
    assert taken[3] - taken[1] < 40, taken


def test_every_task_is_in_the_table():
    assert set(CASES) == set(NAMES)


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
            files = [folder / case.file] if command == "inspect" else [finished, folder / case.file]
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


def test_runs_of_another_task_are_told_apart(name, case, finished, request, refused):
    for other in others(name):
        foreign = request.getfixturevalue(CASES[other].run)
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
    assert (tmp_path / "model" / "saved_model.pb").exists()


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


def test_a_run_becomes_the_estimator_that_fitted_it(case, folder, finished):
    estimator = case.estimator.load(finished)
    config = load_config(finished / "config.yaml")
    assert estimator.get_params()[case.key] == getattr(config.model, case.key)
    assert len(estimator.history_) == config.training.epochs
    assert estimator.metrics_ == json.loads((finished / "metrics.json").read_text())
    assert estimator.evaluation == config.evaluation.model_dump(exclude_defaults=True)
    assert clone(estimator).get_params() == estimator.get_params()


def test_parameters_are_stored_as_they_are_and_cloned(case):
    training = {"epochs": 2}
    estimator = case.estimator(**{case.key: 9}, training=training)
    assert estimator.training is training
    assert estimator.get_params()[case.key] == 9
    assert estimator.set_params(**{case.key: 3}) is estimator
    twin = clone(estimator)
    assert twin.get_params() == estimator.get_params()
    assert vars(twin) == vars(estimator), "nothing but parameters"


def test_what_a_fit_fixed_cannot_be_changed_without_a_fit(name, case, folder, fitted):
    estimator = fitted[name]
    before = estimator.get_params()
    estimator.set_params(**{case.key: before[case.key] + 1})
    try:
        for ask in case.calls.values():
            with pytest.raises(ConfigError, match=f"{case.key}: expected 6 as in the fit, found 7; fit again"):
                ask(estimator, folder)
    finally:
        estimator.set_params(**before)
    assert not (folder / "nothing").exists()


def test_before_a_fit_nothing_is_answered(case, tmp_path):
    arguments = set(case.estimator().get_params())
    public = {method for method in dir(case.estimator) if not method.startswith("_")} - arguments
    requests = {method for method in public if method.startswith("set_") and method.endswith("_request")}
    assert public - requests == set(case.calls) | case.others | SCIKIT
    estimator = case.estimator()
    for ask in case.calls.values():
        with pytest.raises(NotFittedError):
            ask(estimator, tmp_path)
    assert not list(tmp_path.iterdir())


def through_joblib(estimator: BaseEstimator) -> BaseEstimator:
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


COPIES = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "oldest pickle": lambda estimator: pickle.loads(pickle.dumps(estimator, protocol=2)),
    "deepcopy": copy.deepcopy,
    "joblib": through_joblib,
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_an_unfitted_estimator_is_copied(case, copied):
    estimator = case.estimator(**{case.key: 9}, training={"epochs": 2})
    twin = copied(estimator)
    assert type(twin) is case.estimator
    assert vars(twin) == vars(estimator)
    with pytest.raises(NotFittedError):
        case.calls["predict"](twin, Path())


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_fitted_estimator_is_copied_with_all_that_the_fit_left(name, fitted, copied):
    estimator = fitted[name]
    model = estimator.model_
    twin = copied(estimator)
    assert estimator.model_ is model, "the original is as it was"
    assert type(twin.model_) is type(model) and twin.model_ is not model
    assert vars(twin).keys() == vars(estimator).keys()
    for attribute, value in vars(estimator).items():
        if attribute != "model_":
            assert same(getattr(twin, attribute), value), attribute


def test_a_copy_answers_the_same_and_can_be_copied_again(name, case, folder, fitted):
    expected = case.answers(fitted[name], folder)
    again = pickle.loads(pickle.dumps(copy.deepcopy(fitted[name])))
    assert same(case.answers(again, folder), expected)


def same(one: Any, other: Any) -> bool:
    if isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=other.dtype.kind == "f")
    if isinstance(other, pd.DataFrame):
        return one.equals(other)
    if dataclasses.is_dataclass(other):
        names = [field.name for field in dataclasses.fields(other)]
        return type(one) is type(other) and all(same(getattr(one, n), getattr(other, n)) for n in names)
    if isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], value) for key, value in other.items())
    if isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)


PROGRAM = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    pairs = pickle.load(file)
for estimator, arguments in pairs:
    print(pickle.dumps(estimator.predict(**arguments)).hex())
"""


def test_a_pickle_answers_the_same_in_a_new_process(fitted, shop, tmp_path):
    arguments = {"tagging": {"X": TOKENS}, "forecasting": {"future": shop / "later.csv"}, "seq2seq": {"X": SOURCES}}
    pairs = [(fitted[name], arguments[name]) for name in NAMES]
    (tmp_path / "pairs.pickle").write_bytes(pickle.dumps(pairs))
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path / "pairs.pickle")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), "nothing of TensorFlow's own lines"
    for line, (estimator, given) in zip(done.stdout.split(), pairs, strict=True):
        found, expected = pickle.loads(bytes.fromhex(line)), estimator.predict(**given)
        assert same(found, expected)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no forks on this system")
def test_a_fork_refuses_what_would_stand_still_in_it(case, name, folder, finished, fitted):
    estimator = fitted[name]
    stored = pickle.dumps(estimator)
    fork = multiprocessing.get_context("fork")
    asks = {
        "answers": lambda: case.answers(estimator, folder),
        "score": lambda: estimator.score(folder / case.file),
        "fit": lambda: clone(estimator).fit(folder / case.file),
        "load": lambda: case.estimator.load(finished),
        "pickle": lambda: pickle.dumps(estimator),
        "unpickle": lambda: pickle.loads(stored),
        "export": lambda: estimator.export(folder / "nothing"),
    }
    for what, ask in asks.items():
        found: Any = fork.Queue()
        process = fork.Process(target=lambda ask=ask, found=found: found.put(kind_of_error(ask)))
        process.start()
        try:
            assert found.get(timeout=30) is ForkError, what
        finally:
            process.kill()
            process.join()
    assert not (folder / "nothing").exists()
    assert same(case.answers(estimator, folder), case.answers(estimator, folder)), "the parent still answers"


def kind_of_error(ask: Callable[[], Any]) -> type | None:
    try:
        ask()
    except Exception as error:
        return type(error)
    return None
