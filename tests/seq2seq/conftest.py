"""Models with random weights, which answer in more varied ways than fitted ones and cost no training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest

from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.frame_scale import FrameScale
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.fit import build_network, coders_of, seq2seq_model
from seqtag.seq2seq.model import Seq2SeqModel


def make_unfitted(train: Pairs, members: int = 1, evaluation: dict | None = None, **settings: Any) -> Seq2SeqModel:
    model = {"cell": "gru", "units": 6, "embedding_dim": 5, "dropout": 0.0, **settings}
    config = Seq2SeqConfig(task="seq2seq", model=model, evaluation=evaluation or {"beam": 3})
    coders = coders_of(train, config)
    scale = FrameScale.fit(train.sources) if config.model.source == "frames" else None
    networks = [build_network(coders, scale, config) for _ in range(members)]
    for seed, variable in enumerate(variable for network in networks for variable in network.trainable_variables):
        variable.assign(keras.random.normal(variable.shape, stddev=0.9, seed=seed))
    return seq2seq_model(networks, train, coders, scale, config)


@pytest.fixture(scope="session")
def unfitted() -> Callable[..., Seq2SeqModel]:
    """`unfitted(train, members, evaluation, **model)`: a model of random weights with the symbols of these pairs."""
    return make_unfitted
