"""The states of a language model at the words of a corpus, computed once where training does not change them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import tensorflow as tf

from seqtag.data.length_batches import batches_by_length
from seqtag.models.language_network.word_states import WordStates
from seqtag.models.traced import Traced
from seqtag.progress import with_progress
from seqtag.tagging.data.batches import batch_of
from seqtag.tagging.data.corpus import LONGEST
from seqtag.tagging.data.encoding import EncodedCorpus, KeptStates

# Memory of the states of one corpus; those of a larger one are computed batch by batch, in each epoch anew.
MOST_BYTES = 1 << 30
# Tokens, padding counted, whose states are computed at once.
BATCH_TOKENS = 4_000
# What the states read of a batch.
READ = ("symbols", "word_rows", "lengths")


def with_states(corpus: EncodedCorpus, layer: WordStates | None, most_bytes: int = MOST_BYTES) -> EncodedCorpus:
    """The corpus with the states at its words, in float16, each distinct sentence read once.

    It stays as it is where states change in training, and where they would take more than `most_bytes`: then the
    network computes them for each batch. A sentence that is too long for one pass has none: its windows are read as
    they come.

    Args:
        corpus: encoded sentences.
        layer: computes the states; None where a network reads none.
        most_bytes: the most memory that they may take.
    """
    if layer is None or layer.tuned:
        return corpus
    first, of_sentence = _distinct(corpus)
    lengths = np.where(corpus.lengths <= LONGEST, corpus.lengths, 0)
    # Row 0 is that of padding.
    starts = 1 + np.cumsum(lengths[first]) - lengths[first]
    rows = 1 + int(lengths[first].sum())
    if rows * layer.width * np.dtype(np.float16).itemsize > most_bytes:
        return corpus
    table = np.zeros((rows, layer.width), np.float16)
    compute = Traced(layer, free_axes=2)
    batches = batches_by_length(lengths[first], BATCH_TOKENS)
    unit = "words of the language model"
    for batch in with_progress(batches, lambda b: int(lengths[first[b]].sum()), len, len(first), unit):
        found = batch_of(corpus, first[batch])
        states = compute({name: found[name] for name in READ}).numpy()
        for of_words, number in zip(states, batch, strict=True):
            length = lengths[first[number]]
            table[starts[number] : starts[number] + length] = of_words[:length]
    begins = starts[of_sentence]
    # Batches are made on the processor, where the table stays.
    with tf.device("CPU:0"):
        kept = KeptStates(tf.constant(table), tf.ragged.range(begins, begins + lengths))
    return replace(corpus, states=kept)


def _distinct(corpus: EncodedCorpus) -> tuple[np.ndarray, np.ndarray]:
    """The number of the first of each of the distinct sentences, and for each sentence which of them it is."""
    assert corpus.word_rows is not None
    words = np.split(corpus.word_rows.flat_values.numpy(), np.cumsum(corpus.lengths)[:-1])
    numbers: dict[bytes, int] = {}
    of_sentence = [numbers.setdefault(sentence.tobytes(), len(numbers)) for sentence in words]
    first = np.unique(of_sentence, return_index=True)[1]
    return first, np.array(of_sentence, np.int64)
