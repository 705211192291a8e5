"""Which words spoke for an answer: on a terminal and in a notebook in colours, and as numbers."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.text import Text

from seqtag.data.text.tokenizer import tokenize
from seqtag.errors import ConfigError, escaped

if TYPE_CHECKING:
    from seqtag.classification.model import ClassificationModel

Method = Literal["attention", "leave_one_out"]
METHODS = ("attention", "leave_one_out")
# Of a longer text, the first words are left out one by one: each is a text to answer.
MOST_WORDS = 200
# Words that weigh at least this share of the heaviest are marked where there is no colour.
MARKED = 0.5
# Half transparent, so that they are read on light and on dark ground: for the label, and against it.
GROUND = "background:hsla({hue},80%,50%,{strength:.2f});border-radius:3px"
FOR, AGAINST = 140, 0


@dataclass(frozen=True)
class Explanation:
    """A text, its label, and how much each word speaks for it.

    Attributes:
        text: the text.
        label: the most probable label.
        score: its probability.
        tokens: the words of the text.
        starts, ends: where each stands, `text[start:end]`.
        weights: for each word, of `"attention"` its share of the pooled states, from 0 to 1; of `"leave_one_out"` how
            much less probable the label is without the word, from -1 to 1.
    """

    text: str
    label: str
    score: float
    tokens: list[str]
    starts: list[int]
    ends: list[int]
    weights: list[float]

    def to_dict(self) -> list[dict[str, Any]]:
        """The words for a JSON line."""
        rows = zip(self.tokens, self.starts, self.ends, self.weights, strict=True)
        return [{"text": t, "start": s, "end": e, "weight": round(w, 6)} for t, s, e, w in rows]

    def to_text(self) -> str:
        """The text on a line, with the words that weigh most in brackets.

        >>> Explanation("so fine", "pos", 0.9, ["so", "fine"], [0, 3], [2, 7], [0.0, 0.25]).to_text()
        'so [fine +0.25]'
        """
        least = MARKED * max(map(abs, self.weights), default=0.0)
        return "".join(
            f"[{part} {weight:+.2f}]" if weight is not None and abs(weight) >= max(least, 0.005) else part
            for part, weight in self._parts()
        )

    def __rich__(self) -> Text:
        """The text for a terminal: words for the label in green, those against it in red, the heaviest ones bold."""
        found = Text()
        for part, weight in self._parts():
            strength = self._strength(weight)
            colour = "green" if (weight or 0) > 0 else "red"
            style = "" if strength < 0.15 else f"bold {colour}" if strength >= MARKED else colour
            found.append(escaped(part), style)
        return found

    def to_colours(self) -> str:
        """The text with the colours of `__rich__`, for a terminal."""
        console = Console(force_terminal=True, color_system="standard", highlight=False, soft_wrap=True, width=1 << 20)
        with console.capture() as capture:
            console.print(self.__rich__(), end="")
        return capture.get()

    def _repr_html_(self) -> str:
        parts = []
        for part, weight in self._parts():
            shown, strength = html.escape(escaped(part)), self._strength(weight)
            if weight is None or strength < 0.05:
                parts.append(shown)
                continue
            style = GROUND.format(hue=FOR if weight > 0 else AGAINST, strength=0.6 * strength)
            parts.append(f'<span style="{style}" title="{weight:+.3f}">{shown}</span>')
        label = f"<b>{html.escape(escaped(self.label))}</b> {self.score:.0%}"
        return f'<div dir="auto" style="line-height:1.8">{label}: {"".join(parts)}</div>'

    def _strength(self, weight: float | None) -> float:
        most = max(map(abs, self.weights), default=0.0)
        return abs(weight) / most if weight is not None and most else 0.0

    def _parts(self) -> list[tuple[str, float | None]]:
        """The text in pieces: words with their weights, and what stands between them."""
        parts: list[tuple[str, float | None]] = []
        position = 0
        for start, end, weight in zip(self.starts, self.ends, self.weights, strict=True):
            parts += [(self.text[position:start], None), (self.text[start:end], weight)]
            position = end
        return [part for part in [*parts, (self.text[position:], None)] if part[0]]


def explain(model: ClassificationModel, texts: Sequence[str], method: Method = "leave_one_out") -> list[Explanation]:
    """Says which words of texts spoke for the most probable label.

    Args:
        model: a fitted model of texts.
        texts: any number of them.
        method: `"attention"`, how much the networks' pooling weighs the state at each word, which does not say for what
            label; or `"leave_one_out"`, which asks the whole model about the text without the word, of 200 words at
            most.

    Raises:
        ConfigError: no such method, frames, or attention of a model that pools otherwise.
    """
    check_explains(model, method)
    if not len(texts):
        return []
    tokens, starts, ends = tokenize(tf.constant(list(texts), tf.string))
    probabilities = model.probabilities(texts)
    best = probabilities.argmax(axis=1)
    words = [[token.decode() for token in row] for row in tokens.to_list()]
    places = list(zip(starts.to_list(), ends.to_list(), strict=True))
    if method == "attention":
        weights = [row.tolist() for row in model.attention(model.encode(texts))]
    else:
        weights = [_left_out(model, text, *places[n], probabilities[n], best[n]) for n, text in enumerate(texts)]
    return [
        Explanation(
            text,
            model.labels.names[best[n]],
            float(probabilities[n, best[n]]),
            words[n],
            *places[n],
            weights[n] + [0.0] * (len(words[n]) - len(weights[n])),
        )
        for n, text in enumerate(texts)
    ]


def check_explains(model: ClassificationModel, method: str) -> None:
    """Checks that a model can explain its answers in this way.

    Raises:
        ConfigError: see `explain`.
    """
    if method not in METHODS:
        raise ConfigError(f"expected {' or '.join(METHODS)}, found {method!r}", setting="explain")
    if model.kind.is_frames:
        raise ConfigError("expected a run of texts, found one of frames", setting="explain")
    pooling = model.network.members[0].pooling.kind
    if method == "attention" and pooling != "attention":
        raise ConfigError(
            f"expected leave_one_out for a run whose pooling is {pooling}, found attention", setting="explain"
        )


def _left_out(
    model: ClassificationModel, text: str, starts: list[int], ends: list[int], probabilities: np.ndarray, label: int
) -> list[float]:
    """How much less probable the label is without each of the first words."""
    places = list(zip(starts, ends, strict=True))[:MOST_WORDS]
    if not places:
        return []
    found = model.probabilities([text[:start] + text[end:] for start, end in places])[:, label]
    return (probabilities[label] - found).tolist()
