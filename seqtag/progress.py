"""Live lines on standard error for work that takes long: its rate, and the time left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from rich.live import Live
from rich.text import Text

from seqtag.process.streams import OutputConsole

T = TypeVar("T")

SECONDS_BETWEEN_UPDATES = 0.25
# Between lines that stay: so many seconds, and later this share of the time so far.
SECONDS_BETWEEN_LINES = 10.0
SHARE_BETWEEN_LINES = 0.05


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    >>> clock(59.6), clock(3723)
    ('1:00', '1:02:03')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def seconds_left(seconds: float, done: float, total: float) -> float:
    """How long the rest of `total` takes, when `done` of it took `seconds`.

    >>> seconds_left(10.0, 2, 8)
    30.0
    """
    return seconds * max(0.0, total - done) / max(done, 1e-9)


def time_left(seconds: float, done: float, total: float) -> str:
    """The end of a progress line: `seconds_left` for people.

    >>> time_left(10.0, 2, 8)
    '0:30 left'
    """
    return f"{clock(seconds_left(seconds, done, total))} left"


class LiveLine:
    """One line that changes in place while work goes on, where standard error is a terminal.

    Where standard error cannot be written to, for example since its reader has left, work goes on without the line.

    Args:
        plain_lines: whether there are lines where standard error is no terminal: the first at once, then one every ten
            seconds, and after some minutes more rarely. They stay.

    Example:

        >>> with LiveLine() as line:
        ...     line.show(lambda: "3 words/s")
    """

    def __init__(self, plain_lines: bool = False) -> None:
        self.plain_lines = plain_lines
        self._started = time.monotonic()
        self._kept = -math.inf
        # In a notebook it is text on standard error too: rich would add an output for every update.
        self.console = OutputConsole(stderr=True, highlight=False, soft_wrap=True, force_jupyter=False)
        self._live: Live | None = None
        self._shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, text: Callable[[], str], at_once: bool = False) -> None:
        """Shows `text()`, at most four times a second; `at_once` before work that will not call again soon."""
        now = time.monotonic()
        if not self.console.is_terminal:
            pause = max(SECONDS_BETWEEN_LINES, SHARE_BETWEEN_LINES * (now - self._started))
            if self.plain_lines and now - self._kept >= pause:
                self.keep(text())
            return
        if not (at_once or now - self._shown >= SECONDS_BETWEEN_UPDATES):
            return
        self._shown = now
        line = Text(text())
        with suppress(OSError):
            if self._live is None:
                self._live = Live(console=self.console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(line, refresh=True)

    def keep(self, text: str) -> None:
        """Prints a line that stays."""
        self._kept = time.monotonic()
        with suppress(OSError):
            self.console.print(text)

    def close(self) -> None:
        """Removes the line; safe to call twice."""
        if self._live is not None:
            with suppress(OSError):
                self._live.stop()
            self._live = None


def with_progress(
    items: Iterable[T],
    words: Callable[[T], int],
    characters: Callable[[T], int],
    total: int | None,
    unit: str = "words",
) -> Iterator[T]:
    """Passes items on, and shows how many words have passed, their rate, and the time left.

    Args:
        items: what is worked through.
        words: the number of words of an item.
        characters: the number of characters of an item.
        total: the characters of all items, for the time left; None where that is not known.
        unit: what is counted, where it is no words.
    """
    started, done_words, done_characters = time.monotonic(), 0, 0

    def text() -> str:
        seconds = time.monotonic() - started
        rate = f"{done_words:,} {unit}  {done_words / seconds:,.0f} {unit}/s"
        if not total:
            return rate
        share = min(1.0, done_characters / total)
        return f"{rate}  {share:.0%}  {time_left(seconds, done_characters, total)}"

    with LiveLine() as line:
        for item in items:
            done_words += words(item)
            done_characters += characters(item)
            line.show(text)
            yield item
