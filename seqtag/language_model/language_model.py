"""`LanguageModel`: the language model as a scikit-learn estimator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.language_model.anomalies import UNLIKELY, Anomaly, anomalies_of
from seqtag.language_model.config import TASK, LanguageModelConfig
from seqtag.language_model.data.texts import Texts, hold_out, load_texts
from seqtag.language_model.evaluation.evaluate import evaluate_model
from seqtag.language_model.export import export_saved_model
from seqtag.language_model.fit import fit_language_model
from seqtag.language_model.generation import Generation
from seqtag.language_model.model import FittedLanguageModel, ScoredText
from seqtag.language_model.task import check_texts
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

# What a fit fixes besides the arguments of the network.
FIXED = "data.documents", "evaluation.cache"


class LanguageModel(BaseEstimator):
    """Predicts each symbol of a text, a character or a word, from all symbols before it.

    Args:
        symbols: `"characters"` or `"words"`.
        directions: `"forward"`, or `"both"` for a second network that reads backwards, which taggers use.
        cell: `"lstm"`, `"peephole_lstm"`, `"gru"`, `"simple_rnn"`, or `"window"`, a network without memory that reads
            the last symbols side by side (Bengio et al. 2003).
        context: how many symbols a window has.
        units: of each layer.
        layers: one above the other.
        residual: whether layers add their inputs to their outputs.
        embedding_dim: width of the vectors of symbols.
        tied: whether the output has the vectors of symbols as its weights.
        min_count: symbols seen less often in training are unknown; 2 for words and 1 for characters by default.
        cutoffs: of an adaptive softmax, for large vocabularies; see `AdaptiveSoftmax`.
        dropout: of each layer's output.
        embedding_dropout: of the vectors of symbols.
        recurrent_dropout: of the hidden state between steps.
        weight_dropout: of the numbers of the recurrent kernel.
        data: how files are read (`documents`, `encoding`, `dev_share`): a dict with the keys of the configuration's
            `data` section.
        training: a dict with the keys of the configuration's `training` section (`rows`, `steps`, `epochs`, ...).
        evaluation: a dict with the keys of its `evaluation` section (`measure`, `cache`, ...).
        seed: the same seed gives the same model bit for bit on a CPU.
        verbose: 0 fits without a line of progress; warnings are given all the same.

    Attributes:
        model_: the fitted `FittedLanguageModel`.
        config_: the configuration of the fit. An argument that it fixed cannot be set to another value without a fit.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`: on the validation data, and of training.

    Example:

        >>> model = LanguageModel(units=16, embedding_dim=8, dropout=0.0, training={"rows": 4, "steps": 10}, verbose=0)
        >>> model = model.fit(["abcabcabcabc" * 50])
        >>> model.perplexity(["abcabcabc"]) < 2
        True
        >>> model.generate("abcab", length=4, greedy=True)
        'abcabcabc'
    """

    def __init__(
        self,
        symbols: str = "characters",
        directions: str = "forward",
        cell: str = "lstm",
        context: int = 5,
        units: int = 512,
        layers: int = 1,
        residual: bool = False,
        embedding_dim: int = 64,
        tied: bool = False,
        min_count: int | None = None,
        cutoffs: tuple[int, ...] = (),
        dropout: float = 0.3,
        embedding_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        data: dict[str, Any] | None = None,
        training: dict[str, Any] | None = None,
        evaluation: dict[str, Any] | None = None,
        seed: int = 1,
        verbose: int = 1,
    ) -> None:
        self.symbols = symbols
        self.directions = directions
        self.cell = cell
        self.context = context
        self.units = units
        self.layers = layers
        self.residual = residual
        self.embedding_dim = embedding_dim
        self.tied = tied
        self.min_count = min_count
        self.cutoffs = cutoffs
        self.dropout = dropout
        self.embedding_dropout = embedding_dropout
        self.recurrent_dropout = recurrent_dropout
        self.weight_dropout = weight_dropout
        self.data = data
        self.training = training
        self.evaluation = evaluation
        self.seed = seed
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, validation_data: Any = None, verbose: int | None = None) -> LanguageModel:
        """Fits the model.

        Args:
            X: a path, several in a tuple, or texts, each of which is a document.
            y: not read; pipelines of scikit-learn hand it over.
            validation_data: what chooses the epoch, in any of these forms; the end of `X` when there is none.
            verbose: that of the estimator unless given.

        Raises:
            DataError: no text, one that is too short, or what is no text.
            ConfigError: an argument of a wrong type or an unknown key.
        """
        config = self._config()
        train = load_texts(X, config.data)
        if validation_data is None:
            splits = hold_out(train, {"dev": config.data.dev_share or 0.05})
        else:
            splits = {"train": train, "dev": load_texts(validation_data, config.data)}
        check_texts(splits, config)
        recording = Recording(verbose=is_verbose(self, verbose))
        self.model_, result = fit_language_model(splits["train"], splits["dev"], config, recording)
        self.config_ = config
        self.history_ = result.history
        report = evaluate_model(self.model_, splits["dev"])
        self.metrics_ = {"task": TASK, "dev": report.to_metrics(), "train": result.to_metrics()}
        return self

    def perplexity(self, X: Any) -> float:
        """exp of the mean cross-entropy of the symbols of texts, which are given as to `fit`."""
        self._check_fitted()
        return evaluate_model(self.model_, self._texts(X)).perplexity

    def bits_per_character(self, X: Any) -> float:
        """The cross-entropy of texts in bits, over their characters."""
        self._check_fitted()
        return evaluate_model(self.model_, self._texts(X)).bits_per_character

    def score(self, X: Any) -> list[ScoredText]:
        """The symbols of each text with their natural log-probabilities, from all symbols before them."""
        self._check_fitted()
        return self.model_.score(self._texts(X))

    def generate(
        self,
        prompt: str = "",
        length: int = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        greedy: bool = False,
        stop: str | None = None,
        seed: int = 1,
    ) -> str:
        """A text that begins with a prompt.

        Args:
            prompt: its beginning, which may be empty.
            length: the most symbols after it.
            temperature: below 1 likely symbols come more often, above 1 more rarely.
            top_k: how many of the likeliest symbols are drawn from; all by default.
            top_p: what share of the probability is drawn from (Holtzman et al. 2020); all by default.
            greedy: whether each symbol is the likeliest one; nothing is drawn then.
            stop: a text before which the answer ends.
            seed: gives the same text each time.

        Raises:
            ConfigError: a setting that cannot be, such as a temperature of 0.
        """
        self._check_fitted()
        return self.model_.generate(prompt, Generation(length, temperature, top_k, top_p, greedy, stop, seed))

    def complete(self, text: str, n: int = 3) -> list[tuple[str, float]]:
        """The most probable next words after a text, as a keyboard offers them, with their probabilities.

        Where the text does not end with white space, its last word is the beginning of the words that are offered.

        Raises:
            ValueError: `n` is below 1.
        """
        self._check_fitted()
        return self.model_.complete(text, n)

    def predict(self, X: Any) -> list[str]:
        """The most probable next word after each of several texts, "" where there is none; see `complete`."""
        self._check_fitted()
        return [next((word for word, _ in self.model_.complete(text, 1)), "") for text in X]

    def anomalies(self, X: Any, below: float = UNLIKELY) -> list[Anomaly]:
        """The symbols of texts whose probability is below a threshold; `text` counts the documents from 0."""
        self._check_fitted()
        texts = self._texts(X)
        pairs = zip(texts.documents, self.model_.score(texts), strict=True)
        return [one for n, (text, scored) in enumerate(pairs) for one in anomalies_of(n, text, scored, below)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a run directory that `load` and the command line read.

        Raises:
            RunError: something is there already.
        """
        self._check_fitted()
        with new_folder(path) as folder:
            write_estimator(folder, self, self.config_)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LanguageModel:
        """The estimator of a run directory.

        Raises:
            RunError: there is no finished run, or one of another task or format version.
        """
        return read_estimator(cls, Path(path), LanguageModelConfig, FittedLanguageModel.load)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes a SavedModel that needs TensorFlow alone; see `seqtag.language_model.export`."""
        self._check_fitted()
        export_saved_model(self.model_, path)

    def __getstate__(self) -> dict[str, Any]:
        return pickled_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore_state(self, state, FittedLanguageModel.load)

    def _texts(self, X: Any) -> Texts:
        return load_texts(X, self.model_.data)

    def _check_fitted(self) -> None:
        check_fitted(self, self._config(), FIXED)

    def _config(self) -> LanguageModelConfig:
        return config_of(self, LanguageModelConfig, TASK)
