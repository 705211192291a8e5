"""How a network, or several as one, finds the best tags of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from keras import ops

from seqtag.models.language_network.word_states import STATES
from seqtag.tagging.network.tag_column import Decoded, ScoredColumn


class DecodesTags:
    """A network of emissions whose columns of tags score sequences.

    Attributes:
        columns: what scores the tags of each column.
    """

    columns: Sequence[ScoredColumn]
    _graphs: dict[tuple[tuple[int, ...], bool], Callable[..., Any]]

    def input_shapes(self) -> dict[str, list[int | None]]:
        """The shapes of what a batch must hold."""
        raise NotImplementedError

    def decode(self, batch: dict, numbers: Sequence[int] | None = None) -> list[Decoded]:
        """The best legal `tags (batch, time)` int32 of a batch, 0 at padding, and the `emissions`, by a graph.

        Args:
            batch: see `TaggerNetwork`.
            numbers: of the columns; all unless given.
        """
        chosen = tuple(range(len(self.columns)) if numbers is None else numbers)
        shapes = self.input_shapes()
        if STATES in batch:
            shapes[STATES] = [None, None, batch[STATES].shape[-1]]
        key = chosen, STATES in batch
        if key not in self._graphs:
            types = {"frames": tf.float32, STATES: tf.float16}
            signature = {name: tf.TensorSpec(shape, types.get(name, tf.int32)) for name, shape in shapes.items()}
            traced = tf.function(
                lambda batch: self._decoded(batch, chosen), input_signature=[signature], autograph=False
            )
            # One graph for each key: calls of it are not watched for tracing often, which TensorFlow would warn of
            # where many networks in a process are traced once each.
            with tf.init_scope():
                self._graphs[key] = traced.get_concrete_function()
        # A batch may hold tags too; the graph does not take them.
        found: list[Decoded] = self._graphs[key]({name: batch[name] for name in shapes})
        return found

    def _decoded(self, batch: dict, numbers: Sequence[int]) -> list[Decoded]:
        emissions, mask = self.split(self(batch, training=False)), sequence_mask(batch)  # type: ignore[operator]
        return [{"tags": self.columns[n].decode(emissions[n], mask), "emissions": emissions[n]} for n in numbers]

    def split(self, emissions: tf.Tensor) -> list[tf.Tensor]:
        """The emissions of each column, of those of all."""
        return tf.split(emissions, [column.num_tags for column in self.columns], axis=-1)


def sequence_mask(batch: dict) -> tf.Tensor:
    """`(batch, time)` bool, True where a token or a frame is."""
    of_steps = batch["frames"] if "frames" in batch else batch["word_rows"]
    steps = ops.arange(ops.shape(of_steps)[1], dtype="int32")
    return steps[None, :] < ops.cast(batch["lengths"], "int32")[:, None]
