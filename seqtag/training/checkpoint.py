"""The state of a run: all that it needs to go on after an interruption, in one NumPy archive without pickles."""

from __future__ import annotations

import json
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.errors import RunError
from seqtag.files.writing import atomic_write
from seqtag.keras_internals import sublayers
from seqtag.training.averaging import WeightAverage
from seqtag.training.schedule import LearningRate
from seqtag.training.selection import DevSelection

FILE_NAME = "state.npz"


class Checkpoint(keras.callbacks.Callback):
    """Saves the state of a run after every epoch, and restores it.

    The archive holds the model's variables (the dropout generators among them), the optimizer's, the average's, the
    best weights, and the counters of the other callbacks. What a layer lists as its `constant_weights` is left out: it
    is what it was when the model was made, and may be large. The archive is written whole or not at all: after an
    interruption the archive of the epoch before is there.

    Args:
        folder: the folder of the archive; None saves nothing.
        rate, average, selection: the callbacks whose state belongs to the run. List this callback after them.

    Attributes:
        history: the logs of every epoch so far.
        epochs_done, seconds: the number of epochs so far, and the time that they took, evaluation on dev included.
        stopped: whether patience had ended the restored run.
    """

    def __init__(
        self, folder: Path | None, rate: LearningRate, average: WeightAverage, selection: DevSelection
    ) -> None:
        super().__init__()
        self.folder = folder
        self.rate = rate
        self.average = average
        self.selection = selection
        self.history: list[dict[str, float]] = []
        self.epochs_done = 0
        self.seconds = 0.0
        self.stopped = False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the epoch's clock."""
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Records the epoch and saves."""
        self.epochs_done = epoch + 1
        self.seconds += time.monotonic() - self.began
        self.history.append({"epoch": epoch + 1, **{key: float(value) for key, value in (logs or {}).items()}})
        self.save()

    def save(self) -> None:
        """Writes the state."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {"counters": np.frombuffer(json.dumps(self._counters()).encode(), np.uint8)}
        for name, group in self._groups().items():
            arrays |= {f"{name}/{n}": np.asarray(value) for n, value in enumerate(group)}
        with atomic_write(self.folder / FILE_NAME) as aside:
            np.savez(aside, **arrays)

    def restore(self) -> bool:
        """Restores the state of the model and the callbacks; False if none was saved.

        Raises:
            RunError: the archive is damaged or of another model.
        """
        path = self.folder / FILE_NAME if self.folder else None
        if path is None or not path.exists():
            return False
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            self._set_counters(json.loads(arrays.pop("counters").tobytes()))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise RunError(f"{path}: expected a checkpoint, found a damaged file: {error}") from None
        self.average.average = [tf.Variable(v, trainable=False) for v in _numbered(arrays, "average")]
        self.selection.best_weights = _numbered(arrays, "best")
        for name, variables in (("model", _changing(self.model)), ("optimizer", self.model.optimizer.variables)):
            values = _numbered(arrays, name)
            if [v.shape for v in values] != [tuple(v.shape) for v in variables]:
                raise RunError(
                    f"{path}: expected a checkpoint of this model, found other shapes; was the config changed?"
                )
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return True

    def _groups(self) -> dict[str, list]:
        return {
            "model": _changing(self.model),
            "optimizer": self.model.optimizer.variables,
            "average": self.average.average,
            "best": self.selection.best_weights,
        }

    def _counters(self) -> dict:
        return {
            "epochs_done": self.epochs_done,
            "history": self.history,
            "seconds": self.seconds,
            "stopped": bool(self.model.stop_training),
            "rate": {"step": self.rate.step, "scale": self.rate.scale},
            "average": {"step": self.average.step, "updates": self.average.updates},
            "selection": {"best": self.selection.best, "best_epoch": self.selection.best_epoch},
        }

    def _set_counters(self, counters: dict) -> None:
        self.epochs_done = counters["epochs_done"]
        self.history = counters["history"]
        self.seconds = counters["seconds"]
        self.stopped = counters["stopped"]
        for callback in ("rate", "average", "selection"):
            vars(getattr(self, callback)).update(counters[callback])


def _changing(model: keras.Model) -> list[keras.Variable]:
    """The variables of a model that training may change."""
    constant = {id(variable) for variable in _constant(model)}
    return [variable for variable in model.variables if id(variable) not in constant]


def _constant(layer: keras.layers.Layer) -> list[keras.Variable]:
    own = list(getattr(layer, "constant_weights", ()))
    return own + [variable for part in sublayers(layer) for variable in _constant(part)]


def _numbered(arrays: dict[str, np.ndarray], group: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{group}/") for key in arrays)
    return [arrays[f"{group}/{n}"] for n in range(count)]
