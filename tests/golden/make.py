"""Fits a tiny model of each task and stores its run here, with a question and its answer, for `test_golden.py`.

Run it once when the format of runs takes a new version, before the release: `python tests/golden/make.py`. The folders
of earlier formats stay as they are. A new row of the table is stored by its name: `python tests/golden/make.py NAME`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqtag import Forecaster, LanguageModel, Seq2Seq, SequenceClassifier, Tagger
from seqtag.forecasting.data.samples import sample_series
from seqtag.runs.bundle import FORMAT_VERSION

FOLDER = Path(__file__).parent
SENTENCES = [
    (["Ann", "met", "Bo", "in", "New", "York", "."], ["B-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "O"]),
    (["it", "rains", "in", "Ærø"], ["O", "O", "O", "B-LOC"]),
    (["Bo", "saw", "Paris"], ["B-PER", "O", "B-LOC"]),
] * 8
QUESTIONS = [["Bo", "met", "Ann", "in", "Paris", "."], ["New", "York"], ["unseen", "Words", "12"], []]
PAIRS = [(source, source[::-1]) for source in ("ab", "ba", "abc", "cab", "bca", "acb", "aab", "cc", "bøb")] * 4
SOURCES = ["abc", "cb", "ab", "xøx", "cabcab", ""]
VERSES = [f"{a} {verb} the {b}, Ærø." for a in ("Ann", "Bo") for verb in ("saw", "met") for b in ("dog", "cat")] * 3
TEXTS = ["Ann saw the", "Bo met unseen words", "Ann s"]
# Frames of two numbers, one of which is missing here and there, with a label a step.
FRAMES = [np.array([[level, n], [np.nan, n], [-level, n]], "float64") for level in (3.0, -3.0) for n in range(4)] * 3
LABELS = [["high" if value > 0 else "low" for value in (f[0, 0], f[0, 0], f[2, 0])] for f in FRAMES]
NUMBERS = [[[3.0, 1.0], [-3.0, 2.0]], [[None, None]], [[-1e9, 0.0], [0.1, 9.0]]]
TRAINING = {"tensorboard": False, "learning_rate": 0.02}


def fitted_tagger() -> Tagger:
    """A tagger of entities with all its parts: character encoder, spelling, context features, CRF."""
    tagger = Tagger(units=4, word_dim=4, training=TRAINING | {"epochs": 8, "batch_tokens": 40})
    return tagger.fit(SENTENCES, validation_data=SENTENCES[:6])


def fitted_forecaster() -> Forecaster:
    """A forecaster with covariates of each kind, a calendar, an ensemble of two, the guard and calibrated quantiles."""
    forecaster = Forecaster(
        horizon=4,
        lookback=14,
        units=4,
        calendar=True,
        ensemble_size=2,
        guard="blend",
        series_width=2,
        data={"known": ["promotion", "holiday"], "static": ["region"]},
        training=TRAINING | {"epochs": 2, "windows_per_epoch": 128},
    )
    return forecaster.fit(series()[0])


def fitted_seq2seq() -> Seq2Seq:
    """Two networks of two layers whose attention reads where it was, with copying and a dictionary."""
    model = Seq2Seq(
        units=6,
        layers=2,
        attention="location",
        copies=True,
        dictionary=True,
        embedding_dim=4,
        dropout=0.1,
        ensemble_size=2,
        training=TRAINING | {"epochs": 10, "batch_symbols": 60},
    )
    return model.fit(PAIRS, validation_data=PAIRS[:9])


def fitted_language_model() -> LanguageModel:
    """Two networks of words, each of two layers, with an adaptive softmax and a cache."""
    model = LanguageModel(
        symbols="words",
        directions="both",
        units=6,
        layers=2,
        residual=True,
        embedding_dim=4,
        cutoffs=(4, 8),
        min_count=1,
        data={"documents": "lines"},
        training=TRAINING | {"epochs": 4, "rows": 4, "steps": 8},
        evaluation={"cache": {"size": 5}},
    )
    return model.fit(VERSES, validation_data=VERSES[:4])


def fitted_classifier() -> SequenceClassifier:
    """Two networks whose states are pooled by attention, with characters, and n-grams beside them."""
    classifier = SequenceClassifier(
        units=4,
        word_dim=4,
        char_encoder="cnn",
        char_ngrams=3,
        ensemble_size=2,
        training=TRAINING | {"epochs": 4, "batch_tokens": 40},
    )
    labels = ["dog" if "dog" in verse else "cat" for verse in VERSES]
    return classifier.fit(VERSES, labels, validation_data=(VERSES[:8], labels[:8]))


def fitted_frames_tagger() -> Tagger:
    """A tagger of frames, some of whose numbers are missing."""
    tagger = Tagger(source="frames", units=4, training=TRAINING | {"epochs": 4, "batch_tokens": 40})
    return tagger.fit(FRAMES, LABELS, validation_data=(FRAMES[:8], LABELS[:8]))


def fitted_frames_classifier() -> SequenceClassifier:
    """A classifier of frames, some of whose numbers are missing."""
    classifier = SequenceClassifier(
        source="frames", units=4, pooling="mean_max", training=TRAINING | {"epochs": 4, "batch_tokens": 40}
    )
    labels = [steps[0] for steps in LABELS]
    return classifier.fit(FRAMES, labels, validation_data=(FRAMES[:8], labels[:8]))


def series() -> Any:
    """The history of three shops, and the known covariates after it."""
    return sample_series(series=3, steps=90, horizon=8, seed=7)


def tags(tagger: Tagger, folder: Path) -> dict[str, list]:
    """The tags of the sentences in a folder, their scores and the entities."""
    tagged = tagger.tag(json.loads((folder / "sentences.json").read_text(encoding="utf-8")))
    return {
        "tags": [sentence.tags for sentence in tagged],
        "scores": [sentence.scores for sentence in tagged],
        "entities": [[list(entity) for entity in sentence.entities] for sentence in tagged],
    }


def forecasts(forecaster: Forecaster, folder: Path) -> dict[str, list]:
    """The next steps, within the fitted horizon and beyond it, and sample paths."""
    future = folder / "future.csv"
    frame = forecaster.predict(horizon=6, future=future)
    return {
        "names": [*frame.columns],
        "series": frame["unique_id"].tolist(),
        "times": frame["ds"].astype(str).tolist(),
        "numbers": frame.iloc[:, 2:].to_numpy().tolist(),
        "paths": forecaster.sample_paths(num_paths=2, future=future).tolist(),
    }


def targets(model: Seq2Seq, folder: Path) -> dict[str, list]:
    """The two best targets of the sources in a folder, with their probabilities."""
    sources = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
    found = [answer.candidates for answer in model.answer(sources, n_best=2)]
    return {
        "targets": [[candidate.target for candidate in candidates] for candidates in found],
        "scores": [[candidate.score for candidate in candidates] for candidates in found],
    }


def scores(model: LanguageModel, folder: Path) -> dict[str, list]:
    """The log-probabilities of the symbols of texts in a folder, next words, and a text."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    found = model.score(texts)
    return {
        "symbols": [scored.symbols for scored in found],
        "log_probabilities": [scored.log_probabilities.tolist() for scored in found],
        "words": [[list(offer) for offer in model.complete(text)] for text in texts],
        "text": [model.generate(texts[0], length=8, greedy=True)],
    }


