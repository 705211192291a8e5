"""Scored texts as output: a symbol a line, JSON lines, or texts whose unlikely symbols are marked."""

from __future__ import annotations

import json
import math

from seqtag.errors import escaped
from seqtag.files.writing import Coloured
from seqtag.language_model.anomalies import BRACKETS, COLOURS, anomalies_of, marked_text
from seqtag.language_model.model import ScoredText


def to_columns(text: str, scored: ScoredText) -> bytes:
    r"""A line for each symbol: the symbol, and its information in bits; a blank line after the text.

    White space is escaped as Python does. The end of a document that was predicted is an empty symbol.

    >>> import numpy as np
    >>> to_columns("a\n", ScoredText(["a", "\n"], np.log([0.5, 0.125])))
    b'a\t1.0000\n\\n\t3.0000\n\n'
    """
    rows = zip(scored.symbols, scored.log_probabilities.tolist(), strict=True)
    lines = (f"{escaped(symbol)}\t{max(0.0, -value / math.log(2)):.4f}\n" for symbol, value in rows)
    return "".join([*lines, "\n"]).encode()


def to_json(text: str, scored: ScoredText) -> bytes:
    """A JSON line: `text`, `symbols`, `log_probabilities` (natural), and `bits`, their sum."""
    values = scored.log_probabilities.tolist()
    line = {
        "text": text,
        "symbols": scored.symbols,
        "log_probabilities": values,
        "bits": -sum(values) / math.log(2),
    }
    return (json.dumps(line, ensure_ascii=False) + "\n").encode()


def to_text(text: str, scored: ScoredText) -> Coloured:
    """The text; symbols of a probability below a thousandth stand in brackets, on a terminal on a red ground."""
    odd = anomalies_of(0, text, scored)
    return Coloured(*(marked_text(text, odd, around) + "\n" for around in (BRACKETS, COLOURS)))


FORMATS = {"columns": to_columns, "jsonl": to_json, "text": to_text}
