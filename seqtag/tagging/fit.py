"""From corpora and a configuration to a fitted tagging model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vectors.store import WordVectors
from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder, count_characters, count_words
from seqtag.models.word_vectors import TuneAfter
from seqtag.tagging.calibration import Calibration
from seqtag.tagging.config import ModelConfig, TaggingConfig
from seqtag.tagging.costs import check_costs, tag_costs
from seqtag.tagging.data.batches import TaggedBatches
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, reading_options
from seqtag.tagging.data.encoding import EncodedCorpus
from seqtag.tagging.data.gazetteers import PHRASE_ROWS, gazetteer_paths, read_gazetteers
from seqtag.tagging.data.tag_codec import TagCodec, fit_codecs
from seqtag.tagging.data.weights import relative_weights
from seqtag.tagging.data.windows import in_pieces
from seqtag.tagging.evaluation.evaluate import mean_score, measures_name, quick_report, resolve_measures
from seqtag.tagging.kept_states import with_states
from seqtag.tagging.language_model import LanguageModelRun, load_language_model
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.network.ensemble import members_of
from seqtag.tagging.network.network import TaggerNetwork
from seqtag.tagging.network.tag_column import ColumnSettings
from seqtag.tagging.temperature import fit_temperature
from seqtag.tagging.thresholds import check_precision, fit_thresholds
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, fit_network, joined
from seqtag.training.measure import Measure
from seqtag.training.recording import Recording
from seqtag.training.seeding import seeded

# About ten times as many as a corpus has affixes, so that few of them share a row.
NUM_BUCKETS = 1 << 16
# Words around a token have a score for each tag where there are no more tags than this, and else so many numbers.
MOST_SCORED, CONTEXT_RANK = 100, 32


def build_tagging_model(
    train: TaggedCorpus,
    config: ModelConfig,
    options: ReadingOptions,
    scheme: str = "auto",
    dtype: str = "float32",
    vectors: WordVectors | None = None,
    gazetteers: Sequence[Path] = (),
    language_model: LanguageModelRun | None = None,
) -> TaggingModel:
    """Builds an unfitted model, whose vocabularies come from the training data alone, but for pretrained vectors.

    Args:
        train: the training sentences, or sequences of frames.
        config: the network's settings.
        options: how files for this model are laid out.
        scheme: of the training tags; `"auto"` detects it, `"none"` takes them as plain labels.
        dtype: Keras's dtype policy.
        vectors: pretrained word vectors.
        gazetteers: files of phrases with their types; see `read_gazetteers`.
        language_model: a language model of characters, whose states the network reads.
    """
    codecs = fit_codecs(train, scheme)
    phrases = read_gazetteers(gazetteers, codecs)
    inputs = _inputs(train, config, options, vectors, len(phrases.types), language_model)
    names = [of_column.tag_name for of_column in (options, *options.further)]
    first, *further = (_settings(codec, config, name) for codec, name in zip(codecs, names, strict=True))
    network = TaggerNetwork(
        representation=inputs.representation,
        **first._asdict(),
        cell=config.cell,
        units=config.units,
        layers=config.layers,
        dropout=config.dropout,
        recurrent_dropout=config.recurrent_dropout,
        context_features=config.context_features and not options.reads_frames,
        further_columns=[settings._asdict() for settings in further],
        document_context=config.document_context,
        dtype=dtype,
    )
    network.build()
    layer = network.representation.vectors
    if vectors is not None and layer is not None:
        layer.fill(vectors.matrix)
    states = network.representation.language_states
    if language_model is not None and states is not None:
        states.fill(language_model.networks)
    codec, *others = codecs
    further_codecs = [(other, Calibration()) for other in others]
    encoders = inputs.encoder, inputs.columns
    return TaggingModel(network, codec, *encoders, options, further=further_codecs, gazetteers=phrases)


class _Inputs(NamedTuple):
    """What turns sentences into a network's input, and the arguments of the layer that reads it."""

    encoder: WordEncoder | FrameScale
    columns: list[Vocabulary]
    representation: dict[str, Any]


def _inputs(
    train: TaggedCorpus,
    config: ModelConfig,
    options: ReadingOptions,
    vectors: WordVectors | None,
    phrase_types: int,
    language_model: LanguageModelRun | None,
) -> _Inputs:
    if options.reads_frames:
        scale = FrameScale.fit(train.frames)
        return _Inputs(scale, [], {"frame_columns": scale.columns, "noise": config.input_noise})
    tokens = [token for sentence in train.tokens for token in sentence]
    lookup = None if vectors is None else VectorLookup.of(vectors)
    symbols = None if language_model is None else language_model.characters
    counted = count_words(tokens, config.min_count), count_characters(tokens)
    encoder = WordEncoder(*counted, NUM_BUCKETS, lookup, symbols)
    columns = [
        Vocabulary.count(value for values in train.columns for value in values[n]) for n in range(len(options.features))
    ]
    representation = {
        "num_words": len(encoder.words),
        "singletons_from": encoder.words.singletons_from,
        "num_chars": len(encoder.chars),
        "num_buckets": NUM_BUCKETS,
        "column_sizes": [len(vocabulary) for vocabulary in columns] + [PHRASE_ROWS] * phrase_types,
        "word_dim": config.word_dim,
        "char_encoder": config.char_encoder,
        "spelling": config.spelling,
        "word_dropout": config.word_dropout,
        "singleton_dropout": config.singleton_dropout,
        "num_vectors": 0 if lookup is None else lookup.num_rows,
        "vector_dim": 0 if vectors is None else vectors.width,
        "tune_vectors": config.tune_vectors is not False,
        "tune_vectors_later": _tuned_after(config) > 0,
        "language_states": language_model and language_model.states_config(config.tune_language_model),
    }
    return _Inputs(encoder, columns, representation)


