"""Small language models with random weights, which need no fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seqtag.language_model.config import DataConfig, ModelConfig
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.model import FittedLanguageModel
from seqtag.language_model.network.build import build_network
from seqtag.language_model.network.cache import Cache
from seqtag.models.language_network.directed import DirectedNetworks
from seqtag.training.seeding import seeded

TEXT = "the cat sat on the mat.\nthe dog ate a cat, the cat ran.\na dog sat.\n"


@pytest.fixture(scope="session")
def random_model() -> Callable[..., FittedLanguageModel]:
    """Makes a model of `TEXT` with random weights."""

    def make(
        symbols: str = "characters", documents: str = "whole", cache: Cache = Cache(), **model: object
    ) -> FittedLanguageModel:
        coder = TextCoder.count(symbols, [TEXT])
        with seeded(1):
            network = build_network(len(coder), ModelConfig(units=8, embedding_dim=6, symbols=symbols, **model))
        for number, weight in enumerate(network.weights):
            weight.assign(0.8 * np.random.default_rng(number).normal(size=weight.shape))
        networks = DirectedNetworks([network])
        networks.build()
        return FittedLanguageModel(networks, coder, cache, DataConfig(documents=documents))

    return make
