"""Networks and batches for the tests of a forecaster's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.network import ForecastNetwork

# What `SeriesEncoder.inputs` gives: two series, a calendar wave, covariates of each kind.
NOTHING: dict[str, Any] = {"series": 2, "calendar": 0} | {
    kind: [] for part in ("past", "known", "static") for kind in (part, f"{part}_codes")
}
EVERYTHING = NOTHING | {
    "calendar": 2,
    "past": [[1.0, 2.0]],
    "known": [[0.0, 3.0]],
    "static": [[5.0, 1.0]],
    "past_codes": [4],
    "known_codes": [3],
    "static_codes": [5],
}
MOMENTS = [[10.0, 3.0], [20.0, 4.0]]


@pytest.fixture(scope="session")
def make_network() -> Callable[..., ForecastNetwork]:
    """`make_network(covariates=False, **options)`: a small network, biases and embeddings away from zero."""

    def make(covariates: bool = False, **options: Any) -> ForecastNetwork:
        options = {"lookback": 6, "horizon": 3, "units": 4, "scaling": "last", **options}
        network = ForecastNetwork(inputs=EVERYTHING if covariates else NOTHING, **options)
        network.build()
        for number, weight in enumerate(network.encoder.trainable_weights + network.decoder.trainable_weights):
            weight.assign(weight + tf.random.stateless_normal(weight.shape, [1, number], stddev=0.2))
        return network

    return make


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., dict[str, tf.Tensor]]:
    """`make_batch(network, rows=5, missing=0.3, seed=0)`: windows as `WindowReader` gives them, targets too."""

    def make(network: ForecastNetwork, rows: int = 5, missing: float = 0.3, seed: int = 0) -> dict[str, tf.Tensor]:
        rng = np.random.default_rng(seed)
        inputs, past, horizon = network.config["inputs"], network.lookback, network.horizon
        both = past + horizon

        def values(*shape: int) -> np.ndarray:
            drawn = rng.normal(10, 4, shape).astype(np.float32)
            drawn[rng.random(shape) < missing] = np.nan
            return drawn

        def codes(kind: str, *shape: int) -> np.ndarray:
            drawn = [rng.integers(0, size, shape) for size in inputs[f"{kind}_codes"]]
            return np.stack(drawn, axis=-1).astype(np.int32) if drawn else np.zeros((*shape, 0), np.int32)

        batch = {
            "history": values(rows, past),
            "target": values(rows, horizon),
            "series": rng.integers(0, 3, rows).astype(np.int32),
            "calendar": rng.normal(size=(rows, both, inputs["calendar"])).astype(np.float32),
        }
        for kind, shape in (("past", (rows, past)), ("known", (rows, both)), ("static", (rows,))):
            batch[kind] = values(*shape, len(inputs[kind]))
            batch[f"{kind}_codes"] = codes(kind, *shape)
        batch["history"][:, -1] = rng.normal(10, 4, rows)
        return {name: tf.constant(array) for name, array in batch.items()}

    return make
