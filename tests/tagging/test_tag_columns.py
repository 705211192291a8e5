"""Taggers of several columns of tags: one network, one file, one SavedModel."""

from __future__ import annotations

import io
import json
import pickle
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag import Tagger
from seqtag.cli import run as run_command
from seqtag.errors import ConfigError, DataError
from seqtag.runs.config_file import dump_config
from seqtag.tagging.data.batches import batch_of, tags_of
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.doubts import cross_validation
from seqtag.tagging.evaluation.columns import ColumnsReport, share_all_right
from seqtag.tagging.evaluation.evaluate import evaluate_model, quick_report
from seqtag.tagging.learning_curve import share_config
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.seeds import SeedRun, SeedRuns
from seqtag.tasks import load_config

COLUMNS = ["upos", "feats", "ner"]
OPTIONS = ReadingOptions(tag_column="upos", further=tuple(ReadingOptions(tag_column=name) for name in COLUMNS[1:]))
SENTENCES = [
    (
        ["Ann", "saw", "New", "York"],
        {
            "upos": ["PROPN", "VERB", "PROPN", "PROPN"],
            "feats": ["Sing", "Past", "_", "Sing"],
            "ner": ["B-PER", "O", "B-LOC", "I-LOC"],
        },
    ),
    (["it", "rains"], {"upos": ["PRON", "VERB"], "feats": ["Sing", "Pres"], "ner": ["O", "O"]}),
]
INPUTS = [["Ann", "rains"], ["New", "York", "saw", "it"], [], ["unseen"]]


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    """One that reads gazetteers too, whose types are of two of its columns."""
    names = tmp_path_factory.mktemp("names") / "names.tsv"
    names.write_text("PER\tAnn\nLOC\tNew York\nVERB\tsaw\n", "utf-8")
    made = Tagger(
        gazetteers=[str(names)],
        units=6,
        word_dim=8,
        char_encoder="none",
        heads={"feats": "softmax"},
        loss_weights={"ner": 2.0},
        data={"tag_columns": COLUMNS},
        training={"epochs": 4, "batch_tokens": 40, "learning_rate": 0.02},
        verbose=0,
    )
    return made.fit(SENTENCES * 20, validation_data=SENTENCES)


def frame():
    rows = [
        (n, token, *(tags[name][k] for name in COLUMNS))
        for n, (tokens, tags) in enumerate(SENTENCES)
        for k, token in enumerate(tokens)
    ]
    return pd.DataFrame(rows, columns=["sentence", "token", *COLUMNS])


def conllu():
    lines = [
        "\t".join([str(k), token, "_", tags["upos"][k - 1], "_", tags["feats"][k - 1], "_", "_", "_", "_"]) + "\n"
        for tokens, tags in SENTENCES
        for k, token in enumerate([*tokens, ""], 1)
        if token
    ]
    return "".join(lines[:4]) + "\n" + "".join(lines[4:]) + "\n"


def jsonl():
    return "".join(json.dumps({"tokens": tokens, "tags": tags["upos"], **tags}) + "\n" for tokens, tags in SENTENCES)


def test_every_source_gives_the_same_columns(tmp_path):
    (tmp_path / "data.jsonl").write_text(jsonl(), encoding="utf-8")
    expected = load_corpus(SENTENCES, OPTIONS)
    assert list(expected.further) == COLUMNS[1:]
    for source in (frame(), tmp_path / "data.jsonl"):
        read = load_corpus(source, OPTIONS)
        assert [c.tags for c in read.columns_of_tags] == [c.tags for c in expected.columns_of_tags]
    tokens, tags = zip(*SENTENCES, strict=True)
    apart = load_corpus(list(tokens), OPTIONS, list(tags))
    assert [c.tags for c in apart.columns_of_tags] == [[one[name] for one in tags] for name in COLUMNS]
    second = expected.subset([1])
    assert [c.tags for c in second.columns_of_tags] == [[tags[1][name]] for name in COLUMNS]


