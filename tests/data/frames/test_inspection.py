"""Reports on files of frames."""

from __future__ import annotations

import io

import pytest

from seqtag.data.frames.columns import FrameColumns
from seqtag.data.frames.inspection import inspect_frames
from seqtag.errors import DataError

ARCHIVE = "@univariate false\n@classLabel true u v\n@data\n"


def test_a_table():
    table = io.StringIO("name,x,y,kind\na,1,?,u\na,,?,u\na,5,?,v\nb,3,?,u\n")
    [report] = inspect_frames([table], FrameColumns("name", label="kind")).files
    assert (report.sequences, report.frames, dict(report.lengths)) == (2, 4, {"min": 1, "median": 2, "max": 3})
    assert (report.labelled, dict(report.labels)) == ("steps", {"u": 3, "v": 1})
    x, y = report.features
    assert (x.name, x.missing, x.mean, x.least, x.greatest) == ("x", 0.25, 3, 1, 5)
    assert (y.missing, y.deviation) == (1, 0)


@pytest.mark.parametrize(
    ("text", "labelled", "labels"),
    [
        (ARCHIVE + "1,2:3,4:u\n", "sequences", {"u": 1}),
        (ARCHIVE + "1,2:3,4:u,v\n", "steps", {"u": 1, "v": 1}),
        ("@classLabel false\n@data\n1,2:3,4\n", "nothing", {}),
    ],
)
def test_archive_files(tmp_path, text, labelled, labels):
    (tmp_path / "a.ts").write_text(text)
    report = inspect_frames([tmp_path / "a.ts"])
    assert (report.files[0].labelled, dict(report.files[0].labels)) == (labelled, labels)
    assert "1: mean 1.5" in report.to_text() or labelled == "nothing"
    assert report.to_metrics()["files"][0]["frames"] == 2


def test_a_fault_is_told(tmp_path):
    (tmp_path / "a.ts").write_text(ARCHIVE + "1,2:3,z:u\n")
    with pytest.raises(DataError, match="expected a number, found 'z' in dimension 2"):
        inspect_frames([tmp_path / "a.ts"])
