"""Answers as text: a target a line, or JSON lines."""

from __future__ import annotations

import json
from typing import Any

from seqtag.seq2seq.model import Answer


def to_text(source: Any, answer: Answer) -> str:
    """The candidates of an answer on a line, separated by TABs.

    >>> from seqtag.seq2seq.model import Candidate
    >>> to_text("one", Answer([Candidate("1", 0.9), Candidate("11", 0.1)]))
    '1\\t11\\n'
    """
    return "\t".join(candidate.target for candidate in answer.candidates) + "\n"


def to_json(source: Any, answer: Answer) -> str:
    """An answer as a JSON line: `source` (of frames their number), `target`, `score`, `candidates`.

    >>> from seqtag.seq2seq.model import Candidate
    >>> to_json("one", Answer([Candidate("1", 0.5)]))
    '{"source": "one", "target": "1", "score": 0.5, "candidates": [{"target": "1", "score": 0.5}]}\\n'
    """
    candidates = [{"target": candidate.target, "score": candidate.score} for candidate in answer.candidates]
    line = {
        "source": source if isinstance(source, str) else len(source),
        "target": answer.target,
        "score": answer.score,
        "candidates": candidates,
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


FORMATS = {"text": to_text, "jsonl": to_json}