def test_each_column_has_its_own_spelling():
    suffixed = [(["a", "b"], {"upos": ["X", "Y"], "feats": ["_", "_"], "ner": ["PER_B", "O"]})]
    corpus = load_corpus(suffixed, OPTIONS)
    assert corpus.further["ner"].tags == [["B-PER", "O"]] and corpus.notation is None
    spelt = OPTIONS.spelt_as(corpus)
    assert spelt.labels and spelt.further[0].labels and not spelt.further[1].labels
    assert ReadingOptions.from_dict(json.loads(json.dumps(spelt.to_dict()))) == spelt


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        (["X", "Y"], r"expected a dict of tags with the columns upos, feats, ner, found \['X', 'Y'\]"),
        ({"upos": ["X"]}, "expected a dict .*, found the columns upos"),
        (
            {"upos": ["X", "Y"], "feats": ["_"], "ner": ["O", "O"]},
            "expected as many tags in 'feats' as tokens, found 1 for 2",
        ),
    ],
)
def test_faults_of_python_lists(tags, fault):
    with pytest.raises(DataError, match=f"^sentence 0: {fault}$"):
        load_corpus([(["a", "b"], tags)], OPTIONS)


def test_a_file_without_the_column_is_refused():
    [first, _] = SentenceReader(io.StringIO(conllu()), "conllu")
    with pytest.raises(DataError, match="expected column 'ner', found columns ID, FORM"):
        first.tags_in("ner")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"data": {"tag_columns": ["upos"]}}, "expected two different columns or more in tag_columns, found upos"),
        ({"data": {"tag_columns": ["a", "a"]}}, "expected two different columns or more .*, found a, a"),
        ({"data": {"tag_columns": ["a", "b"], "tag_column": "c"}}, "expected tag_column or tag_columns, found both"),
        ({"heads": {"feats": "crf"}}, r"expected columns of data.tag_columns \(none\) in model.heads, found 'feats'"),
        (
            {"loss_weights": {"b": 2, "c": 1}, "data": {"tag_columns": ["a", "b"]}},
            r"expected columns of data.tag_columns \(a, b\) in model.loss_weights, found 'c'",
        ),
    ],
)
def test_faults_of_the_configuration(arguments, fault):
    with pytest.raises(ConfigError, match=fault):
        Tagger(**arguments).fit(SENTENCES)


def test_the_loss_is_the_weighted_sum_of_the_columns(tagger):
    model = tagger.model_
    network = model.network
    corpus = model.encode_corpus(load_corpus(SENTENCES, tagger.model_.options))
    x, y = batch_of(corpus, np.array([0, 1])), tags_of(corpus, np.array([0, 1]))
    emissions = network(x)
    assert len(y) == 3 and emissions.shape[-1] == sum(len(column.codec.labels) for column in model.columns)
    losses, start = [], 0
    for n, column in enumerate(network.columns):
        part = emissions[..., start : start + column.num_tags]
        start += column.num_tags
        rows = [
            column.head.negative_log_likelihood(part[k : k + 1, :length], y[n][k : k + 1, :length])
            for k, length in enumerate(x["lengths"].numpy())
        ]
        losses.append(float(tf.reduce_sum(tf.stack(rows))))
    assert [type(column.head).__name__ for column in network.columns] == ["CRF", "SoftmaxHead", "CRF"]
    expected = (losses[0] + losses[1] + 2 * losses[2]) / 6
    assert float(network.compute_loss(x, y, emissions)) == pytest.approx(expected, rel=1e-5)


def test_all_columns_learn_and_each_alone_says_the_same(tagger):
    assert tagger.score(SENTENCES) > 0.9
    tagged = tagger.tag(INPUTS)
    model = tagger.model_
    inputs = tagger._inputs(INPUTS)
    for name, alone in model.further.items():
        for sentence, other in zip(tagged, alone.tag(inputs), strict=True):
            assert sentence.further[name].tags == other.tags and len(other.tags) == len(sentence.tokens)
            assert sentence.further[name].entities == other.entities
            np.testing.assert_allclose(sentence.further[name].scores, other.scores, atol=1e-6)
    assert [entity.type for entity in tagger.tag([SENTENCES[0][0]])[0].further["ner"].entities] == ["PER", "LOC"]
    assert tagger.predict_columns(INPUTS)["upos"] == tagger.predict(INPUTS)
    assert list(tagger.predict_columns(INPUTS)) == COLUMNS
    for sentence, best in zip(tagged, model.tag(inputs, n_best=2), strict=True):
        if sentence.tokens:
            assert best.further["ner"].candidates[0].tags == sentence.further["ner"].tags


