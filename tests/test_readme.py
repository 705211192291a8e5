"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def block(language: str, containing: str) -> str:
    [text] = [text for name, text in BLOCKS if name == language and containing in text]
    return text


def test_the_layers_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"word_ids": np.array([[3, 4, 5], [6, 0, 0]]), "tag_ids": np.array([[1, 2, 0], [3, 0, 0]])}
    exec(block("python", "crf = CRF()"), names)
    tags = np.asarray(names["tags"])
    assert tags.shape == (2, 3)
    assert (tags[1, 1:] == 0).all(), "padding"
    assert (tmp_path / "model.keras").exists()


def test_the_estimator(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    line = "John\tB-PER\nlives\tO\nin\tO\nParis\tB-LOC\n\n"
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.conll").write_text(line * 12, encoding="utf-8")
    names: dict = {}
    exec(block("python", "from seqtag import Tagger").replace("units=100", "units=8"), names)
    assert [len(tags) for tags in names["tagger"].predict([["John", "sleeps"], []])] == [2, 0]
    assert (tmp_path / "exported" / "ner" / "saved_model.pb").exists()


def test_the_forecaster(tmp_path, monkeypatch):
    from seqtag.forecasting.data.samples import sample_series

    monkeypatch.chdir(tmp_path)
    frame = sample_series(series=2, steps=260, frequency="h")[0][["unique_id", "ds", "y"]]
    names: dict = {"frame": frame}
    small = {"horizon=24": "horizon=4", "lookback=168": "lookback=24, units=4", '"epochs": 20': '"epochs": 1'}
    text = block("python", "from seqtag import Forecaster").replace("horizon=36", "horizon=6")
    for shown, tried in small.items():
        assert shown in text
        text = text.replace(shown, tried)
    exec(text, names)
    assert len(names["forecaster"].predict()) == 2 * 4
    names = {"values": frame["y"].to_numpy("float32")[None, :24]}
    exec(block("python", '["update"]'), names)
    assert names["signatures"]["forecast"](state=names["state"])["quantiles"].shape == (1, 4, 3)


def test_the_instruments_for_gradients(tmp_path, monkeypatch):
    import keras

    monkeypatch.chdir(tmp_path)
    layers = [keras.layers.GRU(4, name="gru", return_sequences=True), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    model.compile("sgd", "mse")
    names = {"model": model, "x": np.ones((4, 6, 3), "float32"), "y": np.ones((4, 6, 1), "float32")}
    exec(block("python", "GradientMonitor("), names)
    assert len(names["history"]["grad_norm/gru"]) == 1
    exec(block("python", "gradient_flow(model, x, y)"), names)
    assert names["flow"].norms["gru"].shape == (6,)
    assert (tmp_path / "flow.png").exists() and (tmp_path / "logs" / "history.csv").exists()


def test_a_text_in_windows():
    import keras

    from seqtag.layers import GRU

    layers = [keras.layers.Embedding(5, 4), GRU(4, return_sequences=True), keras.layers.Dense(5, activation="softmax")]
    model = keras.Sequential([keras.Input((None,), dtype="int32"), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    text = block("python", "parallel_streams(ids").replace("k1=50, k2=100", "k1=3, k2=6")
    exec(text, {"model": model, "ids": np.arange(32 * 7 + 1) % 5})


@pytest.mark.parametrize("path", sorted((README.parent / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_is_valid_and_in_the_readme(path):
    from seqtag.tasks import load_config

    load_config(path)
    assert path.name in README.read_text(encoding="utf-8")


def test_the_commands_are_those_of_the_command_line():
    from typer.main import get_command

    from seqtag.cli import app

    commands = set(get_command(app).commands)
    shells = "".join(text for name, text in BLOCKS if name == "sh")
    shown = set(re.findall(r"^(?:.*\| )?seqtag (\w+)", shells, flags=re.MULTILINE))
    assert shown == commands
