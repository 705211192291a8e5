from __future__ import annotations

import pytest
import yaml

from seqtag.errors import ConfigError
from seqtag.runs.config_file import dump_config, resolve_path
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
