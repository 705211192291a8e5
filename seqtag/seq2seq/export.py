"""A sequence-to-sequence model as one SavedModel that takes raw sources and needs TensorFlow alone."""

from __future__ import annotations

import os
from typing import NamedTuple

import tensorflow as tf

from seqtag.data.text.symbols import split_symbols, stripped
from seqtag.data.text.vocabulary import PADDING
from seqtag.process.forks import check_can_run
from seqtag.runs.saved_model import saved_model_folder
from seqtag.seq2seq.data.batches import assemble_batch
from seqtag.seq2seq.model import Seq2SeqModel

# Between a source and its further columns in the keys of the dictionary's table; no line of a file holds it.
BETWEEN = "\n"


class Inputs(NamedTuple):
    """What a signature takes; see `ServingSeq2Seq.signatures`."""

    source: tf.Tensor | None = None
    frames: tf.Tensor | None = None
    lengths: tf.Tensor | None = None
    features: tf.Tensor | None = None

    def stripped(self) -> Inputs:
        """The same texts as a file would hold them."""
        texts = {name: getattr(self, name) for name in ("source", "features") if getattr(self, name) is not None}
        return self._replace(**{name: stripped(text) for name, text in texts.items()})


class ServingSeq2Seq(tf.Module):
    """The signatures of an exported model, made of the graph functions of a fitted model.

    Splitting, lookup, the dictionary, the whole beam search and the joining of symbols run in the graph.

    Args:
        model: the fitted model.
    """

    def __init__(self, model: Seq2SeqModel) -> None:
        super().__init__()
        self._model = model
        # What the SavedModel must hold: variables and tables.
        self.tracked = [variable.value for variable in model.network.variables]
        self.tracked += model.coders.trackable
        self._known = None if model.dictionary is None else _table(model.dictionary.targets)
        self.tracked += [] if self._known is None else [self._known]

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """`serving_default` and, with attention, `attention`.

        Both take `source: string (batch,)`, or `frames: float32 (batch, time, features)` and `lengths: int32 (batch,)`;
        and `features: string (batch, columns)` where the model reads further columns.
        """
        model = self._model
        if model.scale is None:
            specs = {"source": tf.TensorSpec([None], tf.string, name="source")}
        else:
            specs = {
                "frames": tf.TensorSpec([None, None, model.scale.width], tf.float32, name="frames"),
                "lengths": tf.TensorSpec([None], tf.int32, name="lengths"),
            }
        if model.coders.features:
            specs["features"] = tf.TensorSpec([None, len(model.coders.features)], tf.string, name="features")
        found = {"serving_default": self.answer.get_concrete_function(**specs)}
        if model.network.attends:
            found["attention"] = self.attention.get_concrete_function(**specs)
        return found

    @tf.function(autograph=False)
    def answer(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Sources -> `target (batch, n)`, best first, and `score (batch, n)`, their probabilities.

        n is the width of the model's beam. Where there are fewer hypotheses, the others are "" with the score 0. A
        source that the dictionary knows has its target, with the score 1.
        """
        given = Inputs(**inputs).stripped()
        sources, columns = self._sources(given)
        model = self._model
        texts, scores, _ = model.search_symbols(sources, columns, model.search, model.search.beam)
        scores = tf.maximum(scores, 0.0)
        if self._known is not None and given.source is not None:
            known = self._known.lookup(_keys(given.source, given.features))[:, None]
            is_known = known != BETWEEN
            first = tf.range(model.search.beam)[None] == 0
            texts = tf.where(is_known, tf.where(first, known, ""), texts)
            scores = tf.where(is_known, tf.where(first, 1.0, 0.0), scores)
        return {"target": texts, "score": scores}

    @tf.function(autograph=False)
    def attention(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Sources -> the networks' best target as `symbols (batch, time)`, and `weights (batch, time, steps)`.

        The last symbol of each row is "", the end; further ones pad.
        """
        sources, columns = self._sources(Inputs(**inputs).stripped())
        model = self._model
        batch = assemble_batch(sources, columns, model.coders)
        bounds = model.bound.of(batch["source_lengths"])
        beams = model.network.search(batch, model.search, bounds + 1, n_best=1)
        lengths = tf.minimum(beams.lengths[:, 0], bounds)
        # No source at all has no longest target.
        time = tf.maximum(tf.reduce_max(lengths), 0) + 1
        best = tf.where(tf.sequence_mask(lengths, time), beams.symbols[:, 0, :time], PADDING)
        likelihood = model.network({**batch, "target": best, "target_lengths": lengths + 1})
        real = tf.sequence_mask(lengths + 1, time)
        return {
            "symbols": model.symbol_texts(best[:, None], sources)[:, 0],
            "weights": tf.where(real[..., None], likelihood.weights, 0.0),
        }

    def _sources(self, given: Inputs) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Sources as symbols, and their further columns."""
        model = self._model
        if model.scale is not None:
            scaled = model.scale.in_graph(given.frames)
            sources = tf.RaggedTensor.from_tensor(scaled, given.lengths, ragged_rank=1)
            rows = tf.shape(scaled)[0]
        else:
            sources = split_symbols(model.coders.source_kind, given.source)
            rows = tf.shape(given.source)[0]
        return sources, tf.zeros([rows, 0], tf.string) if given.features is None else given.features


def _table(targets: dict[tuple[str, ...], str]) -> tf.lookup.StaticHashTable:
    keys = [BETWEEN.join(key) for key in targets] or [BETWEEN]
    values = list(targets.values()) or [BETWEEN]
    entries = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values))
    return tf.lookup.StaticHashTable(entries, BETWEEN)


def _keys(source: tf.Tensor, features: tf.Tensor | None) -> tf.Tensor:
    parts = [source] if features is None else [source, *tf.unstack(features, axis=1)]
    return tf.strings.join(parts, BETWEEN)


def export_saved_model(model: Seq2SeqModel, path: str | os.PathLike[str]) -> None:
    """Writes the SavedModel of a fitted model.

    Raises:
        RunError: something is at `path` already.
    """
    check_can_run()
    with saved_model_folder(path) as folder:
        serving = ServingSeq2Seq(model)
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
