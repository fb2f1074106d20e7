"""Sources under a name, in `connections.toml` of Loom's home; what would be a secret there is a reference.

`${env:NAME}` in an address stands for an environment variable, which is read when the source is opened.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from loom.dataio.addresses import Address, is_secret_option, joined, parse_address, split_table
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.settings.toml import read_toml

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_HEAD = "# Sources saved with `loom connect SOURCE --save NAME`. Secrets stay in the environment.\n"


@dataclass(frozen=True, slots=True)
class Saved:
    """A source as it was saved, and the environment variables that have to be set before it can be opened."""

    name: str
    address: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connections:
    """The saved sources of one home."""

    home: Path

    @property
    def file(self) -> Path:
        """Where they are written."""
        return self.home / "connections.toml"

    def saved(self) -> list[Saved]:
        """All of them by name."""
        return [Saved(name, text, _variables(text)) for name, text in sorted(self._read().items())]

    def save(self, name: str, address: Address) -> Saved:
        """Remember a source, in place of one of the same name; two that save at once both succeed."""
        if not _NAME.fullmatch(name):
            why = "a name is up to 64 letters, digits, - and _, a letter first"
            raise LoomError(f"`{name[:80]}` cannot be the name of a connection", why, "--save shop")
        text = _without_secrets(name, address)
        with self._locked():
            content = "".join(
                f"\n[{each}]\naddress = {json.dumps(written)}\n"
                for each, written in sorted((self._read() | {name: text}).items())
            )
            write_atomically(self.file, (_HEAD + content).encode(), mode=0o600)
        return Saved(name, text, _variables(text))

    def resolve(
        self, source: str, base: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Address:
        """What a person's words mean: `NAME` or `NAME::table` of a saved source, or an address written out."""
        base = base or Path()
        name, mark, table = source.partition("::")
        text, wanted = source, None
        if "://" not in source and _NAME.fullmatch(name) and (mark or not (base / source).exists()):
            saved = self._read()
            if name in saved:
                text, wanted = saved[name], table or None
            elif mark:
                known = f"saved are {', '.join(sorted(saved))}" if saved else "none is saved"
                raise LoomError(
                    f"there is no connection `{name}`", known, f"loom connect SOURCE --save {name}"
                )
        if "${env:" in text:
            text = _filled(text, os.environ if environ is None else environ)
        return parse_address(text, wanted, base)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.home / "connections.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{self.file} cannot be written", why, f"ls -ld {self.home}") from None
        with os.fdopen(lock, "rb"):
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, str]:
        found = read_toml(self.file)
        if found is None:
            return {}
        saved = {}
        for name, entry in found.data.items():
            address = entry.get("address") if isinstance(entry, dict) else None
            if not isinstance(address, str):
                where = found.where((name, "address"))
                raise LoomError(f"{where}: `{name}` has no address", "it is no text", f"edit {self.file}")
            saved[name] = address
        return saved


def _without_secrets(name: str, address: Address) -> str:
    """The address as it may be written down: absolute, and with a reference where a secret was."""
    table = f"::{address.table}" if address.table else ""
    if address.path is not None:
        path = str(address.path.absolute())
        return path if address.engine is None else f"{address.engine}:///{quote(path)}{table}"
    base, _ = split_table(address.text)
    parts = urlsplit(base)
    login, _, host = parts.netloc.rpartition("@")
    if address.kind == "web":
        # a token may be the user, or any part of a query
        login = login and _reference(name, "LOGIN", login)
        query = parts.query and _reference(name, "QUERY", parts.query)
    else:
        user, _, password = login.partition(":")
        login = user + (":" + _reference(name, "PASSWORD", password) if password else "")
        query = "&".join(_without_secret_option(name, option) for option in parts.query.split("&"))
    netloc = f"{login}@{host}" if login else host
    return joined(parts.scheme, netloc, parts.path, query) + table


def _without_secret_option(name: str, option: str) -> str:
    key, mark, value = option.partition("=")
    if value and is_secret_option(key):
        value = _reference(name, key, value)
    return f"{key}{mark}{value}"


def _reference(name: str, part: str, written: str) -> str:
    if _REFERENCE.fullmatch(written):
        return written
    variable = re.sub(r"[^A-Z0-9]", "_", f"{name}_{part}".upper())
    return f"${{env:{variable}}}"


def _variables(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_REFERENCE.findall(text)))


def _filled(text: str, environ: Mapping[str, str]) -> str:
    """The address with the values of its variables; those of a database are written as they are spoken."""
    web = text.lower().startswith("http")

    def value_of(found: re.Match[str]) -> str:
        value = environ.get(found[1])
        if value is None:
            raise LoomError(
                f"{_REFERENCE.sub('…', text).rpartition('@')[2]} cannot be opened",
                f"the environment variable {found[1]} is not set",
                f"export {found[1]}=...",
            )
        return value if web else quote(value, safe="")

    return _REFERENCE.sub(value_of, text)
