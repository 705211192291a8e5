"""The seconds of the epochs of Keras's `fit`."""

from __future__ import annotations

import time

import keras

__all__ = ["EpochSeconds"]


class EpochSeconds(keras.callbacks.Callback):
    """Collects the seconds of all epochs but each fit's first."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps the seconds."""
        if epoch:
            self.seconds.append(time.perf_counter() - self.began)
