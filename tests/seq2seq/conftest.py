"""Models with random weights, which answer in more varied ways than fitted ones and cost no training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest

from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.fit import Trainer, build_network
from seqtag.seq2seq.model import Seq2SeqModel


def make_unfitted(train: Pairs, members: int = 1, evaluation: dict | None = None, **settings: Any) -> Seq2SeqModel:
    model = {"cell": "gru", "units": 6, "embedding_dim": 5, "dropout": 0.0, **settings}
    config = Seq2SeqConfig(task="seq2seq", model=model, evaluation=evaluation or {"beam": 3})
    trainer = Trainer(train, train, config)
    networks = [build_network(trainer.coders, trainer.scale, config) for _ in range(members)]
    for seed, variable in enumerate(variable for network in networks for variable in network.trainable_variables):
        variable.assign(keras.random.normal(variable.shape, stddev=0.9, seed=seed))
    return trainer.model(networks)


@pytest.fixture(scope="session")
def unfitted() -> Callable[..., Seq2SeqModel]:
    """`unfitted(train, members, evaluation, **model)`: a model of random weights with the symbols of these pairs."""
    return make_unfitted
