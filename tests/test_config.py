from __future__ import annotations

from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from seqtag import cli
from seqtag.config.section import validate_section
from seqtag.errors import ConfigError
from seqtag.runs.config_file import dump_config, find_config, packaged_configs, resolve_path
from seqtag.tagging.config import TaggingConfig
from seqtag.tasks import load_config, parse_config


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("task: tagging\ndata:\n  train: a\n  dev: b\nmodel:\n  units: 50\n", encoding="utf-8")
    return path


def test_values_defaults_and_overrides(config_file):
    config = load_config(config_file, ["data.train=x.conll", "training.clip_norm=null", "model.units=7", "seed=3"])
    assert (config.data.train, config.training.clip_norm, config.model.units, config.seed) == ("x.conll", None, 7, 3)
    assert config.model.cell == "peephole_lstm"


def test_resolved_config_reads_back_as_itself(config_file):
    config = load_config(config_file)
    assert TaggingConfig.model_validate(yaml.safe_load(dump_config(config))) == config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.unit=5", "model.unit: unknown key, did you mean 'units'?"),
        ("trainig.epochs=5", "trainig: unknown key, did you mean 'training'?"),
        ("training.epochs=many", "training.epochs: input should be a valid integer"),
        ("training.epochs=0", "training.epochs: input should be greater than or equal to 1, found 0"),
        ("training.row_l1=-1", "training.row_l1: input should be greater than or equal to 0, found -1"),
        ("model.dropout=1.5", "model.dropout: input should be less than 1, found 1.5"),
        ("model.head=hmm", "model.head: input should be 'crf' or 'softmax', found 'hmm'"),
        ("model", "--set model: expected KEY=VALUE with a dotted key"),
        ("model..units=3", "expected KEY=VALUE with a dotted key"),
        ("seed.x=3", "seed: "),
    ],
)
def test_bad_overrides_name_the_key(config_file, override, message):
    with pytest.raises(ConfigError) as error:
        load_config(config_file, [override])
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(error.value.reason)


def test_the_reason_of_an_error_has_no_key():
    with pytest.raises(ConfigError) as error:
        validate_section(TaggingConfig, {"task": "tagging", "model": {"units": 0}}, "job.yaml")
    assert str(error.value) == "job.yaml: model.units: input should be greater than or equal to 1, found 0"
    assert error.value.reason == "input should be greater than or equal to 1, found 0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "expected a mapping of keys, found list"),
        ("task: tagging\ndata: {train: [\n", "expected YAML"),
        (
            "task: baking\n",
            "task: input should be 'tagging' or 'forecasting' or 'seq2seq' or 'language_model' or 'classification', "
            "found 'baking'",
        ),
        ("data: {}\n", "task: expected a value, found none"),
        ("task: !!python/object/apply:os.system ['true']\n", "expected YAML"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert error.value.exit_code == 2


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="expected a config file, found no such file"):
        load_config(tmp_path / "none.yaml")


def test_config_is_closed_to_keys_of_the_wrong_depth():
    with pytest.raises(ConfigError, match="units: unknown key"):
        parse_config({"task": "tagging", "units": 3})


def test_paths_start_from_the_root_then_the_environment(monkeypatch, config_file, tmp_path):
    monkeypatch.delenv("SEQTAG_DATA", raising=False)
    assert load_config(config_file).data.root is None
    assert str(resolve_path("a/b", None)) == "a/b"
    monkeypatch.setenv("SEQTAG_DATA", "/elsewhere")
    assert load_config(config_file).data.root == "/elsewhere"
    assert load_config(config_file, ["data.root=/root"]).data.root == "/root"
    assert str(resolve_path("a/b", "/root")) == "/root/a/b"
    assert resolve_path(str(tmp_path), "/root") == tmp_path


def test_a_name_is_a_configuration_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config("ner_sample").task == "tagging"
    assert load_config("forecast_sample", ["training.epochs=2"]).training.epochs == 2
    assert {"ner_sample", "forecast_sample", "seq2seq_sample"} <= set(packaged_configs())


def test_a_file_goes_before_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ner_sample").write_text("task: tagging\nseed: 7\n", encoding="utf-8")
    assert load_config("ner_sample").seed == 7


