"""A language model as one SavedModel that takes raw texts and needs TensorFlow alone."""

from __future__ import annotations

import os

import tensorflow as tf

from seqtag.data.text.vocabulary import BOUNDARY
from seqtag.language_model.model import FittedLanguageModel
from seqtag.process.forks import check_can_run
from seqtag.runs.saved_model import saved_model_folder


class ServingLanguageModel(tf.Module):
    """The signatures of an exported model, made of the graph functions of a fitted model.

    Splitting, lookup, scoring, drawing and the joining of symbols run in the graph.

    Args:
        model: the fitted model.
    """

    def __init__(self, model: FittedLanguageModel) -> None:
        super().__init__()
        self._model = model
        # What the SavedModel must hold: variables and tables.
        self.tracked = [variable.value for variable in model.networks.forward.variables]
        self.tracked += model.coder.trackable

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """`score`, which is also `serving_default`, and `generate`."""
        text = tf.TensorSpec([None], tf.string, name="text")
        score = self.score.get_concrete_function(text)
        generate = self.generate.get_concrete_function(
            prompt=tf.TensorSpec([None], tf.string, name="prompt"),
            length=tf.TensorSpec([], tf.int32, name="length"),
            temperature=tf.TensorSpec([], tf.float32, name="temperature"),
            top_k=tf.TensorSpec([], tf.int32, name="top_k"),
            top_p=tf.TensorSpec([], tf.float32, name="top_p"),
            seed=tf.TensorSpec([], tf.int64, name="seed"),
        )
        return {"serving_default": score, "score": score, "generate": generate}

    @tf.function(autograph=False)
    def score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Texts `(batch,)` -> `log_probability: float32 (batch, time)`, `symbols: string (batch, time)`, `lengths`.

        Each text is a document. Where the model predicts the ends of documents, that of each text is its last symbol,
        "". Beyond the length of a text stand zeros and "".
        """
        model = self._model
        symbols, rows = model.coder.split(text)
        count = rows.nrows()
        boundary = tf.fill([count, 1], tf.cast(BOUNDARY, rows.dtype))
        ends = int(model.has_ends)
        lengths = tf.cast(rows.row_lengths(), tf.int32) + ends
        # One step at least, since a text may be empty, and all of them.
        width = tf.maximum(tf.reduce_max(lengths), 1)
        targets = _as_wide(rows.to_tensor(BOUNDARY), width, BOUNDARY)
        inputs = tf.concat([boundary, targets[:, :-1]], axis=1)
        found, _ = model.cached.score(inputs, targets, model.cached.begin(count))
        real = tf.sequence_mask(lengths, width)
        return {
            "log_probability": tf.where(real, found, 0.0),
            "symbols": _as_wide(symbols.to_tensor(""), width, ""),
            "lengths": lengths,
        }

    @tf.function(autograph=False)
    def generate(
        self,
        prompt: tf.Tensor,
        length: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Prompts `(batch,)` -> `text: string (batch,)`, each with its prompt and at most `length` symbols more.

        A temperature of 0 takes the likeliest symbols, a `top_k` of 0 and a `top_p` of 1 leave all. The text of a seed
        is that of `FittedLanguageModel.generate`.
        """
        return {"text": self._model.generator.texts(prompt, length, temperature, top_k, top_p, seed)}


def _as_wide(matrix: tf.Tensor, width: tf.Tensor, padding: int | str) -> tf.Tensor:
    """A matrix `(batch, steps)` padded to a width."""
    return tf.pad(matrix, [[0, 0], [0, width - tf.shape(matrix)[1]]], constant_values=padding)


def export_saved_model(model: FittedLanguageModel, path: str | os.PathLike[str]) -> None:
    """Writes the SavedModel of a fitted model.

    Raises:
        RunError: something is at `path` already.
    """
    check_can_run()
    with saved_model_folder(path) as folder:
        serving = ServingLanguageModel(model)
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
