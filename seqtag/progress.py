"""Live lines on standard error for work that takes long: how fast it goes, and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.live import Live
from rich.text import Text

T = TypeVar("T")

SECONDS_BETWEEN_UPDATES = 0.25


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    >>> clock(59.6), clock(3723)
    ('1:00', '1:02:03')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class LiveLine:
    """One line that changes in place while work goes on; nothing where standard error is no terminal.

    Example:

        >>> line = LiveLine()
        >>> line.show(lambda: "3 words/s")
        >>> line.close()
    """

    def __init__(self) -> None:
        # In a notebook too it is plain text on standard error, not a figure for every line.
        self.console = Console(stderr=True, highlight=False, soft_wrap=True, force_jupyter=False)
        self._live: Live | None = None
        self._shown = time.monotonic()

    def show(self, text: Callable[[], str], at_once: bool = False) -> None:
        """Shows `text()`, a few times a second at the most, or `at_once`, before work that will not call soon."""
        now = time.monotonic()
        if not self.console.is_terminal or not (at_once or now - self._shown >= SECONDS_BETWEEN_UPDATES):
            return
        self._shown = now
        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(Text(text()), refresh=True)

    def close(self) -> None:
        """Removes the line; safe to call twice."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def metered(
    items: Iterable[T], words: Callable[[T], int], characters: Callable[[T], int], total: int | None
) -> Iterator[T]:
    """Passes items on and shows how many words have gone by, how fast, and the time left.

    Args:
        items: what is worked through.
        words: how many words an item has.
        characters: how much of `total` an item is.
        total: the characters of all items, for the time left; None where it is not known.
    """
    line, started, done_words, done_characters = LiveLine(), time.monotonic(), 0, 0

    def text() -> str:
        seconds = time.monotonic() - started
        rate = f"{done_words:,} words  {done_words / seconds:,.0f} words/s"
        if not total:
            return rate
        left = seconds * max(0, total - done_characters) / max(1, done_characters)
        return f"{rate}  {min(1.0, done_characters / total):.0%}  {clock(left)} left"

    try:
        for item in items:
            done_words += words(item)
            done_characters += characters(item)
            line.show(text)
            yield item
    finally:
        line.close()
