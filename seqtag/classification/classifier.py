"""`SequenceClassifier`: the classifier as a scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.classification.config import TASK, ClassificationConfig
from seqtag.classification.data.load import load_examples, load_sources, with_layout
from seqtag.classification.data.split import hold_out
from seqtag.classification.evaluation.evaluate import evaluate_model
from seqtag.classification.explanation import Explanation, Method, explain
from seqtag.classification.export import export_saved_model
from seqtag.classification.fit import fit_classifier
from seqtag.classification.model import ClassificationModel
from seqtag.classification.task import check_labels, kind_of
from seqtag.classification.vectors import load_vectors
from seqtag.runs.estimators import (
    check_fitted,
    config_of,
    is_verbose,
    pickled_state,
    read_estimator,
    restore_state,
    write_estimator,
)
from seqtag.runs.places import new_folder
from seqtag.training.recording import Recording


class SequenceClassifier(ClassifierMixin, BaseEstimator):
    """Labels of whole sequences: texts, by recurrent networks and a linear model of n-grams beside them; or frames of
    numbers, by recurrent networks.

    Args:
        source: what is classified: `"text"`, or `"frames"`, arrays of numbers `(time, features)`.
        labels: `"one"` label for each sequence, or `"several"`, any number of them.
        cell: `"gru"`, `"lstm"`, `"peephole_lstm"` or `"simple_rnn"`.
        units: of each direction of the recurrent layers.
        layers: how many bidirectional layers.
        pooling: what is made of the states of all steps: `"attention"`, `"mean"`, `"max"`, `"mean_max"` or `"last"`.
        char_encoder: `"cnn"` or `"birnn"`, which reads the characters of each word, or `"none"`.
        spelling: whether the recurrent layers read hashed prefixes, suffixes and word shape.
        word_dim: width of the word embedding.
        vectors: files of pretrained word vectors, whose vectors are concatenated.
        keep_vectors: `"all"` keeps the vectors of every word of the files, `"seen"` those of training and validation
            data alone.
        tune_vectors: whether word vectors are trained along.
        min_count: words seen less often are unknown.
        max_length: the recurrent layers read so many words of a text, its first ones.
        word_ngrams: words and sequences of up to so many also score the labels straight; 0 for none.
        char_ngrams: the same of two and more characters of a word, up to so many; 0 for none.
        dropout: of the word vectors, of each recurrent layer's output and of the pooled vector.
        recurrent_dropout: of the hidden state between steps.
        input_noise: deviation of normal noise that frames, standardised, get while training.
        word_dropout: share of words read as unknown while training.
        singleton_dropout: the same for words that occur once.
        ensemble_size: how many networks there are, with `seed`, `seed + 1`, ..., whose scores are averaged.
        data: how files are read (`layout`, `text_column`, `label_column`, `encoding`, ...): a dict with the keys of the
            configuration's `data` section.
        training: a dict with the keys of the configuration's `training` section.
        evaluation: a dict with the keys of its `evaluation` section.
        seed: the same seed gives the same model bit for bit on a CPU.
        verbose: 0 fits without a line of progress; warnings are given all the same.

    Attributes:
        model_: the fitted `ClassificationModel`.
        config_: the configuration of the fit. An argument that it fixed cannot be set to another value without a fit.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`: on the validation data, and of training.

    Example:

        >>> texts = ["a fine film", "fine and moving", "a dull film", "dull and long"] * 10
        >>> labels = ["pos", "pos", "neg", "neg"] * 10
        >>> classifier = SequenceClassifier(units=8, word_dim=8, training={"epochs": 2}, verbose=0)
        >>> classifier.fit(texts, labels, validation_data=(texts, labels)).predict(["fine", "so dull"]).tolist()
        ['pos', 'neg']
    """

    def __init__(
        self,
        source: str = "text",
        labels: str = "one",
        cell: str = "gru",
        units: int = 64,
        layers: int = 1,
        pooling: str = "attention",
        char_encoder: str = "none",
        spelling: bool = False,
        word_dim: int = 100,
        vectors: Sequence[str] = (),
        keep_vectors: str = "all",
        tune_vectors: bool = False,
        min_count: int = 1,
        max_length: int = 1000,
        word_ngrams: int = 2,
        char_ngrams: int = 6,
        dropout: float = 0.5,
        recurrent_dropout: float = 0.0,
        input_noise: float = 0.0,
        word_dropout: float = 0.05,
        singleton_dropout: float = 0.5,
        ensemble_size: int = 1,
        data: dict[str, Any] | None = None,
        training: dict[str, Any] | None = None,
        evaluation: dict[str, Any] | None = None,
        seed: int = 1,
        verbose: int = 1,
    ) -> None:
        self.source = source
        self.labels = labels
        self.cell = cell
        self.units = units
        self.layers = layers
        self.pooling = pooling
        self.char_encoder = char_encoder
        self.spelling = spelling
        self.word_dim = word_dim
        self.vectors = vectors
        self.keep_vectors = keep_vectors
        self.tune_vectors = tune_vectors
        self.min_count = min_count
        self.max_length = max_length
        self.word_ngrams = word_ngrams
        self.char_ngrams = char_ngrams
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.input_noise = input_noise
        self.word_dropout = word_dropout
        self.singleton_dropout = singleton_dropout
        self.ensemble_size = ensemble_size
        self.data = data
        self.training = training
        self.evaluation = evaluation
        self.seed = seed
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, validation_data: Any = None, verbose: int | None = None) -> SequenceClassifier:
        """Fits the classifier.

        Args:
            X: texts, with their labels in `y`; a path; a dict of a file for each label; pairs `(text, label)`; or a
                DataFrame with the columns `text` and `label`. Of frames: arrays `(time, features)`, NaN where a number
                is missing, a path, or a DataFrame in long form (`id`, maybe `time`, numbers, `label`).
            y: the labels, when `X` holds texts or arrays: texts or whole numbers, or for each a collection of them.
            validation_data: what chooses the epoch, in any of these forms (`(X, y)` for two lists); a tenth of each
                label of `X` is held out for it when there is none.
            verbose: that of the estimator unless given.

        Raises:
            DataError: no text, one label alone, a missing label; the message says where.
            ConfigError: an argument of a wrong type or an unknown key.
        """
        config = self._config()
        kind = kind_of(config)
        train = load_examples(X, config.data, kind, y)
        if validation_data is None:
            train, dev = hold_out(train, config.data.dev_share or 0.1)
        elif y is not None and isinstance(validation_data, tuple):
            dev = load_examples(validation_data[0], config.data, kind, validation_data[1])
        else:
            dev = load_examples(validation_data, config.data, kind)
        check_labels({"train": train, "dev": dev}, config)
        settled = config.model_copy(update={"data": with_layout(config.data, kind, X if y is None else ())})
        recording = Recording(verbose=is_verbose(self, verbose))
        vectors = load_vectors(config, {"train": train, "dev": dev}, verbose=recording.verbose)
        table = None if vectors is None else vectors.table
        self.model_, result = fit_classifier(train, dev, settled, recording, vectors=table)
        self.config_ = config
        self.history_ = result.history
        report = evaluate_model(self.model_, dev)
        self.metrics_ = {"task": TASK, "dev": report.to_metrics(), "train": result.to_metrics()}
        if vectors is not None:
            self.metrics_["vectors"] = vectors.to_metrics()
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The labels, sorted, in the order of the columns of `predict_proba`."""
        self._check_fitted()
        return np.array(self.model_.labels.labels)

    def predict(self, X: Any) -> Any:
        """The label of each text, as an array; where there may be several, a list of the labels of each.

        Args:
            X: texts, arrays, or a DataFrame.
        """
        self._check_fitted()
        answers = self.model_.answer(load_sources(X, self.model_.data, self.model_.kind).sources)
        if self.model_.labels.several:
            return [list(answer.labels) for answer in answers]
        return np.array([answer.labels[0] for answer in answers], self.classes_.dtype)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each of `classes_`, `(texts, labels)`; where there may be several, each by itself."""
        self._check_fitted()
        return self.model_.probabilities(load_sources(X, self.model_.data, self.model_.kind).sources)

    def explain(self, X: Any, method: Method = "leave_one_out") -> list[Explanation]:
        """Which words of texts spoke for their labels; each draws itself in colours in a notebook and with rich.

        Args:
            X: texts, or a DataFrame.
            method: `"leave_one_out"`, or `"attention"` of a classifier that pools by it.

        Raises:
            ConfigError: no such method, frames, or a classifier that pools otherwise.
        """
        self._check_fitted()
        return explain(self.model_, load_sources(X, self.model_.data, self.model_.kind).sources, method)

    def score(self, X: Any, y: Any = None) -> float:
        """The share of texts whose labels are right; `X` and `y` are as in `fit`."""
        self._check_fitted()
        examples = load_examples(X, self.model_.data, self.model_.kind, y)
        self.model_.labels.warn_of_unknown(examples)
        return evaluate_model(self.model_, examples).accuracy

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a run directory that `load` and the command line read.

        Raises:
            RunError: something is there already.
        """
        self._check_fitted()
        with new_folder(path) as folder:
            write_estimator(folder, self, self.config_)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SequenceClassifier:
        """The estimator of a run directory.

        Raises:
            RunError: there is no finished run, or one of another task or format version.
        """
        return read_estimator(cls, Path(path), ClassificationConfig, ClassificationModel.load)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes a SavedModel that needs TensorFlow alone; see `seqtag.classification.export`."""
        self._check_fitted()
        export_saved_model(self.model_, path)

    def __getstate__(self) -> dict[str, Any]:
        return pickled_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore_state(self, state, ClassificationModel.load)

    def _check_fitted(self) -> None:
        check_fitted(self, self._config(), ())

    def _config(self) -> ClassificationConfig:
        return config_of(self, ClassificationConfig, TASK)
