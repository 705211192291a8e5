"""What `benchmarks.tagger_speed` measures of training: words a second, padding, the CRF, the floor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from benchmarks.epoch_seconds import EpochSeconds
from benchmarks.plain_keras_tagger import BATCH, pad, plain_tagger
from seqtag.data.text.word_features import NUM_HASHED
from seqtag.models.word_representation import BUCKET_DIM
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.batches import TaggedBatches, padding_share
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus
from seqtag.tagging.data.encoding import EncodedCorpus
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.model import TaggingModel
from seqtag.training.averaging import WeightAverage
from seqtag.training.optimizers import build_optimizer
from seqtag.training.schedule import LearningRate

__all__ = ["Subject", "crf_cost", "floor", "padding", "training_speed"]


# Of one `fit`; the first is not counted.
EPOCHS = 3


class Subject(NamedTuple):
    """A tagger that is ready to be trained, its sentences, and the batches that its trainer would draw."""

    model: TaggingModel
    corpus: EncodedCorpus
    stream: TaggedBatches
    config: TaggingConfig

    @classmethod
    def build(cls, train: TaggedCorpus, config: TaggingConfig) -> Subject:
        """The tagger of a configuration, compiled as the trainer compiles it."""
        keras.utils.set_random_seed(config.seed)
        options = ReadingOptions(layout=train.layout, features=config.data.features)
        model = build_tagging_model(train, config.model, options, config.data.scheme, config.training.precision)
        model.network.compile(optimizer=build_optimizer(config.training), jit_compile=False)
        model.network.optimizer.build(model.network.trainable_variables)
        corpus = model.encode_corpus(train)
        stream = TaggedBatches(corpus, config.training.batch_tokens, config.seed)
        return cls(model, corpus, stream, config)

    @property
    def words(self) -> int:
        """Tokens of the sentences."""
        return int(self.corpus.lengths.sum())

    def dataset(self) -> tf.data.Dataset:
        """The trainer's batches as `(input, tags)`, without end."""
        return self.stream.dataset(0)

    def fit(self, timer: EpochSeconds) -> None:
        """Epochs as the trainer makes them, without the scoring of dev and the checkpoint after each."""
        settings = self.config.training
        self.model.network.fit(
            self.dataset(),
            epochs=EPOCHS,
            steps_per_epoch=self.stream.steps,
            callbacks=[LearningRate(settings, self.stream.steps), WeightAverage(settings.ema), timer],
            shuffle=False,
            verbose=0,
        )


def training_speed(subject: Subject, longest: int, repeats: int) -> dict[str, float]:
    """Median words a second of an epoch of `model.fit`: ours, and plain Keras taggers of two widths.

    All see the same sentences, and padding counts for nothing. They take turns, so that whatever else the machine does
    falls on all; a turn is one `fit` of a few epochs whose first, which traces, is not counted.

    Args:
        subject: our tagger.
        longest: tokens of the corpus's longest sentence, to which the plain taggers' sentences are padded.
        repeats: turns of each.
    """
    network = subject.model.network
    fits: dict[str, Callable[[EpochSeconds], Any]] = {"seqtag": subject.fit}
    for width in dict.fromkeys((subject.config.model.word_dim, network.representation.output_units)):
        fits[f"keras, input width {width}"] = _plain_fit(subject, width, longest)
    timers = {name: EpochSeconds() for name in fits}
    for _ in range(repeats):
        for name, fit in fits.items():
            fit(timers[name])
    return {name: subject.words / statistics.median(timer.seconds) for name, timer in timers.items()}


def _plain_fit(subject: Subject, width: int, longest: int) -> Callable[[EpochSeconds], Any]:
    model, corpus = subject.model, subject.corpus
    rows = tf.ragged.map_flat_values(lambda distinct: tf.gather(corpus.features.words, distinct), corpus.word_rows)
    inputs, tags = pad(rows.to_list(), longest), pad(corpus.tags[0].indices.to_list(), longest)
    plain = plain_tagger(len(model.encoder.words), len(model.codec.labels), width, subject.config.model.units)
    return lambda timer: plain.fit(inputs, tags, batch_size=BATCH, epochs=EPOCHS, callbacks=[timer], verbose=0)