def test_figures_of_each_column(tagger):
    report = evaluate_model(tagger.model_, load_corpus(SENTENCES, tagger.model_.options))
    metrics = report.to_metrics()
    assert list(metrics["columns"]) == ["feats", "ner"] and "f1" in metrics["columns"]["ner"]
    assert metrics["columns"]["feats"]["accuracy"] == report.columns["feats"].accuracy
    predicted = tagger.predict_columns([tokens for tokens, _ in SENTENCES])
    right = [
        all(predicted[name][n][k] == tags[name][k] for name in COLUMNS)
        for n, (tokens, tags) in enumerate(SENTENCES)
        for k in range(len(tokens))
    ]
    assert report.all_right == metrics["accuracy_of_all"] == np.mean(right)
    assert tagger.metrics_["dev"]["columns"]["ner"]["f1"] == metrics["columns"]["ner"]["f1"]
    assert share_all_right([[]], [[]]) == 0.0


def test_the_candidates_of_all_columns_need_one_encoding(tagger, monkeypatch):
    model = tagger.model_
    corpus = load_corpus(SENTENCES, model.options)
    alone = {name: evaluate_model(model.further[name], corpus.further[name], 3) for name in COLUMNS[1:]}
    encode, encoded = TaggingModel.encode, []

    def counted(*arguments):
        encoded.append(encode(*arguments))
        return encoded[-1]

    monkeypatch.setattr(TaggingModel, "encode", counted)
    report = evaluate_model(model, corpus, 3)
    assert len(encoded) == 2  # the other one is for the answers
    for name, of_column in alone.items():
        assert report.columns[name].details.oracle == of_column.details.oracle


def test_reload_pickle_and_export_say_the_same(tagger, tmp_path):
    tagger.save(tmp_path / "run")
    expected = tagger.predict_columns(INPUTS)
    for copy in (Tagger.load(tmp_path / "run"), pickle.loads(pickle.dumps(tagger))):
        assert copy.predict_columns(INPUTS) == expected
    tagger.export(tmp_path / "exported")
    serving = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    padded = [tokens + [""] * (4 - len(tokens)) for tokens in INPUTS]
    found = serving(tokens=tf.constant(padded))
    assert set(found) == {"tags", "scores", "lengths", "tags_feats", "scores_feats", "tags_ner", "scores_ner"}
    for row, (tokens, sentence) in enumerate(zip(INPUTS, tagger.tag(INPUTS), strict=True)):
        for name, answer in {"": sentence, **{f"_{name}": of for name, of in sentence.further.items()}}.items():
            decoded = [tag.decode() for tag in found[f"tags{name}"].numpy()[row]]
            assert decoded == answer.tags + [""] * (4 - len(tokens))
            np.testing.assert_allclose(found[f"scores{name}"].numpy()[row, : len(tokens)], answer.scores, atol=1e-5)


@pytest.fixture(scope="module")
def run(tagger, tmp_path_factory):
    """The run directory of the tagger, beside a file of its columns."""
    folder = tmp_path_factory.mktemp("columns")
    rows = ["\n".join("\t".join(row) for row in zip(tokens, *tags.values(), strict=True)) for tokens, tags in SENTENCES]
    (folder / "data.tsv").write_text("\n\n".join(rows) + "\n", encoding="utf-8")
    tagger.save(folder / "run")
    return folder / "run"


