from __future__ import annotations

from typing import get_args

from seqtag.config.section import Cell
from seqtag.models.recurrent import CELLS, recurrent_layer


def test_lstm_is_the_peephole_lstm_without_peepholes():
    layer = recurrent_layer("lstm", 2)
    assert not layer.cell.peephole and recurrent_layer("peephole_lstm", 2).cell.peephole
    assert type(recurrent_layer("gru", 2).cell).__name__ == "GRUCell"


def test_every_cell_of_a_configuration_has_its_layer():
    assert set(get_args(Cell)) == set(CELLS)
