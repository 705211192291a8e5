"""What a network says of sentences of any number and length, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from seqtag.process.forks import check_can_run
from seqtag.tagging.data.batches import Batch, batch_of, plan_batches
from seqtag.tagging.data.encoding import EncodedCorpus
from seqtag.tagging.data.windows import LONGEST, kept_parts, windowed, windows_of

# How many padded tokens a batch has.
BATCH_TOKENS = 4_000

Outputs = dict[str, np.ndarray]


def batch_outputs(
    corpus: EncodedCorpus, function: Callable[[Batch], dict[str, tf.Tensor]], begins: np.ndarray
) -> Iterator[tuple[np.ndarray, Outputs]]:
    """What a graph function of the network gives for each batch of a corpus, with the numbers of its sentences.

    A sentence that is too long for one pass is a batch by itself, put together from windows; see
    `seqtag.tagging.data.windows`.

    Args:
        corpus: the sentences.
        function: gives tensors that begin with `(batch, time)`, among them `tags`, the labels.
        begins: see `kept_parts`.
    """
    check_can_run()
    is_long = corpus.lengths > LONGEST
    yield from _outputs(corpus, np.flatnonzero(~is_long), function)
    for sentence in np.flatnonzero(is_long):
        yield np.array([sentence]), _of_long(corpus, int(sentence), function, begins)


def _outputs(
    corpus: EncodedCorpus, sentences: np.ndarray, function: Callable[[Batch], dict[str, tf.Tensor]]
) -> Iterator[tuple[np.ndarray, Outputs]]:
    documents = None if corpus.documents is None else corpus.documents[sentences]
    for batch in plan_batches(corpus.lengths[sentences], BATCH_TOKENS, documents=documents):
        numbers = sentences[batch]
        yield numbers, {name: tensor.numpy() for name, tensor in function(batch_of(corpus, numbers)).items()}


def _of_long(
    corpus: EncodedCorpus, sentence: int, function: Callable[[Batch], dict[str, tf.Tensor]], begins: np.ndarray
) -> Outputs:
    windows = windows_of(corpus.lengths[sentence])
    parts = windowed(corpus, sentence, windows)
    found: list[Outputs] = [{}] * len(windows)
    for numbers, output in _outputs(parts, np.arange(len(windows)), function):
        for row, n in enumerate(numbers):
            found[n] = {name: array[row, : parts.lengths[n]] for name, array in output.items()}
    kept = kept_parts(windows, [output["tags"] for output in found], begins)
    starts = (part.start - window.start for part, window in zip(kept, windows, strict=True))
    places = [slice(start, start + part.stop - part.start) for start, part in zip(starts, kept, strict=True)]
    return {
        name: np.concatenate([output[name][place] for output, place in zip(found, places, strict=True)])[None]
        for name in found[0]
    }
