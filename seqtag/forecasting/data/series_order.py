"""What a series' name decides, so that no answer depends on which other series there are and in which order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable

import numpy as np

from seqtag.data.series.slicing import select_series
from seqtag.data.series.table import SeriesTable

_NUMBER = re.compile(r"(\d+)")


def in_order(table: SeriesTable) -> SeriesTable:
    """The table with its series sorted by name, numbers within names by their size.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": ["n10", "n9", "m"], "ds": 1, "y": [1, 2, 3]}), frequency=1)
        >>> in_order(table).ids.tolist()
        ['m', 'n9', 'n10']
    """
    names = [str(name) for name in table.ids]
    order = np.array(sorted(range(len(names)), key=lambda series: (_parts(names[series]), names[series])))
    return table if (np.diff(order) == 1).all() else select_series(table, order)


def generator_of(name: Hashable, seed: int) -> np.random.Generator:
    """The random generator of a series: the same for the same name and seed in every process."""
    digest = hashlib.sha256(str(name).encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, "<u4").tolist()])


def _parts(name: str) -> list[tuple[int, str]]:
    """Text and numbers of a name in turn, as what sorts."""
    return [(int(part), "") if at % 2 else (0, part) for at, part in enumerate(_NUMBER.split(name))]
