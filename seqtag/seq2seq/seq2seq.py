"""`Seq2Seq`: the sequence-to-sequence model as a scikit-learn estimator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

import seqtag.process.tensorflow_first  # noqa: F401
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
from seqtag.seq2seq.config import TASK, Seq2SeqConfig
from seqtag.seq2seq.data.load import load_pairs, load_sources, with_layout
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.split import hold_out
from seqtag.seq2seq.evaluation.evaluate import evaluate_model
from seqtag.seq2seq.export import export_saved_model
from seqtag.seq2seq.fit import fit_seq2seq_model
from seqtag.seq2seq.model import Answer, Seq2SeqModel
from seqtag.seq2seq.plots.attention import plot_attention
from seqtag.seq2seq.task import check_data, checked_search
from seqtag.training.recording import Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


# What a fit fixes besides the arguments of the network.
FIXED = "data.features", "evaluation.beam", "evaluation.length_penalty", "evaluation.coverage_penalty"


class Seq2Seq(BaseEstimator):
    """An encoder-decoder with attention: sequences in, sequences of other symbols and another length out.

    Args:
        source: what a source consists of: `"characters"`, `"words"`, `"symbols"` with spaces between them, or
            `"frames"`, arrays of numbers `(time, features)`.
        target: what a target consists of: `"characters"`, `"words"` or `"symbols"`.
        cell: `"peephole_lstm"`, `"lstm"`, `"gru"` or `"simple_rnn"`.
        units: of the decoder; each direction of the encoder has half of them.
        layers: of the encoder and of the decoder.
        attention: `"additive"`, `"dot"`, `"general"`, `"scaled"` or `"location"`; None for the encoder's last state
            alone.
        input_feeding: whether the decoder reads its last output.
        copies: whether targets may take symbols from the source that the vocabulary lacks.
        dictionary: whether a source that had one target in more than half of its training pairs gets that one.
        embedding_dim: width of the vectors of symbols.
        min_count: symbols seen less often in training are unknown; 2 for words and 1 for others by default.
        dropout: of embeddings and of each layer's output.
        recurrent_dropout: of the hidden state between steps.
        ensemble_size: how many networks there are, with `seed`, `seed + 1`, ..., whose probabilities are averaged.
        max_length: the most symbols of an answer; follows the length of its source by default.
        data: how files are read (`layout`, `source_column`, `target_column`, `features`, `separator`, `encoding`): a
            dict with the keys of the configuration's `data` section.
        training: a dict with the keys of the configuration's `training` section.
        evaluation: a dict with the keys of its `evaluation` section (`measure`, `beam`, `length_penalty`, ...).
        seed: the same seed gives the same model bit for bit on a CPU.
        verbose: 0 fits without a line of progress; warnings are given all the same.

    Attributes:
        model_: the fitted `Seq2SeqModel`.
        config_: the configuration of the fit. An argument that it fixed cannot be set to another value without a fit.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`: on the validation data, and of training.

    Example:

        >>> pairs = [("ab", "ba"), ("abb", "bba"), ("b", "b"), ("aab", "baa")] * 20
        >>> model = Seq2Seq(units=32, dropout=0.0, training={"epochs": 60, "learning_rate": 0.01})
        >>> model.fit(pairs, validation_data=pairs).predict(["abb", "b"])
        ['bba', 'b']
    """

    def __init__(
        self,
        source: str = "characters",
        target: str = "characters",
        cell: str = "lstm",
        units: int = 256,
        layers: int = 1,
        attention: str | None = "additive",
        input_feeding: bool = True,
        copies: bool = False,
        dictionary: bool = False,
        embedding_dim: int = 128,
        min_count: int | None = None,
        dropout: float = 0.3,
        recurrent_dropout: float = 0.0,
        ensemble_size: int = 1,
        max_length: int | None = None,
        data: dict[str, Any] | None = None,
        training: dict[str, Any] | None = None,
        evaluation: dict[str, Any] | None = None,
        seed: int = 1,
        verbose: int = 1,
    ) -> None:
        self.source = source
        self.target = target
        self.cell = cell
        self.units = units
        self.layers = layers
        self.attention = attention
        self.input_feeding = input_feeding
        self.copies = copies
        self.dictionary = dictionary
        self.embedding_dim = embedding_dim
        self.min_count = min_count
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.ensemble_size = ensemble_size
        self.max_length = max_length
        self.data = data
        self.training = training
        self.evaluation = evaluation
        self.seed = seed
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, validation_data: Any = None, verbose: int | None = None) -> Seq2Seq:
        """Fits the model.

        Args:
            X: a path, or two (of sources and of targets); pairs `(source, target)`; a DataFrame with the columns
                `source` and `target`; or sources, with targets in `y`. A source with further columns is a tuple.
            y: the targets, when `X` holds sources.
            validation_data: what chooses the epoch, in any of these forms (`(X, y)` for two lists); a tenth of the
                sources of `X` is held out for it when there is none.
            verbose: that of the estimator unless given.

        Raises:
            DataError: no pair, an empty source or target, what is no text; the message says where.
            ConfigError: an argument of a wrong type or an unknown key.
        """
        config = self._config()
        train = load_pairs(X, config.data, y)
        check_data(train, config)
        if validation_data is None:
            parts = hold_out(train, config.data.dev_share or 0.1)
            train, dev = parts["train"], parts["dev"]
        elif y is not None and isinstance(validation_data, tuple):
            dev = load_pairs(validation_data[0], config.data, validation_data[1])
        else:
            dev = load_pairs(validation_data, config.data)
        settled = config.model_copy(update={"data": with_layout(config.data, X)})
        recording = Recording(verbose=is_verbose(self, verbose))
        self.model_, result = fit_seq2seq_model(train, dev, settled, recording)
        self.config_ = config
        self.history_ = result.history
        report = evaluate_model(self.model_, dev)
        self.metrics_ = {"task": TASK, "dev": report.to_metrics(), "train": result.to_metrics()}
        return self

    def predict(self, X: Any, beam: int | None = None, n_best: int | None = None) -> list[Any]:
        """The best target of each source; with `n_best`, a list of the best ones of each.

        Args:
            X: texts, tuples of a text and its further columns, arrays of frames, or a DataFrame.
            beam: hypotheses of the search; 5 unless given, 1 is greedy.
            n_best: how many targets, at most the beam.

        Raises:
            DataError: what is no source.
            ConfigError: a beam below 1, or more targets than it has hypotheses.
        """
        answers = self.answer(X, beam, n_best or 1 if n_best is None else n_best)
        if n_best is None:
            return [answer.target for answer in answers]
        return [[candidate.target for candidate in answer.candidates] for answer in answers]

    def answer(self, X: Any, beam: int | None = None, n_best: int = 1) -> list[Answer]:
        """As `predict`, with the probabilities of targets."""
        self._check_fitted()
        search = checked_search(self.model_, beam, n_best)
        return self.model_.answer(self._sources(X), search, n_best)

    def sample(
        self, X: Any, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None, seed: int = 1
    ) -> list[str]:
        """A random target of each source, drawn from the model's distribution.

        Args:
            X: as for `predict`.
            temperature: below 1 draws likely targets more often, above 1 more rarely.
            top_k: how many of the likeliest symbols each step draws from; all by default.
            top_p: what share of the probability each step draws from (Holtzman et al. 2020); all by default.
            seed: gives the same targets each time.

        Raises:
            ValueError: a limit that is out of its range.
            DataError: what is no source.
        """
        self._check_fitted()
        drawn = self.model_.draw(self._sources(X), seed, temperature, top_k, top_p)
        return [candidate.target for candidate in drawn]

    def score(self, X: Any, y: Any = None) -> float:
        """The share of sources whose answer is one of their targets; BLEU from 0 to 1 where targets are words.

        `X` and `y` are as in `fit`.
        """
        self._check_fitted()
        pairs = load_pairs(X, self.model_.data, y)
        scores = evaluate_model(self.model_, pairs).scores
        return scores.exact_match if scores.bleu is None else scores.bleu.score / 100

    def plot_attention(self, source: Any, target: str | None = None, ax: Axes | None = None) -> Figure | SubFigure:
        """A heat map of where the decoder looked in a source while it wrote each symbol.

        Args:
            source: one source.
            target: what it writes; its own answer unless given.
            ax: where to draw; a new figure unless given.

        Raises:
            ValueError: the model has no attention.
        """
        self._check_fitted()
        pairs = self._sources([source])
        target = self.model_.answer(pairs)[0].target if target is None else target
        return plot_attention(*self.model_.attention(pairs.sources[0], pairs.features[0], target), ax=ax)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a run directory that `load` and the command line read.

        Raises:
            RunError: something is there already.
        """
        self._check_fitted()
        with new_folder(path) as folder:
            write_estimator(folder, self, self.config_)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Seq2Seq:
        """The estimator of a run directory.

        Raises:
            RunError: there is no finished run, or one of another task or format version.
        """
        return read_estimator(cls, Path(path), Seq2SeqConfig, Seq2SeqModel.load)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes a SavedModel that needs TensorFlow alone; see `seqtag.seq2seq.export`."""
        self._check_fitted()
        export_saved_model(self.model_, path)

    def __getstate__(self) -> dict[str, Any]:
        return pickled_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore_state(self, state, Seq2SeqModel.load)

    def _sources(self, X: Any) -> Pairs:
        return load_sources(X, self.model_.data)

    def _check_fitted(self) -> None:
        check_fitted(self, self._config(), FIXED)

    def _config(self) -> Seq2SeqConfig:
        return config_of(self, Seq2SeqConfig, TASK)
