"""Files and folders written aside: whole or not at all, whatever stands at the name and whoever else writes."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqtag.errors import OutputError
from seqtag.figures import new_figure, save_figure
from seqtag.files.asides import MARK
from seqtag.files.folders import filled_folder, whole_folder
from seqtag.files.writing import Coloured, atomic_write, output_file

# A writer that fills its file or folder aside, says so, and waits to be killed or told to finish.
WRITER = """
import sys
from pathlib import Path
from seqtag.files import folders, writing
kind, target, content = sys.argv[1:]
kinds = {"file": writing.atomic_write, "whole": folders.whole_folder, "filled": folders.filled_folder}
with kinds[kind](Path(target)) as aside:
    path = aside if kind == "file" else aside / "inside"
    path.write_text(content * 100_000)
    print("written", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def writer():
    """`writer(kind, target, content)`: a process that has written aside and waits."""
    started = []

    def start(kind, target, content):
        command = [sys.executable, "-c", WRITER, kind, str(target), content]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "written\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def write(target: Path, text: str = "new") -> None:
    with atomic_write(target) as aside:
        aside.write_text(text)


def asides(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if MARK in path.name]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fault_leaves_the_old_file_or_none(tmp_path):
    for name in ("old", "none"):
        with pytest.raises(OSError, match="full"), atomic_write(tmp_path / name) as aside:
            aside.write_text("half")
            (tmp_path / "old").write_text("old")
            raise OSError("full")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "old"}


def test_an_interrupt_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "file"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "real").write_text("old")
    (tmp_path / "link").symlink_to("chain")
    (tmp_path / "chain").symlink_to(Path("other", "real"))
    write(tmp_path / "link")
    assert os.readlink(tmp_path / "link") == "chain" and os.readlink(tmp_path / "chain") == "other/real"
    assert (tmp_path / "other" / "real").read_text() == "new"
    assert not asides(tmp_path)


def test_permissions_are_the_umasks_or_those_of_the_old_file(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "new")
        assert mode(tmp_path / "new") == 0o640
        (tmp_path / "old").touch()
        for wanted in (0o600, 0o664, 0o755):
            (tmp_path / "old").chmod(wanted)
            with atomic_write(tmp_path / "old") as aside:
                assert mode(aside) & ~wanted == 0, "nobody reads it meanwhile who could not read the old one"
            assert mode(tmp_path / "old") == wanted
    finally:
        os.umask(before)


def test_the_owner_stays_where_the_user_may_set_it(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only the superuser gives files away")
    (tmp_path / "old").touch()
    os.chown(tmp_path / "old", 12, 34)
    write(tmp_path / "old")
    status = (tmp_path / "old").stat()
    assert (status.st_uid, status.st_gid) == (12, 34)


def test_another_name_of_the_file_keeps_the_old_content(tmp_path):
    (tmp_path / "one").write_text("old")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    write(tmp_path / "one")
    assert (tmp_path / "one").read_text() == "new" and (tmp_path / "two").read_text() == "old"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "folder: expected a file to write, found a folder"),
        ("dangling", "dangling: expected a file to write, found a link to nothing, nowhere"),
        ("circle", "circle: expected a file to write, found a fault: too many levels of symbolic links"),
        ("pipe", "pipe: expected a regular file, found a device, a pipe or a socket"),
        ("missing/file", "missing: expected a folder to write to, found none"),
        ("file/file", "file: expected a file to write, found a fault: not a directory"),
        ("n" * 300, "expected a file to write, found a fault: file name too long"),
    ],
)
def test_what_cannot_be_replaced_is_refused_at_once(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError) as error, atomic_write(tmp_path / name):
        pytest.fail("the block began")
    assert message.split(": ", 1)[-1] in str(error.value)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("protected", ["file", "folder"])