def padding(subject: Subject, passes: int = 3) -> float:
    """The share of padding in the batches of the first passes over the corpus, as planned for training."""
    stream = subject.stream
    lengths, shares, batches = subject.corpus.lengths, [], stream.after(0)
    for _ in range(passes):
        planned: list[np.ndarray] = []
        while sum(map(len, planned)) < len(lengths):
            planned.append(next(batches))
        shares.append(padding_share(lengths, planned))
    return statistics.fmean(shares)


def crf_cost(train: TaggedCorpus, config: TaggingConfig, steps: int) -> tuple[float, float, float]:
    """What the CRF adds to a training step: its median ms, that with a softmax head, the median share added.

    Two taggers that differ in the head alone make each step (forward, backward, update) on the same batch,
    in turns of changing order, and the share is the median over the batches of what the CRF's step takes
    beyond the other's. Timing the loss alone would charge the CRF for what TensorFlow does at the same time
    as other work, and for starting a graph of its own.
    """
    made = []
    for head in ("crf", "softmax"):
        changed = config.model_copy(update={"model": config.model.model_copy(update={"head": head})})
        subject = Subject.build(train, changed)
        dataset = subject.dataset()
        made.append(tf.function(subject.model.network.train_step, input_signature=[dataset.element_spec]))
    batches = list(islice(dataset, steps))
    for step in made:
        for batch in batches[:3]:
            step(batch)
    times = np.array([_in_turns(made, batch, reverse=bool(n % 2)) for n, batch in enumerate(batches)])
    crf, softmax = 1000 * np.median(times, axis=0)
    return float(crf), float(softmax), float(np.median(times[:, 0] / times[:, 1] - 1))


def _in_turns(functions: Sequence[Callable], batch: Any, reverse: bool) -> list[float]:
    seconds = [0.0] * len(functions)
    for place in sorted(range(len(functions)), reverse=reverse):
        began = time.perf_counter()
        tf.nest.flatten(functions[place](batch))[0].numpy()
        seconds[place] = time.perf_counter() - began
    return seconds


def floor(subject: Subject, batches: int) -> tuple[float, float]:
    """Multiply-adds of a token, in millions, and the words a second that they alone would allow.

    Counted: the products with input and recurrent kernels, the emissions, and for each distinct word of a
    batch the character convolution and the spelling projection; the gradients of inputs and weights make
    each thrice itself. The rates are this machine's, the best of many measured here: for the recurrent
    kernels that of a float32 product as large as one step, for the rest that of one as large as a batch's
    input projection. Padding is not counted.
    """
    network, config = subject.model.network, subject.config.model
    gates = {"simple_rnn": 1, "gru": 3}.get(config.cell, 4) * config.units
    width, steps, rest = network.representation.output_units, 0.0, 0.0
    for _ in range(config.layers):
        rest += 2 * width * gates
        steps += 2 * config.units * gates
        width = 2 * config.units
    rest += width * network.num_tags + _spelling_products(subject, batches)
    sentences = len(subject.corpus.lengths) // subject.stream.steps
    tokens = subject.words // subject.stream.steps
    seconds = 3 * steps / _rate(sentences, config.units, gates)
    seconds += 3 * rest / _rate(tokens, network.representation.output_units, gates)
    return 3 * (steps + rest) / 1e6, 1 / seconds


def _spelling_products(subject: Subject, batches: int) -> float:
    """Multiply-adds a token, forwards, from characters and hashed features to the spelling vector."""
    representation: Any = subject.model.network.representation
    products = tokens = 0
    for inputs, _ in islice(subject.dataset(), batches):
        words, characters = inputs["chars"].shape
        width = 0
        if representation.chars is not None:
            chars = representation.chars
            reads = sum(chars.widths) * chars.embedding_dim
            if chars.kind == "birnn":
                reads = 2 * 4 * (chars.embedding_dim + chars.units)
            products += words * characters * reads * chars.units
            width += chars.compute_output_shape((None, None))[-1]
        if representation.bucket_embedding is not None:
            width += NUM_HASHED * BUCKET_DIM
        if representation.spelling_projection is not None:
            products += words * width * representation.spelling_projection.units
        tokens += int(tf.reduce_sum(inputs["lengths"]))
    return products / tokens


def _rate(rows: int, inner: int, columns: int, repeats: int = 300) -> float:
    """Multiply-adds a second of TensorFlow's float32 product of these sizes, the fastest of many."""
    left, right = keras.random.normal((rows, inner)), keras.random.normal((inner, columns))
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        tf.matmul(left, right).numpy()
        seconds.append(time.perf_counter() - began)
    return rows * inner * columns / min(seconds)
