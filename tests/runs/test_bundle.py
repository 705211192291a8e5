from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile

import h5py
import numpy as np
import pytest
import yaml

from seqtag.errors import ConfigError, RunError
from seqtag.runs.bundle import load_encoders
from seqtag.runs.places import new_folder
from seqtag.runs.reading import check_room
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.stored_sizes import stored_sizes

SENTENCES = [TaggerInput(["Bo", "met", "New", "York", "Paris", "."]), TaggerInput(["unseen"]), TaggerInput([])]


@pytest.fixture
def copy(run_folder, tmp_path):
    """A copy of the run to be damaged."""
    shutil.copytree(run_folder, tmp_path / "run")
    return tmp_path / "run"


def refusal(folder) -> str:
    with pytest.raises(RunError) as error:
        TaggingModel.load(folder)
    assert error.value.exit_code == 1
    assert "\n" not in str(error.value)
    return str(error.value)


def test_save_and_load_give_the_same_answers(run_folder, tmp_path):
    model = TaggingModel.load(run_folder)
    model.save(tmp_path)
    (tmp_path / "again").mkdir()
    TaggingModel.load(tmp_path).save(tmp_path / "again")
    again = TaggingModel.load(tmp_path / "again")
    assert again.tag(SENTENCES) == model.tag(SENTENCES)
    assert again.to_dict() == model.to_dict()
    assert (tmp_path / "model.keras").stat().st_size == pytest.approx(
        (tmp_path / "again" / "model.keras").stat().st_size, rel=0.01
    )
    assert not list(tmp_path.glob(".*")), "nothing is left of writing aside"


def test_the_model_file_holds_what_answers_need_and_no_more(run_folder):
    network = TaggingModel.load(run_folder).network
    with zipfile.ZipFile(run_folder / "model.keras") as archive, archive.open("model.weights.h5") as member:
        found = []
        h5py.File(io.BytesIO(member.read())).visititems(lambda name, item: found.append((name, item)))
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    values = [item for _, item in found if isinstance(item, h5py.Dataset)]
    assert not [name for name, _ in found if name.startswith("optimizer/")]
    weights = [variable for variable in network.variables if "seed" not in variable.path]
    assert sum(value.size for value in values) == sum(np.size(variable) for variable in weights)
    assert network.kept_rows["bucket_embedding"] < network.representation.num_buckets / 100
    full = 4 * network.representation.num_buckets * (24 + network.columns[0].num_tags)
    assert (run_folder / "model.keras").stat().st_size < full / 5


def test_scattered_zeros_make_the_file_smaller(run_folder, tmp_path):
    model = TaggingModel.load(run_folder)
    sizes = []
    for name in ("as it is", "sparse"):
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
        sizes.append((tmp_path / name / "model.keras").stat().st_size)
        kernel = model.network.representation.spelling_projection.kernel
        kernel.assign(np.where(np.random.default_rng(0).uniform(size=kernel.shape) < 0.9, 0, kernel.numpy()))
    saved = 4 * np.size(kernel)
    assert sizes[1] < sizes[0] - 0.7 * saved


def test_a_run_directory_holds_what_the_design_lists(run_folder):
    names = {path.name for path in run_folder.iterdir()}
    assert names == {
        "config.yaml",
        "model.keras",
        "encoders.json",
        "metrics.json",
        "history.csv",
        "report.html",
        "logs",
        "checkpoints",
    }
    assert list(run_folder.glob("checkpoints/*/*.npz"))
    assert list(run_folder.glob("logs/*/*tfevents*"))
    assert not run_folder.with_name("run.partial").exists()
    assert not [path for path in run_folder.rglob("*") if path.suffix in (".pkl", ".pickle")]