def test_what_is_write_protected_is_refused_at_once(tmp_path, protected, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, flags: False)  # the superuser may do all
    (tmp_path / "file").touch()
    context = atomic_write(tmp_path / "file") if protected == "file" else filled_folder(tmp_path)
    with pytest.raises(OutputError, match="found one that is write-protected"), context:
        pytest.fail("the block began")


def test_a_long_name_fits(tmp_path):
    for name in ("ü" * 127, "a" * 120 + "." + "b" * 130, ".hidden", "a.b.csv"):
        with atomic_write(tmp_path / name) as aside:
            assert aside.suffix in ("", ".csv") or len(aside.suffix) < 40
        assert (tmp_path / name).exists()


def test_the_later_of_two_writers_wins_whole(tmp_path, writer):
    target = tmp_path / "file"
    one, two = writer("file", target, "1"), writer("file", target, "2")
    assert len(asides(tmp_path)) == 2, "neither clears away what the other is writing"
    for process, content in ((two, "2"), (one, "1")):
        process.communicate("\n")
        assert process.returncode == 0
        assert target.read_text() == content * 100_000
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("kind", ["file", "whole", "filled"])
def test_what_a_killed_writer_left_is_cleared_by_the_next(tmp_path, writer, kind):
    target = tmp_path / "target.csv"
    if kind == "filled":
        target.mkdir()
    killed, living = writer(kind, target, "1"), writer(kind, target, "2")
    killed.kill()
    killed.wait()
    assert len(asides(tmp_path)) == 2
    last = writer(kind, target, "3")
    assert len(asides(tmp_path)) == 2, "that of the living one stays"
    last.communicate("\n")
    living.kill()
    assert (target if kind == "file" else target / "inside").read_text() == "3" * 100_000


