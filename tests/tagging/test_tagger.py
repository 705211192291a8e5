from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from seqtag import Tagger
from seqtag.errors import ConfigError, DataError, DataWarning, RunError
from seqtag.tagging.data.batches import batch_of
from seqtag.tagging.data.corpus import TaggerInput, load_corpus
from seqtag.tagging.data.schemes import spans

TRAINING = {"epochs": 2, "batch_tokens": 120, "learning_rate": 0.03, "tensorboard": False}
# A network that is traced quickly, for what holds of any network.
QUICK = {"cell": "gru", "head": "softmax", "char_encoder": "none"}
SENTENCES = [["Bo", "met", "New", "York", "Paris", "."], ["Ann"], ["unseen", "words"], ["it", "Ærø"] * 20]


def tiny(**arguments):
    return Tagger(units=8, word_dim=8, training=TRAINING, **arguments)


@pytest.fixture(scope="module")
def tagger(sentences):
    return tiny().fit(sentences, validation_data=sentences[:20])


def test_it_learns(tagger, sentences):
    assert tagger.score(sentences) > 0.3
    assert len(tagger.history_) == 2
    assert tagger.predict([["Bo"]])[0][0] in tagger.model_.codec.file_tags


def test_constructor_stores_as_is_and_parameters_come_and_go():
    training = {"epochs": 2}
    tagger = Tagger(units=9, training=training)
    assert tagger.training is training
    assert tagger.get_params()["units"] == 9
    assert tagger.set_params(units=3, head="softmax") is tagger
    copy = clone(tagger)
    assert copy.get_params() == tagger.get_params()
    assert not hasattr(copy, "model_")


def test_before_fit_nothing_is_answered(tmp_path):
    tagger = Tagger()
    for ask in (tagger.predict, tagger.predict_proba, tagger.tag, tagger.score):
        with pytest.raises(NotFittedError):
            ask([["Ann"]])
    for write in (tagger.save, tagger.export):
        with pytest.raises(NotFittedError):
            write(tmp_path / "nothing")
    assert not list(tmp_path.iterdir())


def test_all_forms_of_data_are_one(tagger, sentences, job):
    tokens, tags = [list(part) for part in zip(*sentences, strict=True)]
    rows = [(n, *row) for n, pair in enumerate(sentences) for row in zip(*pair, strict=True)]
    frame = pd.DataFrame(rows, columns=["sentence", "token", "tag"])
    from_path, from_frame = load_corpus(str(job / "train.tsv")), load_corpus(frame)
    assert from_path.tokens == from_frame.tokens == tokens and from_path.tags == from_frame.tags == tags
    other = clone(tagger).fit(frame, validation_data=(tokens[:20], tags[:20]))
    assert other.predict(SENTENCES) == tagger.predict(SENTENCES)
    assert other.history_[-1]["loss"] == tagger.history_[-1]["loss"]
    scores = {other.score(frame), other.score(str(job / "train.tsv")), other.score(tokens, tags)}
    assert scores == {tagger.score(sentences)}


def test_without_validation_data_every_tenth_sentence_is_held_out(sentences):
    tagger = tiny(**QUICK).fit(sentences)
    held_out = [sentence for n, sentence in enumerate(sentences) if n % 10 == 9]
    assert tagger.score(held_out) == max(epoch["dev"] for epoch in tagger.history_)


@pytest.mark.parametrize(
    ("fit", "error", "message"),
    [
        (lambda s: tiny().fit(s[:5]), DataError, "expected validation_data or at least 10"),
        (lambda s: tiny().fit([["a"]], [["O"], ["O"]]), DataError, "as many tag lists as sentences, found 2"),
        (lambda s: tiny().fit([(["a"], ["O"]), (["b"], [7])]), DataError, "^sentence 1, position 0: .* found 7"),
        (lambda s: tiny().fit(s, validation_data=[(["x"], ["NOUN"])]), DataError, "^sentence 0, position 0: .* 'NOUN'"),
        (lambda s: tiny().fit([*s, (["x"], ["NOUN"])]), DataError, "^sentence 60, position 0: .* 'NOUN'"),
        (lambda s: Tagger(units=0).fit(s), ConfigError, "Tagger: units: input should be greater"),
        (lambda s: Tagger(training={"epoch": 3}).fit(s), ConfigError, "training: epoch: unknown key"),
        (lambda s: Tagger(data={"schema": "IO"}).fit(s), ConfigError, "data: schema: unknown key"),
    ],
)  # fmt: skip
def test_bad_arguments(sentences, fit, error, message):
    with pytest.raises(error, match=message):
        fit(sentences)


