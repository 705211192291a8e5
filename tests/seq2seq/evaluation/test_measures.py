"""Measures of answers: against a dynamic program in NumPy, hand-checked rates, sacrebleu's own numbers."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from seqtag.seq2seq.evaluation.measures import bleu, chrf, exact_match, nearest, token_error_rate


def table_distance(answer, reference) -> int:
    """The edit distance by the dynamic program of the textbooks, row by row."""
    table = np.zeros((len(reference) + 1, len(answer) + 1), int)
    table[:, 0], table[0] = np.arange(len(reference) + 1), np.arange(len(answer) + 1)
    for i, symbol in enumerate(reference, 1):
        for j, found in enumerate(answer, 1):
            steps = table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (symbol != found)
            table[i, j] = min(steps)
    return int(table[-1, -1])


def random_rows(source, count, symbols=("AH", "A", "H", "é", "e\u0301")):
    return [[str(symbol) for symbol in source.choice(symbols, source.integers(0, 9))] for _ in range(count)]


def test_distances_are_those_of_the_dynamic_program():
    """Symbols of several characters, of which some begin like others: nothing may be compared by its text."""
    source = np.random.default_rng(0)
    for answer, reference in zip(random_rows(source, 200), random_rows(source, 200), strict=True):
        assert nearest(answer, [reference]).distance == table_distance(answer, reference)
    long = [["K" if bit else "AE" for bit in source.integers(0, 2, 150)] for _ in range(2)]
    assert nearest(*long[:1], long[1:]).distance == table_distance(*long)


def test_the_rate_is_summed_over_the_nearest_references():
    source = np.random.default_rng(1)
    answers = random_rows(source, 60)
    references = [random_rows(source, count) for count in source.integers(1, 4, 60)]
    distance = length = 0
    for answer, targets in zip(answers, references, strict=True):
        found, negative = min((table_distance(answer, target), -len(target)) for target in targets)
        distance, length = distance + found, length - negative
    assert token_error_rate(answers, references) == distance / length
    turned = [targets[::-1] for targets in references]
    assert token_error_rate(answers, turned) == distance / length


def test_rates_by_hand():
    answers = [["K", "AE", "T"], ["B", "IY"], []]
    references = [[["K", "AE", "T", "S"], ["D"]], [["B"], ["B", "IY"]], [["AH"]]]
    assert exact_match(answers, references) == 1 / 3
    assert token_error_rate(answers, references) == 2 / 7  # T S: 1 of 4, B IY: 0 of 2, nothing for AH: 1 of 1


def test_the_nearest_is_the_longest_of_those_at_the_least_distance():
    assert nearest("ab", ["b", "abc", "axb", "abcd"]) == (1, "abc")


def test_empty_references_and_answers():
    assert exact_match([[], []], [[[]], [["a"]]]) == 0.5
    assert token_error_rate([["a", "b"], ["a"]], [[[]], [["a"]]]) == 2.0
    assert math.isnan(token_error_rate([["a"]], [[[]]]))
    assert math.isnan(token_error_rate([], [])) and math.isnan(exact_match([], []))


@pytest.mark.parametrize("measure", [exact_match, token_error_rate, bleu, chrf])
def test_answers_without_references_are_told(measure):
    with pytest.raises(ValueError, match="expected references for 1 answers, found them for 2"):
        measure(["a"], [["a"], ["b"]])
    with pytest.raises(ValueError, match="expected at least one reference for each source, found none for source 2"):
        measure(["a", "b"], [["a"], []])


def test_bleu_by_hand():
    """Precisions of 1 to 4 words: 6/6, 3/5, 2/4, 1/3; the lengths are equal."""
    found = bleu(["the cat sat on a mat"], [["the cat sat on mat a"]])
    assert found.score == pytest.approx(100 * (6 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25, rel=1e-9)
    assert found.signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_a_source_with_fewer_references_has_no_empty_one_instead():
    """An empty reference would be the nearest in length of a short answer, and would shorten the references."""
    answers = ["a b", "the cat sat on the mat today"]
    few = [["a b c d e f"], ["the cat sat on the mat", "a cat sat on the mat today"]]
    repeated = [[*few[0] * 2], few[1]]
    for measure in (bleu, chrf):
        assert measure(answers, few).score == pytest.approx(measure(answers, repeated).score, rel=1e-12)
        assert measure(answers, few).signature.startswith("nrefs:var|")
        assert measure(answers, repeated).signature.startswith("nrefs:2|")


def test_texts_without_words_and_no_texts():
    for measure in (bleu, chrf):
        assert measure(["", "a"], [[""], ["", "b"]]).score == 0.0
        assert math.isnan(measure([], []).score)


def test_neither_tensorflow_nor_sacrebleu_is_imported_with_the_measures():
    code = "import sys, seqtag.seq2seq.evaluation.report; print(*{'tensorflow', 'keras', 'sacrebleu'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
