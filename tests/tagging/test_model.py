"""What a model answers, and in which form: the training file's, whatever file is tagged."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import tensorflow as tf

from seqtag.errors import DataWarning
from seqtag.tagging.calibration import Calibration
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput, load_corpus
from seqtag.tagging.data.gazetteers import Gazetteers
from seqtag.tagging.data.inputs import read_columns
from seqtag.tagging.data.phrase_matcher import PhraseMatcher
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.export import ServingTagger
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.predict import predict_columns

TOKENS = list("abcdacbdbadcxaybzc")


@pytest.fixture(scope="module")
def model() -> TaggingModel:
    """An unfitted tagger of a file that spells tags `per_b`."""
    pairs = [(["a", "b", "c", "d"], ["per_b", "per_i", "loc_b", "o"])]
    with pytest.warns(DataWarning, match="tags spelt like 'per_b' are read as 'B-per': 4"):
        train = load_corpus(pairs)
    assert train.tags == [["B-per", "I-per", "B-loc", "O"]]
    config = ModelConfig(cell="gru", head="softmax", units=4, char_encoder="none", word_dim=8)
    options = ReadingOptions("tsv").spelt_as(train)
    built = build_tagging_model(train, config, options)
    return TaggingModel.from_dict(built.network, json.loads(json.dumps(built.to_dict())))


def test_answers_are_spelt_as_the_training_file(model):
    [tagged] = model.tag([TaggerInput(TOKENS)])
    assert set(tagged.tags) <= {"o", "per_b", "per_i", "loc_b", "loc_i"}
    assert {entity.type for entity in tagged.entities} <= {"per", "loc"} and tagged.entities
    serving = ServingTagger(model)  # kept: its functions hold it weakly
    exported = serving.tag_tokens(tf.constant([TOKENS]))
    assert [tag.decode() for tag in exported["tags"].numpy()[0]] == tagged.tags
    file = io.BytesIO("\n".join(TOKENS).encode())
    written = b"".join(predict_columns(model, read_columns(file, model.options), "columns")).decode()
    assert [line.split("\t")[1] for line in written.splitlines()] == tagged.tags


def test_files_that_mark_spans_otherwise_get_them_in_their_own_form(model):
    [tagged] = model.tag([TaggerInput(TOKENS)])
    options = ReadingOptions("jsonl", notation=model.options.notation)
    other = TaggingModel(model.network, model.codec, model.encoder, options=options)
    line = json.dumps({"text": " ".join(TOKENS), "id": 1})
    [answer] = predict_columns(other, read_columns(io.BytesIO(line.encode()), options), "columns")
    spans = [(" ".join(TOKENS[e.start : e.end]), e.type) for e in tagged.entities]
    text = json.loads(line)["text"]
    assert [(text[start:end], kind) for start, end, kind in json.loads(answer)["label"]] == spans


def test_json_lines_have_the_candidates(model):
    file = io.BytesIO("\n".join(TOKENS[:3]).encode())
    [line] = predict_columns(model, read_columns(file, model.options), "jsonl", n_best=3)
    found = json.loads(line)
    assert len(found["candidates"]) == 3
    best = found["candidates"][0]
    assert (best["tags"], best["entities"]) == (found["tags"], found["entities"])
    scores = [candidate["score"] for candidate in found["candidates"]]
    assert scores == sorted(scores, reverse=True) and 0 < sum(scores) < 1
    assert all(set(candidate["tags"]) <= {"o", "per_b", "per_i", "loc_b", "loc_i"} for candidate in found["candidates"])


def test_candidates_that_are_written_alike_are_one(model):
    """IO has one entity where two of a type touch."""
    codec = TagCodec("IO", model.codec.symbols)
    joined = TaggingModel(model.network, codec, model.encoder)
    sentence = [TaggerInput(["a", "b"])]
    apart, together = (made.tag(sentence, 20)[0].candidates for made in (model, joined))
    expected: dict[tuple[str, ...], float] = {}
    for candidate in apart:
        tags = tuple("O" if tag == "o" else f"I-{tag[:-2]}" for tag in candidate.tags)
        expected[tags] = expected.get(tags, 0) + candidate.score
    assert len(apart) == 11 and len(together) == 9
    assert {tuple(c.tags): pytest.approx(c.score) for c in together} == expected


@pytest.mark.parametrize("head", ["softmax", "crf"])
def test_with_forced_tags_answers_are_those_of_the_sequences_that_have_them(head):
    """Against all tag sequences of short sentences, with their probabilities."""
    train = load_corpus([(["a", "b", "c"], ["B-A", "I-A", "B-B"])])
    config = ModelConfig(cell="gru", head=head, units=4, char_encoder="none", spelling=False, word_dim=8)
    built = build_tagging_model(train, config, ReadingOptions())
    rng = np.random.default_rng(2)
    for variable in built.network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.7)
    tokens = [list("abc"), list("cab"), list("b")]
    forced = [["", "I-A", ""], ["B-B", "", "O"], []]
    sentences = [TaggerInput(words, (), tags) for words, tags in zip(tokens, forced, strict=True)]
    every = built.n_best([TaggerInput(words) for words in tokens], 1000)
    answers, marginals = built.tag(sentences, 1000), built.probabilities(sentences)
    for tags, all_sequences, answer, probabilities in zip(forced, every, answers, marginals, strict=True):
        wanted = tags or [""] * len(answer.tokens)
        kept = [one for one in all_sequences if all(map(lambda tag, other: tag in ("", other), wanted, one.tags))]
        total = sum(one.score for one in kept)
        assert answer.tags == kept[0].tags and 0 < len(kept) <= len(all_sequences)
        assert [one.tags for one in answer.candidates] == [one.tags for one in kept]
        scores = [one.score for one in answer.candidates]
        np.testing.assert_allclose(scores, [one.score / total for one in kept], rtol=1e-4)
        np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-5)
    calibrated = built.calibrated([Calibration(thresholds={"A": 1.0, "B": 1.0})])
    held_back = calibrated.tag([TaggerInput(words) for words in tokens])
    assert not any(answer.entities for answer in held_back)
    [given, other, _] = calibrated.tag(sentences)
    assert given.tags[1] == "I-A" and other.tags[0] == "B-B"


@pytest.mark.parametrize("features", [(), ("pos",)])
def test_gazetteers_are_read_from_the_bundle_and_in_the_graph(tmp_path, features):
    """The answers depend on them, and are those of the SavedModel's functions, also beside a further column."""
    names = tmp_path / "names.tsv"
    names.write_text("LOC\tNew York\nPER\tyork\n", "utf-8")
    train = load_corpus([(["New", "York", "x"], ["B-LOC", "I-LOC", "B-PER"])])
    train.columns = [[["N", "N", "V"]] for _ in features]
    options, config = (
        ReadingOptions(features=features),
        ModelConfig(cell="gru", units=4, char_encoder="none", word_dim=8),
    )
    built = build_tagging_model(train, config, options, gazetteers=[names])
    rng = np.random.default_rng(1)
    for variable in built.network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    (tmp_path / "run").mkdir()
    built.save(tmp_path / "run")
    names.unlink()
    again = TaggingModel.load(tmp_path / "run")
    tokens = ["x", "New", "York", "york", "x"]
    sentence = TaggerInput(tokens, [["V", "N", "N", "N", "V"]] if features else [])
    [answer], [same] = built.tag([sentence]), again.tag([sentence])
    assert answer == same
    serving = ServingTagger(again)
    columns = [tf.constant([[["V"], ["N"], ["N"], ["N"], ["V"]]])] if features else []
    exported = serving.tag_tokens(tf.constant([tokens]), *columns)
    assert [tag.decode() for tag in exported["tags"].numpy()[0]] == answer.tags
    np.testing.assert_allclose(exported["scores"][0], answer.scores, atol=1e-5)
    without = TaggingModel(built.network, built.codec, built.encoder, built.column_vocabularies, options)
    without.matcher = PhraseMatcher(Gazetteers({"LOC": ["elsewhere"], "PER": ["nobody"]}))
    assert without.tag([sentence])[0].scores != answer.scores
