"""Hands over exactly the bytes that somebody was shown, or nothing."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.core.commands import command
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.tools.registry import Permissions

from ._destination import Destination
from ._webhook import NotTakenError, post


def send(
    bundle: Mapping[str, Any], place: Destination | None, agreed: str, allowed: Permissions
) -> dict[str, Any]:
    """How it went; a LoomError unless somebody took it. `agreed` is the digest that a person confirmed."""
    if place is None:
        fix = f"{command('collab', **bundle['about'])} --to outbox"
        raise LoomError("nobody said where to send the bundle", "--send needs --to", fix)
    if agreed != bundle["digest"]:
        why = "the runs, or what may leave of them, have changed since" if agreed else "nobody was shown it"
        fix = f"to be shown what would be sent: {command('collab', **bundle['about'])}"
        raise LoomError("what would be sent is not what somebody agreed to", why, fix)
    archive = Path(bundle["archive"])
    content = _read(archive, agreed)
    if place.folder is not None:
        write_atomically(place.folder / archive.name, content)
        return {"attempts": 1}
    return _posted(place, archive.name, content, allowed)


def _read(archive: Path, agreed: str) -> bytes:
    """The archive, read once: what is checked is what is sent."""
    try:
        content = archive.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{archive} cannot be read", why, f"ls -l {shlex.quote(str(archive))}") from None
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != agreed:
        why = "its bytes are not those of its digest"
        raise LoomError(f"{archive} was changed", why, f"rm {shlex.quote(str(archive))}")
    return content


def _posted(place: Destination, name: str, content: bytes, allowed: Permissions) -> dict[str, Any]:
    assert place.url is not None
    host, digest = str(place.url.hostname), hashlib.sha256(content).hexdigest()
    if not any(each in ("*", host) for each in allowed.network):
        why = "the permissions of the package do not name this host"
        raise LoomError(f"nothing is sent to {place.shown}", why, "loom process show collab")
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-SHA256": digest,
        "Idempotency-Key": digest,
        "User-Agent": "loom",
    }
    try:
        taken = post(place.url, content, headers)
    except NotTakenError as error:
        maybe = "; it may have arrived, and sending it again does no harm" if error.may_have_arrived else ""
        raise LoomError(
            f"the bundle was not sent to {place.shown}",
            f"{error}{maybe}",
            f"see whether anybody answers: curl -I {shlex.quote(place.origin)}",
        ) from None
    return {"attempts": taken.attempts, "answer": taken.status}
