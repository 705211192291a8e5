"""The progress of a training on standard error: one live line, and one line that stays for each epoch."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import keras

from seqtag.config.fitting import FittingConfig
from seqtag.progress import LiveLine, clock
from seqtag.training.budget import Deadline
from seqtag.training.selection import DevSelection

if TYPE_CHECKING:
    from seqtag.training.fit import Examples


class ProgressLine(keras.callbacks.Callback):
    """Shows tokens or windows per second, the loss, the dev measure and the time left.

    Where standard error is no terminal, some of the lines that a terminal shows within an epoch stay, too. Rates and
    times left are those of the updates after the first one, which builds the graph.

    Args:
        settings: the most epochs of the run, and its patience.
        examples: the training data.
        selection: what computes the dev measure; list this callback after it.
        deadline: what ends the fit when a budget is spent.
        label: the beginning of every line, where several runs follow one another.
    """

    # Without this, Keras reads the loss after every update, and not only when it is shown.
    async_safe = True

    def __init__(
        self,
        settings: FittingConfig,
        examples: Examples,
        selection: DevSelection,
        deadline: Deadline,
        label: str = "",
    ) -> None:
        super().__init__()
        self.settings = settings
        self.examples = examples
        self.selection = selection
        self.deadline = deadline
        self.first_epoch = self.epoch = 0
        self.label = f"{label} " if label else ""
        self.live = LiveLine(plain_lines=True)
        self.dev_text = ""
        self.updates = 0
        self.after_first = self.epoch_started = math.nan

    def on_train_end(self, logs: dict | None = None) -> None:
        """Removes the live line."""
        self.live.close()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the epoch's clock."""
        self.epoch = epoch
        self.epoch_started, self.epoch_updates = time.monotonic(), 0
        if not self.updates:
            self.first_epoch = epoch
            self.show_preparing()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Updates the live line."""
        self.updates += 1
        if self.updates == 1:
            self.after_first = self.epoch_started = time.monotonic()
            return
        self.epoch_updates += 1
        self.live.show(lambda: self._within((batch + 1) / self.examples.steps, logs or {}))

    def show_scoring(self) -> None:
        """Shows that the dev measure is computed."""
        if self.updates:
            self.live.show(lambda: f"{self._head()}scoring", at_once=True)
        else:
            self.show_preparing()

    def show_preparing(self) -> None:
        """Shows that the graph is built, before there is a rate."""
        self.live.show(lambda: f"{self._head()}building the graph", at_once=True)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints the line that stays."""
        logs = logs or {}
        measure = self.selection.measure
        dev, best = measure.text(logs["dev"]), measure.text(logs["best"])
        self.dev_text = f"dev {measure.name} {dev} (best {best})"
        rate = self.examples.items * logs["updates"] / self.examples.steps / logs["train_seconds"]
        self.live.keep(self._line(rate, logs["loss"], self._ending() or self._left(1.0)))

    def _within(self, part: float, logs: dict) -> str:
        """The line within an epoch, of which this part is done."""
        seconds = max(1e-9, time.monotonic() - self.epoch_started)
        rate = self.examples.items * self.epoch_updates / self.examples.steps / seconds
        line = self._line(rate, float(logs.get("loss", math.nan)), self._left(part))
        return f"{line}  {min(1.0, part):4.0%} of the epoch"

    def _line(self, rate: float, loss: float, end: str) -> str:
        start = f"{self._head()}{rate:7,.0f} {self.examples.unit}/s  loss {loss:.4f}"
        return "  ".join(filter(None, [start, self.dev_text, end]))

    def _head(self) -> str:
        return f"{self.label}epoch {self.epoch + 1:>2}/{self.settings.epochs}  "

    def _ending(self) -> str | None:
        """Why training ends with this epoch; None where it goes on or has all its epochs."""
        if self.deadline.reached:
            return "ends: the budget is spent"
        if self.model.stop_training and self.epoch + 1 < self.settings.epochs:
            return f"ends: no better in {self.settings.patience} epochs"
        return None

    def _left(self, part: float) -> str:
        """The least and the most time left, of which the first is that without another better epoch."""
        if self.updates < 2:
            return ""
        done = self.epoch + part
        counted = done - self.first_epoch - 1 / self.examples.steps
        seconds = (time.monotonic() - self.after_first) / max(1e-9, counted)
        most = min(self.deadline.budget.left(), seconds * max(0.0, self.settings.epochs - done))
        if self.settings.patience is None:
            return f"at most {clock(most)} left"
        until = max(self.selection.best_epoch, 0) + self.settings.patience + 1
        least = seconds * max(0.0, until - done)
        return f"{clock(least)} to {clock(most)} left" if least <= most - 1 else f"at most {clock(most)} left"
