"""The names of the measures that choose an epoch."""

from __future__ import annotations

from seqtag.errors import ConfigError

# Measures of which less is better.
LOSSES = ("token_error_rate", "perplexity")
OF_WORDS = ("bleu", "chrf")


def resolve_measure(measure: str, target: str) -> str:
    """The measure that `auto` stands for: `bleu` for words, else `exact_match`.

    Args:
        measure: `"auto"`, or the measure itself.
        target: the symbols of the targets.

    Raises:
        ConfigError: BLEU or chrF of targets that are no words.

    >>> resolve_measure("auto", "words"), resolve_measure("auto", "symbols")
    ('bleu', 'exact_match')
    """
    if measure in OF_WORDS and target != "words":
        raise ConfigError(f"evaluation.measure: expected a measure of {target}, found {measure!r}, which is of words")
    if measure == "auto":
        return "bleu" if target == "words" else "exact_match"
    return measure
