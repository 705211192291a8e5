"""The progress of a fit on long sequences: one live line on standard error."""

from __future__ import annotations

import time

import keras

from seqtag.progress import LiveLine, time_left


class StreamProgress(keras.callbacks.Callback):
    """Shows updates per second, the loss and the time left."""

    # Without this, Keras reads the loss after every update, and not only when it is shown.
    async_safe = True

    def __init__(self) -> None:
        super().__init__()
        self.live = LiveLine()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts the clock."""
        self.started = time.monotonic()
        self.done = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Updates the line."""
        self.done += 1

        def text() -> str:
            steps, epochs = self.params["steps"], self.params["epochs"]
            seconds = time.monotonic() - self.started
            rate = self.done / max(seconds, 1e-9)
            loss = float((logs or {}).get("loss", float("nan")))
            head = f"epoch {self.epoch + 1:>2}/{epochs}  update {batch + 1}/{steps}  {rate:,.1f} updates/s"
            return f"{head}  loss {loss:.4f}  about {time_left(seconds, self.done, steps * epochs)}"

        self.live.show(text)

    def close(self) -> None:
        """Removes the line."""
        self.live.close()
