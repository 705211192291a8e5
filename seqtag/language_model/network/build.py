"""From the configuration of a language model to its network."""

from __future__ import annotations

from typing import Any

import keras

from seqtag.language_model.config import ModelConfig
from seqtag.models.language_network.network import LanguageNetwork
from seqtag.models.language_network.readers import RecurrentReader, WindowReader


def build_network(num_symbols: int, model: ModelConfig, precision: str = "float32") -> LanguageNetwork:
    """The network of a configuration, built."""
    policy = keras.DTypePolicy(precision)
    stack: dict[str, Any] = {
        "units": model.units,
        "layers": model.layers,
        "residual": model.residual,
        "dropout": model.dropout,
        "dtype": policy,
    }
    reader: RecurrentReader | WindowReader
    if model.cell == "window":
        reader = WindowReader(model.context, **stack)
    else:
        kept: dict[str, Any] = {"recurrent_dropout": model.recurrent_dropout, "weight_dropout": model.weight_dropout}
        reader = RecurrentReader(model.cell, **stack, **kept)
    cutoffs = tuple(cutoff for cutoff in model.cutoffs if cutoff < num_symbols)
    network = LanguageNetwork(
        num_symbols, reader, model.embedding_dim, model.embedding_dropout, model.tied, cutoffs, dtype=policy
    )
    network.build()
    return network
