"""From pairs and a configuration to a fitted sequence-to-sequence model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from seqtag.process.forks import check_can_run
from seqtag.seq2seq.config import DataConfig, Seq2SeqConfig
from seqtag.seq2seq.data.batches import Coders, PairBatches, Symbols
from seqtag.seq2seq.data.frame_scale import FrameScale
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.references import grouped
from seqtag.seq2seq.data.symbols import SymbolCoder, symbols_of
from seqtag.seq2seq.dictionary import Dictionary
from seqtag.seq2seq.evaluation.evaluate import measured, resolve_measure
from seqtag.seq2seq.model import Seq2SeqModel
from seqtag.seq2seq.network.ensemble import Search, Seq2SeqEnsemble
from seqtag.seq2seq.network.network import Seq2SeqNetwork
from seqtag.seq2seq.network.own_symbols import OwnSymbols
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, fit_network, joined
from seqtag.training.recording import Recording
from seqtag.training.seeding import seeded

# Where no bound is given, an answer may be so many times as long as the longest target of training, and so much more.
BOUND_FACTOR, BOUND_EXTRA = 2, 5


def build_seq2seq_model(train: Pairs, config: Seq2SeqConfig) -> Seq2SeqModel:
    """Builds a model without networks, whose vocabularies come from the training data alone."""
    model = config.model
    scale = FrameScale.fit(train.sources) if model.source == "frames" else None
    source = None if scale else _coder(model.source, train.sources, model.min_count)
    target = _coder(model.target, train.targets, model.min_count)
    columns = zip(*train.features, strict=True)
    features = [SymbolCoder.count("symbols", tf.constant(column)[:, None], 1) for column in map(_ragged, columns)]
    longest = int(symbols_of(target.kind, train.targets).row_lengths().numpy().max())
    evaluation = config.evaluation
    return Seq2SeqModel(
        Seq2SeqEnsemble([]),
        Coders(source, target, features, model.copy_symbols),
        model.max_length or BOUND_FACTOR * longest + BOUND_EXTRA,
        Search(evaluation.beam, evaluation.length_penalty, evaluation.coverage_penalty),
        Dictionary.fit(train) if model.dictionary else None,
        scale,
        reading_of(config.data),
    )


def reading_of(data: DataConfig) -> dict[str, Any]:
    """How the files of a run are laid out, which later files are read by."""
    keys = ("layout", "source_column", "target_column", "features", "separator", "encoding")
    return {key: value for key, value in data.model_dump(mode="json").items() if key in keys}


def _coder(kind: str, texts: list[str], min_count: int) -> SymbolCoder:
    return SymbolCoder.count(kind, symbols_of(kind, texts), min_count)


def build_network(model: Seq2SeqModel, config: Seq2SeqConfig) -> Seq2SeqNetwork:
    """An unfitted network of a model's sizes."""
    coders, settings = model.coders, config.model
    shared = {
        "embedding_dim": settings.embedding_dim,
        "cell": settings.cell,
        "units": settings.units,
        "layers": settings.layers,
        "dropout": settings.dropout,
        "recurrent_dropout": settings.recurrent_dropout,
    }
    network = Seq2SeqNetwork(
        len(coders.target.vocabulary),
        encoder={
            "num_symbols": None if coders.source is None else len(coders.source.vocabulary),
            "feature_sizes": [len(coder.vocabulary) for coder in coders.features],
            **shared,
        },
        decoder={"attention": settings.attention, "input_feeding": settings.input_feeding, **shared},
        frame_width=None if model.scale is None else model.scale.width,
        copies=settings.copy_symbols,
        label_smoothing=config.training.label_smoothing,
        dtype=config.training.precision,
    )
    network.build()
    return network


def fit_seq2seq_model(
    train: Pairs,
    dev: Pairs,
    config: Seq2SeqConfig,
    recording: Recording = Recording(),
    budget: Budget | None = None,
) -> tuple[Seq2SeqModel, FitResult]:
    """Fits a model on `train`; `dev`, decoded greedily, chooses the epoch.

    The same seed gives the same model bit for bit on a CPU.

    Args:
        train: the training pairs.
        dev: pairs of other sources.
        config: the whole configuration.
        recording: where checkpoints and logs go.
        budget: the time that training may take; that of the configuration unless given.

    Raises:
        ConfigError: a measure of words for other targets.
        RunError: see `fit_network`.
    """
    check_can_run()
    model = build_seq2seq_model(train, config)
    symbols = model.symbols(train)
    references = grouped(dev)
    budget = budget or Budget(config.training.budget)
    size = config.model.ensemble_size
    results = []
    for number in range(size):
        part = recording.part(f"member-{number + 1}", labelled=size > 1)
        network, result = _fit_member(
            model, symbols, references, dev, config, config.seed + number, part, budget.part(1 / (size - number))
        )
        model.network.members.append(network)
        results.append(result)
    return model, joined(results)
