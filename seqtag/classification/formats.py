"""Answers as text: a label a line, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seqtag.classification.explanation import Explanation
from seqtag.classification.model import Answer
from seqtag.errors import escaped
from seqtag.files.writing import Coloured

SCORE_DIGITS = 6
# Between the labels of a text that has several.
BETWEEN = ","


def to_text(answer: Answer, words: Explanation | None = None) -> bytes:
    r"""The label of an answer on a line; of several all, with commas between; after a TAB the words that spoke for it.

    Such words are in colours on a terminal, and in brackets in a file.

    >>> to_text(Answer(("pos",), [0.25, 0.75])), to_text(Answer((), [0.25, 0.25]))
    (b'pos\n', b'\n')
    """
    labels = BETWEEN.join(map(str, answer.labels))
    if words is None:
        return f"{labels}\n".encode()
    plain, coloured = (" ".join(text.split()) for text in (words.to_text(), words.to_colours()))
    return Coloured(f"{labels}\t{plain}\n", f"{escaped(labels)}\t{coloured}\n")


def to_json(answer: Answer, names: Sequence[str], several: bool, words: Explanation | None = None) -> bytes:
    r"""An answer as a JSON line: `label`, its probability `score`, and the probability of each label, `scores`.

    Where there may be several, `labels` stands in the place of `label` and `score`. With an explanation, `words`
    says how much each speaks for the most probable label.

    >>> to_json(Answer(("pos",), [0.25, 0.75]), ["neg", "pos"], several=False)
    b'{"label": "pos", "score": 0.75, "scores": {"neg": 0.25, "pos": 0.75}}\n'
    """
    scores = {name: round(score, SCORE_DIGITS) for name, score in zip(names, answer.scores, strict=True)}
    told = {} if words is None else {"words": words.to_dict()}
    if several:
        return _line({"labels": list(answer.labels), "scores": scores, **told})
    [label] = answer.labels
    return _line({"label": label, "score": scores[str(label)], "scores": scores, **told})


def _line(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()