def labels(classifier: SequenceClassifier, folder: Path) -> dict[str, list]:
    """The labels of the texts in a folder, and the probabilities of all labels."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    return {
        "classes": classifier.classes_.tolist(),
        "labels": classifier.predict(texts).tolist(),
        "probabilities": classifier.predict_proba(texts).tolist(),
    }


class Golden(NamedTuple):
    """What is stored, and what it is asked.

    Attributes:
        estimator: its class.
        fit: the fitted model.
        ask: writes the question into a folder.
        answer: what a model answers to the question in a folder.
    """

    estimator: type
    fit: Callable[[], Any]
    ask: Callable[[Path], None]
    answer: Callable[[Any, Path], dict[str, list]]


def asks(name: str, question: Any) -> Callable[[Path], None]:
    """Writes a question as JSON into a file of this name."""
    return lambda folder: write_json(folder / name, question)


# By the folder of the run.
GOLDEN = {
    "tagging": Golden(Tagger, fitted_tagger, asks("sentences.json", QUESTIONS), tags),
    "tagging_frames": Golden(Tagger, fitted_frames_tagger, asks("sentences.json", NUMBERS), tags),
    "forecasting": Golden(
        Forecaster, fitted_forecaster, lambda folder: series()[1].to_csv(folder / "future.csv", index=False), forecasts
    ),
    "seq2seq": Golden(Seq2Seq, fitted_seq2seq, asks("sources.json", SOURCES), targets),
    "language_model": Golden(LanguageModel, fitted_language_model, asks("texts.json", TEXTS), scores),
    "classification": Golden(SequenceClassifier, fitted_classifier, asks("texts.json", TEXTS), labels),
    "classification_frames": Golden(SequenceClassifier, fitted_frames_classifier, asks("texts.json", NUMBERS), labels),
}


def main(names: Sequence[str]) -> None:
    """Writes the run, the question and the answers of these rows in the present format; of all unless named."""
    for name in names or GOLDEN:
        golden = GOLDEN[name]
        estimator = golden.fit()
        folder = FOLDER / f"format_{FORMAT_VERSION}" / name
        shutil.rmtree(folder, ignore_errors=True)
        estimator.save(folder)
        golden.ask(folder)
        write_json(folder / "answers.json", golden.answer(estimator, folder))


def write_json(path: Path, value: Any) -> None:
    """Writes what JSON can hold."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
