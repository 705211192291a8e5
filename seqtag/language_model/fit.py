"""Fits the networks of a language model on a text."""

from __future__ import annotations

from seqtag.errors import DataError
from seqtag.language_model.config import LanguageModelConfig
from seqtag.language_model.data.batches import StreamBatches
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.data.corpus import Corpus
from seqtag.language_model.data.texts import Texts
from seqtag.language_model.evaluation.evaluate import figure, measure_of
from seqtag.language_model.model import FittedLanguageModel
from seqtag.language_model.network.build import build_network
from seqtag.language_model.network.cache import Cache
from seqtag.language_model.network.cached import CachedNetwork
from seqtag.language_model.network.training import StreamTraining
from seqtag.language_model.scoring import Scorer
from seqtag.models.language_network.directed import DirectedNetworks
from seqtag.models.language_network.network import LanguageNetwork
from seqtag.process.forks import check_can_run
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, fit_network, joined
from seqtag.training.recording import Recording
from seqtag.training.seeding import seeded

DIRECTIONS = {"forward": ("forward",), "both": ("forward", "backward")}
# A model of fewer symbols, boundary and unknown not counted, has nothing to choose from.
LEAST_SYMBOLS = 2


def fit_language_model(
    train: Texts,
    dev: Texts,
    config: LanguageModelConfig,
    recording: Recording = Recording(),
    budget: Budget | None = None,
) -> tuple[FittedLanguageModel, FitResult]:
    """Fits a model on `train`; `dev` chooses the epoch.

    The same seed gives the same model bit for bit on a CPU. The networks of two directions are fitted one after the
    other and share nothing.

    Args:
        train: the training texts.
        dev: other texts.
        config: the whole configuration.
        recording: where checkpoints and logs go.
        budget: the time that training may take; that of the configuration unless given.

    Raises:
        DataError: the training text has a single distinct symbol.
        RunError: see `fit_network`.
    """
    check_can_run()
    coder = TextCoder.count(config.model.symbols, train.documents, config.model.least_count)
    if len(coder.vocabulary.symbols) < LEAST_SYMBOLS:
        found = f"{len(coder.vocabulary.symbols)} that occur {config.model.least_count} times or more"
        raise DataError(f"expected {LEAST_SYMBOLS} distinct {config.model.symbols} at least, found {found}", train.path)
    corpora = {"forward": (Corpus.of(train, coder), Corpus.of(dev, coder))}
    corpora["backward"] = (corpora["forward"][0].backwards(), corpora["forward"][1].backwards())
    budget = budget or Budget(config.training.budget)
    directions = DIRECTIONS[config.model.directions]
    networks, results = [], []
    for number, direction in enumerate(directions):
        part = recording.part(direction, labelled=len(directions) > 1)
        share = budget.part(1 / (len(directions) - number))
        network, result = _fit(*corpora[direction], coder, dev, config, part, share, config.seed + number)
        networks.append(network)
        results.append(result)
    cache = Cache(**config.evaluation.cache.model_dump())
    return FittedLanguageModel(_built(networks), coder, cache, config.data), joined(results)


def _built(networks: list[LanguageNetwork]) -> DirectedNetworks:
    found = DirectedNetworks(networks)
    found.build()
    return found


def _fit(
    train: Corpus,
    dev: Corpus,
    coder: TextCoder,
    texts: Texts,
    config: LanguageModelConfig,
    recording: Recording,
    budget: Budget,
    seed: int,
) -> tuple[LanguageNetwork, FitResult]:
    """The network of one direction, and how its fit went."""
    settings = config.training
    batches = StreamBatches(
        train,
        settings.rows,
        settings.steps,
        seed,
        coder.vocabulary.singletons_from,
        settings.epoch_symbols,
        config.model.symbols,
    )
    measure = measure_of(config)
    with seeded(seed):
        network = build_network(len(coder), config.model, settings.precision)
        scorer = Scorer(CachedNetwork(network))
        training = StreamTraining(network, batches.rows)
        result = fit_network(
            training,
            batches,
            settings,
            lambda: figure(measure.name, scorer.log_probabilities(dev), texts),
            measure,
            recording,
            budget=budget,
        )
    return network, result
