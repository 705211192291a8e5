"""JSON lines as tools and data sets write them: places in the text become tags, and tags go back into the same form."""

from __future__ import annotations

import io
import json

import pytest

from seqtag.errors import DataError, DataWarning
from seqtag.tagging.data.layouts import LAYOUTS
from seqtag.tagging.data.reader import SentenceReader

TEXT = "Ann's in New York."
TOKENS = ["Ann", "'s", "in", "New", "York", "."]
TAGS = ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"]
PLACES = [(0, 3, "PER"), (9, 17, "LOC")]
LISTS = [list(place) for place in PLACES]


def objects(start: str = "start", end: str = "end", label: str = "label", **more) -> list[dict]:
    return [{**more, start: s, end: e, label: kind} for s, e, kind in PLACES]


def read(*records, **kwargs) -> list:
    text = "".join(f"{r if isinstance(r, str) else json.dumps(r, ensure_ascii=False)}\n" for r in records)
    return list(SentenceReader(io.BytesIO(text.encode()), **kwargs))


def places(words: list[str]) -> list[dict]:
    starts = [TEXT.index(word) for word in words]
    return [
        {"text": w, "start": s, "end": s + len(w), "id": n} for n, (w, s) in enumerate(zip(words, starts, strict=True))
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"id": 7, "text": TEXT, "label": LISTS, "Comments": []},
        {"text": TEXT, "labels": LISTS},
        {"text": TEXT, "entities": LISTS},
        {"text": TEXT, "entities": objects()},
        {"text": TEXT, "entities": objects("start_offset", "end_offset"), "relations": []},
        {"text": TEXT, "spans": objects(), "tokens": places(TOKENS), "answer": "accept"},
        {"text": TEXT, "label": objects(label="type")},
        [TEXT, {"entities": LISTS}],
        {"tokens": TOKENS, "tags": TAGS},
        {"id": "0", "tokens": TOKENS, "pos_tags": ["X"] * 6, "ner_tags": TAGS},
        {"words": TOKENS, "labels": TAGS},
    ],
)
def test_forms(record):
    [sentence] = read(record)
    assert (sentence.tokens, sentence.tags) == (TOKENS, TAGS)
    assert sentence.with_tags(TAGS) == sentence.raw
    other = ["O", "B-X", "O", "O", "B-Y", "O"]
    [again] = read(sentence.with_tags(other).rstrip("\n"), layout=sentence.layout)
    assert again.tags == ["O", "B-X", "O", "O", "B-Y", "O"]
    assert again.with_tags(TAGS) == sentence.raw


def test_the_form_of_the_run_is_given_to_texts_alone():
    [known] = read({"text": TEXT, "entities": objects("start_offset", "end_offset")})
    [sentence] = read({"text": TEXT, "n": 1}, layout=known.layout, tags_required=False)
    assert (sentence.tokens, sentence.has_tags) == (TOKENS, False)
    written = json.loads(sentence.with_tags(TAGS))
    assert written == {"text": TEXT, "n": 1, "entities": objects("start_offset", "end_offset")}
    [sentence] = read({"tokens": TOKENS}, layout=known.layout, tags_required=False)
    assert json.loads(sentence.with_tags(TAGS))["entities"] == TAGS


def test_what_our_own_predictions_say_of_old_tags_goes_with_them():
    own = {"tokens": TOKENS, "tags": TAGS, "scores": [1.0] * 6, "entities": [{"type": "PER", "start": 0, "end": 1}]}
    [sentence] = read(own)
    assert sentence.tags == TAGS
    assert json.loads(sentence.with_tags(["O"] * 6)) == {"tokens": TOKENS, "tags": ["O"] * 6}


def test_lines_without_a_sentence_are_kept():
    lines = [
        "",
        {"text": "", "label": []},
        {"text": "no", "label": [], "answer": "reject"},
        {"text": "Bo", "label": []},
    ]
    [sentence] = read(*lines, {"text": " ", "label": []}, "")
    assert (sentence.tokens, sentence.line_numbers) == (["Bo"], [4])
    assert sentence.raw.count("\n") == 6
    assert sentence.with_tags(["B-X"]).splitlines()[3] == '{"text": "Bo", "label": [[0, 2, "X"]]}'


