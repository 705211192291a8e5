"""`model.keras` as a stranger may have made it: what it holds is checked before Keras builds any of it.

The file is a zip archive of three members. Each is read in pieces, up to the size that it is declared to have. The
weights that are stored must be those of the network that the configuration describes, whose shapes are known without
memory for their values. So a file costs no more memory than its own weights.
"""

from __future__ import annotations

import io
import json
import math
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.errors import RunError, shown
from seqtag.runs.reading import MEGABYTE, MOST_BYTES, check_regular, first_line, parse_json

if TYPE_CHECKING:
    import h5py
    import keras

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
# How much larger than its compressed form a member may be, once it is large: zeros are stored in a thousandth.
MOST_EXPANSION, ANY_EXPANSION = 200, 64 * MEGABYTE
# Keras describes a network and the dtypes of its layers; nothing else in a file of ours names a class.
POLICY = ("keras", "DTypePolicy")


@dataclass(frozen=True)
class StoredNetwork:
    """The file of a network, whose members are of the right names and sizes.

    Attributes:
        path: of the file.
        config: the network as Keras describes it.
        metadata: what was written beside it.
    """

    path: Path
    config: dict[str, Any]
    metadata: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> StoredNetwork:
        """Reads all but the weights, which needs no Keras and is quick.

        Raises:
            RunError: the file is missing, damaged or no model, or describes what is no network of seqtag.
        """
        check_regular(path)
        with _archive(path) as archive:
            _check_members(path, archive)
            parts = [
                parse_json(_content(path, archive, name).getvalue(), f"{path}: {name}") for name in (CONFIG, METADATA)
            ]
        _check_classes(path, parts[0])
        return cls(path, *parts)

    def load(self) -> keras.Model:
        """Builds the network and reads its weights.

        Raises:
            RunError: a member is damaged, or the weights are not those of this network.
            Exception: what Keras raises of a configuration that it cannot build.
        """
        stored = Counter(self._shapes())
        import keras

        from seqtag.keras_internals import weight_shapes

        # A copy, since classes take from what they are built from.
        config = json.loads(json.dumps(self.config))
        numbers = sum(math.prod(shape) * count for shape, count in stored.items())
        needed = Counter(weight_shapes(lambda: keras.saving.deserialize_keras_object(config), numbers))
        if needed != stored:
            expected, found = (next(iter((a - b).elements()), "none") for a, b in ((needed, stored), (stored, needed)))
            raise RunError(f"{self.path}: expected weights of shape {expected}, found {found}")
        return keras.saving.load_model(self.path, compile=False, safe_mode=True)

    def _shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the stored weights. All members are read: Keras would load damaged ones without an error."""
        with _archive(self.path) as archive:
            content = {name: _content(self.path, archive, name) for name in archive.namelist()}[WEIGHTS]
        import h5py

        try:
            with h5py.File(content, "r") as file:
                found = list(_datasets(file))
        except Exception as error:  # of many kinds, as the library's C functions report them
            raise RunError(f"{self.path}: expected weights in {WEIGHTS}, found {first_line(error)}") from None
        return [item.shape for item in found]


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens the archive; errors of a damaged one name the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    # zipfile says so where an archive has a password, or is of several parts.
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: expected a model, found {first_line(error)}") from None


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    names = sorted(archive.namelist())
    if names != [CONFIG, METADATA, WEIGHTS]:
        raise RunError(f"{path}: expected {CONFIG}, {METADATA} and {WEIGHTS} in it, found {shown(names)}")
    for member in archive.infolist():
        place = f"{path}: {member.filename}"
        # Other methods would be expanded at once, whatever their size.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RunError(f"{place}: expected a member stored or deflated, found method {member.compress_type}")
        most = max(ANY_EXPANSION, MOST_EXPANSION * member.compress_size) if member.filename == WEIGHTS else MOST_BYTES
        if member.file_size > most:
            raise RunError(f"{place}: expected at most {most} bytes, found {member.file_size}")


def _content(path: Path, archive: zipfile.ZipFile, name: str) -> io.BytesIO:
    """What a member holds, no longer than it is declared to be."""
    content = io.BytesIO()
    try:
        with archive.open(name) as member:
            shutil.copyfileobj(member, content, MEGABYTE)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise RunError(f"{path}: expected a whole model, found damage in {name}") from None
    return content


def _check_classes(path: Path, config: dict[str, Any]) -> None:
    """Refuses what would make Keras import or call anything but our own classes."""
    waiting: list[Any] = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and "class_name" in part:
            module, name = part.get("module"), part["class_name"]
            is_ours = str(module).startswith("seqtag.") and part.get("registered_name") == f"seqtag>{name}"
            if not is_ours and (module, name) != POLICY:
                found = f"{shown(name)} of {shown(module)}"
                raise RunError(f"{path}: {CONFIG}: expected classes of seqtag alone, found {found}")
        if isinstance(part, dict | list):
            waiting.extend(part.values() if isinstance(part, dict) else part)


def _datasets(file: h5py.File) -> Iterator[h5py.Dataset]:
    """The arrays of a file as Keras writes it: groups and arrays alone, whose numbers stand in the file as they are."""
    import h5py

    waiting: list[h5py.Group] = [file]
    seen = {h5py.h5o.get_info(file.id).addr}
    while waiting:
        group = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"a link to another place, {shown(name)}")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"the same in several places, {shown(name)}")
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset) and _is_plain(item):
                yield item
            else:
                raise ValueError(f"what is no plain array of numbers, {shown(name)}")


def _is_plain(item: h5py.Dataset) -> bool:
    """Whether an array's numbers stand in the file one after the other."""
    elsewhere = item.external or item.is_virtual or item.chunks is not None
    return not elsewhere and item.dtype.kind in "biufV" and item.id.get_storage_size() == item.nbytes
