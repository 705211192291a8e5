"""Gradient flow through time, computed during a training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.diagnostics.flow import gradient_flow
from seqtag.diagnostics.flow_result import GradientFlow
from seqtag.diagnostics.plots import plot_training
from seqtag.files.writing import atomic_write
from seqtag.layers.introspection import check_recurrent, check_tensorflow

if TYPE_CHECKING:
    import pandas as pd

TABLE, PICTURE = "gradient_flow.csv", "gradient_flow.png"


class GradientFlowLogger(keras.callbacks.Callback):
    """Computes `seqtag.diagnostics.gradient_flow` of one and the same batch at the end of epochs.

    The loss is the training's loss, and the batch runs as in prediction. The training is not changed: neither weights
    nor logs nor random numbers. Each `fit` starts a new record.

    Args:
        x: the inputs of the batch, as the model takes them.
        y: its targets.
        sample_weight: a weight for each row or step.
        every: epochs from one computation to the next.
        folder: where `gradient_flow.csv`, a row for each epoch and step, and `gradient_flow.png`, heat maps of epochs
            by steps, are kept up to date; None writes neither.
        log_dir: the folder of TensorBoard's files: for each layer and direction the norms at the steps that run first
            and last, and their ratio; None writes none.

    Attributes:
        epochs: the 1-based epochs whose flow was computed.

    Raises:
        ValueError: `every` is below 1; in the first step, the model has no trainable weights or no recurrent layers.

    Example:
        >>> x, y = np.ones((4, 6, 2)), np.ones((4, 1))
        >>> inside = keras.layers.GRU(3, name="gru"), keras.layers.Dense(1)
        >>> model = keras.Sequential([keras.Input((6, 2)), *inside])
        >>> model.compile(loss="mse")
        >>> logger = GradientFlowLogger(x, y)
        >>> _ = model.fit(x, y, epochs=2, callbacks=[logger], verbose=0)
        >>> logger.norms["gru"].shape
        (2, 6)
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        every: int = 1,
        folder: str | os.PathLike[str] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"expected every to be at least 1, found {every}")
        self.x = x
        self.y = y
        self.sample_weight = sample_weight
        self.every = every
        self.folder = None if folder is None else Path(folder)
        self.log_dir = log_dir
        self.epochs: list[int] = []
        self._norms: list[dict[str, np.ndarray]] = []
        self._frames: list[pd.DataFrame] = []
        self._writer: Any = None

    @property
    def norms(self) -> dict[str, np.ndarray]:
        """The norms of dL/dh_t of each layer, `(epochs, time)`; `(epochs, 2, time)` for a bidirectional layer."""
        names = self._norms[0] if self._norms else ()
        return {name: np.stack([norms[name] for norms in self._norms]) for name in names}

    def to_frame(self) -> pd.DataFrame:
        """A row for each epoch and step: `epoch` and the columns of `GradientFlow.to_frame`."""
        import pandas as pd

        return pd.concat(self._frames, ignore_index=True) if self._frames else pd.DataFrame()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Checks the model, if it has its weights already, and starts a new record."""
        check_tensorflow(type(self).__name__)
        self._checked = self.model.built or bool(self.model.weights)
        if self._checked:
            check_recurrent(self.model)
        self.epochs, self._norms, self._frames = [], [], []
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        if self.log_dir is not None:
            self._writer = tf.summary.create_file_writer(os.fspath(self.log_dir))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Checks a model that got its weights from the first batch."""
        if not self._checked:
            check_recurrent(self.model)
            self._checked = True

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Computes the flow and writes it."""
        if (epoch + 1) % self.every:
            return
        flow = gradient_flow(self.model, self.x, self.y, sample_weight=self.sample_weight)
        self.epochs.append(epoch + 1)
        self._norms.append(flow.norms)
        frame = flow.to_frame()
        frame.insert(0, "epoch", epoch + 1)
        self._frames.append(frame)
        if self.folder is not None:
            with atomic_write(self.folder / TABLE) as aside:
                self.to_frame().to_csv(aside, index=False)
            plot_training(self.norms, np.array(self.epochs), self.folder / PICTURE)
        if self._writer is not None:
            self._write_scalars(flow, epoch + 1)

    def _write_scalars(self, flow: GradientFlow, epoch: int) -> None:
        with self._writer.as_default(step=epoch):
            for direction in flow.summary().to_dict("records"):
                name = f"gradient_flow/{direction['layer']}/{direction['direction']}"
                early, late = direction["first"], direction["last"]
                if direction["direction"] == "backward":
                    early, late = late, early
                for key, value in {"run_first": early, "run_last": late, "ratio": direction["ratio"]}.items():
                    tf.summary.scalar(f"{name}/{key}", value)
        self._writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Closes TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
