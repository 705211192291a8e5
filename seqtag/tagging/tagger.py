"""`Tagger`: the tagging model as a scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.errors import DataError
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
from seqtag.tagging.config import TASK, TaggingConfig
from seqtag.tagging.data.corpus import TaggerInput, load_corpus, reading_options
from seqtag.tagging.data.document_marks import check_documents
from seqtag.tagging.data.forced_tags import ForcedTags, forced_of_lists
from seqtag.tagging.data.frame_sequences import step_names, unlabelled_sequences
from seqtag.tagging.data.python_sentences import sentences_of
from seqtag.tagging.data.shares import share_of, split_off_dev
from seqtag.tagging.data.tag_codec import fit_codecs
from seqtag.tagging.data.weights import checked_weights
from seqtag.tagging.evaluation.columns import reports_of
from seqtag.tagging.evaluation.evaluate import evaluate_model, mean_score, resolve_measures
from seqtag.tagging.export import export_saved_model
from seqtag.tagging.fit import fit_tagging_model
from seqtag.tagging.language_model import check_language_model
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.tagged_sentence import Candidate, TaggedSentence
from seqtag.tagging.vectors import load_vectors
from seqtag.training.recording import Recording

# For each sentence, a tag or None a token.
Forced = Iterable[Sequence[str | None] | None]


class Tagger(BaseEstimator):
    """A tagger of token sequences: named entities, parts of speech, chunks.

    Args:
        cell: `"peephole_lstm"`, `"lstm"`, `"gru"` or `"simple_rnn"`.
        units: of each direction.
        layers: bidirectional layers.
        char_encoder: `"cnn"`, `"birnn"` or `"none"`.
        spelling: whether hashed affixes and word shape are read.
        context_features: whether the words around a token and its spelling also score tags without the recurrent
            layers.
        document_context: whether a token also reads the states of the same word elsewhere in its document; what is one
            document, files, a column of a DataFrame or `data={"documents": 10}` say.
        head: `"crf"` or `"softmax"`.
        heads: of some of `data["tag_columns"]`: another head.
        loss_weights: of some of them: how much their loss counts, 1 unless set.
        entity_cost: what missing a tag of an entity costs a CRF in training; a higher cost finds more entities.
        tag_costs: what missing some types or tags costs in training, such as `{"PER": 2}`, with either head; for these
            instead of `entity_cost`.
        word_dim: width of the word embedding.
        vectors: files of pretrained word vectors, whose vectors are concatenated.
        keep_vectors: `"all"` keeps the vectors of every word of the files, `"seen"` those of training and validation
            data alone.
        tune_vectors: whether word vectors are trained along; a number: after so many epochs.
        gazetteers: files of lines `type TAB phrase`; the network reads where phrases stand in a sentence.
        min_count: words seen less often in training are unknown.
        dropout: variational, of token vectors and recurrent outputs.
        recurrent_dropout: variational, of the hidden state between steps.
        input_noise: deviation of normal noise that frames, standardised, get while training.
        ensemble_size: how many networks, each of another seed, whose scores of tag sequences are averaged.
        word_dropout, singleton_dropout: share of words, and of those that occur once, read as unknown in training.
        data: how files are read (`layout`, `token_column`, `tag_column`, `tag_columns`, `features`, `encoding`,
            `scheme`): a dict with the keys of the configuration's `data` section.
        training: a dict with the keys of the configuration's `training` section.
        evaluation: a dict with the keys of its `evaluation` section (`measure`, ...).
        seed: the same seed gives the same model bit for bit on a CPU.
        verbose: 0 fits without a line of progress; warnings are given all the same.
        source: `"tokens"`, or `"frames"` of numbers: then a sentence is an array `(time, features)`, NaN where a number
            is missing, its tokens are the frames, and nothing is there that reads words, such as `char_encoder`.
        language_model: run directory of a language model of characters, whose states at the words the network reads.
        tune_language_model: whether it is trained along.

    Attributes:
        model_: the fitted `TaggingModel`.
        config_: the configuration of the fit. An argument that it fixed cannot be set to another value without a fit.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`: on the validation data, and of training.

    Example:

        >>> sentences = [(["Ann", "saw", "Bo"], ["B-PER", "O", "B-PER"]), (["it", "rains"], ["O", "O"])] * 20
        >>> tagger = Tagger(units=8, training={"epochs": 6, "batch_tokens": 40, "learning_rate": 0.01})
        >>> tagger.fit(sentences, validation_data=sentences).predict([["Bo", "saw", "Ann"]])
        [['B-PER', 'O', 'B-PER']]
    """

    def __init__(
        self,
        cell: str = "peephole_lstm",
        units: int = 100,
        layers: int = 1,
        char_encoder: str = "cnn",
        spelling: bool = True,
        context_features: bool = True,
        document_context: bool = False,
        head: str = "crf",
        heads: dict[str, str] | None = None,
        loss_weights: dict[str, float] | None = None,
        entity_cost: float = 0.0,
        tag_costs: dict[str, float] | None = None,
        word_dim: int = 100,
        vectors: Sequence[str] = (),
        keep_vectors: str = "all",
        tune_vectors: bool | int = False,
        gazetteers: Sequence[str] = (),
        min_count: int = 1,
        dropout: float = 0.5,
        recurrent_dropout: float = 0.0,
        input_noise: float = 0.0,
        ensemble_size: int = 1,
        word_dropout: float = 0.05,
        singleton_dropout: float = 0.5,
        data: dict[str, Any] | None = None,
        training: dict[str, Any] | None = None,
        evaluation: dict[str, Any] | None = None,
        seed: int = 1,
        verbose: int = 1,
        source: str = "tokens",
        language_model: str | None = None,
        tune_language_model: bool = False,
    ) -> None:
        self.cell = cell
        self.units = units
        self.layers = layers
        self.char_encoder = char_encoder
        self.spelling = spelling
        self.context_features = context_features
        self.document_context = document_context
        self.head = head
        self.heads = heads
        self.loss_weights = loss_weights
        self.entity_cost = entity_cost
        self.tag_costs = tag_costs
        self.word_dim = word_dim
        self.vectors = vectors
        self.keep_vectors = keep_vectors
        self.tune_vectors = tune_vectors
        self.gazetteers = gazetteers
        self.min_count = min_count
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.input_noise = input_noise
        self.ensemble_size = ensemble_size
        self.word_dropout = word_dropout
        self.singleton_dropout = singleton_dropout
        self.data = data
        self.training = training
        self.evaluation = evaluation
        self.seed = seed
        self.verbose = verbose
        self.source = source
        self.language_model = language_model
        self.tune_language_model = tune_language_model

    def fit(
        self,
        X: Any,
        y: Iterable[Sequence[str]] | None = None,
        validation_data: Any = None,
        verbose: int | None = None,
        sample_weight: Iterable[float] | None = None,
    ) -> Tagger:
        """Fits the model.

        Args:
            X: a path, an iterable of `(tokens, tags)`, a DataFrame (`sentence, token, tag`), or token lists with `y`.
                The tags of several columns are a dict of lists, by the names of the columns. Of frames: a path of a
                long table or `.ts`, a DataFrame (`id`, maybe `time`, numbers, `label`), or arrays with `y`.
            y: tag lists, when `X` holds token lists.
            validation_data: what chooses the epoch, in any of these forms (`(X, y)` for token lists); every tenth
                sentence of `X` is held out for it when there is none.
            verbose: that of the estimator unless given.
            sample_weight: how often each sentence of `X` counts in training, instead of the weights that `X` has.

        Raises:
            DataError: no sentence, tokens and tags that differ in number, what is no string, weights that do not fit;
                the message says where.
            ConfigError: an argument of a wrong type or an unknown key.
        """
        config = self._config()
        options = reading_options(config.data)
        train = load_corpus(X, options, y)
        if sample_weight is not None:
            train.weights = checked_weights(sample_weight, len(train))
        options = options.spelt_as(train)
        if validation_data is None:
            train, dev = split_off_dev(train)
        elif isinstance(validation_data, tuple) and len(validation_data) == 2:
            dev = load_corpus(validation_data[0], options, validation_data[1])
        else:
            dev = load_corpus(validation_data, options)
        check_documents(train, config)
        check_language_model(config.model)
        train = share_of(train, config.data.fraction, config.seed, config.model.document_context)
        for codec, of_column in zip(fit_codecs(train, config.data.scheme), dev.columns_of_tags, strict=True):
            codec.check(of_column)
        recording = Recording(verbose=is_verbose(self, verbose))
        vectors = load_vectors(config, {"train": train, "dev": dev}, verbose=recording.verbose)
        table = None if vectors is None else vectors.table
        self.model_, result = fit_tagging_model(train, dev, config, recording, vectors=table)
        self.config_ = config
        report = evaluate_model(self.model_, dev)
        self.history_ = result.history
        self.metrics_ = {"task": TASK, "dev": report.to_metrics(), "train": result.to_metrics()}
        if vectors is not None:
            self.metrics_["vectors"] = vectors.to_metrics()
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The tags that `predict_proba` has columns for."""
        self._check_fitted()
        return np.array(self.model_.codec.labels)

    def predict(
        self,
        X: Iterable[Sequence[str]],
        forced: Forced | None = None,
        documents: Iterable[Hashable | None] | None = None,
    ) -> list[list[str]]:
        """The tags of tokenised sentences, each any iterable of strings; those of the first of several columns.

        Args:
            X: the sentences.
            forced: for each sentence the tags that the answer must have, None for a token that is free; None for a
                sentence whose tokens are all free. Probabilities are those given these tags. Of several columns it is
                the first one.
            documents: what tells the document of each sentence from the one before, None for a sentence alone; only
                a model with `document_context` reads it. All are alone unless given.

        Raises:
            DataError: a token that is no string, is empty or is no text, or a forced tag that the tagger does not have
                or that cannot stand there; the message names sentence and position.
        """
        return [sentence.tags for sentence in self.tag(X, forced, documents)]

    def predict_columns(
        self, X: Iterable[Sequence[str]], documents: Iterable[Hashable | None] | None = None
    ) -> dict[str, list[list[str]]]:
        """The tags of tokenised sentences in each of `data["tag_columns"]`, by the column's name.

        What `documents` are, `predict` says.
        """
        tagged = self.tag(X, documents=documents)
        first, *further = (column.options.tag_name for column in self.model_.columns)
        return {
            first: [sentence.tags for sentence in tagged],
            **{name: [sentence.further[name].tags for sentence in tagged] for name in further},
        }

    def predict_proba(
        self,
        X: Iterable[Sequence[str]],
        forced: Forced | None = None,
        documents: Iterable[Hashable | None] | None = None,
    ) -> list[np.ndarray]:
        """For each sentence an array `(time, classes)`: the probability of each of `classes_` at each token.

        The model learns spans as IOBES, so their classes are IOBES tags. A tag's probability is that of all legal tag
        sequences that have the tag at this token.
        """
        self._check_fitted()
        return self.model_.probabilities(self._inputs(X, forced, documents))

    def tag(
        self,
        X: Iterable[Sequence[str]],
        forced: Forced | None = None,
        documents: Iterable[Hashable | None] | None = None,
    ) -> list[TaggedSentence]:
        """Tags, their probabilities and the entities with theirs; see `predict` for `forced` and `documents`."""
        self._check_fitted()
        return self.model_.tag(self._inputs(X, forced, documents))

    def predict_n_best(
        self,
        X: Iterable[Sequence[str]],
        n: int = 5,
        forced: Forced | None = None,
        documents: Iterable[Hashable | None] | None = None,
    ) -> list[list[Candidate]]:
        """The `n` likeliest tag sequences of each sentence, best first; each has `tags`, `entities` and `score`.

        The score is the probability of the whole sequence, that of an entity the one of just this span in any
        sequence. A sentence of fewer legal sequences has as many as there are; one without tokens has one. What
        `forced` and `documents` are, `predict` says.

        Raises:
            ConfigError: `n` is not from 1 to 1000.
        """
        self._check_fitted()
        return self.model_.n_best(self._inputs(X, forced, documents), n)

    def score(self, X: Any, y: Iterable[Sequence[str]] | None = None) -> float:
        """F1 of spans by conlleval's reading, or accuracy of plain labels; the mean of several columns of tags.

        `X` and `y` are as in `fit`.

        Tags that training did not have count as missed; a `DataWarning` says how many there are.
        """
        self._check_fitted()
        corpus = load_corpus(X, self.model_.options, y)
        codecs = self.model_.codecs
        for codec, of_column in zip(codecs, corpus.columns_of_tags, strict=True):
            codec.check(of_column)
        return mean_score(reports_of(evaluate_model(self.model_, corpus)), resolve_measures("auto", codecs))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a run directory that `load` and the command line read.

        Raises:
            RunError: something is there already.
        """
        self._check_fitted()
        with new_folder(path) as folder:
            self._write(folder)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tagger:
        """The estimator of a run directory.

        Raises:
            RunError: there is no finished run, or one of another task or format version.
        """
        return read_estimator(cls, Path(path), TaggingConfig, TaggingModel.load)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes a SavedModel that needs TensorFlow alone; see `seqtag.tagging.export`."""
        self._check_fitted()
        export_saved_model(self.model_, path)

    def __getstate__(self) -> dict[str, Any]:
        return pickled_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore_state(self, state, TaggingModel.load)

    def _write(self, folder: Path) -> None:
        write_estimator(folder, self, self.config_)

    def _check_fitted(self) -> None:
        check_fitted(self, self._config(), ("data.features", "data.scheme", "evaluation.precision"))

    def _inputs(
        self,
        X: Iterable[Sequence[str]],
        forced: Forced | None = None,
        documents: Iterable[Hashable | None] | None = None,
    ) -> list[TaggerInput]:
        inputs = self._frame_inputs(X) if self.model_.reads_frames else self._token_inputs(X)
        inputs = _in_documents(inputs, documents)
        if forced is None:
            return inputs
        read = ForcedTags(self.model_.codec, self.model_.options.notation, self.model_.options.unknown_tag)
        tags = forced_of_lists(forced, [len(sentence.tokens) for sentence in inputs], read)
        return [sentence._replace(forced=wanted) for sentence, wanted in zip(inputs, tags, strict=True)]

    def _frame_inputs(self, X: Any) -> list[TaggerInput]:
        sequences = unlabelled_sequences(X, self.model_.options)
        return [TaggerInput(step_names(len(sequence)), frames=sequence.frames) for sequence in sequences]

    def _token_inputs(self, X: Iterable[Sequence[str]]) -> list[TaggerInput]:
        if self.model_.column_vocabularies:
            raise DataError("expected a model of tokens alone; this one reads further columns: use `seqtag predict`")
        return list(map(TaggerInput, sentences_of(X)))

    def _config(self) -> TaggingConfig:
        return config_of(self, TaggingConfig, TASK)


def _in_documents(sentences: list[TaggerInput], documents: Iterable[Hashable | None] | None) -> list[TaggerInput]:
    if documents is None:
        return sentences
    values = [None if _is_missing(value) else value for value in documents]
    if len(values) != len(sentences):
        raise DataError(f"expected as many documents as sentences, found {len(values)} for {len(sentences)}")
    return [sentence._replace(document=value) for sentence, value in zip(sentences, values, strict=True)]


def _is_missing(value: Hashable | None) -> bool:
    """Whether it is None, or what pandas has for it."""
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))
