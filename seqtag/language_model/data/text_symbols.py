"""Texts as symbols and back, in TensorFlow graph operations alone: characters, or words and the ends of lines.

The same functions serve training, prediction and the exported SavedModel.
"""

from __future__ import annotations

import tensorflow as tf

from seqtag.data.text.symbols import join_symbols, split_symbols

# The end of a line, which is a symbol of its own among words.
LINE_END = "\n"


def split_text(kind: str, text: tf.Tensor) -> tf.RaggedTensor:
    r"""The symbols of each text.

    Args:
        kind: `"characters"`, or `"words"`: those of `seqtag.data.text.symbols.split_symbols`, and `"\n"`.
        text: string `(batch,)`.

    Returns:
        String `(batch, None)`.

    >>> [[word.decode() for word in row] for row in split_text("words", tf.constant(["Go on.\nNow"])).to_list()]
    [['Go', 'on', '￭.', '\n', 'Now']]
    """
    if kind == "characters":
        return split_symbols(kind, text)
    lines = tf.strings.split(text, LINE_END)
    of_text = lines.value_rowids()
    words = split_symbols(kind, lines.flat_values)
    is_last = tf.concat([of_text[1:] != of_text[:-1], tf.ones_like(of_text[:1], tf.bool)], axis=0)
    ends = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.reduce_sum(tf.cast(~is_last, tf.int32))], LINE_END), tf.cast(~is_last, tf.int64)
    )
    joined = tf.concat([words, ends], axis=1)
    lengths = tf.math.unsorted_segment_sum(joined.row_lengths(), of_text, tf.shape(text)[0])
    return tf.RaggedTensor.from_row_lengths(joined.flat_values, lengths)


def join_text(kind: str, symbols: tf.RaggedTensor) -> tf.Tensor:
    r"""The texts of symbols, string `(batch,)`.

    >>> join_text("words", tf.ragged.constant([["Go", "on", "￭.", "\n", "Now"]])).numpy()[0].decode()
    'Go on.\nNow'
    """
    text = join_symbols(kind, symbols)
    return text if kind == "characters" else tf.strings.regex_replace(text, " ?\n ?", LINE_END)
