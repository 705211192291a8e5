"""What the networks of a stored forecaster and its encoders both say of their sizes; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqtag.data.text.vocabulary import FIRST_SYMBOL
from seqtag.forecasting.data.encoding import KINDS
from seqtag.runs.reading import as_texts

# More than anyone trains: networks, layers of one, steps.
MOST_MEMBERS, MOST_LAYERS, MOST_STEPS = 1000, 100, 1_000_000


def stored_sizes(network: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each size by name, as the network has it and as the encoders have it.

    Raises:
        ValueError: more members, layers or steps than can be.
    """
    columns = encoders["columns"]
    as_texts([columns[name] for name in ("series", "time", "target")])
    as_texts([name for kind in (*KINDS, "categorical") for name in as_texts(columns[kind])])
    members = [member["config"] for member in network["members"]]
    if not 0 < len(members) <= MOST_MEMBERS:
        raise ValueError(f"{len(members)} members")
    for member in members:
        steps = max(member["lookback"], member["horizon"], encoders["season_length"])
        for what, number, most in (("layers", len(member["dilations"]), MOST_LAYERS), ("steps", steps, MOST_STEPS)):
            if number > most:
                raise ValueError(f"{number} {what}")
        yield from _member_sizes(member, encoders)


def _member_sizes(member: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    inputs, encoder = member["inputs"], encoders["encoder"]
    yield "a number of series of", inputs["series"], len(as_texts(encoder["ids"]))
    for kind in KINDS:
        yield f"numeric {kind} covariates of number", len(inputs[kind]), len(encoder["numeric"][kind])
        sizes = [
            FIRST_SYMBOL + len(as_texts(vocabulary["symbols"])) for vocabulary in encoder["categories"][kind].values()
        ]
        yield f"categorical {kind} covariates of sizes", inputs[f"{kind}_codes"], sizes
    pool = encoders.get("pool")
    if pool is not None:
        columns = len(member["inputs"]["static_codes"])
        yield "levels of the pool", member["levels"], pool["levels"]
        yield "changes of the pool of number", member["horizon"], len(pool["changes"])
        yield "keys of the pool of widths", {columns}, {len(key) for key in pool["keys"]}
    corrections = encoders["corrections"]
    if corrections["offsets"] is not None:
        yield "offsets of levels", member["levels"], corrections["offsets"]["levels"]
        yield "offsets of steps of number", member["horizon"], len(corrections["offsets"]["offsets"])
    if corrections["blend"] is not None:
        yield "weights of series of number", inputs["series"] + 1, len(corrections["blend"]["weights"])
