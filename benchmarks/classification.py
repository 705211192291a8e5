"""Classifiers beside scikit-learn, on the same splits and in one run.

    SEQTAG_DATA=... python -m benchmarks.classification [--sets polarity vowels] [--folds 10] [--seeds 5] [--markdown]

`sentence_polarity`: accuracy in percent over the first `--folds` of `StratifiedKFold(10, shuffle=True, random_state=0)`
over positives, then negatives. The classifier is that of `configs/classify_polarity.yaml`; the dev data that choose its
epoch come from the training data of the fold. Beside it: words and logistic regression (C=.5), and TF-IDF of words and
pairs with LinearSVC (C=.5), both of words between spaces.

`japanese_vowels`: accuracy on its own test data of `configs/classify_vowels.yaml` with the seeds 100, 200, ..., so
many as `--seeds`; dev data come from the training data. Beside it: logistic regression on the mean and the deviation of
each number of a sequence, and the nearest neighbour by dynamic time warping of scaled frames.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import seqtag.process.tensorflow_first  # noqa: F401
from benchmarks.tables import markdown_table, text_table
from seqtag.classification.config import ClassificationConfig
from seqtag.classification.data.examples import Examples, Kind
from seqtag.classification.data.load import load_examples, located
from seqtag.classification.data.split import hold_out
from seqtag.tasks import load_config

CONFIGS = Path(__file__).parents[1] / "configs"
FOLDS = 10
HEADER = ("set", "system", "accuracy", "lowest", "highest", "s")


class Trial(NamedTuple):
    """A share of right answers, and the seconds of fit and answers."""

    accuracy: float
    seconds: float


System = Callable[[Examples, Examples, int], list]


def ours(config: ClassificationConfig) -> System:
    """A classifier of seqtag, whose dev data are held out of the training data."""
    from seqtag.classification.fit import fit_classifier
    from seqtag.training.recording import Recording

    def answers(train: Examples, test: Examples, seed: int) -> list:
        fitted, dev = hold_out(train, config.data.dev_share)
        model, _ = fit_classifier(fitted, dev, config.model_copy(update={"seed": seed}), Recording(verbose=False))
        return [answer.labels for answer in model.answer(test.sources)]

    return answers


def words_and_regression(train: Examples, test: Examples, seed: int) -> list:
    """Which words a text has, and logistic regression."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = CountVectorizer(analyzer=str.split, binary=True)
    return _linear(vectorizer, LogisticRegression(C=0.5, max_iter=1000), train, test)


def pairs_and_svm(train: Examples, test: Examples, seed: int) -> list:
    """TF-IDF of words and pairs, and a linear support vector machine."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, 2))
    return _linear(vectorizer, LinearSVC(C=0.5), train, test)


def _linear(vectorizer, model, train: Examples, test: Examples) -> list:
    model.fit(vectorizer.fit_transform(train.sources), [label for (label,) in train.labels])
    return [(label,) for label in model.predict(vectorizer.transform(test.sources))]


def moments_and_regression(train: Examples, test: Examples, seed: int) -> list:
    """Logistic regression on the mean and the deviation of each number of a sequence."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def moments(data: Examples) -> np.ndarray:
        return np.array([np.concatenate([one.mean(axis=0), one.std(axis=0)]) for one in data.sources])

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(moments(train), [label for (label,) in train.labels])
    return [(label,) for label in model.predict(moments(test))]


def nearest_by_warping(train: Examples, test: Examples, seed: int) -> list:
    """The label of the nearest training sequence by dynamic time warping."""
    frames = np.concatenate(train.sources)
    mean, deviation = frames.mean(axis=0), frames.std(axis=0)
    known = [(one - mean) / deviation for one in train.sources]
    found = []
    for one in test.sources:
        distances = [warped_distance((one - mean) / deviation, other) for other in known]
        found.append(train.labels[int(np.argmin(distances))])
    return found


