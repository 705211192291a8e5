from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.text.characters import SPACE, class_of
from seqtag.data.text.tokenizer import Tokens, tokenize


def split(*lines: str) -> list[list[str]]:
    answer = tokenize(tf.constant(lines, tf.string))
    return [[token.decode() for token in line] for line in answer.tokens.to_list()]


CASES = {
    "English": ("The cat sat (quietly), didn't it?", "The cat sat ( quietly ) , did n't it ?"),
    "clitics": (
        "I'm John's, we'll've CAN’T you’d o'clock O'Brien's",
        "I 'm John 's , we 'll 've CA N’T you ’d o'clock O'Brien 's",
    ),
    "no clitic": ("'tis the dogs' 'hello' rock'n'roll n't", "' tis the dogs ' ' hello ' rock'n'roll n't"),
    "numbers": ("1,000.50 at 3:30, 9/11/2001. 5, 6", "1,000.50 at 3:30 , 9/11/2001 . 5 , 6"),
    "units": ("$5.20 20% 10km -3 ½ B2B", "$ 5.20 20 % 10km - 3 ½ B2B"),
    "hyphens": (
        "state-of-the-art e-mail 15-year 2003-2004",
        "state - of - the - art e-mail 15 - year 2003 - 2004",
    ),
    "single letters": ("A/S AT&T Q&A and/or n/a", "A/S AT & T Q&A and / or n/a"),
    "dots": ("the U.S. and U.S.-led e.g. p.m. J. Smith", "the U.S. and U.S. - led e.g. p.m. J. Smith"),
    "end dots": ("Plan B. So am I. Yes", "Plan B. So am I . Yes"),
    "abbreviations": ("(Mr. Smith, Jr.), Ph.D. etc. No.", "( Mr. Smith , Jr. ) , Ph.D. etc. No ."),
    "stops after dots": ("etc.. etc... U.S.. U.S... kr.", "etc. . etc ... U.S. . U.S ... kr."),
    "repeated": ('Wait... what?! -- "no" !!! (())', 'Wait ... what ?! -- " no " !!! ( ( ) )'),
    "social": ("@jack_d loves #NLP_2 #1 a@b", "@jack_d loves #NLP_2 # 1 a @ b"),
    "url": ("See (https://a.dk/b?c=d-e's#f), www.x.org.", "See ( https://a.dk/b?c=d-e's#f ) , www.x.org ."),
    "bare host": ("at amazon.com/books: fine.Then", "at amazon.com/books : fine . Then"),
    "mail": ("<j.o-b+x@mail.example.org>; file-2.pdf", "< j.o-b+x@mail.example.org > ; file-2.pdf"),
    "telephone": ("713-853-3242 or 853-3242", "713-853-3242 or 853-3242"),
    "emoticons": ("ok :) :-( ;D <3 ^_^ (: x:", "ok :) :-( ;D <3 ^_^ (: x :"),
    "Danish": (
        "Æblet, f.eks. på Åen, kostede 9,50 kr. bl.a. i går.",
        "Æblet , f.eks. på Åen , kostede 9,50 kr. bl.a. i går .",
    ),
    "Vietnamese": ("Tôi yêu Việt Nam, rất đẹp!", "Tôi yêu Việt Nam , rất đẹp !"),
    "decomposed": ("Vie\u0323\u0302t n\u0301o, e\u0301'a", "Vie\u0323\u0302t n\u0301o , e\u0301'a"),
    "Chinese": ("我在2024年，去ABC。", "我 在 2024 年 ， 去 ABC 。"),
    "Japanese": ("カタカナとｶﾅ", "カ タ カ ナ と ｶ ﾅ"),
    "Korean": ("저는 학생입니다.", "저는 학생입니다 ."),
    "Arabic": ("مرحبا، كيف حالُك؟ ١٬٢٣٤", "مرحبا ، كيف حالُك ؟ ١٬٢٣٤"),
    "Hindi": ("मैं हिन्दी बोलता हूँ। क्\u200dष", "मैं हिन्दी बोलता हूँ । क्\u200dष"),
    "Russian": ("Привет, мир! 3,5", "Привет , мир ! 3,5"),
    "emoji": (
        "hi👩\u200d👩\u200d👧👍🏽❤\ufe0f😂😂 1\ufe0f\u20e3",
        "hi 👩\u200d👩\u200d👧 👍🏽 ❤\ufe0f 😂 😂 1\ufe0f\u20e3",
    ),
    "flags": ("🇩🇰🇻🇳 🇺🇸🇬", "🇩🇰 🇻🇳 🇺🇸 🇬"),
    "lone extender": ("a \u0301b \u200d", "a \u0301 b \u200d"),
    "controls": ("a\u0000b\tc\u00a0d\u200be\ufefff", "a b c d e f"),
}


@pytest.mark.parametrize("name", CASES)
def test_hand_checked(name: str) -> None:
    text, expected = CASES[name]
    assert split(text) == [expected.split(" ")]