def test_metrics_are_those_of_a_span_scheme(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert metrics["task"] == "tagging"
    wanted = "accuracy precision recall f1 f1_strict per_type repaired_sequences tokens sentences"
    for split in ("dev", "test"):
        assert set(wanted.split()) <= set(metrics[split])
        assert metrics[split]["sentences"] == 20
        calibration = metrics[split]["calibration"]
        assert calibration["tags"]["count"] == metrics[split]["tokens"]
        assert set(calibration["entities"]) == {"ece", "ece_before", "ece_by_chance", "count"}
    assert {"seconds", "epochs", "tokens_per_second", "peak_rss_mb"} <= set(metrics["train"])


def test_history_has_a_row_an_epoch_and_the_config_is_resolved(run_folder):
    with (run_folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert yaml.safe_load((run_folder / "config.yaml").read_text())["model"]["cell"] == "peephole_lstm"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (3, "expected format version 2, found 3; upgrade seqtag to read it"),
        (1, "expected format version 2, found 1"),
        (None, "expected format version 2, found None"),
    ],
)
def test_another_format_version_says_so(copy, version, message):
    path = copy / "encoders.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": version}))
    assert refusal(copy) == f"{path}: {message}"


def test_damaged_json(copy):
    path = copy / "encoders.json"
    path.write_text(path.read_text()[:100])
    assert refusal(copy) == f"{path}:7: expected JSON, found a fault: expecting value"
    path.write_text("[1]")
    assert refusal(copy) == f"{path}: expected a JSON object, found list"


def test_a_bundle_without_a_part_of_its_encoders(copy):
    path = copy / "encoders.json"
    data = json.loads(path.read_text())
    del data["words"]
    path.write_text(json.dumps(data))
    assert refusal(copy) == f"{copy}: expected a bundle that seqtag wrote, found 'words'"


@pytest.mark.parametrize("name", ["encoders.json", "model.keras"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    assert str(copy / name) in refusal(copy)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("cut", "expected a model, found File is not a zip file"),
        ("overwritten", "expected a whole model, found damage in model.weights.h5"),
    ],
)
def test_a_damaged_model_file(copy, damage, message):
    path = copy / "model.keras"
    content = path.read_bytes()
    middle = len(content) // 2
    rest = b"" if damage == "cut" else b"\xaa" * 500 + content[middle + 500 :]
    path.write_bytes(content[:middle] + rest)
    assert refusal(copy) == f"{path}: {message}"


def test_no_directory_and_an_unfinished_run(copy, tmp_path):
    nowhere = tmp_path / "nowhere"
    assert refusal(nowhere) == f"{nowhere}: expected the directory of a finished run, found none"
    copy.rename(tmp_path / "nowhere.partial")
    assert refusal(nowhere).endswith("found none; an unfinished run is there, go on with --resume")
    assert "expected a finished run, found one that was interrupted" in refusal(tmp_path / "nowhere.partial")


def test_a_new_folder_is_whole_or_not_there(tmp_path):
    with pytest.raises(OSError, match="full"), new_folder(tmp_path / "a") as folder:
        (folder / "half").write_text("half")
        raise OSError("full")
    assert not list(tmp_path.iterdir())
    with new_folder(tmp_path / "a") as folder:
        (folder / "whole").write_text("whole")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "whole"]


def test_a_new_folder_replaces_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b.partial").mkdir()
    with pytest.raises(RunError, match="expected a new directory, found one"), new_folder(tmp_path / "a"):
        pass
    with pytest.raises(RunError, match=r"b\.partial: found an unfinished run"), new_folder(tmp_path / "b"):
        pass
    assert (tmp_path / "b.partial").exists()


def test_the_encoders_alone_are_read_and_refused_as_the_whole_is(copy):
    assert load_encoders(copy, "tagging", lambda encoders: encoders["codec"]["scheme"], stored_sizes) == "IOB2"
    with pytest.raises(RunError, match="expected a run of forecasting, found one of tagging"):
        load_encoders(copy, "forecasting", dict, stored_sizes)
    with pytest.raises(RunError, match="expected a bundle that seqtag wrote, found 'nothing'"):
        load_encoders(copy, "tagging", lambda encoders: encoders["nothing"], stored_sizes)
    (copy / "encoders.json").unlink()
    assert refusal(copy).startswith(f"{copy / 'encoders.json'}: expected a file of the run")
    with pytest.raises(RunError, match="expected a file of the run"):
        load_encoders(copy, "tagging", dict, stored_sizes)


def test_more_words_than_a_bundle_holds_are_refused_before_training():
    check_room(map("{:>012}".format, range(1000)), "model.keep", "keep fewer")
    message = r"model.keep: expected words of at most 48 MB in a bundle, found 57 MB; keep fewer"
    with pytest.raises(ConfigError, match=message):
        check_room(["x" * 60_000] * 1000, "model.keep", "keep fewer")
