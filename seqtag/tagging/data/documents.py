"""Which sentences are of one document: those whose words the network may compare.

Documents come one after the other. A long one is read in parts, so that memory and the time of a training step do not
grow with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import tee

import tensorflow as tf

from seqtag.tagging.data.corpus import TaggerInput

# A part of a document ends with the sentence that brings it to so many tokens or sentences. A longer sentence is alone.
# All together bound what a batch of short and long sentences is padded to.
PART_TOKENS, PART_SENTENCES, LONGEST_TOGETHER = 2_000, 250, 500


def document_parts(sentences: Iterable[tuple[Hashable | None, int]]) -> Iterator[int]:
    """A number for each sentence, the same for those of one part of a document.

    A sentence without a document, or one of more than 500 tokens, is a document by itself. A part has no further parts:
    its own number may stand for its document.

    Args:
        sentences: what tells the document from the one before it, or None; and how many tokens there are.

    >>> list(document_parts([("a", 500)] * 5 + [("b", 5), (None, 5), (None, 5)]))
    [0, 0, 0, 0, 1, 2, 3, 4]
    """
    number, before, last, part, count, tokens = -1, None, True, (0, 0), 0, 0
    for document, length in sentences:
        alone = document is None or length > LONGEST_TOGETHER
        if alone or last or document != before:
            count, tokens = 0, 0
            number, part = number + 1, (0, 0)
        elif (place := (tokens // PART_TOKENS, count // PART_SENTENCES)) != part:
            number, part = number + 1, place
        yield number
        before, last, count, tokens = document, alone, count + 1, tokens + length


def in_parts(sentences: Iterable[TaggerInput]) -> Iterator[TaggerInput]:
    """Sentences as they come, with the numbers of the parts for their documents."""
    read, told = tee(sentences)
    numbers = document_parts((sentence.document, len(sentence.tokens)) for sentence in told)
    for sentence, number in zip(read, numbers, strict=True):
        yield sentence._replace(document=number)


def parts_in_graph(documents: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """`document_parts` of a batch; a pure graph function.

    Args:
        documents: string `(batch,)`, "" for none.
        lengths: int32 `(batch,)`.

    Returns:
        int32 `(batch,)`, from 0.

    >>> documents = tf.constant(["a"] * 5 + ["b", "", ""])
    >>> parts_in_graph(documents, tf.constant([500] * 5 + [5, 5, 5])).numpy().tolist()
    [0, 0, 0, 0, 1, 2, 3, 4]
    """
    alone = (documents == "") | (lengths > LONGEST_TOGETHER)
    changed = alone[1:] | alone[:-1] | (documents[1:] != documents[:-1])
    begins = tf.concat([tf.ones_like(alone[:1]), changed], axis=0)
    run = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    # Tokens and sentences of the document before each sentence.
    before = tf.stack([tf.cumsum(lengths, exclusive=True), tf.range(tf.size(lengths))], axis=1)
    parts = (before - tf.gather(tf.boolean_mask(before, begins), run)) // [PART_TOKENS, PART_SENTENCES]
    new_part = tf.concat([tf.ones_like(alone[:1]), tf.reduce_any(parts[1:] != parts[:-1], axis=1)], axis=0)
    return tf.cumsum(tf.cast(begins | new_part, tf.int32)) - 1


def document_words(word_rows: tf.RaggedTensor, documents: tf.Tensor) -> tf.Tensor:
    """For each token which word of its document it is; a pure graph function.

    Args:
        word_rows: int32 `(batch, None)` ragged, equal for equal words.
        documents: int32 `(batch,)`, equal for sentences of one document.

    Returns:
        int32 `(batch, time)`, from 0, equal for equal words of one document, 0 at padding.

    >>> rows = tf.ragged.constant([[0, 1], [1], [1]])
    >>> document_words(rows, tf.constant([0, 0, 1])).numpy().tolist()
    [[0, 1], [1, 0], [2, 0]]
    """
    rows = tf.cast(word_rows.flat_values, tf.int64)
    words = tf.reduce_max(tf.concat([rows, [0]], axis=0)) + 1
    of_tokens = tf.repeat(tf.cast(documents, tf.int64), word_rows.row_lengths())
    _, numbers = tf.unique(of_tokens * words + rows)
    return word_rows.with_flat_values(numbers).to_tensor()
