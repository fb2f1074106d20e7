"""The bundle as files and as one archive: the same runs give the same bytes, wherever and whenever."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from ._cleaning import Cleaned, digests_of, file_of, json_bytes, name_of
from ._page import Page, html_of, markdown_of

FORMAT = 1
_DISTRIBUTION = "loom"
MANIFEST, REPORT, PAGE, CHECKSUMS = "manifest.json", "report.md", "report.html", "SHA256SUMS"
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle in memory: its files by name, the archive of them, and what it is called."""

    name: str
    files: Mapping[str, bytes]
    archive: bytes

    @property
    def sha256(self) -> str:
        """The digest of the archive: of exactly what is sent."""
        return hashlib.sha256(self.archive).hexdigest()

    @property
    def stem(self) -> str:
        """Its name on a disk; another content has another one."""
        return f"{self.name}-{self.sha256[:_SHORT]}"

    def listed(self) -> list[dict[str, Any]]:
        """Its files, each with its digest."""
        return _listed(self.files)


def pack(left: Cleaned, page: Page) -> Packed:
    """The bundle of cleaned runs."""
    files = {file_of(record): json_bytes(record) for record in left.runs}
    files[REPORT] = markdown_of(left).encode()
    files[PAGE] = html_of(left, page).encode()
    files[MANIFEST] = json_bytes(_manifest(left, files))
    ordered = dict(sorted(files.items()))
    sums = (f"{hashlib.sha256(held).hexdigest()}  {name}\n" for name, held in ordered.items())
    ordered[CHECKSUMS] = "".join(sums).encode()
    return Packed(name_of(left.about), ordered, _zipped(name_of(left.about), ordered))


def _manifest(left: Cleaned, files: Mapping[str, bytes]) -> dict[str, Any]:
    lineage = [
        {
            **{key: record.get(key) for key in ("run", "verb", "status", "verdict", "reads")},
            "digests": digests_of(record),
            "file": file_of(record),
        }
        for record in left.runs
    ]
    return {
        "format": FORMAT,
        "about": dict(left.about),
        "verdict_of": left.head,
        "loom": _version(),
        "lineage": lineage,
        "redactions": [{"kind": kind, "count": count} for kind, count in left.redactions.items()],
        "files": _listed(dict(sorted(files.items()))),
    }


def _version() -> str | None:
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def _listed(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"path": name, "sha256": hashlib.sha256(held).hexdigest(), "bytes": len(held)}
        for name, held in files.items()
    ]


def _zipped(name: str, files: Mapping[str, bytes]) -> bytes:
    """One archive, stored as it is: what packs bytes differs from machine to machine."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path, held in files.items():
            entry = zipfile.ZipInfo(f"{name}/{path}", _NO_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, held)
    return packed.getvalue()