def _settings(codec: TagCodec, config: ModelConfig, name: str) -> ColumnSettings:
    """What the network is told of the column of tags of this name."""
    constraints, head = codec.constraints(), (config.heads or {}).get(name, config.head)
    return ColumnSettings(
        len(codec.labels),
        None if constraints is None else [table.tolist() for table in constraints],
        head,
        tag_costs(codec, config, head),
        (config.loss_weights or {}).get(name, 1.0),
        CONTEXT_RANK if len(codec.labels) > MOST_SCORED else None,
    )


def _tuned_after(config: ModelConfig) -> int:
    """After how many epochs word vectors are trained, where they are trained at all."""
    return 0 if isinstance(config.tune_vectors, bool) else config.tune_vectors


def fit_tagging_model(
    train: TaggedCorpus,
    dev: TaggedCorpus,
    config: TaggingConfig,
    recording: Recording = Recording(),
    budget: Budget | None = None,
    vectors: WordVectors | None = None,
) -> tuple[TaggingModel, FitResult]:
    """Fits a model on `train`; `dev` chooses the epoch and, after that, the temperature and the thresholds.

    The same seed gives the same model bit for bit on a CPU.

    Args:
        train: the training sentences.
        dev: sentences with tags such as `TagCodec.check` accepts.
        config: the whole configuration.
        recording: where checkpoints and logs go.
        budget: the time that training may take, where there are several; that of the configuration unless given.
        vectors: pretrained word vectors; see `seqtag.tagging.vectors`.

    Raises:
        DataError: all sentences of `train` have the weight 0.
        ConfigError: a measure of spans for plain labels, or a precision or a cost of an unknown type; see
            `load_language_model`.
        RunError: see `fit_network`.
    """
    size, budget = config.model.ensemble_size, budget or Budget(config.training.budget)
    language_model = load_language_model(config.model)
    models, results = [], []
    for number in range(size):
        # Seeds that no run of `training.seeds` has, so that several ensembles share no member.
        member = config.model_copy(update={"seed": config.seed + number * config.training.seeds})
        part = recording if size == 1 else recording.part(f"member-{number + 1}")
        share, sources = budget.part(1 / (size - number)), (vectors, language_model)
        fitted, encoded_dev, result = _fit_member(train, dev, member, part, share, *sources)
        models.append(fitted)
        results.append(result)
    model = models[0].with_members([member for fitted in models for member in members_of(fitted.network)])
    pairs = zip(model.columns, dev.columns_of_tags, strict=True)
    calibrations = [Calibration(fit_temperature(of_column, gold, encoded_dev)) for of_column, gold in pairs]
    model = model.calibrated(calibrations)
    thresholds = fit_thresholds(model, dev, encoded_dev, config.evaluation.precision)
    return model.calibrated(list(map(_with_thresholds, calibrations, thresholds))), joined(results)


def _fit_member(
    train: TaggedCorpus,
    dev: TaggedCorpus,
    config: TaggingConfig,
    recording: Recording,
    budget: Budget,
    vectors: WordVectors | None,
    language_model: LanguageModelRun | None,
) -> tuple[TaggingModel, EncodedCorpus, FitResult]:
    """A model of one network, without a calibration; `dev` as it reads it; and how the fit went."""
    training = config.training
    # Files that the model reads later have the layout of the training file, also if it was detected, and its tags.
    options = reading_options(config.data).spelt_as(train)
    if not options.reads_frames:
        options = replace(options, layout=train.layout)
    with seeded(config.seed):
        sources = vectors, gazetteer_paths(config), language_model
        model = build_tagging_model(train, config.model, options, config.data.scheme, training.precision, *sources)
        codecs = model.codecs
        measures = resolve_measures(config.evaluation.measure, codecs)
        check_precision(config.evaluation.precision, codecs)
        check_costs(config.model, codecs)
        encoded = replace(model.encode_corpus(train), weights=relative_weights(train))
        encoded = in_pieces(encoded, model.codec.begins)
        encoded_dev = model.encode(dev.inputs)
        [network] = members_of(model.network)
        states = network.representation.language_states
        encoded, encoded_dev = with_states(encoded, states), with_states(encoded_dev, states)

        def evaluate() -> float:
            columns = zip(dev.columns_of_tags, model.decode_tags(encoded_dev), codecs, strict=True)
            return mean_score((quick_report(gold.tags, tags, codec.scheme) for gold, tags, codec in columns), measures)

        batches = TaggedBatches(encoded, training.batch_tokens, config.seed)
        layer, later = network.representation.vectors, _tuned_after(config.model)
        callbacks = [TuneAfter(layer, later)] if layer is not None and later else []
        measure = Measure(measures_name(measures))
        result = fit_network(network, batches, training, evaluate, measure, recording, callbacks, budget)
    return model, encoded_dev, result


def _with_thresholds(calibration: Calibration, thresholds: dict[str, float]) -> Calibration:
    return replace(calibration, thresholds=thresholds)
