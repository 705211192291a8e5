"""What a fit shows, on a clock that the test turns."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from seqtag.config.fitting import FittingConfig
from seqtag.progress import LiveLine
from seqtag.training.budget import Budget, Deadline
from seqtag.training.measure import Measure
from seqtag.training.progress import ProgressLine

STEPS = 100


@pytest.fixture
def clock(monkeypatch):
    found = SimpleNamespace(now=100.0, monotonic=lambda: found.now)
    for module in ("training.budget", "training.progress", "progress"):
        monkeypatch.setattr(f"seqtag.{module}.time", found)
    return found


class Run:
    """A fit as its progress line sees it, an update a second."""

    def __init__(self, clock, capsys, budget=None, **settings):
        self.clock, self.capsys = clock, capsys
        self.selection = SimpleNamespace(best_epoch=-1, measure=Measure("loss", is_loss=True))
        examples = SimpleNamespace(steps=STEPS, items=2 * STEPS, unit="windows")
        self.deadline = Deadline(Budget(budget), lambda: 0.0)
        self.line = ProgressLine(FittingConfig(**settings), examples, self.selection, self.deadline)
        self.line.set_model(SimpleNamespace(stop_training=False))

    def updates(self, *batches):
        for batch in batches:
            self.clock.now += 1
            self.line.on_train_batch_end(batch, {"loss": 0.5})

    def end(self, epoch, better=True):
        self.selection.best_epoch = epoch if better else self.selection.best_epoch
        self.line.on_epoch_end(epoch, {"loss": 0.5, "dev": 1.0, "best": 1.0, "updates": STEPS, "train_seconds": STEPS})

    def lines(self):
        return self.capsys.readouterr().err.splitlines()


def test_something_that_is_no_terminal_gets_lines_within_an_epoch(clock, capsys):
    run = Run(clock, capsys, epochs=3, patience=None)
    run.line.on_epoch_begin(0)
    assert run.lines() == ["epoch  1/3  building the graph"]
    clock.now += 40
    run.updates(0)
    assert run.lines() == []
    run.updates(*range(1, 35))
    # The forty seconds before the first update count neither for the rate nor for the time left.
    assert [line.split() for line in run.lines()] == [
        f"epoch 1/3 2 windows/s loss 0.5000 at most {left} left {share}% of the epoch".split()
        for left, share in (("4:58", 2), ("4:48", 12), ("4:38", 22), ("4:28", 32))
    ]


def test_lines_become_rarer(clock, capsys):
    line = LiveLine(plain_lines=True)
    for _ in range(4000):
        clock.now += 1
        line.show(lambda: f"{clock.now - 100:.0f}")
    times = [int(line) for line in capsys.readouterr().err.splitlines()]
    assert times[:3] == [1, 11, 21]
    assert len(times) < 100 and times[-1] - times[-2] > 150


def test_a_line_without_plain_lines_shows_nothing_where_there_is_no_terminal(clock, capsys):
    with LiveLine() as line:
        line.show(lambda: "x", at_once=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("settings", "budget", "left"),
    [
        ({"patience": None}, None, "at most 14:50 left"),
        ({"patience": None}, 70, "at most 1:00 left"),
        # The first epoch is better than none; if none of the two after it is better, training ends.
        ({"patience": 2}, None, "4:50 to 14:50 left"),
        ({"patience": 2}, 300, "at most 4:50 left"),
        ({"patience": 2}, 70, "at most 1:00 left"),
        ({"patience": 20}, None, "at most 14:50 left"),
    ],
)
def test_the_time_left_knows_patience_and_budget(clock, capsys, settings, budget, left):
    run = Run(clock, capsys, budget, epochs=9, **settings)
    run.line.on_epoch_begin(0)
    run.updates(*range(10))
    (shown,) = (line for line in run.lines() if "left" in line and " 10% of" in line)
    assert left in shown


def test_the_line_of_an_epoch_says_why_training_ends(clock, capsys):
    run = Run(clock, capsys, epochs=9, patience=2)
    run.line.on_epoch_begin(0)
    run.updates(*range(STEPS))
    run.end(0)
    assert "dev loss 1.0000 (best 1.0000)" in run.lines()[-1]
    run.line.on_epoch_begin(1)
    run.line.model.stop_training = True
    run.end(1, better=False)
    assert run.lines()[-1].endswith("ends: no better in 2 epochs")
    run.deadline.reached = True
    run.end(2)
    assert run.lines()[-1].endswith("ends: the budget is spent")


def test_a_terminal_sees_that_the_graph_is_built_and_dev_is_scored(clock, capsys, monkeypatch):
    run = Run(clock, capsys, epochs=9)
    shown = []
    monkeypatch.setattr(run.line.live, "show", lambda text, at_once=False: shown.append((text(), at_once)))
    run.line.on_epoch_begin(0)
    run.line.show_scoring()  # before the first update, to see how long it takes
    run.updates(0, 1)
    run.line.show_scoring()
    texts = [text for text, _ in shown]
    assert texts[:2] == ["epoch  1/9  building the graph"] * 2 and texts[-1] == "epoch  1/9  scoring"
    assert [at_once for _, at_once in shown] == [True, True, False, True]
