"""A tagging model as one SavedModel that takes raw strings or raw numbers and needs TensorFlow alone."""

from __future__ import annotations

import os

import tensorflow as tf

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.tokenizer import tokenize
from seqtag.data.text.word_features import WordEncoder, lookup_table
from seqtag.process.forks import check_can_run
from seqtag.runs.saved_model import saved_model_folder
from seqtag.tagging.data.batches import Batch, assemble_batch, frame_batch
from seqtag.tagging.data.documents import parts_in_graph
from seqtag.tagging.data.phrase_matcher import with_phrases
from seqtag.tagging.model import OUTPUTS, TaggingModel
from seqtag.tagging.network.decoding import sequence_mask


class ServingTagger(tf.Module):
    """The signatures of an exported tagger, made of the graph functions of a fitted model.

    Spelling features, vocabulary lookup, the network, Viterbi decoding under the constraints and the conversion to the
    file's tag scheme all run in the graph. They are the functions and tables that `predict` uses.

    Args:
        model: the fitted model.
    """

    def __init__(self, model: TaggingModel) -> None:
        super().__init__()
        self._model = model
        self._column_tables = [lookup_table(vocabulary) for vocabulary in model.column_vocabularies]
        # What the SavedModel must hold: variables and tables.
        self.tracked = [variable.value for variable in model.network.variables]
        self.tracked += self._column_tables + ([] if isinstance(model.encoder, FrameScale) else model.encoder.trackable)
        self.tracked += [] if model.matcher is None else model.matcher.trackable

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """`serving_default` on tokens and, unless the model reads further columns, `raw_text` on strings.

        A model that reads documents also has `documents`, which takes the document of each sentence. One of frames has
        `serving_default` on float32, and `double` on float64, where a small movement on a large level survives.
        """
        if isinstance(self._model.encoder, FrameScale):
            return {
                name: self.tag_frames.get_concrete_function(
                    features=tf.TensorSpec([None, None, self._model.encoder.width], dtype),
                    lengths=tf.TensorSpec([None], tf.int32),
                )
                for name, dtype in (("serving_default", tf.float32), ("double", tf.float64))
            }
        inputs = {"tokens": tf.TensorSpec([None, None], tf.string)}
        if self._column_tables:
            inputs["columns"] = tf.TensorSpec([None, None, len(self._column_tables)], tf.string)
        signatures = {"serving_default": self.tag_tokens.get_concrete_function(**inputs)}
        if self._model.reads_documents:
            documents = tf.TensorSpec([None], tf.string)
            signatures["documents"] = self.tag_tokens.get_concrete_function(**inputs, documents=documents)
        if not self._column_tables:
            text = tf.TensorSpec([None], tf.string, name="text")
            signatures["raw_text"] = self.tag_text.get_concrete_function(text)
        return signatures

    @tf.function(autograph=False)
    def tag_tokens(
        self, tokens: tf.Tensor, columns: tf.Tensor | None = None, documents: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """`tokens (batch, time)`, padded by "" -> `tags`, `scores` (batch, time) and `lengths` (batch,).

        Answers are as wide as the input, computed for no more steps than the longest row has. Further columns of tags
        are `tags_NAME` and `scores_NAME`.

        Args:
            tokens: strings.
            columns: the values of further columns `(batch, time, columns)`, where the model reads any.
            documents: `(batch,)`, equal for sentences of one document, which follow each other; "" is for a sentence
                alone, as all are where it is None.
        """
        lengths = _padded_lengths(tokens)
        rows = None if columns is None else tf.RaggedTensor.from_tensor(self._column_rows(columns), lengths)
        found = self._tag(tf.RaggedTensor.from_tensor(tokens, lengths), rows, documents)
        return _as_wide(found, tf.shape(tokens)[1])

    @tf.function(autograph=False)
    def tag_frames(self, features: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """Raw numbers `features (batch, time, width)`, NaN where missing, and `lengths (batch,)` -> as `tag_tokens`.

        What stands beyond the length of a row is not read.
        """
        scale = self._model.encoder
        assert isinstance(scale, FrameScale)
        scaled = tf.RaggedTensor.from_tensor(scale.in_graph(features), lengths, ragged_rank=1)
        return _as_wide(self._answers(frame_batch(scaled)), tf.shape(features)[1])

    def _column_rows(self, columns: tf.Tensor) -> tf.Tensor:
        rows = [table.lookup(columns[:, :, n]) for n, table in enumerate(self._column_tables)]
        return tf.stack(rows, axis=-1)

    @tf.function(autograph=False)
    def tag_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """`text (batch,)` -> also `tokens`, `starts` and `ends`, counted in Unicode characters of the input."""
        tokens, starts, ends = tokenize(text)
        found = {"tokens": tokens.to_tensor(""), "starts": starts.to_tensor(0), "ends": ends.to_tensor(0)}
        return found | self._tag(tokens)

    def _tag(
        self,
        tokens: tf.RaggedTensor,
        columns: tf.RaggedTensor | None = None,
        documents: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        columns, encoder = with_phrases(tokens, columns, self._model.matcher), self._model.encoder
        assert isinstance(encoder, WordEncoder)
        return self._answers(assemble_batch(tokens, encoder, columns, self._parts(tokens, documents)))

    def _answers(self, batch: Batch) -> dict[str, tf.Tensor]:
        """The tags and their scores in each column of tags, `(batch, time)`, and the lengths."""
        real = sequence_mask(batch)
        answers = {"lengths": batch["lengths"]}
        for model, output in zip(self._model.columns, self._model.tag_batch(batch), strict=True):
            found = model.entity_rule(*(output[name] for name in OUTPUTS))
            suffix = f"_{model.options.tag_name}" if model.number else ""
            answers[f"tags{suffix}"] = tf.where(real, _file_tags(model, found.tags), "")
            answers[f"scores{suffix}"] = tf.where(real, output["scores"], 0.0)
        return answers

    def _parts(self, tokens: tf.RaggedTensor, documents: tf.Tensor | None) -> tf.Tensor | None:
        """Which sentences the network reads together; each is alone where nothing is said of documents."""
        if not self._model.reads_documents:
            return None
        if documents is None:
            return tf.range(tokens.nrows(out_type=tf.int32))
        return parts_in_graph(documents, tf.cast(tokens.row_lengths(), tf.int32))


def _as_wide(answers: dict[str, tf.Tensor], steps: tf.Tensor) -> dict[str, tf.Tensor]:
    """Answers that are as wide as the input."""
    beyond = [[0, 0], [0, steps - tf.shape(answers["tags"])[1]]]
    return {name: value if name == "lengths" else tf.pad(value, beyond) for name, value in answers.items()}


def _file_tags(model: TaggingModel, indices: tf.Tensor) -> tf.Tensor:
    """`TagCodec.decode` in the graph, by the same table, in the notation of the run."""
    codec = model.codec
    before = tf.pad(indices, [[0, 0], [1, 0]])[:, :-1]
    rows = tf.gather_nd(tf.constant(codec.file_tag_rows), tf.stack([before, indices], axis=-1))
    notation = model.options.notation
    tags = codec.file_tags if notation is None else [notation.write(tag) for tag in codec.file_tags.tolist()]
    return tf.gather(tf.constant(tags), rows)


def _padded_lengths(tokens: tf.Tensor) -> tf.Tensor:
    """The length of each row: up to its last token that is not ""."""
    steps = tf.range(1, tf.shape(tokens)[1] + 1)
    # The maximum over zero steps is the smallest integer.
    return tf.maximum(0, tf.reduce_max(tf.where(tokens != "", steps[None, :], 0), axis=1))


def export_saved_model(model: TaggingModel, path: str | os.PathLike[str]) -> None:
    """Writes the SavedModel of a fitted model.

    Raises:
        RunError: something is at `path` already.
    """
    check_can_run()
    with saved_model_folder(path) as folder:
        serving = ServingTagger(model.compacted())
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
