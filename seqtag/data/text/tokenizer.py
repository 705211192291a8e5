"""The tokeniser of raw text, in TensorFlow graph operations alone.

One function serves `seqtag predict --text` and the exported SavedModel, so that both give the same tokens. It
needs no vocabulary, and its time is linear in the length of the text.

How it works: the lines are decoded to code points and concatenated, each ended by a line feed, so that no rule can
reach from one line into the next. Characters that extend the one before (combining marks, joiners, variation selectors,
emoji modifiers) are set aside. Every rule then says which of the remaining characters continue the token of the
character before.

The rules follow the treebanks and corpora that taggers are trained on:

- Letters, marks, digits and `_` form words; an ideograph or kana is a token by itself, and so is any other
  symbol. Scripts written without spaces but with letters (Thai, Khmer) are not segmented.
- Digits on both sides keep `, . : /` inside a number: `1,000.50`, `3:30`, `9/11/2001`.
- An apostrophe between letters stays inside (`O'Brien`), but English clitics are split off as in treebanks: `do|n't`,
  `John|'s`.
- Hyphens separate words (`well|-|known`), as in UD English-EWT and the biomedical corpora, except after a
  single letter (`e-mail`, `T-shirt`). Corpora that keep hyphens (UD Danish-DDT, WNUT-17) differ here.
- Single letters with dots keep them (`U.S.`, `e.g.`); so do initials before a capital (`J. Smith`) and the
  abbreviations in `ABBREVIATIONS`. Single letters also stay together around `/` and `&`: `A/S`, `Q&A`.
- A stop after an abbreviation's own dot, and an ellipsis, are tokens: `etc.|.`, `etc|...`.
- `@mention`, `#hashtag`, URLs, e-mail addresses, file names, telephone numbers and emoticons stay whole.
- `...`, `?!`, `--` and other repeated punctuation is one token; so is an emoji sequence, and a flag.

Agreement with the gold tokens of UD English-EWT 2.16, as `python -m benchmarks.tokenizer` gives it: F1 over
tokens 98.80 on dev, on which the rules were tuned, and 98.50 on test (`--split test`).
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from seqtag.data.text.characters import DIGIT, EXTEND, LETTER, REGIONAL, SPACE, SYMBOL, ZWJ, class_runs

__all__ = ["Tokens", "tokenize"]

APOSTROPHES = "'’"
OPENERS = "([{<\"'“‘«„*¡¿"
CLOSERS = ".,;:!?)]}>\"'”’»*…"
SENTENCE_ENDS = ".!?…"
REPEATED = "'’`-–—=*~+#<>|^/\\"
NUMBER_SEPARATORS = ",.:/٫٬"
CLITICS = ("s", "m", "d", "re", "ve", "ll")

ABBREVIATIONS = (
    r"(?i:mrs?|ms|dr|prof|st|sr|jr|sen|reps?|gov|gen|lt|col|capt|sgt|rev|hon|inc|corp|co|ltd|vs|etc|al|ft|ave|blvd"
    r"|jan|feb|aug|sept?|oct|nov|dec|ph|approx|esp|kr|pct|pr|ca|kl|jf|hhv|pga|kgl|spsk|kvm|mill|mio|mia|nr|stk|f\.eks|bl\.a|m\.fl|[a-z]{1,2}\.[a-z])"
)
_URL = r"(?:https?|ftp|file)://\S+|www\.\S+"
_HOST = r"@?(?:[\w-]+\.)+(?:com|org|net|edu|gov|mil|info|biz|io|co|tv|me|uk|de|fr|dk|eu|ca|us|au|nl|se|no)"
_EMAIL = r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
_FILE = r"[\w#.-]+\.(?:docx?|xlsx?|pptx?|pdf|txt|csv|zip|jpe?g|png|gif|html?|exe|py)"
_TELEPHONE = r"(?:\d{3}[-.])?\d{3}[-.]\d{4}"
_DOTTED = r"[a-z]+(?:\.[a-z][a-z-]*){2,}"
KEPT = rf"(?i:{_URL}|{_HOST}(?:[/:?]\S*)?|{_EMAIL}|{_FILE}|{_TELEPHONE}|{_DOTTED})"
EMOTICONS = r"[<>]?[:;=8][-'o^]?[()\[\]DdPpOo/\\|*3@$]+|\(+[:;=]|\^[_.]*\^|</?3+|:'-?[()]|[xX]D+"


class Tokens(NamedTuple):
    """Tokens of a batch of lines, all ragged `(batch, None)`: `text[start:end]` is the token."""

    tokens: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


class _Stream(NamedTuple):
    """Characters of all lines but for extenders: code points, the same in ASCII lower case, classes."""

    codes: tf.Tensor
    lower: tf.Tensor
    kinds: tf.Tensor

    def among(self, characters: str) -> tf.Tensor:
        """Where the character is one of `characters`."""
        codes = tf.constant(sorted(map(ord, characters)), tf.int32)
        nearest = tf.gather(codes, tf.minimum(tf.searchsorted(codes, self.codes), len(characters) - 1))
        return nearest == self.codes

    def spells(self, letters: str, offset: int) -> tf.Tensor:
        """Where the characters from `offset` on spell `letters`, in any case, at the end of a word."""
        matches = ~_at(self.word, offset + len(letters))
        for step, letter in enumerate(letters):
            matches &= _at(self.lower, offset + step) == ord(letter)
        return matches

    @property
    def word(self) -> tf.Tensor:
        return (self.kinds == LETTER) | (self.kinds == DIGIT)

    @property
    def letter(self) -> tf.Tensor:
        return self.kinds == LETTER

    @property
    def space(self) -> tf.Tensor:
        return self.kinds == SPACE

    @property
    def alone(self) -> tf.Tensor:
        """Letters that are a word by themselves."""
        return self.letter & ~_at(self.word, -1) & ~_at(self.word, 1)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def tokenize(text: tf.Tensor) -> Tokens:
    """Splits lines into tokens, and says where in its line each token stands.

    Args:
        text: string `(batch,)`, one line or paragraph each, in UTF-8. Each ill-formed sequence counts as one
            U+FFFD, just as in Python's `bytes.decode("utf-8", "replace")`: offsets refer to that reading.

    Returns:
        `Tokens`: tokens (string), starts and ends (int32, code points into the line), each ragged
        `(batch, None)`. A line that is empty or all space has no tokens. Characters of no token are white
        space, controls, zero-width spaces and marks of text direction.

    >>> answer = tokenize(tf.constant(["Don't panic!", "東京 2,5 km."]))
    >>> [[token.decode() for token in line] for line in answer.tokens.to_list()]
    [['Do', "n't", 'panic', '!'], ['東', '京', '2,5', 'km', '.']]
    >>> answer.starts.to_list()
    [[0, 2, 6, 11], [0, 1, 3, 7, 9]]
    """
    lines = tf.strings.unicode_decode(text + "\n", "UTF-8", errors="replace")
    kinds = _classes(lines.flat_values)
    places, stream = _without_extenders(lines.flat_values, kinds)
    continues = _continues(stream, after_joiner=tf.gather(_at(lines.flat_values, -1), places) == ZWJ)
    is_start = ~stream.space & ~continues
    is_last = ~stream.space & (_at(is_start, 1) | _at(stream.space, 1))
    starts = tf.boolean_mask(places, is_start)
    ends = tf.boolean_mask(_at(places, 1), is_last)
    characters = tf.boolean_mask(lines.flat_values, kinds != SPACE)
    words = tf.RaggedTensor.from_row_lengths(characters, ends - starts, validate=False)
    return _by_line(tf.strings.unicode_encode(words, "UTF-8"), starts, ends, lines)


def _by_line(words: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, lines: tf.RaggedTensor) -> Tokens:
    """From flat tokens and places in the whole stream to tokens and places by line."""
    row_splits = tf.searchsorted(starts, tf.cast(lines.row_splits, tf.int32), out_type=tf.int64)
    tokens = tf.RaggedTensor.from_row_splits(words, row_splits, validate=False)
    line_starts = tf.gather(tf.cast(lines.row_starts(), tf.int32), tokens.value_rowids())
    return Tokens(tokens, tokens.with_values(starts - line_starts), tokens.with_values(ends - line_starts))


def _classes(codes: tf.Tensor) -> tf.Tensor:
    firsts, classes = class_runs()
    return tf.gather(classes, tf.searchsorted(firsts, codes, side="right") - 1)


def _without_extenders(codes: tf.Tensor, kinds: tf.Tensor) -> tuple[tf.Tensor, _Stream]:
    """Places and stream of the characters that extend no other; an extender after a space is among them."""
    extends = kinds == EXTEND
    bases = ~extends | _at(kinds == SPACE, -1) | (tf.range(tf.size(kinds)) == 0)
    places = tf.boolean_mask(tf.range(tf.size(codes)), bases)
    codes = tf.boolean_mask(codes, bases)
    lower = tf.where((codes >= ord("A")) & (codes <= ord("Z")), codes + 32, codes)
    return places, _Stream(codes, lower, tf.boolean_mask(tf.where(extends, SYMBOL, kinds), bases))


def _at(values: tf.Tensor, offset: int) -> tf.Tensor:
    """`values[i + offset]` at every place i; zero, False or a space beyond the ends."""
    before, after = max(-offset, 0), max(offset, 0)
    return tf.pad(values, [[before, after]])[after : after + tf.size(values)]


def _between(middle: tf.Tensor, left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Where a token continues because `middle` stands between `left` and `right`: at the middle, and after it."""
    held = middle & _at(left, -1) & _at(right, 1)
    return held | _at(held, -1)


