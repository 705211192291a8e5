"""One input: what came of it, within a time and a memory."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seqtag.errors import SeqtagError

# What may come of an input; all from `untyped` on are findings.
OUTCOMES = ("accepted", "refused", "untyped", "hang", "memory", "loss", "crash")
FINDINGS = OUTCOMES[2:]
# What waits may take so many times as long as what works.
WAITING = 10


class Hang(BaseException):
    """An input takes longer than it may; no `except Exception` may swallow it."""


class Loss(AssertionError):
    """Something of an input was lost, or of an output is half."""


@dataclass(frozen=True)
class Finding:
    """What came of an input, and where: findings of one place are one."""

    outcome: str
    target: str
    place: str
    message: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings the same."""
        return self.outcome, self.place


def try_once(target: str, function: Callable[[], Any], seconds: float) -> tuple[str, Finding | None]:
    """Calls a function; the outcome, and the finding if it is one."""
    try:
        with _alarm(seconds):
            function()
        return "accepted", None
    except (SeqtagError, OSError) as error:
        message = str(error)
        if isinstance(error, SeqtagError) and (not message.isprintable() or len(error.args[0]) > 300):
            return "untyped", Finding("untyped", target, "a message that is not one bounded line", message[:300])
        return "refused", None
    except MemoryError as error:
        return "memory", _finding("memory", target, error)
    except Hang as error:
        return "hang", _finding("hang", target, error)
    except Loss as error:
        return "loss", _finding("loss", target, error)
    except Exception as error:
        return "untyped", _finding("untyped", target, error)


def _finding(outcome: str, target: str, error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/seqtag/" in frame.filename] or frames
    name = ours[-1].filename.rpartition("/seqtag/")[2]
    place = f"{name}:{ours[-1].lineno} {type(error).__name__}"
    return Finding(outcome, target, place, " ".join(str(error).split())[:300])


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Rings after so many seconds of the processor, which a busy machine does not change, or many more of the clock."""

    def ring(*_: object) -> None:
        raise Hang(f"more than {seconds:g} seconds")

    timers = [(signal.ITIMER_PROF, signal.SIGPROF, 1), (signal.ITIMER_REAL, signal.SIGALRM, WAITING)]
    for timer, number, times in timers:
        signal.signal(number, ring)
        signal.setitimer(timer, seconds * times)
    try:
        yield
    finally:
        for timer, _, _ in timers:
            signal.setitimer(timer, 0)
