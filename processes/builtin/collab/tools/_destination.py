"""Where a bundle goes: a webhook or a folder that somebody else empties.

`${env:NAME}` in an address stands for an environment variable, so that what opens a door stays out of commands.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from loom.kernel.errors import LoomError

_SHOWN = 60
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_FIX = "loom collab --help"


@dataclass(frozen=True, slots=True)
class Destination:
    """A place to hand a bundle over: either a web address or a folder."""

    url: SplitResult | None = None
    folder: Path | None = None

    @property
    def shown(self) -> str:
        """Its name for people: of an address only the host, because what follows may open a door."""
        return f"{self.origin}/…" if self.is_secret else self.origin

    @property
    def origin(self) -> str:
        """The host with its scheme, or the folder."""
        return str(self.folder) if self.url is None else f"{self.url.scheme}://{_host(self.url)}"

    @property
    def is_secret(self) -> bool:
        """Whether its address has parts that are not shown."""
        return self.url is not None and bool(self.url.path.strip("/") or self.url.query)


def is_web(text: str) -> bool:
    """Whether a destination is reached over a network."""
    return "://" in text or _REFERENCE.search(text) is not None


def destination_of(text: str, cwd: Path) -> Destination:
    """The place that a text means; a LoomError that shows no more than the host where it is no good one."""
    if not is_web(text):
        folder = cwd / Path(text).expanduser()
        if not folder.is_dir():
            raise LoomError(
                f"nothing can be sent to {folder}",
                "there is no such folder",
                f"mkdir -p {shlex.quote(str(folder))}",
            )
        return Destination(folder=folder)
    try:
        url = urlsplit(_REFERENCE.sub(_variable, text.strip()))
        host, _ = url.hostname, url.port
    except ValueError:
        raise LoomError("the address of the webhook cannot be read", "it is malformed", _FIX) from None
    if not host or url.scheme not in ("https", "http"):
        what = f"nothing can be sent to {url.scheme[:_SHOWN]}://"
        raise LoomError(what, "a webhook has an https address, a folder has none", _FIX)
    shown = f"{url.scheme}://{_host(url)}"
    if url.username is not None or url.password is not None:
        why = "a name or a password stands in the address, where histories and logs would keep it"
        raise LoomError(f"nothing is sent to {shown}", why, _FIX)
    if url.scheme == "http" and not _is_loopback(host):
        why = "http is not encrypted; only this machine may be reached by it"
        raise LoomError(f"nothing is sent to {shown}", why, _FIX)
    return Destination(url=url)


def _variable(found: re.Match[str]) -> str:
    value = os.environ.get(found[1])
    if not value:
        what = f"the address of the webhook needs {found[1]}"
        raise LoomError(what, "there is no environment variable of that name", f"export {found[1]}=...")
    return value


def _host(url: SplitResult) -> str:
    name = f"[{url.hostname}]" if ":" in (url.hostname or "") else str(url.hostname)
    return f"{name}:{url.port}" if url.port else name


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
