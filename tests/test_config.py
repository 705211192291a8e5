from __future__ import annotations

from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from seqtag import cli
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "expected a mapping of keys, found list"),
        ("task: tagging\ndata: {train: [\n", "expected YAML"),
        ("task: baking\n", "task: input should be 'tagging' or 'forecasting', found 'baking'"),
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
    assert {"ner_sample", "forecast_sample"} <= set(packaged_configs())


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
    with pytest.raises(ConfigError, match=r"found neither; names: forecast_.*, ner_sample, .*pos_ewt$"):
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