def warped_distance(one: np.ndarray, other: np.ndarray) -> float:
    """The least sum of squared distances of frames over all alignments of two sequences.

    >>> warped_distance(np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [1.0], [3.0]]))
    4.0
    """
    costs = ((one[:, None] - other[None]) ** 2).sum(axis=-1)
    last = np.cumsum(costs[0])
    for row in costs[1:]:
        current = np.empty_like(last)
        current[0] = last[0] + row[0]
        for n in range(1, len(row)):
            current[n] = row[n] + min(last[n], last[n - 1], current[n - 1])
        last = current
    return float(last[-1])


def polarity_folds(data: Examples) -> Iterator[tuple[Examples, Examples]]:
    """The training and the test data of each fold, over positives, then negatives."""
    from sklearn.model_selection import StratifiedKFold

    order = sorted(range(len(data)), key=lambda n: data.labels[n] != ("pos",))
    ordered = data.subset(order)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(ordered.sources, [label for (label,) in ordered.labels]):
        yield ordered.subset(train.tolist()), ordered.subset(test.tolist())


def trial(system: System, train: Examples, test: Examples, seed: int) -> Trial:
    """How many answers of a system are right, and what they take."""
    began = time.perf_counter()
    answers = system(train, test, seed)
    seconds = time.perf_counter() - began
    return Trial(float(np.mean([one == right for one, right in zip(answers, test.labels, strict=True)])), seconds)


def row(name: str, system: str, trials: list[Trial]) -> list[str]:
    """A line of the table: the mean, the lowest and the highest accuracy, and the mean seconds."""
    shares = [100 * one.accuracy for one in trials]
    figures = (statistics.fmean(shares), min(shares), max(shares))
    return [
        name,
        system,
        *(f"{figure:.2f}" for figure in figures),
        f"{statistics.fmean(t.seconds for t in trials):.0f}",
    ]


def polarity(folds: int) -> list[list[str]]:
    """The lines of `sentence_polarity`."""
    config = load_config(CONFIGS / "classify_polarity.yaml")
    assert isinstance(config, ClassificationConfig) and config.data.train is not None
    data = load_examples(located(config.data.train, config.data.root), config.data)
    systems: dict[str, System] = {
        "seqtag": ours(config),
        "words, logistic regression": words_and_regression,
        "words and pairs, LinearSVC": pairs_and_svm,
    }
    trials: dict[str, list[Trial]] = {name: [] for name in systems}
    for number, (train, test) in zip(range(folds), polarity_folds(data), strict=False):
        for name, system in systems.items():
            trials[name].append(trial(system, train, test, config.seed))
            print(f"fold {number + 1} {name}: {trials[name][-1].accuracy:.2%}", flush=True)
    return [row(f"polarity, {folds} folds", name, found) for name, found in trials.items()]


def vowels(seeds: int) -> list[list[str]]:
    """The lines of `japanese_vowels`."""
    config = load_config(CONFIGS / "classify_vowels.yaml")
    assert isinstance(config, ClassificationConfig)
    kind = Kind("frames")
    files = config.data.train, config.data.test
    train, test = (load_examples(located(file, config.data.root), config.data, kind) for file in files if file)
    repeated = {"seqtag": (ours(config), seeds)}
    repeated["mean and deviation, logistic regression"] = (moments_and_regression, 1)
    repeated["nearest neighbour by time warping"] = (nearest_by_warping, 1)
    rows = []
    for name, (system, count) in repeated.items():
        trials = []
        # Members of an ensemble have the seeds that follow.
        for seed in range(100, 100 * count + 1, 100):
            trials.append(trial(system, train, test, seed))
            print(f"vowels {name}, seed {seed}: {trials[-1].accuracy:.2%}", flush=True)
        rows.append(row(f"vowels, {count} seeds" if count > 1 else "vowels", name, trials))
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=("polarity", "vowels"), default=["polarity", "vowels"])
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = []
    if "polarity" in options.sets:
        rows += polarity(options.folds)
    if "vowels" in options.sets:
        rows += vowels(options.seeds)
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
