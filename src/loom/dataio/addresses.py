"""What a source is, read from the text a person typed; nothing is opened here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from loom.kernel.errors import LoomError

Kind = Literal["file", "directory", "database", "web"]
Engine = Literal["sqlite", "duckdb", "postgresql"]
Format = Literal["csv", "tsv", "parquet", "arrow", "jsonl"]
Compression = Literal["gzip", "zstd"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_ENGINES: dict[str, Engine] = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgresql": "postgresql",
    "postgres": "postgresql",
}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_KNOWN = "csv, tsv, parquet, arrow, feather or jsonl, also with .gz or .zst"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a source is. `shown` never holds a password; `text` may, and is left out of every print."""

    kind: Kind
    shown: str
    text: str = field(repr=False)
    path: Path | None = None
    engine: Engine | None = None
    table: str | None = None


def parse_address(text: str, table: str | None = None) -> Address:
    """Tell a file, a folder, a database (`engine://…[::table]`) and a web file apart."""
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _local(text, table)
    name = scheme[1].lower()
    if name in ("http", "https"):
        return Address("web", _without_secrets(text), text, table=_no_table(text, table))
    if name not in _ENGINES:
        raise LoomError(
            f"{name}:// is not a source Loom can read",
            "sources are files, folders, http(s) files and the databases sqlite, duckdb and postgresql",
            "download the data first, then: loom connect FILE",
        )
    engine = _ENGINES[name]
    base, mark, suffix = text.partition("::")
    wanted = table if table is not None else (suffix if mark else None)
    if engine == "postgresql":
        return Address("database", _without_secrets(base), base, engine=engine, table=wanted or None)
    # three slashes lead to a relative path, four to an absolute one, as database URLs have it elsewhere
    rest = base[scheme.end() :]
    if not rest.startswith("/") or len(rest) < 2:
        raise LoomError(
            f"{base} names no database file",
            "the path follows three slashes",
            f"write {name}:///relative/file or {name}:////absolute/file",
        )
    path = Path(unquote(rest[1:]))
    return Address("database", base, base, path=path, engine=engine, table=wanted or None)


def format_of(name: str) -> tuple[Format, Compression | None]:
    """The format and the compression that a file's name tells; a LoomError where it tells neither."""
    path = Path(name.lower())
    compression = _COMPRESSIONS.get(path.suffix)
    if compression is not None:
        path = path.with_suffix("")
    if path.suffix in _FORMATS:
        return _FORMATS[path.suffix], compression
    why = f"its name ends in `{path.suffix}`" if path.suffix else "its name has no ending"
    if path.suffix == ".json":
        why += ": one JSON document is not a table"
    raise LoomError(f"{Path(name).name} is not a format Loom reads", why, f"save it as {_KNOWN}")


def is_table_file(path: Path) -> bool:
    """Whether a file's name has an ending that Loom reads."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _FORMATS


def _local(text: str, table: str | None) -> Address:
    if not text or "\0" in text:
        raise LoomError("no source is named", "its text is empty or holds NUL", "loom connect FILE")
    path = Path(text).expanduser()
    if path.is_dir():
        return Address("directory", text, text, path=path, table=_no_table(text, table))
    if not path.exists():
        raise LoomError(f"{text} does not exist", "no file or folder has that name", f"ls -ld {path.parent}")
    if not path.is_file() or not os.access(path, os.R_OK):
        why = "you may not read it" if path.is_file() else "it is neither a file nor a folder"
        raise LoomError(f"{text} cannot be read", why, f"ls -l {path}")
    return Address("file", text, text, path=path, table=_no_table(text, table))


def _no_table(text: str, table: str | None) -> None:
    if table is not None:
        raise LoomError(
            f"{_without_secrets(text)} has no tables",
            f"`{table}` was asked for, but only a database has tables",
            "leave the table out",
        )


def _without_secrets(text: str) -> str:
    """The address without user, password, fragment and the values of its query."""
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    query = "&".join(f"{name}=…" for name in names)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