def _continues(stream: _Stream, after_joiner: tf.Tensor) -> tf.Tensor:
    """Whether each character continues the token of the one before it."""
    word, letter, alone = stream.word, stream.letter, stream.alone
    continues = word & _at(word, -1)
    continues |= _between(stream.among(NUMBER_SEPARATORS), stream.kinds == DIGIT, stream.kinds == DIGIT)
    continues |= _between(stream.among(APOSTROPHES), word, letter)
    continues |= _between(stream.codes == ord("-"), alone, letter)
    continues |= _between(stream.among("/&"), alone, alone)
    continues |= _dotted(stream) | _repeated(stream) | _flags(stream)
    continues |= letter & _at(stream.among("@#"), -1) & ~_at(word, -2)
    continues |= after_joiner & (stream.kinds == SYMBOL)
    starts_clitic, continues_clitic = _clitics(stream)
    continues = (continues & ~starts_clitic) | continues_clitic
    abbreviated, kept = _known_runs(stream)
    continues = _full_stops(stream, continues | abbreviated) | kept
    return continues & ~stream.space & ~_at(stream.space, -1)


def _full_stops(stream: _Stream, continues: tf.Tensor) -> tf.Tensor:
    """Separates what follows an abbreviation: `etc|...` (the dots are an ellipsis), `etc.|.` (a second stop)."""
    dot = stream.codes == ord(".")
    ellipsis = dot & _at(dot, 1) & _at(dot, 2) & ~_at(dot, -1)
    second = dot & _at(dot & continues & ~_at(dot, -1), -1) & ~_at(dot, 1)
    return continues & ~ellipsis & ~second