def test_keys_of_other_names_are_chosen_and_further_lists_read():
    record = {"body": ["a", "b"], "gold": ["O", "B-X"], "pos": ["N", "V"], "short": ["N"]}
    [sentence] = read(record, layout="jsonl", token_column="body", tag_column="gold")
    assert (sentence.tags, sentence.column("pos")) == (["O", "B-X"], ["N", "V"])
    with pytest.raises(DataError, match="<stream>:1: expected a list of texts called 'none', found none"):
        sentence.column("none")
    with pytest.raises(DataError, match="<stream>:1: expected 2 values of 'short', found 1"):
        sentence.column("short")


def test_places_count_characters_of_any_script_and_escapes_stay():
    [sentence] = read('{"text":"\\ud83d\\ude00 Ærø","label":[[2,5,"LOC"]]}')
    assert (sentence.tokens, sentence.tags) == (["😀", "Ærø"], ["O", "B-LOC"])
    [sentence] = read('{"text":"\\u00c6r\\u00f8","label":[[0,3,"LOC"]]}')
    assert sentence.with_tags(sentence.tags) == sentence.raw


def test_tags_at_fault_do_not_matter_where_a_file_is_tagged_anew():
    [sentence] = read({"tokens": ["a", "b"], "ner_tags": [0, 3]}, tags_required=False)
    assert json.loads(sentence.with_tags(["O", "B-X"])) == {"tokens": ["a", "b"], "ner_tags": ["O", "B-X"]}
    with pytest.raises(DataError, match="expected the names of tags in 'ner_tags', found 0"):
        _ = sentence.tags


def test_spans_that_cut_tokens_are_widened_and_counted():
    records = [
        {"text": "unhappy Ann", "label": [[2, 7, "A"], [8, 11, "B"]]},
        {"text": "unhappy", "label": [[0, 2, "A"], [2, 7, "B"]]},
        {"text": "a b", "label": [[0, 2, "A"]]},
    ]
    with pytest.warns(DataWarning) as caught:
        text = "".join(json.dumps(record) + "\n" for record in records)
        tags = [sentence.tags for sentence in SentenceReader(io.StringIO(text))]
    assert tags == [["B-A", "B-B"], ["B-A"], ["B-A", "O"]]
    assert [str(warning.message) for warning in caught] == [
        "<stream>: spans moved to the ends of tokens that they cut: 2, first in line 1",
        "<stream>: spans left out that hold no token of their own: 1, first in line 2",
    ]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "Ann", "label": [[0, 9, "A"]]}, "expected a span within the 3 characters of the text, "
         "found [0, 9, 'A']"),
        ({"text": "Ann", "label": [[2, 2, "A"]]}, "expected a span within the 3 characters of the text, "
         "found [2, 2, 'A']"),
        ({"text": "Ann", "label": ["joy"]}, "expected spans such as [0, 5, 'PER'], found 'joy'"),
        ({"text": "Ann", "label": [[0, 3, None]]}, "expected spans such as [0, 5, 'PER'], found [0, 3, None]"),
        ({"text": "a b c", "label": [[0, 3, "A"], [2, 5, "B"]]},
         "expected spans that do not overlap, found [0, 3, 'A'] and [2, 5, 'B']"),
        ({"text": "Ann"}, "expected a list in 'label', found keys text; set data.tag_column"),
        ({"text": 3, "label": []}, "expected a text or a list of tokens in 'text', found 3"),
        ('{"text": "\\ud800", "label": []}', "expected text, found half of a surrogate pair"),
        ({"tokens": ["a"], "ner_tags": [3]}, "expected the names of tags in 'ner_tags', found 3"),
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, "expected as many tags as tokens, found 1 for 2"),
        ({"tokens": ["a", None], "tags": ["O", "O"]}, "expected tokens as texts in 'tokens', found None"),
        ({"body": "a"}, "expected a key 'text' or 'tokens', found body; set data.token_column"),
        ("[{\"text\": \"a\"}]", "expected a JSON object on one line, found '[{\"text\": \"a\"}]'"),
        ("[\n{\"text\": \"a\"}]", "expected a JSON object on one line, found '['"),
        ("[" * 9999, "expected a JSON object on one line, found '" + "[" * 40 + "'"),
    ],
)  # fmt: skip
def test_faults(record, message):
    with pytest.raises(DataError) as caught:
        [s.tags for s in read(record, layout=LAYOUTS["jsonl"] if str(record).startswith("[[") else "auto")]
    assert str(caught.value) == f"<stream>:1: {message}"


def test_a_bracket_or_brace_may_be_a_token():
    assert [s.tokens for s in read("[\tO", "{\tO", "")] == [["[", "{"]]
    assert read("{", "a", tags_required=False)[0].layout.name == "plain"
