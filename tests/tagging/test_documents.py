"""Taggers that read what the same word is elsewhere in its document."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag import Tagger
from seqtag.cli import run as run_command
from seqtag.errors import ConfigError, DataError, DataWarning
from seqtag.tagging import model as model_module
from seqtag.tagging.config import ModelConfig, TaggingConfig
from seqtag.tagging.data.corpus import TaggerInput, load_corpus, reading_options
from seqtag.tagging.data.document_marks import check_documents
from seqtag.tagging.evaluation.evaluate import evaluate_model
from seqtag.tagging.fit import build_tagging_model

SETTINGS = {
    "units": 12,
    "word_dim": 8,
    "char_encoder": "none",
    "spelling": False,
    "context_features": True,
    "dropout": 0.1,
    "word_dropout": 0.0,
    "singleton_dropout": 0.0,
    "verbose": 0,
}
TRAINING = {"epochs": 25, "batch_tokens": 150, "learning_rate": 0.02}


def written(rng, names):
    """A document: one name is a person or a place, which its first or its last sentence alone tells."""
    kind, name = rng.choice(["PER", "LOC"]), str(rng.choice(names))
    clear = ([["in", "Mr"][kind == "PER"], name, "."], ["O", f"B-{kind}", "O"])
    unclear = (["we", "saw", name, "again"], ["O", "O", f"B-{kind}", "O"])
    return [clear, unclear] if rng.random() < 0.5 else [unclear, clear]


def corpus(seed, count):
    rng, names = np.random.default_rng(seed), [f"N{n}" for n in range(8)]
    return [written(rng, names) for _ in range(count)]


def file_of(documents, path):
    lines = []
    for document in documents:
        lines.append("-DOCSTART- O\n\n")
        lines += [
            "".join(f"{word} {tag}\n" for word, tag in zip(*sentence, strict=True)) + "\n" for sentence in document
        ]
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    sets = {"train": corpus(1, 120), "dev": corpus(2, 40)}
    return {name: file_of(documents, folder / f"{name}.txt") for name, documents in sets.items()}


@pytest.fixture(scope="module")
def tagger(files):
    made = Tagger(document_context=True, training=TRAINING, **SETTINGS)
    return made.fit(files["train"], validation_data=files["dev"])


@pytest.fixture(scope="module")
def dev(files):
    return load_corpus(files["dev"])


def close(tagged, others):
    assert [one.tags for one in tagged] == [one.tags for one in others]
    for one, other in zip(tagged, others, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_a_name_is_what_another_sentence_of_its_document_says(tagger, files, dev):
    assert tagger.score(files["dev"]) > 0.95
    # Without the other sentence, half of the unclear names are a guess.
    alone = [TaggerInput(tokens) for tokens in dev.tokens]
    tags = [tag for one in tagger.model_.tag(alone) for tag in one.tags]
    gold = [tag for tags in dev.tags for tag in tags]
    assert np.mean([a == b for a, b in zip(tags, gold, strict=True) if b != "O"]) < 0.9


def test_other_documents_change_nothing(tagger, dev):
    inputs = dev.inputs
    together = tagger.model_.tag(inputs)
    for start in (0, 10, 36):
        close(tagger.model_.tag(inputs[start : start + 2]), together[start : start + 2])
    close(tagger.model_.tag(inputs[40:] + inputs[:40]), together[40:] + together[:40])


def test_a_stream_keeps_documents_whole(tagger, dev, monkeypatch):
    monkeypatch.setattr(model_module, "CHUNK_TOKENS", 10)
    close(list(tagger.model_.tag_stream(iter(dev.inputs))), tagger.model_.tag(dev.inputs))


def test_python_says_which_sentences_are_of_one_document(tagger, dev):
    tagged = tagger.model_.tag(dev.inputs)
    names = [f"document {number}" for number in dev.documents]
    close(tagger.tag(dev.tokens, documents=names), tagged)
    assert tagger.predict(dev.tokens, documents=names) == [one.tags for one in tagged]
    probabilities = tagger.predict_proba(dev.tokens, documents=names)
    best = [one.scores for one in tagged]
    np.testing.assert_allclose(probabilities[0].max(axis=1), best[0], atol=1e-5)
    # None and what pandas has for it: a sentence alone.
    for nothing in (None, float("nan"), pd.NA):
        close(tagger.tag(dev.tokens[:2], documents=[nothing, nothing]), tagger.tag(dev.tokens[:2]))
    assert tagger.predict_n_best(dev.tokens, 1, documents=names)[1][0].tags == tagged[1].tags
    with pytest.raises(DataError, match="as many documents as sentences, found 1 for 80"):
        tagger.predict(dev.tokens, documents=["a"])


def test_the_saved_model_reads_documents(tagger, dev, tmp_path):
    tagger.export(tmp_path / "exported")
    signatures = tf.saved_model.load(str(tmp_path / "exported")).signatures
    assert set(signatures) == {"serving_default", "raw_text", "documents"}
    tokens = tf.ragged.constant(dev.tokens).to_tensor("")
    documents = tf.constant([str(number) for number in dev.documents])
    found = signatures["documents"](tokens=tokens, documents=documents)
    alone = signatures["serving_default"](tokens=tokens)
    for answer, inputs in ((found, dev.inputs), (alone, [TaggerInput(words) for words in dev.tokens])):
        for row, one in enumerate(tagger.model_.tag(inputs)):
            length = int(answer["lengths"][row])
            assert [tag.decode() for tag in answer["tags"].numpy()[row][:length]] == one.tags
            np.testing.assert_allclose(answer["scores"].numpy()[row][:length], one.scores, atol=1e-5)
    assert (found["tags"].numpy() != alone["tags"].numpy()).any()


def test_it_is_stored_and_the_command_line_reads_marks(tagger, files, dev, tmp_path, capfdbinary):
    tagger.save(tmp_path / "run")
    again = Tagger.load(tmp_path / "run")
    assert again.document_context is True and again.model_.options.documents == "marked"
    close(again.model_.tag(dev.inputs), tagger.model_.tag(dev.inputs))
    assert run_command(["predict", str(tmp_path / "run"), str(files["dev"])]) == 0
    tags = [line.split()[-1] for line in capfdbinary.readouterr().out.decode().splitlines() if line.split()]
    expected = [tag for one in tagger.model_.tag(dev.inputs) for tag in one.tags]
    assert list(tags_of_words(files["dev"], tags)) == expected
    report = evaluate_model(again.model_, dev)
    assert report.to_metrics()["f1"] == pytest.approx(tagger.metrics_["dev"]["f1"])


def tags_of_words(path, tags):
    """The tags of the lines that hold a word, of those of all lines."""
    lines = [line for line in path.read_text().splitlines() if line.split()]
    return (tag for tag, line in zip(tags, lines, strict=True) if not line.startswith("-DOCSTART-"))


def test_a_document_of_any_length_is_read_in_parts(tagger):
    """Two thousand tokens and more: what is far apart is not compared, and memory has a bound."""
    clear, unclear = ["Mr", "N1", "."], ["we", "saw", "N1", "again"]
    near = [clear, *[["."] * 100] * 5, unclear]
    far = [clear, *[["."] * 100] * 25, unclear]
    scores = [tagger.tag(sentences, documents=["a"] * len(sentences))[-1].scores[2] for sentences in (near, far)]
    alone = tagger.tag([unclear])[0].scores[2]
    assert abs(scores[1] - alone) < 1e-5 < abs(scores[0] - alone)
    long = tagger.tag([clear, ["N1", "."] * 2100, unclear], documents=["a"] * 3)
    close([long[0], long[2]], tagger.tag([clear, unclear]))


def test_training_without_documents_is_told():
    pairs = [(["a"], ["O"])] * 20
    with pytest.raises(ConfigError, match=r"data\.documents: expected documents in the training data"):
        Tagger(document_context=True, data={"documents": "marked"}, training=TRAINING, **SETTINGS).fit(pairs)
    config = TaggingConfig(task="tagging", model={"document_context": True})
    with pytest.warns(DataWarning, match="no documents are marked .*: each sentence is read alone"):
        check_documents(load_corpus(pairs), config)


def test_so_many_sentences_in_a_row():
    sentences = [sentence for document in corpus(3, 30) for sentence in document]
    options = reading_options(TaggingConfig(task="tagging", data={"documents": 2}).data)
    corpus_of = load_corpus(sentences, options)
    model = build_tagging_model(corpus_of, ModelConfig(document_context=True, units=4), options.spelt_as(corpus_of))
    assert model.options.documents == 2
    assert model.encode_corpus(load_corpus(sentences, model.options)).documents[:5].tolist() == [0, 0, 1, 1, 2]
