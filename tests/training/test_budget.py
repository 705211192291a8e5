"""Fits within a budget, on a clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf

from seqtag.config.fitting import FittingConfig
from seqtag.training.budget import Budget
from seqtag.training.fit import fit_network
from seqtag.training.measure import Measure
from seqtag.training.recording import Recording

STEPS = 40


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is turned; fits and budgets read it."""
    found = SimpleNamespace(now=100.0, monotonic=lambda: found.now)
    for module in ("budget", "fit", "progress", "checkpoint"):
        monkeypatch.setattr(f"seqtag.training.{module}.time", found)
    return found


class Line(keras.Model):
    """One weight, fitted to y = 3 x."""

    def __init__(self):
        super().__init__()
        self.slope = self.add_weight(shape=(), initializer="zeros", name="slope")
        self.built = True

    def call(self, x, training=False):
        return self.slope * x

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return tf.reduce_mean(tf.square(y_pred - 3 * x))


class Updates(keras.callbacks.Callback):
    """Turns the clock by what an update takes, the first one longer, and keeps the learning rates."""

    def __init__(self, clock, seconds, tracing):
        super().__init__()
        self.clock, self.seconds, self.tracing, self.rates = clock, seconds, tracing, []

    def on_train_batch_end(self, batch, logs=None):
        self.clock.now += self.seconds if self.rates else self.tracing
        self.rates.append(float(self.model.optimizer.learning_rate.numpy()))


@dataclass
class Fit:
    """A fit of at most 10 epochs of 40 updates."""

    clock: SimpleNamespace
    update: float = 1.0
    tracing: float = 5.0
    scoring: float = 2.0
    settings: dict = field(default_factory=dict)
    dev: int = 0

    def evaluate(self):
        self.clock.now += self.scoring
        self.dev += 1
        return 1 / self.dev

    def run(self, seconds, recording=Recording(verbose=False), budget=None):
        """The result, the seconds that it took and the learning rates of its updates."""
        data = tf.data.Dataset.from_tensors(tf.ones((2, 1))).repeat()
        examples = SimpleNamespace(steps=STEPS, items=2 * STEPS, unit="windows", dataset=lambda first: data)
        chosen = {"epochs": 10, "learning_rate": 0.1, "ema": 0.0, "budget": seconds} | self.settings
        updates, began = Updates(self.clock, self.update, self.tracing), self.clock.now
        measure = Measure("loss", is_loss=True)
        # The clock is turned by a callback, the first to see the end of an update.
        result = fit_network(
            Line(), examples, FittingConfig(**chosen), self.evaluate, measure, recording, [updates], budget
        )
        return result, self.clock.now - began, updates.rates


def test_parts_share_one_clock_and_leave_what_they_do_not_use(clock):
    whole = Budget.parse("1m")
    first = whole.part(1 / 3)
    assert first.left() == 20
    clock.now += 10
    second = whole.part(1 / 2)
    assert second.left() == 25
    second.charge(20)
    assert (second.left(), whole.left()) == (5, 30)
    clock.now += 29
    assert (second.left(), whole.left(), whole.part(1.0).left()) == (0, 1, 1)
    assert Budget(1000.0, whole).left() == 1
    assert Budget(None).left() == Budget(None).part(0.1).left() == float("inf")


@pytest.mark.parametrize("seconds", [20, 60, 100, 101.5])
def test_training_ends_within_its_budget_in_an_epoch_that_is_scored(clock, seconds):
    result, taken, rates = Fit(clock).run(seconds)
    # No further update would have been possible.
    assert seconds - 1 - 1 <= taken <= seconds
    assert sum(epoch["updates"] for epoch in result.history) == len(rates)
    assert [epoch["updates"] for epoch in result.history[:-1]] == [STEPS] * (len(result.history) - 1)
    assert result.best_epoch == len(result.history)
    assert result.items_per_second == pytest.approx(2.0, rel=0.5)


def test_no_epoch_begins_that_has_no_time_for_an_update(clock):
    # Scored at first, 44 s for the first epoch's updates, and scored.
    result, taken, _ = Fit(clock).run(2 + 44 + 2 + 2.5)
    assert (len(result.history), taken) == (1, 48)


def test_one_update_is_made_and_scored_however_small_the_budget(clock):
    result, taken, rates = Fit(clock).run(0.001)
    assert [epoch["updates"] for epoch in result.history] == [1] and len(rates) == 1
    assert (taken, result.best_epoch) == (2 + 5 + 2, 1)


def test_a_large_budget_changes_nothing(clock):
    settings = {"decay": "cosine", "warmup_steps": 7}
    free, limited = (Fit(clock, settings=settings).run(seconds) for seconds in (None, 1e6))
    assert free[2] == limited[2] and len(free[2]) == 10 * STEPS
    assert [epoch["loss"] for epoch in free[0].history] == [epoch["loss"] for epoch in limited[0].history]


def test_a_decay_has_fallen_when_time_runs_out(clock):
    _, _, rates = Fit(clock, settings={"decay": "linear"}).run(60)
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert rates == sorted(rates, reverse=True)
    # After the 2 + 5 s before, 51 updates of a second fit into what is left of the minute, but for 2 s of scoring.
    assert rates[len(rates) // 2] == pytest.approx(0.05, abs=0.005)
    assert rates[-1] < 0.005


def test_a_resumed_fit_has_what_is_left(clock, tmp_path):
    class Interrupted(Exception):
        pass

    fit = Fit(clock, settings={"decay": "linear"})
    evaluate = fit.evaluate

    def interrupt():
        if fit.dev == 2:
            raise Interrupted
        return evaluate()

    fit.evaluate = interrupt
    with pytest.raises(Interrupted):
        fit.run(100, Recording(tmp_path, verbose=False))
    again = Fit(clock, settings={"decay": "linear"}, dev=2)
    result, taken, rates = again.run(100, Recording(tmp_path, resume=True, verbose=False))
    assert result.history[0]["updates"] == STEPS
    assert result.seconds + 2 <= 100 + 2 and taken <= 100 - 46
    assert rates[0] < 0.07 and rates[-1] < 0.005
    # A fit that has spent its budget is not fitted again.
    result, taken, rates = again.run(100, Recording(tmp_path, resume=True, verbose=False))
    assert (taken, rates) == (0, [])


def test_several_fits_share_a_budget(clock):
    whole = Budget(90.0)
    parts = [Fit(clock).run(None, budget=whole.part(1 / left)) for left in (3, 2, 1)]
    assert sum(taken for _, taken, _ in parts) <= 90
    assert all(28 <= taken <= 31 for _, taken, _ in parts)
