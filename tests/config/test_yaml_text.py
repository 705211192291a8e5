"""YAML of configurations: what it means, what is refused and in which line, and that it costs little."""

from __future__ import annotations

import time
import tracemalloc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seqtag.config.yaml_text import DEEPEST, YAMLFault, read_yaml, write_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10), ("010", 10), ("-3", -3), ("+3", 3), ("0x1f", 31), ("0o17", 15), ("1e-3", 0.001), (".5", 0.5),
        ("1.", 1.0), ("-1.5E+2", -150.0), ("1:30", "1:30"), ("1_000", "1_000"), ("0b1", "0b1"), ("1.2.3", "1.2.3"),
        ("true", True), ("False", False), ("TRUE", True), ("tRue", "tRue"), ("yes", "yes"), ("on", "on"), ("n", "n"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nUll", "nUll"),
        ("2024-01-31", "2024-01-31"), ("2024-13-45", "2024-13-45"), ("=", "="), ("<<", "<<"),
        ("'010'", "010"), ('"true"', "true"), ('"\\ud83d\\ude00"', "\U0001f600"), ("B-LOC", "B-LOC"),
        ("[a, [b, {c: 1}]]", ["a", ["b", {"c": 1}]]), ("x: |\n  a\n  b\n", {"x": "a\nb\n"}), ("on: y", {"on": "y"}),
        ("# nothing\n", None), ("--- a\n...\n", "a"), ("\ufeffa: 1", {"a": 1}),
    ],
)  # fmt: skip
def test_values(text, value):
    found = read_yaml(text)
    assert found == value and type(found) is type(value)


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
REFUSED = {
    "alias": ("a: 1\nb: *c", 2, "expected YAML of plain values, found the alias *c"),
    "bomb": (BOMB, 1, "expected YAML of plain values, found the anchor &a"),
    "merge of an alias": ("a: &a {b: 1}\nc:\n  <<: *a", 1, "found the anchor &a"),
    "tag": ("a:\n- !!python/object:os.system x", 2, "found the tag !!python/object:os.system"),
    "own tag": ("a: !x y", 1, "found the tag !x"),
    "date by a tag": ("a: !!timestamp 2024-13-45", 1, "found the tag !!timestamp"),
    "key twice": ("a: 1\nb: 2\na: 3", 3, "expected each key once, found 'a' again"),
    "key twice within": ("m: {a: 1, a: 3}", 1, "expected each key once, found 'a' again"),
    "number as key": ("a: 1\n2: 3", 2, "expected a name as key, found 2"),
    "list as key": ("? [a]\n: 3", 1, "expected a name as key, found ['a']"),
    "null as key": ("null: 3", 1, "expected a name as key, found None"),
    "infinite": ("a:\n  b: 1e999", 2, "expected a finite number, found '1e999'"),
    "inf": ("a: -.inf", 1, "expected a finite number, found '-.inf'"),
    "nan": ("a: .nan", 1, "expected a finite number, found '.nan'"),
    "5,000 digits": ("a: " + "9" * 5000, 1, "expected a whole number of at most 64 bits, found '9999"),
    "65 bits": (f"a: {2**63}", 1, "expected a whole number of at most 64 bits"),
    "hexadecimal": ("a: 0x" + "f" * 90, 1, "expected a whole number of at most 64 bits"),
    "deep lists": ("a: " + "[\n" * 50_000, DEEPEST + 1, f"expected at most {DEEPEST} levels, found more"),
    "lists on a line": ("a:\n" + "[" * 50_000, 2, "expected "),
    "deep mappings": ("{a: " * 50_000, 1, f"expected at most {DEEPEST} levels"),
    "deep keys": ("? " * 50_000, 1, f"expected at most {DEEPEST} levels"),
    "deep dashes": ("- " * 50_000, 1, f"expected at most {DEEPEST} levels"),
    "tab": ("a:\n\tb: 1", 2, "expected YAML, found "),
    "two documents": ("a: 1\n---\nb: 2", 2, "expected one document, found a second one"),
    "open bracket": ("a: 1\nb: [1, 2\nc: 3\n", 3, "expected YAML, found "),
    "control character": ("a: 1\nb: \x07", 2, "expected YAML, found the character '\\x07'"),
    "escaped NUL": ('a: "x\\0"', 1, "expected text, found a NUL character in 'x\\x00'"),
    "half of a pair": ('a: "\\ud800"', 1, "expected text, found half of a surrogate pair in '\\ud800'"),
    "wrong escape": ('a: "\\y"', 1, "expected YAML, found "),
    "huge escape": ('a: "\\UFFFFFFFF"', 1, "expected YAML, found "),
    "not closed": ('a: "x', 1, "expected YAML, found "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    text, line, message = REFUSED[name]
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(YAMLFault) as error:
        read_yaml(text)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message in str(error.value) and error.value.line == line
    assert seconds < 5 and peak < 20e6, "a refusal costs next to nothing"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
    | st.from_regex(r"[-+]?(0[xo])?[0-9_:.]*([eE][-+]?[0-9]+)?", fullmatch=True)
    | st.sampled_from(["yes", "No", "ON", "null", "~", "TRUE", "1e5", "08", "2024-01-31", "=", "<<", "- x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcno1e~", min_size=1), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_what_is_written_is_read(value):
    text = write_yaml(value)
    assert read_yaml(text) == value
    assert yaml.safe_load(text) == value, "readers of YAML 1.1 too"


@given(st.text("[]{}:,-?&*!|>'\"%@`#\n \tab1\\", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        read_yaml(text)
    except YAMLFault as fault:
        assert 1 <= fault.line <= text.count("\n") + 2
