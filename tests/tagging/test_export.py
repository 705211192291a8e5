"""Exported taggers, in a process that imports TensorFlow alone."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.data.text.paragraphs import tokenize_lines
from seqtag.errors import RunError
from seqtag.tagging.calibration import Calibration
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, TaggerInput, load_corpus
from seqtag.tagging.data.schemes import convert
from seqtag.tagging.export import ServingTagger, export_saved_model
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.model import TaggingModel

TOKENS = [
    ["Bo", "met", "New", "York", "Paris", ".", "late", "late"],
    [],
    ["unseen", "Wörter", "東京", "Москва", "🙂", "x" * 200],
    ["Ann"],
]
TEXTS = [
    "Bo met New York, Paris.",
    "",
    "  Анна saw 東京 and 🙂 cafe\u0301s in Ærø.",
    "   ",
    "O'Brien doesn't",
]

# What a client does who has TensorFlow and nothing of ours.
CLIENT = """
import json, sys
sys.modules["seqtag"] = sys.modules["keras"] = None  # any import of them fails
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
answers = []
for call in json.load(sys.stdin):
    inputs = call["inputs"].items()
    arguments = {name: tf.constant(value, tf.string, shape) for name, (value, shape) in inputs}
    found = model.signatures[call["signature"]](**arguments)
    answers.append({name: value.numpy().tolist() for name, value in found.items()})
assert sys.modules["seqtag"] is None and sys.modules["keras"] is None
json.dump(answers, sys.stdout, default=bytes.decode)
"""


def ask(folder, *calls):
    """Answers of the exported model in another process; a call is (signature, {input: array})."""
    request = [
        {
            "signature": name,
            "inputs": {key: (np.ravel(value).tolist(), np.shape(value)) for key, value in inputs.items()},
        }
        for name, inputs in calls
    ]
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(folder)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def padded(sentences, width):
    return [[*tokens, *[""] * (width - len(tokens))] for tokens in sentences]


def compare(answer, tagged):
    """An exported answer against `TaggedSentence` objects."""
    assert answer["lengths"] == [len(sentence.tokens) for sentence in tagged]
    for tags, scores, sentence in zip(answer["tags"], answer["scores"], tagged, strict=True):
        length = len(sentence.tokens)
        assert tags == sentence.tags + [""] * (len(tags) - length)
        np.testing.assert_allclose(scores[:length], sentence.scores, atol=1e-5)
        assert not any(scores[length:])


def plain(found):
    """The same of tensors."""
    answer = {name: value.numpy().tolist() for name, value in found.items()}
    return answer | {"tags": [[tag.decode() for tag in row] for row in answer["tags"]]}


def unfitted(corpus, scheme, features=(), **settings):
    """A model with random weights, whose tags are more varied than a fitted one's."""
    keras.utils.set_random_seed(3)
    options = ReadingOptions(features=features)
    model = build_tagging_model(corpus, ModelConfig(units=8, word_dim=8, **settings), options, scheme)
    kernel = model.network.emission.kernel
    kernel.assign(keras.random.normal(kernel.shape, stddev=10, seed=3))
    return model


@pytest.fixture(scope="module")
def model(run_folder):
    return TaggingModel.load(run_folder)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "tagger"
    export_saved_model(model, folder)
    return folder


@pytest.fixture(scope="module")
def answers(exported):
    """All that the tests below ask the fitted model, in one process."""
    calls = {
        "narrow": ("serving_default", {"tokens": padded(TOKENS, 8)}),
        "wide": ("serving_default", {"tokens": padded(TOKENS, 13)}),
        "one row": ("serving_default", {"tokens": [TOKENS[0]]}),
        "one token": ("serving_default", {"tokens": [["Ann"]]}),
        "no token": ("serving_default", {"tokens": [["", ""], ["", ""]]}),
        "no step": ("serving_default", {"tokens": np.zeros((2, 0), str)}),
        "no row": ("serving_default", {"tokens": np.zeros((0, 3), str)}),
        "text": ("raw_text", {"text": TEXTS}),
        "one text": ("raw_text", {"text": TEXTS[:1]}),
        "empty text": ("raw_text", {"text": [""]}),
    }
    return dict(zip(calls, ask(exported, *calls.values()), strict=True))


def test_signatures(exported):
    signatures = tf.saved_model.load(str(exported)).signatures
    assert set(signatures) == {"serving_default", "raw_text"}

    def spec(specs):
        return {name: (tensor.dtype.name, tensor.shape.as_list()) for name, tensor in specs.items()}

    steps = [None, None]
    answer = {"tags": ("string", steps), "scores": ("float32", steps), "lengths": ("int32", [None])}
    places = {"tokens": ("string", steps), "starts": ("int32", steps), "ends": ("int32", steps)}
    tokens, text = signatures["serving_default"], signatures["raw_text"]
    assert spec(tokens.structured_input_signature[1]) == {"tokens": ("string", steps)}
    assert spec(text.structured_input_signature[1]) == {"text": ("string", [None])}
    assert spec(tokens.structured_outputs) == answer
    assert spec(text.structured_outputs) == answer | places


@pytest.mark.parametrize("padding", ["narrow", "wide"])
def test_tokens_are_tagged_as_predict_does_whatever_the_padding(model, answers, padding):
    compare(answers[padding], model.tag([TaggerInput(tokens) for tokens in TOKENS]))


def test_answers_have_the_shape_of_the_input(answers):
    assert np.shape(answers["wide"]["tags"]) == np.shape(answers["wide"]["scores"]) == (4, 13)


def test_single_rows(model, answers):
    compare(answers["one row"], model.tag([TaggerInput(TOKENS[0])]))
    compare(answers["one token"], model.tag([TaggerInput(["Ann"])]))