def command(capsys, *arguments):
    """What a command prints as JSON."""
    assert run_command([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_runs_are_compared_in_the_column_that_is_named(tagger, run, capsys):
    found = command(capsys, "compare", run, run, "--data", run.parent / "data.tsv", "--column", "ner")
    report = evaluate_model(tagger.model_, load_corpus(SENTENCES, tagger.model_.options))
    assert found["measure"] == "f1" and [one["scores"] for one in found["systems"]] == [[report.columns["ner"].f1]] * 2


def test_models_of_folds_are_asked_about_the_column_that_is_named(tagger, run, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(cross_validation, "fit_tagging_model", lambda *given, **options: (tagger.model_, None))
    wrong = tmp_path / "wrong.tsv"
    text = (run.parent / "data.tsv").read_text(encoding="utf-8").replace("B-PER", "O") + "\n"
    wrong.write_text(text * 12, encoding="utf-8")
    by_one, by_folds = (command(capsys, "doubts", run, wrong, "--folds", n, "--column", "ner") for n in (0, 2))
    assert by_one == by_folds and by_one["doubts"] == 12 and by_one["worst"][0]["model"] == "[Ann PER] saw New York"


def test_a_curve_is_of_the_column_that_is_named(tmp_path, capsys):
    """Its share is trained already."""
    data, config, curve = tmp_path / "data.jsonl", tmp_path / "job.yaml", tmp_path / "curve"
    data.write_text(jsonl(), encoding="utf-8")
    config.write_text(f"task: tagging\ndata: {{train: {data}, dev: {data}, tag_columns: [upos, feats, ner]}}\n")
    (curve / "1").mkdir(parents=True)
    share = share_config(load_config(config), TagCodec(None, ["PROPN"]), 1.0)
    (curve / "1" / "config.yaml").write_text(dump_config(share), encoding="utf-8")
    dev = {"accuracy": 0.5, "columns": {"feats": {"accuracy": 0.25}, "ner": {"f1": 0.75}}}
    (curve / "1" / "metrics.json").write_text(json.dumps({"dev": dev, "train": {"seconds": 1}}), encoding="utf-8")
    for column, measure, score in (("upos", "accuracy", 0.5), ("feats", "accuracy", 0.25), ("ner", "f1", 0.75)):
        found = command(capsys, "curve", config, "--fractions", 1, "-o", curve, "--column", column)
        assert found["measure"] == measure and [point["score"] for point in found["points"]] == [score]


def test_a_column_that_a_run_does_not_have_is_one_line(run, refused):
    told = "--column: expected a column of tags of {} (upos, feats, ner), found 'xpos'"
    data = run.parent / "data.tsv"
    assert refused(2, "compare", run, run, "--data", data, "--column", "xpos") == told.format(run)
    for folds in (0, 2):
        assert refused(2, "doubts", run, data, "--folds", folds, "--column", "xpos") == told.format(run)
    config = run / "config.yaml"
    assert refused(2, "curve", config, "--column", "xpos") == told.format("the configuration")


def test_each_seed_has_a_score_of_each_column():
    gold, scores = [["N", "V"]], []
    runs = []
    for seed, (upos, feats) in enumerate(((["N", "V"], ["N", "N"]), (["V", "N"], ["N", "V"]))):
        columns = {"upos": quick_report(gold, [upos], None), "feats": quick_report(gold, [feats], None)}
        fit = SimpleNamespace(seconds=1.0, to_metrics=dict)
        runs.append(SeedRun(seed, tagger, fit, {"dev": ColumnsReport(columns, 0.5)}, []))
        scores.append([report.accuracy for report in columns.values()])
    spread = SeedRuns(runs, ["accuracy", "accuracy"]).to_metrics()["seeds"]["dev"]
    assert scores == [[1.0, 0.5], [0.0, 1.0]] and spread["scores"] == [0.75, 0.5]
    assert spread["columns"]["upos"] == {"mean": 0.5, "min": 0.0, "max": 1.0, "scores": [1.0, 0.0]}
    assert spread["columns"]["feats"]["scores"] == [0.5, 1.0]


def test_predict_fills_all_columns_of_a_file(tagger, run, tmp_path):
    source = tmp_path / "in.tsv"
    # A run that was fitted on Python lists reads files of tokens and columns of these names.
    source.write_text("Ann\nrains\n\nNew\nYork\n", encoding="utf-8")
    for name, options in {"out": [], "out.jsonl": ["--format", "jsonl"]}.items():
        arguments = ["predict", run, source, "-o", tmp_path / name, *options]
        assert run_command(list(map(str, arguments))) == 0
    rows = [line.split("\t") for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines() if line]
    predicted = tagger.predict_columns([["Ann", "rains"], ["New", "York"]])
    by_token = [list(chain.from_iterable(predicted[name])) for name in COLUMNS]
    assert rows == [list(row) for row in zip(["Ann", "rains", "New", "York"], *by_token, strict=True)]
    record = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert record["columns"]["ner"]["tags"] == predicted["ner"][0] and record["tags"] == predicted["upos"][0]


def test_only_the_named_columns_of_a_file_change():
    [first, _] = SentenceReader(io.StringIO(conllu()), "conllu", tag_column="upos")
    written = first.with_tags(["A", "B", "C", "D"], {"xpos": ["a", "b", "c", "d"], "feats": ["1", "2", "3", "4"]})
    rows = [line.split("\t") for line in written.splitlines() if line]
    assert [row[3:6] for row in rows] == [["A", "a", "1"], ["B", "b", "2"], ["C", "c", "3"], ["D", "d", "4"]]
    assert [row[:3] + row[6:] for row in rows] == [[str(k), token, *"_____"] for k, token in enumerate(first.tokens, 1)]
    [one] = SentenceReader(io.StringIO("a/X b/Y\n"), "slashes")
    with pytest.raises(DataError, match="expected a layout with room for the columns xpos, found slashes"):
        one.with_tags(["X", "Y"], {"xpos": ["1", "2"]})