def test_offsets_count_characters_not_bytes() -> None:
    answer = tokenize(tf.constant(["", "  日本 é👍🏽! ", "ab"]))
    assert answer.starts.to_list() == [[], [2, 3, 5, 6, 8], [0]]
    assert answer.ends.to_list() == [[], [3, 4, 6, 8, 9], [2]]
    assert answer.starts.dtype == answer.ends.dtype == tf.int32


def test_empty_lines_have_no_tokens() -> None:
    assert split("", " \t\u3000", "\n\n", "x", "") == [[], [], [], ["x"], []]
    empty = tokenize(tf.constant([], tf.string))
    assert empty.tokens.nrows() == 0 and empty.starts.to_list() == []


def test_rules_do_not_reach_into_the_next_line() -> None:
    assert split("don", "'t", "1", ".5", "@", "a", "-", "-", "👩\u200d", "👧", "U", ".S.", "🇩", "🇰") == [
        ["don"], ["'", "t"], ["1"], [".", "5"], ["@"], ["a"], ["-"], ["-"],
        ["👩\u200d"], ["👧"], ["U"], [".", "S", "."], ["🇩"], ["🇰"],
    ]  # fmt: skip


def test_ill_formed_bytes_are_read_as_python_replaces_them() -> None:
    line = b"caf\xe9 \xe3\x81 x\xff\xfey \xed\xa0\x80 \xf0\x9f\x98"
    text = line.decode("utf-8", "replace")
    answer = tokenize(tf.constant([line]))
    check_properties([text], answer)
    assert [token.decode() for token in answer.tokens.to_list()[0]][:2] == ["caf", "\ufffd"]


def check_properties(lines: list[str], answer: Tokens) -> None:
    parts = (ragged.to_list() for ragged in answer)
    for text, tokens, starts, ends in zip(lines, *parts, strict=True):
        assert [text[start:end] for start, end in zip(starts, ends, strict=True)] == [t.decode() for t in tokens]
        assert all(start < end for start, end in zip(starts, ends, strict=True))
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
        covered = {place for start, end in zip(starts, ends, strict=True) for place in range(start, end)}
        assert covered == {place for place, character in enumerate(text) if class_of(character) != SPACE}


tricky = st.sampled_from([*"aBns'’tT.,:-/&@#!?()<3D1९ \t界あ\u0301\u200d\ufe0f🏽👩🇩।ش_\u0000", "www.", ".com", "Mr"])
a_line = st.one_of(
    st.lists(tricky, max_size=25).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=25),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(a_line, min_size=0, max_size=30))
def test_tokens_are_slices_that_cover_the_line(lines: list[str]) -> None:
    answer = tokenize(tf.constant(lines, tf.string))
    check_properties(lines, answer)
    backwards = tokenize(tf.constant(lines[::-1], tf.string))
    for ragged, reverse in zip(answer, backwards, strict=True):
        assert ragged.to_list() == reverse.to_list()[::-1]


@settings(max_examples=10, deadline=None)
@given(st.lists(a_line, min_size=1, max_size=20))
def test_tokenising_words_set_apart_by_spaces_keeps_word_boundaries(lines: list[str]) -> None:
    answer = tokenize(tf.constant([" ".join(["x", line, "x"]) for line in lines]))
    for tokens in answer.tokens.to_list():
        assert tokens[0] == tokens[-1] == b"x"


@pytest.mark.parametrize("unit", ["a-b, ", "don't", ".", "http://", "a.", "界🇩", "\u0301", " "])
def test_a_line_of_a_megabyte(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    answer = tokenize(tf.constant([text]))
    covered = np.sum(answer.ends.flat_values.numpy() - answer.starts.flat_values.numpy())
    assert covered == len(text) - text.count(" ")


EXPORTED = """
import sys
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["raw_text"]
for lines in (["Don't go to 東京!", "", "Ødis 👍🏽"], ["one"]):
    answer = serve(text=tf.constant(lines))
    print(b"|".join(answer["tokens"].numpy().ravel()).decode(), answer["starts"].numpy().tolist())
assert not any(name.split(".")[0] in ("seqtag", "keras") and "seqtag" in name for name in sys.modules)
"""


def test_exported_in_a_process_with_tensorflow_alone(tmp_path: Path) -> None:
    class Served(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def raw_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            answer = tokenize(text)
            return {"tokens": answer.tokens.to_tensor(), "starts": answer.starts.to_tensor(-1)}

    module = Served()
    tf.saved_model.save(module, str(tmp_path), signatures={"raw_text": module.raw_text})
    command = [sys.executable, "-c", EXPORTED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "Do|n't|go|to|東|京|!||||||||Ødis|👍🏽||||| " + str(
        [[0, 2, 6, 9, 12, 13, 14], [-1] * 7, [0, 5, -1, -1, -1, -1, -1]]
    )
    assert second == "one [[0]]"