@pytest.mark.parametrize("path", ["ner_sample.yaml", "configs/ner_sample", "./other.yml"])
def test_a_path_is_not_looked_for_in_the_package(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(path) == Path(path)
    with pytest.raises(ConfigError, match="expected a config file, found no such file"):
        load_config(path)


def test_an_unknown_name_lists_those_there_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^ner_smple: expected a config file or .*, did you mean 'ner_sample'"):
        load_config("ner_smple")
    with pytest.raises(ConfigError, match=r"found neither; names: .*, forecast_.*, ner_sample, .*translate_swe$"):
        load_config("xyzzy")


def test_a_wheel_has_the_configurations_inside_the_package(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "seqtag"
    (package / "configs").mkdir(parents=True)
    (package / "configs" / "job.yaml").write_text("task: tagging\n", encoding="utf-8")
    (package.parent / "configs").mkdir()
    (package.parent / "configs" / "stranger.yaml").write_text("", encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda name: tmp_path / "site-packages" / name)
    assert packaged_configs() == {"job": package / "configs" / "job.yaml"}
    (package / "configs" / "job.yaml").rename(tmp_path / "job.yaml")
    (package / "configs").rmdir()
    assert packaged_configs() == {}, "the folder beside an installed package is another package's"


def test_the_run_of_a_name_is_called_after_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(
        "seqtag.tagging.task.train", lambda *arguments: called.append(arguments) or SimpleNamespace(show=print)
    )
    assert cli.run(["train", "ner_sample"]) == 0
    assert [output for _, output, _ in called] == [Path("runs/ner_sample")]
    assert cli.run(["train", "ner_smple"]) == 2
    assert "did you mean 'ner_sample'?" in capsys.readouterr().err
    assert cli.run(["backtest", "ner_sample"]) == 2
    assert "ner_sample: task: expected 'forecasting', found 'tagging'" in capsys.readouterr().err


def bad(tmp_path, content: bytes, *overrides: str) -> str:
    """The message about a file, of which only the name is left of the path."""
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load_config(path, overrides)
    assert error.value.exit_code == 2 and len(str(error.value)) <= 300 and str(error.value).isprintable()
    return str(error.value).replace(f"{tmp_path}/", "")


TASK = b"task: tagging\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TASK + b"model: {units: 5, units: 6}\n", "bad.yaml:2: expected each key once, found 'units' again"),
        (TASK + b"model: &m {units: 5}\nx: *m\n", "bad.yaml:2: expected YAML of plain values, found the anchor &m"),
        (TASK + b"training: {l1: .nan}\n", "bad.yaml:2: expected a finite number, found '.nan'"),
        (TASK + b"\xff\n", "bad.yaml:2: expected a config in utf-8, found byte 0xff"),
        (b"\x00\x01\x7fELF\n" * 9, "bad.yaml:1: expected YAML, found the character '\\x00'"),
        (b"#" * 200_001, "bad.yaml: expected a config of at most 200000 bytes, found more"),
        (b"", "bad.yaml: expected a mapping of keys, found nothing"),
        (TASK + b"seed: 010.5\n", "bad.yaml: seed: input should be a valid integer"),
        (TASK + b"model: {units: 2147483648}\n", "bad.yaml: model.units: input should be less than 2147483648"),
        (b"task: [" + b"x, " * 9999 + b"]\n", "bad.yaml: task: input should be 'tagging' or 'forecasting' or"),
        (TASK + b"k" * 999 + b": 1\n", "bad.yaml: kkkkk"),
        (TASK + b"data: {train: {a: {b: [c]}}}\n", "bad.yaml: data.train: input should be a valid string, found {'a'"),
        (TASK + b"data: {train: \"\x1b[31m\"}\n", "bad.yaml:2: expected YAML, found the character '\\x1b'"),
        (TASK + b'data: {layout: "\\e[31m"}\n', "bad.yaml: data.layout: input should be 'auto', "),
    ],
)  # fmt: skip
def test_faults_of_a_file_are_placed_and_bounded(tmp_path, content, message):
    assert bad(tmp_path, content).startswith(message)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.l1=.inf", "bad.yaml: training.l1: input should be a valid number, unable to parse"),
        ("training.l1=1e999", "bad.yaml: training.l1: input should be a finite number, found '1e999'"),
        ("seed=" + "9" * 5000, "bad.yaml: seed: unable to parse input string as an integer, exceeded maximum size"),
        ("model={units: 1, units: 2}", "--set model: expected each key once, found 'units' again"),
        ("data.features=[pos", "--set data.features: expected YAML, found a fault"),
        ("model=" + "[" * 9999, "--set model: expected "),
        ("model.units=&a 3", "bad.yaml: model.units: input should be a valid integer"),
        ("seed=1:30", "bad.yaml: seed: input should be a valid integer"),
        ("seed.a=1", "--set seed.a: expected a section, found 'seed', which is a value"),
        ("a." * 5000 + "a=1", "bad.yaml: a: unknown key"),
        ("x" * 5000, "--set xxx"),
    ],
)
def test_faults_of_an_override_name_its_key_and_are_bounded(tmp_path, override, message):
    assert bad(tmp_path, TASK + b"seed: 3\n", override).startswith(message)


def test_text_of_an_override_needs_no_quotes(config_file):
    settings = ["data.train=*.conll", "data.dev=&x @y: z", "data.test=2024-13-45"]
    data = load_config(config_file, settings).data
    assert (data.train, data.dev, data.test) == ("*.conll", "&x @y: z", "2024-13-45")


def test_devices_and_streams_end(tmp_path):
    with pytest.raises(ConfigError, match="at most 200000 bytes"):
        load_config("/dev/zero")
    with pytest.raises(ConfigError, match="found nothing"):
        load_config("/dev/null")
    with pytest.raises(ConfigError, match="is a directory"):
        load_config(tmp_path)


def test_text_that_looks_like_a_number_stays_text(config_file):
    """PyYAML's own dumper writes `1e5` without quotes, which is a number."""
    config = load_config(config_file, ["data.train='1e5'", "data.dev='010'", "data.test='yes'"])
    config_file.write_text(dump_config(config), encoding="utf-8")
    assert load_config(config_file) == config
