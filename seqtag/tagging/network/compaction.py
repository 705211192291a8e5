"""A fitted network as a file stores it: tables without their zero rows, and only what predictions need."""

from __future__ import annotations

import keras

from seqtag.layers.compact_embedding import CompactEmbedding, is_worth_compacting, nonzero_rows
from seqtag.tagging.network.ensemble import TaggerEnsemble, as_one, members_of
from seqtag.tagging.network.network import TaggerNetwork


def compacted(network: TaggerNetwork | TaggerEnsemble) -> TaggerNetwork | TaggerEnsemble:
    """A smaller copy of the network, or of each of several, with bit for bit the same answers; see `_compacted`."""
    return as_one([_compacted(member) for member in members_of(network)])


def _compacted(network: TaggerNetwork) -> TaggerNetwork:
    """A smaller copy of one network.

    A table becomes a `CompactEmbedding` if that is smaller. Its zero rows are those that training never looked up, in
    tables that start from zero, and those that a penalty on rows has made zero. The copy is not compiled, so that no
    optimizer state, which is twice as large as the weights, is stored with it.
    """
    full = {name: table for name, table in network.tables.items() if isinstance(table, keras.layers.Embedding)}
    values = {name: table.embeddings.numpy() for name, table in full.items()}
    values = {name: value for name, value in values.items() if is_worth_compacting(value)}
    kept_rows = {name: len(nonzero_rows(value)) for name, value in values.items()}
    copy = TaggerNetwork.from_config(network.get_config() | {"kept_rows": network.kept_rows | kept_rows})
    copy.build()
    for name, value in values.items():
        table = copy.tables[name]
        assert isinstance(table, CompactEmbedding)
        table.fill(value)
    # Both are made by the same steps, so that their other weights have the same order.
    others = zip(_without(copy, list(values)), _without(network, list(values)), strict=True)
    for variable, original in others:
        variable.assign(original.value)
    return copy


def _without(network: TaggerNetwork, tables: list[str]) -> list[keras.Variable]:
    """The network's variables without those of these tables."""
    left_out = {id(variable) for name in tables for variable in network.tables[name].variables}
    return [variable for variable in network.variables if id(variable) not in left_out]