def _clitics(stream: _Stream) -> tuple[tf.Tensor, tf.Tensor]:
    """Where an English clitic starts, and where it continues."""
    apostrophe = stream.among(APOSTROPHES) & _at(stream.word, -1)
    negation = apostrophe & (_at(stream.lower, -1) == ord("n")) & _at(stream.letter, -2) & stream.spells("t", 1)
    other = apostrophe & tf.reduce_any([stream.spells(clitic, 1) for clitic in CLITICS], axis=0)
    return other | _at(negation, 1), negation | _at(negation | other, -1)


def _dotted(stream: _Stream) -> tf.Tensor:
    """Single letters with dots: all of `U.S.`, and the dot of an initial before a space and a capital."""
    dot = (stream.codes == ord(".")) & _at(stream.alone, -1)
    capital = (stream.codes != stream.lower) & stream.letter
    gap = stream.space & (stream.codes != ord("\n"))  # a line feed ends the line
    initial = dot & _at(capital & (stream.lower != ord("i")), -1) & _at(gap, 1) & _at(capital, 2)
    letter_after_dot = stream.alone & _at(dot, -1)
    return initial | letter_after_dot | (dot & (_at(dot, 2) | _at(dot, -2) | _at(letter_after_dot, 1)))


def _repeated(stream: _Stream) -> tf.Tensor:
    """Runs of one punctuation mark, and runs of marks that end a sentence in any mixture."""
    ends = stream.among(SENTENCE_ENDS)
    return (stream.among(REPEATED) & (stream.codes == _at(stream.codes, -1))) | (ends & _at(ends, -1))


