"""A classifier as one SavedModel that takes raw texts or numbers and needs TensorFlow alone."""

from __future__ import annotations

import os

import tensorflow as tf

from seqtag.classification.data.frame_encoder import FrameEncoder
from seqtag.classification.model import ClassificationModel
from seqtag.process.forks import check_can_run
from seqtag.runs.saved_model import saved_model_folder


class ServingClassifier(tf.Module):
    """The signatures of an exported classifier, made of the graph functions of a fitted model.

    Tokenising, lookup, n-grams, the networks and the choice of labels run in the graph.

    Args:
        model: the fitted model.
    """

    def __init__(self, model: ClassificationModel) -> None:
        super().__init__()
        self._model = model
        # What the SavedModel must hold: variables and tables.
        self.tracked = [variable.value for variable in model.network.variables]
        self.tracked += model.encoder.trackable

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """`serving_default` alone."""
        if isinstance(self._model.encoder, FrameEncoder):
            specs = {
                "features": tf.TensorSpec([None, None, self._model.encoder.scale.width], tf.float32, name="features"),
                "lengths": tf.TensorSpec([None], tf.int32, name="lengths"),
            }
        else:
            specs = {"text": tf.TensorSpec([None], tf.string, name="text")}
        return {"serving_default": self.classify.get_concrete_function(**specs)}

    @tf.function(autograph=False)
    def classify(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Sequences -> `labels` and `scores`, the probability of each label `(batch, labels)`, and `classes`.

        Sequences are `text (batch,)`; or `features (batch, time, features)` in float32, NaN where missing, and
        `lengths (batch,)` in int32.

        `labels (batch,)` is the most probable one. Where there may be several it is `(batch, labels)`, padded by "".
        `classes (labels,)` are the names of the columns of `scores`.
        """
        encoder = self._model.encoder
        if isinstance(encoder, FrameEncoder):
            batch = encoder.batch_of_frames(inputs["features"], inputs["lengths"])
        else:
            batch = encoder.batch_of_texts(inputs["text"])
        scores = self._model.batch_probabilities(batch)
        classes = tf.constant(self._model.labels.names)
        if self._model.labels.several:
            labels = tf.ragged.boolean_mask(
                tf.broadcast_to(classes, tf.shape(scores)), scores >= self._model.threshold
            ).to_tensor("", shape=(None, len(self._model.labels)))
        else:
            labels = tf.gather(classes, tf.argmax(scores, axis=1))
        return {"labels": labels, "scores": scores, "classes": classes}


def export_saved_model(model: ClassificationModel, path: str | os.PathLike[str]) -> None:
    """Writes the SavedModel of a fitted model.

    Raises:
        RunError: something is at `path` already.
    """
    check_can_run()
    with saved_model_folder(path) as folder:
        serving = ServingClassifier(model)
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
