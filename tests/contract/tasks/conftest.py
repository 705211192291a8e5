"""The table of tasks that the tests of this folder go through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sklearn.base import BaseEstimator

from seqtag import Forecaster, LanguageModel, Seq2Seq, SequenceClassifier, Tagger
from seqtag.tasks import NAMES, Task, task_named

SOURCES = ["ab", "cabc", "unseen", "bbbbbbbbb", ""]
PROMPTS = ["Ann met", "", "unseen ÿ", "Bo s"]
TEXTS = ["a fine film", "dull", "unseen words", ""]
TOKENS = [["Bo", "met", "New", "York", "Paris", "."], ["Ann"], ["unseen", "words"], []]


class Case(NamedTuple):
    """A task, as the tests need it.

    Attributes:
        folder, run: the fixtures of a folder with a `job.yaml`, and of the run that it gives.
        train, file: files of that folder that a fit and the run read.
        predict: further arguments of `predict` for that file, with `{folder}` in them.
        estimator: the scikit-learn class.
        key: an argument of it, which the job sets.
        arguments: those of `predict`, for a process that has nothing but the estimator.
        answers: all that a fitted estimator says, as arrays and lists.
        calls: its methods that need a fit, with arguments for each.
        others: its methods that need none.
        inspect: what tells `inspect` that a file is of this task, where the file itself does not.
    """

    folder: str
    run: str
    train: str
    file: str
    predict: list[str]
    estimator: type[BaseEstimator]
    key: str
    arguments: Callable[[Path], dict[str, Any]]
    answers: Callable[[Any, Path], Any]
    calls: dict[str, Callable[[Any, Path], Any]]
    others: set[str]
    inspect: tuple[str, ...] = ()


CASES = {
    "tagging": Case(
        folder="job",
        run="run_folder",
        train="train.tsv",
        file="test.tsv",
        predict=[],
        estimator=Tagger,
        key="units",
        arguments=lambda folder: {"X": TOKENS},
        answers=lambda tagger, folder: tagger.tag(TOKENS),
        calls={
            "predict": lambda tagger, folder: tagger.predict(TOKENS),
            "predict_proba": lambda tagger, folder: tagger.predict_proba(TOKENS),
            "predict_n_best": lambda tagger, folder: tagger.predict_n_best(TOKENS),
            "predict_columns": lambda tagger, folder: tagger.predict_columns(TOKENS),
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
        arguments=lambda folder: {"future": folder / "later.csv"},
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
        arguments=lambda folder: {"X": SOURCES},
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
    "language_model": Case(
        folder="verses",
        run="verses_run",
        train="train.txt",
        file="test.txt",
        predict=["--format", "jsonl"],
        estimator=LanguageModel,
        key="units",
        arguments=lambda folder: {"X": PROMPTS},
        answers=lambda model, folder: [model.score(PROMPTS), model.generate("Bo", length=9, seed=3)],
        calls={
            "predict": lambda model, folder: model.predict(PROMPTS),
            "complete": lambda model, folder: model.complete("Bo s"),
            "generate": lambda model, folder: model.generate("Bo"),
            "score": lambda model, folder: model.score(folder / "test.txt"),
            "perplexity": lambda model, folder: model.perplexity(folder / "test.txt"),
            "bits_per_character": lambda model, folder: model.bits_per_character(folder / "test.txt"),
            "anomalies": lambda model, folder: model.anomalies(folder / "test.txt"),
            "save": lambda model, folder: model.save(folder / "nothing"),
            "export": lambda model, folder: model.export(folder / "nothing"),
        },
        others=set(),
        inspect=("--layout", "text"),
    ),
    "classification": Case(
        folder="reviews",
        run="reviews_run",
        train="train.tsv",
        file="test.tsv",
        predict=["--format", "jsonl"],
        estimator=SequenceClassifier,
        key="units",
        arguments=lambda folder: {"X": TEXTS},
        answers=lambda classifier, folder: [classifier.predict(TEXTS), classifier.predict_proba(TEXTS)],
        calls={
            "predict": lambda classifier, folder: classifier.predict(TEXTS),
            "predict_proba": lambda classifier, folder: classifier.predict_proba(TEXTS),
            "explain": lambda classifier, folder: classifier.explain(TEXTS),
            "score": lambda classifier, folder: classifier.score(folder / "test.tsv"),
            "classes_": lambda classifier, folder: classifier.classes_.tolist(),
            "save": lambda classifier, folder: classifier.save(folder / "nothing"),
            "export": lambda classifier, folder: classifier.export(folder / "nothing"),
        },
        others=set(),
    ),
}


@pytest.fixture
def cases() -> dict[str, Case]:
    """All of them."""
    return CASES


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
