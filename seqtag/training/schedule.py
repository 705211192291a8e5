"""The learning rate over a run: linear warm-up, then a decay; lower after every plateau of the dev measure."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras

from seqtag.config.fitting import FittingConfig


def rate_factor(step: int, total_steps: int, warmup_steps: int, decay: str, spent: float = 0.0) -> float:
    """The factor on the base rate at 0-based `step`.

    It rises linearly to 1 over the warm-up. Then `decay` decides: it stays (`"none"`), or falls to 0 at `total_steps`
    along a line (`"linear"`) or half a cosine (`"cosine"`, Loshchilov and Hutter 2017). Where a larger share of a
    budget of time is `spent` than of the steps, it has fallen as far as that share, in the warm-up too.

    >>> [rate_factor(step, 12, 2, "linear") for step in (0, 1, 2, 7)]
    [0.5, 1.0, 1.0, 0.5]
    >>> rate_factor(7, 12, 2, "linear", spent=0.75)
    0.25
    """
    warmth = min(1.0, (step + 1) / max(1, warmup_steps))
    done = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return min(warmth, _decayed(min(1.0, max(0.0, done, spent)), decay))


def _decayed(progress: float, decay: str) -> float:
    match decay:
        case "linear":
            return 1 - progress
        case "cosine":
            return (1 + math.cos(math.pi * progress)) / 2
        case _:
            return 1.0


class LearningRate(keras.callbacks.Callback):
    """Sets the optimizer's rate before every step.

    Args:
        settings: the base rate, its warm-up and decay.
        steps_per_epoch: about the number of steps of an epoch.
        spent: gives the share of a budget of time that is spent.

    Attributes:
        scale: the product of the factors of `anneal` so far; part of a checkpoint.
    """

    async_safe = True

    def __init__(self, settings: FittingConfig, steps_per_epoch: int, spent: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__()
        self.settings = settings
        self.spent = spent
        self.total_steps = settings.epochs * steps_per_epoch
        self.step = 0
        self.scale = 1.0

    def anneal(self) -> None:
        """Lowers the rate by `anneal_factor` for the rest of the run."""
        self.scale *= self.settings.anneal_factor

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Sets this step's rate."""
        settings = self.settings
        factor = rate_factor(self.step, self.total_steps, settings.warmup_steps, settings.decay, self.spent())
        self.model.optimizer.learning_rate.assign(settings.learning_rate * self.scale * factor)
        self.step += 1