def test_rows_without_tokens(answers):
    assert answers["no token"] == {"tags": [["", ""]] * 2, "scores": [[0, 0]] * 2, "lengths": [0, 0]}
    assert answers["no step"] == {"tags": [[], []], "scores": [[], []], "lengths": [0, 0]}
    assert answers["no row"] == {"tags": [], "scores": [], "lengths": []}
    assert answers["empty text"] == {name: [[]] for name in ("tokens", "tags", "scores", "starts", "ends")} | {
        "lengths": [0]
    }


def test_text_is_tokenised_and_tagged_as_predict_does(model, answers):
    lines = tokenize_lines(TEXTS)
    compare(answers["text"], model.tag([TaggerInput(line.tokens) for line in lines]))
    compare(answers["one text"], model.tag([TaggerInput(lines[0].tokens)]))
    for row, line in enumerate(lines):
        for name in ("tokens", "starts", "ends"):
            assert answers["text"][name][row][: len(line.tokens)] == getattr(line, name)


def test_offsets_slice_the_text_whatever_the_script(answers):
    answer = answers["text"]
    for row, text in enumerate(TEXTS):
        length = answer["lengths"][row]
        places = zip(answer["starts"][row][:length], answer["ends"][row][:length], strict=True)
        assert [text[start:end] for start, end in places] == answer["tokens"][row][:length]
    assert answer["lengths"][2] > 5


def test_bytes_that_are_not_utf8_are_tagged_too(exported):
    signatures = tf.saved_model.load(str(exported)).signatures
    raw = b"Bo met \xff\xfe in Par\xe9s ."
    found = signatures["raw_text"](text=tf.constant([raw, b"\xc3"]))
    text = raw.decode("utf-8", errors="replace")
    length = int(found["lengths"][0])
    places = zip(found["starts"].numpy()[0][:length], found["ends"].numpy()[0][:length], strict=True)
    tokens = [token.decode("utf-8", errors="replace") for token in found["tokens"].numpy()[0][:length]]
    assert [text[start:end] for start, end in places] == tokens
    found = signatures["serving_default"](
        tokens=tf.constant([[b"Bo", b"\xff\xfe", b"Par\xe9s"], [b"\xe9" * 40, b"", b""]])
    )
    assert found["lengths"].numpy().tolist() == [3, 1]
    assert all(found["tags"].numpy()[0])
    assert np.isfinite(found["scores"].numpy()).all()


@pytest.mark.parametrize(("scheme", "head"), [("IOB1", "crf"), ("IOBES", "softmax"), ("none", "softmax")])
def test_every_scheme_names_tags_as_the_file_does(sentences, scheme, head):
    corpus = load_corpus(sentences)
    if scheme == "none":
        corpus.tags = [["NOUN" if token[0].isupper() else "X" for token in tokens] for tokens in corpus.tokens]
    else:
        corpus.tags = [convert(tags, "IOB2", scheme) for tags in corpus.tags]
    model = unfitted(corpus, scheme, head=head)
    inputs = [TaggerInput(tokens) for tokens in TOKENS]
    if scheme != "none":
        # Some entities are held back, and not the first or the last of a sentence alone.
        scores = sorted(entity.score for sentence in model.tag(inputs) for entity in sentence.entities)
        least = scores[len(scores) // 3] - 1e-4
        whole, model = model, model.calibrated([Calibration(1.0, {"LOC": least, "PER": least})])
        assert model.tag(inputs) != whole.tag(inputs)
    tagged = model.tag(inputs)
    serving = ServingTagger(model)
    compare(plain(serving.tag_tokens(tf.constant(padded(TOKENS, 8)))), tagged)
    assert len({tag for sentence in tagged for tag in sentence.tags}) > 1, "the example tells something"


def test_a_model_of_further_columns_asks_for_them(tmp_path):
    tokens, tags = [["Ann", "saw", "Bo"], ["it"]], [["B-PER", "O", "B-PER"], ["O"]]
    columns = [[["NNP", "VBD", "NNP"], ["A", "B", "C"]], [["PRP"], ["D"]]]
    model = unfitted(TaggedCorpus(tokens, tags, columns), "auto", ("pos", "chunk"))
    export_saved_model(model, tmp_path / "tagger")
    signatures = tf.saved_model.load(str(tmp_path / "tagger")).signatures
    assert set(signatures) == {"serving_default"}
    inputs = [TaggerInput(["Bo", "saw"], [["NNP", "new"], ["B", "C"]]), TaggerInput(["it"], [["PRP"], ["D"]])]
    values = np.full((2, 4, 2), "", object)
    for row, sentence in enumerate(inputs):
        values[row, : len(sentence.tokens)] = np.array(sentence.columns, object).T
    found = signatures["serving_default"](
        tokens=tf.constant(padded([sentence.tokens for sentence in inputs], 4)), columns=tf.constant(values)
    )
    compare(plain(found), model.tag(inputs))


def test_the_tables_are_exported_without_their_zero_rows(sentences, tmp_path):
    # As it stands after a fit: the network itself is whole.
    fresh = unfitted(load_corpus(sentences), "auto")
    full = sum(table.embeddings.numpy().nbytes for table in fresh.network.tables.values())
    export_saved_model(fresh, tmp_path / "tagger")
    stored = sum(path.stat().st_size for path in (tmp_path / "tagger" / "variables").iterdir())
    assert stored < full / 5


def test_nothing_is_overwritten_and_a_fault_leaves_nothing(model, exported, tmp_path, monkeypatch):
    with pytest.raises(RunError, match="tagger: expected a new directory, found one"):
        export_saved_model(model, exported)

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match="No space left"):
        export_saved_model(model, tmp_path / "full")
    assert not list(tmp_path.iterdir())
