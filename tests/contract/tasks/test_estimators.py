"""What every task's estimator keeps to: scikit-learn's habits, and that a fitted one is copied."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from seqtag import Forecaster, LanguageModel, Seq2Seq, SequenceClassifier, Tagger
from seqtag.errors import ConfigError, ForkError
from seqtag.tasks import NAMES, load_config

SCIKIT = {"fit", "load", "get_params", "set_params", "get_metadata_routing"}


@pytest.fixture(scope="module")
def fitted(job: Path, shop: Path, reversal: Path, verses: Path, reviews: Path) -> dict[str, BaseEstimator]:
    """A fitted estimator of each task, with all that a fit leaves on it; the fits were asked to be silent."""
    training = {"epochs": 1, "tensorboard": False}
    tagger = Tagger(units=6, word_dim=6, cell="gru", char_encoder="none", training=training, verbose=0)
    data = {"series": "shop", "time": "day", "target": "sales", "known": ["promotion", "holiday"]}
    quick = {"lookback": 14, "units": 6, "members": [], "training": training | {"windows_per_epoch": 64}}
    forecaster = Forecaster(horizon=7, data=data, **quick)
    model = Seq2Seq(units=6, embedding_dim=4, cell="gru", dropout=0.0, max_length=5, training=training, verbose=0)
    streams = training | {"rows": 8, "steps": 16}
    language = LanguageModel(units=6, embedding_dim=4, cell="gru", training=streams, verbose=0)
    classifier = SequenceClassifier(units=6, word_dim=6, char_ngrams=3, training=training, verbose=0)
    with redirect_stderr(io.StringIO()) as said:
        language.fit(verses / "train.txt")
        classifier.fit(reviews / "train.tsv", validation_data=reviews / "dev.tsv")
        model.fit(reversal / "train.tsv", validation_data=reversal / "dev.tsv")
        tagger.fit(job / "train.tsv", validation_data=job / "dev.tsv")
        forecaster.fit(shop / "train.csv", verbose=0)
    assert said.getvalue() == ""
    return {
        "tagging": tagger,
        "forecasting": forecaster,
        "seq2seq": model,
        "language_model": language,
        "classification": classifier,
    }


@pytest.mark.skipif(sys.platform != "linux", reason="the figures are Linux's")
def test_later_fits_take_no_more_memory(name, case, folder, fitted, resident_mb):
    training = {"epochs": 1, "tensorboard": False}
    quick = {
        "tagging": {"cell": "gru", "head": "softmax", "char_encoder": "none", "training": training},
        "forecasting": {"horizon": 7, "lookback": 14, "members": [], "training": training | {"windows_per_epoch": 64}},
        "seq2seq": {"cell": "gru", "attention": None, "max_length": 4, "training": training},
        "classification": {"word_ngrams": 1, "char_ngrams": 0, "training": training},
        "language_model": {"cell": "gru", "training": training | {"rows": 8, "steps": 16}},
    }
    data = {"forecasting": {"data": {"series": "shop", "time": "day", "target": "sales"}}}
    taken = []
    for _ in range(3):
        case.estimator(units=4, verbose=0, **quick[name], **data.get(name, {})).fit(folder / case.train)
        taken.append(resident_mb())
    # Others came before, in `fitted`. A fit that left its graphs behind took some 100 MB.
    assert taken[2] - taken[0] < 40, taken


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


def test_a_pickle_answers_the_same_in_a_new_process(fitted, cases, request, tmp_path):
    folders = {name: request.getfixturevalue(case.folder) for name, case in cases.items()}
    pairs = [(fitted[name], cases[name].arguments(folders[name])) for name in NAMES]
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
