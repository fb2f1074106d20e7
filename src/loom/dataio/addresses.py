"""What a source is, read from the text a person typed; nothing is opened here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

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
_HERE = Path()
_TABLE = re.compile(r"::([^/@\[\]?]*)\Z")
_HOSTS = re.compile(r"(?:(?:\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?(?:,|\Z))*")
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


def parse_address(text: str, table: str | None = None, base: Path = _HERE) -> Address:
    """Tell a file, a folder, a database (`engine://…[::table]`) and a web file apart.

    A relative path leads from `base`.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _local(text, table, base)
    name = scheme[1].lower()
    if name in ("http", "https"):
        _refuse_table(text, table)
        return Address("web", _without_secrets(text), text)
    if name not in _ENGINES:
        raise LoomError(
            f"{name}:// is not a source Loom can read",
            "sources are files, folders, http(s) files and the databases sqlite, duckdb and postgresql",
            "download the data first, then: loom connect FILE",
        )
    engine = _ENGINES[name]
    written, suffix = split_table(text)
    wanted = table if table is not None else suffix
    if engine == "postgresql":
        return Address("database", _without_secrets(written), written, engine=engine, table=wanted or None)
    # three slashes lead to a relative path, four to an absolute one, as database URLs have it elsewhere
    rest = written[scheme.end() :]
    if not rest.startswith("/") or len(rest) < 2:
        raise LoomError(
            f"{written} names no database file",
            "the path follows three slashes",
            f"write {name}:///relative/file or {name}:////absolute/file",
        )
    path = base / unquote(rest[1:])
    return Address("database", written, written, path=path, engine=engine, table=wanted or None)


def may_reach_out(source: str) -> bool:
    """Whether opening a source may use the network, as far as its text tells; a saved name tells nothing."""
    scheme = _SCHEME.match(source)
    if scheme is not None:
        return _ENGINES.get(scheme[1].lower()) not in ("sqlite", "duckdb")
    return "::" in source or not (set("./\\") & set(source) or Path(source).exists())


def split_table(text: str) -> tuple[str, str | None]:
    """An address of a database and the table named behind it; the colons of an IPv6 host name none."""
    found = _TABLE.search(text)
    return (text, None) if found is None else (text[: found.start()], found[1] or None)


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


def _local(text: str, table: str | None, base: Path) -> Address:
    if not text or "\0" in text:
        raise LoomError("no source is named", "its text is empty or holds NUL", "loom connect FILE")
    path = base / Path(text).expanduser()
    if path.is_dir():
        _refuse_table(text, table)
        return Address("directory", text, text, path=path)
    if not path.exists():
        raise LoomError(f"{text} does not exist", "no file or folder has that name", f"ls -ld {path.parent}")
    if not path.is_file() or not os.access(path, os.R_OK):
        why = "you may not read it" if path.is_file() else "it is neither a file nor a folder"
        raise LoomError(f"{text} cannot be read", why, f"ls -l {path}")
    _refuse_table(text, table)
    return Address("file", text, text, path=path)


def _refuse_table(text: str, table: str | None) -> None:
    if table is not None:
        raise LoomError(
            f"{_without_secrets(text)} has no tables",
            f"`{table}` was asked for, but only a database has tables",
            "leave the table out",
        )


def _without_secrets(text: str) -> str:
    """The address without user, password, fragment and the values of its query."""
    scheme = text.partition("://")[0]
    try:
        parts = urlsplit(text)
    except ValueError:
        return f"{scheme}://…"
    login, _, host = parts.netloc.rpartition("@")
    # a password with a sign that ends the host, such as `/`, makes its rest look like a path
    if not _HOSTS.fullmatch(host) or (not login and ":" in host and "@" in text):
        return f"{scheme}://…"
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    query = "&".join(f"{name}=…" for name in names)
    return joined(scheme, host, parts.path, query)


def joined(scheme: str, netloc: str, path: str, query: str) -> str:
    """An address from its parts; a database may have no host, which still takes two slashes."""
    return f"{scheme}://{netloc}{path}" + (f"?{query}" if query else "")


def secrets_of(text: str) -> list[str]:
    """What nobody may see of an address that was understood, as it is written and as it is spoken."""
    parts = urlsplit(text)
    found = [parts.netloc.rpartition("@")[0].partition(":")[2]]
    found += [value for name, value in parse_qsl(parts.query) if is_secret_option(name)]
    return sorted({form for secret in found if secret for form in (secret, unquote(secret))}, key=len)[::-1]


def is_secret_option(name: str) -> bool:
    """Whether an option of a database address, such as `sslpassword`, holds a secret."""
    return any(word in name.lower() for word in ("password", "secret"))