def _flags(stream: _Stream) -> tf.Tensor:
    """The second of each pair of regional indicators; pairs are counted from the start of a run of them."""
    regional = stream.kinds == REGIONAL
    first = regional & ~_at(regional, -1)
    count = tf.cumsum(tf.cast(regional, tf.int32))
    count_at_first = tf.concat([[0], tf.boolean_mask(count, first)], axis=0)
    return regional & ((count - tf.gather(count_at_first, tf.cumsum(tf.cast(first, tf.int32)))) % 2 == 1)


def _known_runs(stream: _Stream) -> tuple[tf.Tensor, tf.Tensor]:
    """Where an abbreviation continues; and where a URL, an address or an emoticon does.

    A run without spaces is stripped of brackets, quotes and stops at both ends; what is left is compared with the
    patterns. An abbreviation includes the one dot after it.
    """
    filled = ~stream.space
    heads, tails = _places(filled & ~_at(filled, -1)), _places(filled & ~_at(filled, 1))
    symbols = tf.cumsum(tf.cast(stream.kinds == SYMBOL, tf.int32), exclusive=True)
    has_symbols = tf.gather(symbols, tails + 1) > tf.gather(symbols, heads)
    heads, tails = tf.boolean_mask(heads, has_symbols), tf.boolean_mask(tails, has_symbols)
    firsts, lasts = _stripped(stream, heads, tails)
    cores = _strings(stream, firsts, lasts)
    kept = tf.strings.regex_full_match(cores, KEPT)
    longest = 5  # characters in an emoticon, after the first
    abbreviated = tf.strings.regex_full_match(cores, ABBREVIATIONS) & (tf.gather(stream.codes, lasts + 1) == ord("."))
    emoticons = tf.strings.regex_full_match(_strings(stream, heads, tf.minimum(tails, heads + longest)), EMOTICONS)
    emoticons &= tails <= heads + longest
    return (
        _inside(stream, firsts, lasts + 1, abbreviated),
        _inside(stream, firsts, lasts, kept) | _inside(stream, heads, tails, emoticons),
    )


def _stripped(stream: _Stream, heads: tf.Tensor, tails: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """First and last places of runs without openers and closers; of the whole run where nothing is left."""
    inner, outer = _places(~stream.among(OPENERS)), _places(~stream.among(CLOSERS))
    firsts = tf.gather(inner, tf.searchsorted(inner, heads))
    lasts = tf.gather(outer, tf.maximum(tf.searchsorted(outer, tails, side="right") - 1, 0))
    something = (firsts <= lasts) & (lasts <= tails)
    return tf.where(something, firsts, heads), tf.where(something, lasts, tails)


def _places(where: tf.Tensor) -> tf.Tensor:
    return tf.boolean_mask(tf.range(tf.size(where)), where)


def _strings(stream: _Stream, firsts: tf.Tensor, lasts: tf.Tensor) -> tf.Tensor:
    places = tf.ragged.range(firsts, lasts + 1)
    return tf.strings.unicode_encode(tf.gather(stream.codes, places), "UTF-8")


def _inside(stream: _Stream, firsts: tf.Tensor, lasts: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """Places after the first and up to the last of the chosen spans."""
    after, beyond = tf.boolean_mask(firsts + 1, chosen), tf.boolean_mask(lasts + 1, chosen)
    steps = tf.concat([tf.ones_like(after), -tf.ones_like(beyond)], axis=0)
    return tf.cumsum(tf.math.unsorted_segment_sum(steps, tf.concat([after, beyond], axis=0), tf.size(stream.codes))) > 0
