from __future__ import annotations

import json

import numpy as np

from seqtag.seq2seq.formats import FORMATS
from seqtag.seq2seq.model import Answer, Candidate

ANSWER = Answer([Candidate("tro\u0301is 🙂", 0.5), Candidate('"', 0.25)])


def test_text_has_the_candidates_on_a_line():
    assert FORMATS["text"]("3", ANSWER) == 'tro\u0301is 🙂\t"\n'


def test_json_says_all_of_an_answer():
    line = FORMATS["jsonl"]("3", ANSWER)
    assert line.endswith("\n") and line.count("\n") == 1 and "🙂" in line
    assert json.loads(line) == {
        "source": "3",
        "target": "tro\u0301is 🙂",
        "score": 0.5,
        "candidates": [{"target": "tro\u0301is 🙂", "score": 0.5}, {"target": '"', "score": 0.25}],
    }


def test_frames_are_told_by_their_number():
    assert json.loads(FORMATS["jsonl"](np.zeros((4, 2)), ANSWER))["source"] == 4