def test_a_file_of_another_name_is_not_cleared(tmp_path):
    kept = [".other.writing-0123456789ab.csv", "target.writing-0123456789ab.csv", ".target.csv"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / ".target.writing-0123456789ab.csv").touch()
    write(tmp_path / "target.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"target.csv", *kept}


def test_without_locks_nothing_is_cleared(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    (tmp_path / ".target.writing-0123456789ab.csv").touch()
    monkeypatch.setattr(fcntl, "flock", none)
    write(tmp_path / "target.csv")
    assert (tmp_path / "target.csv").read_text() == "new"
    assert asides(tmp_path) == [".target.writing-0123456789ab.csv"], "its writer may live"


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """As a limit of the file's size, which any user can set."""
    (tmp_path / "file").write_text("old")
    program = f"""
import resource, signal
from pathlib import Path
from seqtag.files.writing import output_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with output_file(Path({str(tmp_path / "file")!r})) as write:
    write(b"a" * 5000)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file": "old"}


def test_a_figure_without_a_suffix_is_a_png(tmp_path):
    save_figure(new_figure(1, 1), tmp_path / "figure")
    assert [path.name for path in tmp_path.iterdir()] == ["figure"]
    assert (tmp_path / "figure").read_bytes().startswith(b"\x89PNG")


# The output of commands: devices and descriptors.


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("into", ["file", "pipe"])
def test_a_descriptor_is_written_to_from_where_it_stands(tmp_path, name, into):
    if not os.path.lexists(name) and name != "link":
        pytest.skip(f"there is no {name}")
    (tmp_path / "link").symlink_to("/dev/stdout")
    program = f"""
import os, sys
from pathlib import Path
from seqtag.files.writing import output_file
os.write(1, b"before\\n")
with output_file(Path({name!r})) as write:
    write(b"answers\\n")
os.write(1, b"after\\n")
"""
    with (tmp_path / "out").open("wb") as out:
        stdout = out if into == "file" else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", program], stdout=stdout, cwd=tmp_path, check=True)
    written = (tmp_path / "out").read_bytes() if into == "file" else done.stdout
    assert written == b"before\nanswers\nafter\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]


def test_devices_and_pipes_stay_what_they_are(tmp_path):
    with output_file(Path("/dev/null")) as write:
        write(b"answers")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with output_file(tmp_path / "pipe") as write:
        write(b"answers")
    assert os.read(reader, 99) == b"answers"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_descriptor_that_is_not_open(tmp_path):
    if not os.path.exists("/dev/fd"):
        pytest.skip("there is no /dev/fd")
    with pytest.raises(OutputError, match="expected an open descriptor, found a fault: bad file descriptor"):
        output_file(Path("/dev/fd/987")).__enter__()


# Folders.


def test_a_whole_folder_replaces_nothing_that_appears_meanwhile(tmp_path):
    with pytest.raises(OutputError, match="expected no file or folder of this name, found a new one"):  # noqa: SIM117
        with whole_folder(tmp_path / "a" / "run") as aside:
            (aside / "part").touch()
            (tmp_path / "a" / "run").mkdir()
            (tmp_path / "a" / "run" / "other").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "run", "other"]


def test_a_filled_folder_gets_all_files_or_none(tmp_path):
    for name in ("one", "kept"):
        (tmp_path / name).write_text("old")
    with pytest.raises(OSError, match="full"), filled_folder(tmp_path) as aside:
        (aside / "one").write_text("new")
        raise OSError("full")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": "old", "kept": "old"}
    with filled_folder(tmp_path) as aside:
        for name in ("one", "two"):
            (aside / name).write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": "new", "two": "new", "kept": "old"}


def test_a_filled_folder_replaces_no_folder_in_it(tmp_path):
    (tmp_path / "two").mkdir()
    with pytest.raises(OutputError, match="two: expected a file to write, found a folder"):  # noqa: SIM117
        with filled_folder(tmp_path) as aside:
            for name in ("one", "two"):
                (aside / name).write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_a_new_filled_folder_is_not_there_after_a_fault(tmp_path):
    with pytest.raises(OSError, match="full"), filled_folder(tmp_path / "new") as aside:
        (aside / "one").write_text("new")
        raise OSError("full")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ["file", "file/folder", "dangling/folder"])
def test_a_folder_where_a_file_is(tmp_path, target):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(OutputError, match="expected a folder to write to, found a"), filled_folder(tmp_path / target):
        pytest.fail("the block began")


def test_many_killed_writers_lose_nothing(tmp_path):
    """Killed at any moment, a writer leaves the old file or the new one, and what it left aside is cleared."""
    target = tmp_path / "file"
    write(target, "0" * 50_000)
    program = f"""
from pathlib import Path
from seqtag.files.writing import atomic_write
while True:
    for digit in "123456789":
        with atomic_write(Path({str(target)!r})) as aside:
            aside.write_text(digit * 50_000)
"""
    for n in range(8):
        process = subprocess.Popen([sys.executable, "-c", program])
        before = target.stat().st_ino
        while target.stat().st_ino == before:
            time.sleep(0.001)
        time.sleep(0.0007 * n)
        process.send_signal(signal.SIGKILL)
        process.wait()
        text = target.read_text()
        assert len(text) == 50_000 and len(set(text)) == 1
    write(target)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals on this system")
def test_a_terminal_gets_colours_of_ours_and_no_control_of_the_data(tmp_path):
    parts = [b"\x1b[2Jdata\n", Coloured("[odd]\n", "\x1b[41modd\x1b[0m\n")]
    outer, inner = os.openpty()
    try:
        with output_file(Path(f"/dev/fd/{inner}")) as write:
            for part in parts:
                write(part)
        shown = os.read(outer, 1000).replace(b"\r\n", b"\n")
    finally:
        os.close(outer)
        os.close(inner)
    assert shown == b"\\x1b[2Jdata\n\x1b[41modd\x1b[0m\n"
    with output_file(tmp_path / "a.txt") as write:
        for part in parts:
            write(part)
    assert (tmp_path / "a.txt").read_bytes() == b"\x1b[2Jdata\n[odd]\n"
