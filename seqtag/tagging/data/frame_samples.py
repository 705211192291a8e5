r"""The frames that are made inside the package: three regimes of a noisy signal, a label a step.

Each sequence goes through segments of 12 to 40 steps. Its signal x is, with noise e of deviation 1,

    calm:   x_t = e_t
    wave:   x_t = 2.5 sin(2 pi t / 6 + phase) + 0.3 e_t
    drift:  x_t = 0.95 x_{t-1} + 0.3 e_t

around a level near 1000; y follows its size slowly, with noise of its own. No regime shows in a single frame: their
values lie in the same range, and only the steps around tell them apart. One number in fifty is missing. The splits
`train`, `dev` and `test` are the same on every machine.

>>> sample_table("sample:regimes/dev").readline()
'id,time,x,y,label\n'
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Iterator

from seqtag.errors import DataError, shown

PREFIX = "sample:regimes/"
SEQUENCES = {"train": 120, "dev": 20, "test": 20}
REGIMES = ("calm", "wave", "drift")
SEGMENT, SEGMENTS = (12, 40), (3, 6)
LEVEL, MISSING, _SEED = 1000.0, 0.02, 13


class _Named(io.StringIO):
    """A table in memory whose name messages can give."""

    name = ""


def is_frame_sample(name: str) -> bool:
    """Whether a path is the name of a sample.

    >>> is_frame_sample("sample:regimes/dev"), is_frame_sample("sample:dev")
    (True, False)
    """
    return name.startswith(PREFIX)


def sample_table(name: str) -> io.StringIO:
    """The long table of a split, such as `sample:regimes/train`.

    Raises:
        DataError: no such split.
    """
    split = name.removeprefix(PREFIX)
    if split not in SEQUENCES:
        raise DataError(f"expected {PREFIX} and a split of {', '.join(SEQUENCES)}, found {shown(name)}")
    source = random.Random(f"{_SEED} {split}")
    rows = [row for number in range(SEQUENCES[split]) for row in _rows(f"{split}-{number + 1}", source)]
    table = _Named("\n".join(["id,time,x,y,label", *rows, ""]))
    table.name = name
    return table


def _rows(name: str, source: random.Random) -> Iterator[str]:
    level, size = LEVEL + source.gauss(0, 1), 0.0
    for time, (x, regime) in enumerate(_signal(source)):
        size = 0.8 * size + 0.2 * abs(x)
        numbers = (level + x, size + source.gauss(0, 0.5))
        cells = ["" if source.random() < MISSING else f"{number:.3f}" for number in numbers]
        yield ",".join([name, str(time), *cells, regime])


def _signal(source: random.Random) -> Iterator[tuple[float, str]]:
    regime, x = source.choice(REGIMES), 0.0
    for _ in range(source.randint(*SEGMENTS)):
        phase = source.uniform(0, 2 * math.pi)
        for step in range(source.randint(*SEGMENT)):
            x = _next(regime, x, phase + 2 * math.pi * step / 6, source.gauss(0, 1))
            yield x, regime
        regime = source.choice([other for other in REGIMES if other != regime])


def _next(regime: str, x: float, angle: float, noise: float) -> float:
    match regime:
        case "calm":
            return noise
        case "wave":
            return 2.5 * math.sin(angle) + 0.3 * noise
        case _:
            return 0.95 * x + 0.3 * noise