def test_a_sentence_must_be_tokens(tagger):
    for ask in (tagger.predict, tagger.predict_proba, tagger.tag):
        with pytest.raises(DataError, match=r"^sentence 0: expected a list of tokens, found 'Ann sleeps'"):
            ask(["Ann sleeps"])
        with pytest.raises(DataError, match=r"^sentence 1, position 1: expected a token as a string, found None"):
            ask([["a"], ["a", None]])


def test_a_type_that_training_did_not_have_counts_as_missed(tagger):
    """Gold is what the tagger answers, but for the type of one entity: one of its spans is wrong and one missed."""
    tagged = tagger.tag(SENTENCES)
    gold = [list(sentence.tags) for sentence in tagged]
    n = next(n for n, sentence in enumerate(tagged) if sentence.entities)
    for position in range(*tagged[n].entities[0][1:3]):
        gold[n][position] = gold[n][position][:2] + "ORG"
    spans = sum(len(sentence.entities) for sentence in tagged)
    with pytest.warns(DataWarning, match=r"^sentence \d, position \d: found \d tags? \(B-ORG 1.* count as missed"):
        assert tagger.score(SENTENCES, gold) == pytest.approx((spans - 1) / spans)


def test_probabilities_sum_to_one_and_agree_with_scores(tagger):
    probabilities, codec = tagger.predict_proba(SENTENCES), tagger.model_.codec
    rows = codec.file_tag_rows
    for sentence, table in zip(tagger.tag(SENTENCES), probabilities, strict=True):
        assert table.shape == (len(sentence.tokens), len(tagger.classes_))
        np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-5)
        for tag, score, row in zip(sentence.tags, sentence.scores, table, strict=True):
            alike = [n for n, row in enumerate(rows.T) if tag in codec.file_tags[row]]
            assert min(abs(row[alike] - score)) < 1e-5


def all_paths(tagger, tokens):
    """Every legal path of IOBES labels with its probability, summed up path by path in NumPy."""
    temperature = tagger.model_.calibration.temperature
    assert temperature != 1
    network, encoded = tagger.model_.network, tagger.model_.encode([TaggerInput(tokens)])
    emissions = network(batch_of(encoded, np.array([0]))).numpy()[0].astype(float)
    start, moves, end = (
        np.array(v.numpy(), float) for v in (network.head.start, network.head.transitions, network.head.end)
    )
    legal_start, legal_moves, legal_end = tagger.model_.codec.constraints()
    weights = {}
    for path in itertools.product(range(len(tagger.classes_)), repeat=len(tokens)):
        pairs = list(itertools.pairwise(path))
        if not (legal_start[path[0]] and legal_end[path[-1]] and all(legal_moves[pair] for pair in pairs)):
            continue
        score = start[path[0]] + end[path[-1]] + sum(moves[pair] for pair in pairs)
        score += sum(emissions[step, tag] for step, tag in enumerate(path))
        weights[path] = np.exp(score / temperature)
    total = sum(weights.values())
    return {path: weight / total for path, weight in weights.items()}


@pytest.mark.parametrize("tokens", [["Bo", "met", "New", "York"], ["Paris", "Ærø", "Ann"], ["York"]])
def test_scores_are_those_of_brute_force(tagger, tokens):
    paths = all_paths(tagger, tokens)
    labels = list(tagger.classes_)
    [tagged] = tagger.tag([tokens])
    best = max(paths, key=paths.get)
    assert tagged.tags == tagger.model_.codec.decode(np.array(best))
    for step, score in enumerate(tagged.scores):
        assert score == pytest.approx(sum(p for path, p in paths.items() if path[step] == best[step]), abs=1e-5)
    found = spans([labels[n] for n in best], "IOBES")
    assert [(e.type, e.start, e.end) for e in tagged.entities] == found
    for entity in tagged.entities:
        wanted = (entity.type, entity.start, entity.end)
        share = sum(p for path, p in paths.items() if wanted in spans([labels[n] for n in path], "IOBES"))
        assert entity.score == pytest.approx(share, abs=1e-5)
    [candidates] = tagger.predict_n_best([tokens], 4)
    likeliest = sorted(paths, key=paths.get, reverse=True)[:4]
    assert [c.tags for c in candidates] == [tagger.model_.codec.decode(np.array(path)) for path in likeliest]
    for candidate, path in zip(candidates, likeliest, strict=True):
        assert candidate.score == pytest.approx(paths[path], abs=1e-5)
        assert [entity[:3] for entity in candidate.entities] == spans([labels[n] for n in path], "IOBES")
    assert candidates[0].entities == tagged.entities


