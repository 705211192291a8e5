"""Recurrent layers by the names that configurations give their cells."""

from __future__ import annotations

from typing import Any

from seqtag.layers import GRU, PeepholeLSTM, SimpleRNN
from seqtag.layers.recurrent import Recurrent
from seqtag.layers.recurrent_cell import RecurrentCell

# The LSTM is not `LSTM`: stored runs of `lstm` find their weights by the name of this class.
CELLS: dict[str, tuple[type[Recurrent], dict[str, Any]]] = {
    "simple_rnn": (SimpleRNN, {}),
    "peephole_lstm": (PeepholeLSTM, {}),
    "lstm": (PeepholeLSTM, {"peephole": False}),
    "gru": (GRU, {}),
}


def recurrent_layer(cell: str, units: int, **options: Any) -> Recurrent:
    """A recurrent layer by the name of its cell, one of `CELLS`; `options` are the layer's further arguments.

    Example:
        >>> layer = recurrent_layer("lstm", 8, return_sequences=True)
        >>> type(layer).__name__, layer.cell.peephole, layer.return_sequences
        ('PeepholeLSTM', False, True)
    """
    layer, own_options = CELLS[cell]
    return layer(units, **own_options, **options)


def recurrent_cell(cell: str, units: int, **options: Any) -> RecurrentCell:
    """A cell by its name, one of `CELLS`; `options` are the cell's further arguments.

    Example:
        >>> cell = recurrent_cell("gru", 8)
        >>> type(cell).__name__, cell.units
        ('GRUCell', 8)
    """
    layer, own_options = CELLS[cell]
    return layer.cell_type(units, **own_options, **options)
