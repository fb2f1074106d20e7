"""ZIP archives from strangers: looked at as a whole before anything of them is written.

An archive is read into memory once, so that what is checked, what is hashed and what is unpacked are the
same bytes.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loom.core.plain import shown
from loom.core.portable import folded, why_not_portable
from loom.kernel.ids import digest

MAX_ARCHIVE_BYTES = 64 * 1024 * 1024
MAX_MEMBERS = 2000
MAX_MEMBER_BYTES = 64 * 1024 * 1024
MAX_TOTAL_BYTES = 256 * 1024 * 1024
MAX_RATIO = 100
# below this a high ratio is repetition, not an attack
RATIO_FROM_BYTES = 1024 * 1024
MAX_DIRECTORY_BYTES = 1024 * 1024

_CHUNK = 1024 * 1024
_FIRST = b"PK\x03\x04"
_END = struct.Struct("<4sHHHHIIH")
_END_64 = b"PK\x06\x07"
_UTF8, _ENCRYPTED, _PATCH = 0x800, 0x1, 0x20
# whatever zipfile and zlib say about bytes that are no archive, or one that was tampered with
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)


class ArchiveError(ValueError):
    """An archive that is not unpacked, and why."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose every name and size was checked."""

    digest: str
    files: tuple[str, ...]
    folders: tuple[str, ...]
    _zip: zipfile.ZipFile = field(repr=False)

    def read(self, name: str) -> bytes:
        """The content of one file."""
        return b"".join(self._chunks(name))

    def check(self) -> None:
        """Read everything once; what is damaged is an ArchiveError."""
        for name in self.files:
            for _ in self._chunks(name):
                pass

    def unpack(self, folder: Path) -> None:
        """Write everything into a new folder, and bring it to the disk."""
        folder.mkdir()
        for name in self.folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name in self.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                for chunk in self._chunks(name):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        for place, _, _ in os.walk(folder):
            sync_folder(Path(place))

    def _chunks(self, name: str) -> Iterator[bytes]:
        with _refusing(name):
            info = self._zip.getinfo(name)
            left = info.file_size
            with self._zip.open(info) as member:
                while chunk := member.read(_CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        break
                    yield chunk
            if left:
                raise ArchiveError(f"{shown(name)} has another size than the archive says")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive for reading; one that is unsafe is an ArchiveError that names everything unsafe."""
    raw = _read(path)
    _check_frame(raw)
    with _refusing("the archive"):
        opened = zipfile.ZipFile(io.BytesIO(raw))
    with opened:
        infos = opened.infolist()
        wrong = list(_wrong_with(infos, len(raw)))
        if wrong:
            more = f"; and {len(wrong) - 20} more" if len(wrong) > 20 else ""
            raise ArchiveError("; ".join(wrong[:20]) + more)
        files = tuple(info.filename for info in infos if not _is_folder(info))
        folders = tuple(info.filename.removesuffix("/") for info in infos if _is_folder(info))
        yield Archive(digest(raw), files, folders, opened)


def _read(path: Path) -> bytes:
    # a pipe is neither waited for nor an archive
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ArchiveError("it is not a regular file")
    with os.fdopen(handle, "rb") as file:
        raw = file.read(MAX_ARCHIVE_BYTES + 1)
    if len(raw) > MAX_ARCHIVE_BYTES:
        raise ArchiveError(f"it is larger than {MAX_ARCHIVE_BYTES:,} bytes")
    return raw


def _check_frame(raw: bytes) -> None:
    """Refuse what is not just a ZIP archive, and a table of contents too long to be read."""
    if not raw.startswith(_FIRST):
        raise ArchiveError("it does not begin like a ZIP archive with something in it")
    place = raw.rfind(b"PK\x05\x06", max(0, len(raw) - _END.size - 0xFFFF))
    if place < 0 or place + _END.size > len(raw):
        raise ArchiveError("its table of contents is missing")
    _, disk, first_disk, _, count, size, _, comment = _END.unpack_from(raw, place)
    if raw[max(0, place - 20) :].startswith(_END_64) or disk or first_disk:
        raise ArchiveError("it is a large or split archive (ZIP64), which no app needs")
    if place + _END.size + comment != len(raw):
        raise ArchiveError("something follows the end of the archive")
    if count > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES:
        raise ArchiveError(f"it holds more than {MAX_MEMBERS:,} files, or names beyond measure")


def _wrong_with(infos: list[zipfile.ZipInfo], size: int) -> Iterator[str]:
    if len(infos) > MAX_MEMBERS:
        yield f"it holds more than {MAX_MEMBERS:,} files"
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL_BYTES:
        yield f"its files have {total:,} bytes; the limit is {MAX_TOTAL_BYTES:,}"
    # entries that share bytes, or claim bytes that are not there, would pass for well packed
    if sum(info.compress_size for info in infos) > size:
        yield "its files claim more bytes than the archive has"
    for info in infos:
        wrong = _wrong_member(info)
        if wrong:
            yield f"{shown(info.orig_filename)} {wrong}"
    yield from _collisions(infos)


def _wrong_member(info: zipfile.ZipInfo) -> str:
    """What is unsafe about one entry, as the end of a sentence."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    folder = _is_folder(info)
    if info.orig_filename != info.filename:
        return "has a name that is read in two ways"
    if not info.filename.isascii() and not info.flag_bits & _UTF8:
        return "has a name in an unknown encoding"
    if kind not in (0, stat.S_IFDIR if folder else stat.S_IFREG):
        return "is a link" if kind == stat.S_IFLNK else "is neither a file nor a folder"
    if info.flag_bits & (_ENCRYPTED | _PATCH):
        return "is encrypted or a patch"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in an unusual way"
    if folder and info.file_size:
        return "is a folder with content"
    if info.file_size > MAX_MEMBER_BYTES:
        return f"has {info.file_size:,} bytes; the limit is {MAX_MEMBER_BYTES:,}"
    if info.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size):
        return f"grows to more than {MAX_RATIO} times its size"
    return why_not_portable(info.filename.removesuffix("/") if folder else info.filename)


def _collisions(infos: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Names that are one file where case does not count, or a file and a folder at once."""
    spelled: dict[str, tuple[str, bool]] = {}
    files: set[str] = set()
    for info in infos:
        parts = info.filename.removesuffix("/").split("/")
        for length in range(1, len(parts) + 1):
            name = "/".join(parts[:length])
            is_file = length == len(parts) and not _is_folder(info)
            other, was_file = spelled.setdefault(folded(name), (name, is_file))
            if other != name:
                yield f"{shown(name)} and {shown(other)} are one where case does not count"
            elif is_file != was_file:
                yield f"{shown(name)} is both a file and a folder"
        if info.filename in files:
            yield f"{shown(info.filename)} is there twice"
        if not _is_folder(info):
            files.add(info.filename)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/")


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except ArchiveError:
        raise
    except _BROKEN as error:
        raise ArchiveError(f"{shown(name)} is damaged: {error}") from None