def test_there_are_as_many_candidates_as_sequences(tagger):
    nothing, one = tagger.predict_n_best([[], ["York"]], 4)
    assert [nothing] == tagger.predict_n_best([[]], 4) == [[([], [], 1.0)]] and tagger.predict_n_best([], 4) == []
    assert {tuple(candidate.tags) for candidate in one} == {("O",), ("B-LOC",), ("B-PER",)}
    assert sum(candidate.score for candidate in one) == pytest.approx(1, abs=1e-5)
    for n in (0, 1001):
        with pytest.raises(ConfigError, match=f"expected from 1 to 1000 candidates, found {n}"):
            tagger.predict_n_best([["York"]], n)


def test_there_are_entities_to_be_scored(tagger):
    assert sum(len(sentence.entities) for sentence in tagger.tag(SENTENCES)) > 1


def test_saved_and_loaded_it_answers_the_same(tagger, sentences, tmp_path):
    tagger.save(tmp_path / "run")
    again = Tagger.load(tmp_path / "run")
    assert again.predict(SENTENCES) == tagger.predict(SENTENCES)
    assert again.score(sentences) == tagger.score(sentences)
    assert again.get_params()["units"] == 8 and again.get_params()["training"]["epochs"] == 2
    assert list(again.classes_) == list(tagger.classes_)
    assert clone(again).get_params() == again.get_params()
    with pytest.raises(RunError, match="run: expected a new directory, found one"):
        tagger.save(tmp_path / "run")


def test_a_fault_while_saving_leaves_nothing(tagger, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tagger.model_.network), "save", full)
    with pytest.raises(OSError, match="No space left"):
        tagger.save(tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_export(tagger, tmp_path):
    tagger.export(tmp_path / "tagger")
    assert (tmp_path / "tagger" / "saved_model.pb").exists()
    with pytest.raises(RunError, match="expected a new directory, found one"):
        tagger.export(tmp_path / "tagger")


def test_neighbours_in_a_batch_change_nothing(tagger):
    together = tagger.tag(SENTENCES)
    for sentence, tagged in zip(SENTENCES, together, strict=True):
        [alone] = tagger.tag([sentence])
        assert alone.tags == tagged.tags
        np.testing.assert_allclose(alone.scores, tagged.scores, atol=1e-5)
        assert [entity[:3] for entity in alone.entities] == [entity[:3] for entity in tagged.entities]


def test_sentences_without_tokens(tagger):
    assert tagger.predict([]) == [] and tagger.predict_proba([]) == []
    assert tagger.predict([[]]) == [[]]
    assert tagger.predict([["Ann"], [], ["Bo", "met"]])[1] == []
    assert tagger.predict_proba([[]])[0].shape == (0, len(tagger.classes_))


def test_a_token_of_ten_thousand_characters(tagger):
    tokens = ["Ann", "x" * 10_000, "met", "Ω" * 10_000, "Bo"]
    [tagged] = tagger.tag([tokens])
    assert tagged.tokens == tokens and len(tagged.tags) == 5
    assert np.isfinite(tagged.scores).all()


def test_a_sentence_of_fifty_thousand_tokens(tagger):
    tokens = ["Ann", "met", "New", "York", "late"] * 10_000
    [tagged] = tagger.tag([tokens])
    assert len(tagged.tags) == 50_000
    assert np.isfinite(tagged.scores).all() and min(tagged.scores) > 0
    assert len({tuple(tagged.tags[n : n + 5]) for n in range(100, 49_000, 5)}) == 1, "alike in the middle"


def test_further_columns_are_read_from_files_alone(job, tmp_path, sentences):
    rows = ["".join(f"{t} {t[0].isupper():d} {tag}\n" for t, tag in zip(*pair, strict=True)) for pair in sentences]
    (tmp_path / "train.conll").write_text("\n".join(rows), "utf-8")
    tagger = tiny(data={"layout": "conll2002", "features": [2]}, **QUICK).fit(tmp_path / "train.conll")
    assert tagger.score(tmp_path / "train.conll") >= 0
    with pytest.raises(DataError, match="this one reads further columns"):
        tagger.predict([["Ann"]])
    with pytest.raises(DataError, match="expected a path or a DataFrame, since further columns are read"):
        tiny(data={"features": [2]}).fit(sentences)
