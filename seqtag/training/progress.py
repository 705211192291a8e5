"""The progress of a training on standard error: one live line, and one line that stays for each epoch."""

from __future__ import annotations

import time

import keras

from seqtag.progress import LiveLine, time_left
from seqtag.training.measure import Measure


class ProgressLine(keras.callbacks.Callback):
    """Shows tokens or windows per second, the loss, the dev measure and the most time left.

    Args:
        epochs: the most epochs of the run.
        items: the number of tokens or windows of an epoch.
        unit: their name, such as `tokens`.
        steps: about the number of batches of an epoch.
        measure: the dev measure.
        first_epoch: the number of epochs before this process.
        label: the beginning of every line, where several runs follow one another.
    """

    def __init__(
        self,
        epochs: int,
        items: int,
        unit: str,
        steps: int,
        measure: Measure,
        first_epoch: int = 0,
        label: str = "",
    ) -> None:
        super().__init__()
        self.epochs = epochs
        self.items = items
        self.unit = unit
        self.steps = steps
        self.measure = measure
        self.first_epoch = first_epoch
        self.label = f"{label} " if label else ""
        self.live = LiveLine()
        self.dev_text = ""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts the clocks."""
        self.started = self.epoch_started = time.monotonic()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Removes the live line."""
        self.live.close()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the epoch's clock."""
        self.epoch = epoch
        self.epoch_started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Updates the live line."""

        def text() -> str:
            now = time.monotonic()
            part = min(1.0, (batch + 1) / self.steps)
            rate = part * self.items / max(1e-9, now - self.epoch_started)
            done = self.epoch - self.first_epoch + part
            line = self._line(rate, (logs or {}).get("loss", float("nan")), self.dev_text, now, done)
            return f"{line}  {part:4.0%} of the epoch"

        self.live.show(text)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints the line that stays. List this callback after the one that computes the dev measure."""
        logs = logs or {}
        now = time.monotonic()
        dev, best = self.measure.text(logs["dev"]), self.measure.text(logs["best"])
        self.dev_text = f"dev {self.measure.name} {dev} (best {best})"
        rate = self.items / logs["train_seconds"]
        done = epoch + 1 - self.first_epoch
        self.live.keep(self._line(rate, logs["loss"], self.dev_text, now, done))

    def _line(self, rate: float, loss: float, dev: str, now: float, done: float) -> str:
        left = time_left(now - self.started, done, self.epochs - self.first_epoch)
        head = f"{self.label}epoch {self.epoch + 1:>2}/{self.epochs}  {rate:7,.0f} {self.unit}/s  loss {loss:.4f}"
        return f"{head}  {dev}  at most {left}"
