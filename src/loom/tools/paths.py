"""Where a tool may read and write: below the workspace, and below what was attached for reading.

What is answered holds for the moment of the question. Whoever opens the path later and wants to be sure
that no link was swapped in meanwhile opens it through `loom.tools.files`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

MAX_LENGTH = 4096


class PathRefusedError(ValueError):
    """A path that a tool may not touch."""


def resolve_path(raw: str | Path, workspace: Path | None) -> Path:
    """A path inside the workspace, absolute and free of links; anything else is refused."""
    text = _checked(raw)
    if workspace is None:
        raise PathRefusedError("this run has no workspace")
    root = _real(workspace)
    resolved = _real(root / text)
    if not resolved.is_relative_to(root):
        raise PathRefusedError(f"{text} is outside the workspace")
    return resolved


def resolve_read_path(
    raw: str | Path,
    workspace: Path | None,
    read_roots: Sequence[Path] | None = None,
    read_path_map: Mapping[str, Path] | None = None,
) -> Path:
    """A path a tool may read, absolute and free of links: in the workspace or in what was attached.

    An attached alias comes first, then the workspace, then the attached roots; the first that exists is
    taken. Where nothing exists, the answer is where the file would be, so that opening it says so.
    """
    text = _checked(raw)
    found: Path | None = None
    for candidate in _candidates(text, workspace, read_roots or (), read_path_map or {}):
        if os.path.lexists(candidate):
            return candidate
        found = found or candidate
    if found is None:
        raise PathRefusedError(f"{text} is outside the workspace and of what was attached")
    return found


def logical_path(
    path: Path,
    workspace: Path | None,
    read_roots: Sequence[Path] | None = None,
    read_path_map: Mapping[str, Path] | None = None,
) -> str:
    """The name of a path as the person chose it: by alias, or relative to the workspace; never absolute."""
    real = Path(os.path.realpath(path))
    attached = [
        (PurePosixPath(alias), Path(os.path.realpath(to))) for alias, to in (read_path_map or {}).items()
    ]
    # the deepest attachment says most precisely what was chosen
    for alias, root in sorted(attached, key=lambda pair: -len(pair[1].parts)):
        if real.is_relative_to(root):
            return str(alias / real.relative_to(root))
    if workspace is not None and real.is_relative_to(root := Path(os.path.realpath(workspace))):
        return real.relative_to(root).as_posix()
    for each in read_roots or ():
        if real.is_relative_to(root := Path(os.path.realpath(each))):
            return str(PurePosixPath(root.name) / real.relative_to(root))
    return real.name


def _candidates(
    text: str, workspace: Path | None, roots: Sequence[Path], aliases: Mapping[str, Path]
) -> Iterator[Path]:
    """Every place the text may mean, in the order in which they are tried; each is allowed."""
    base = _real(workspace) if workspace is not None else None
    yield from _by_alias(text, base, aliases)
    if base is not None and (inside := _inside(base / text, base)):
        yield inside
    for root in map(_real, roots):
        if inside := _inside(root / text, root):
            yield inside
        # the name under which `logical_path` shows what lies in a root
        head, _, rest = text.partition("/")
        if head == root.name and (inside := _inside(root / rest.lstrip("/"), root)):
            yield inside
    if PurePosixPath(text).is_absolute():
        for real in map(_real, aliases.values()):
            if inside := _inside(Path(text), real):
                yield inside


def _by_alias(text: str, base: Path | None, aliases: Mapping[str, Path]) -> Iterator[Path]:
    """The real path behind an alias, or behind something below it; the longest alias first."""
    wanted = PurePosixPath(text)
    if base is not None and wanted.is_absolute() and wanted.is_relative_to(base.as_posix()):
        wanted = wanted.relative_to(base.as_posix())
    by_length = sorted(aliases.items(), key=lambda pair: -len(PurePosixPath(pair[0]).parts))
    for alias, real in by_length:
        name = PurePosixPath(alias)
        if not name.parts or not wanted.is_relative_to(name):
            continue
        root = _real(real)
        inside = _inside(root / wanted.relative_to(name), root)
        if inside is None:
            raise PathRefusedError(f"{text} is outside of {alias}")
        yield inside


def _inside(path: Path, root: Path) -> Path | None:
    """The path without links, if it still lies below the root."""
    resolved = _real(path)
    return resolved if resolved.is_relative_to(root) else None


def _real(path: Path) -> Path:
    """The path without links. One whose links never end is refused rather than half resolved."""
    found = Path(os.path.realpath(path))
    # behind a circle, `realpath` gives the rest back unresolved: `circle/../link` would hide where link leads
    if os.path.realpath(found) == str(found):
        try:
            found.stat()
        except OSError as error:
            if error.errno != errno.ELOOP:
                return found
        else:
            return found
    raise PathRefusedError(f"{path.name} is a link that leads in a circle")


def _checked(raw: str | Path) -> str:
    text = raw.strip() if isinstance(raw, str) else str(raw)
    if not text:
        raise PathRefusedError("the path is empty")
    if "\0" in text:
        raise PathRefusedError("the path holds a NUL")
    if len(text) > MAX_LENGTH:
        raise PathRefusedError(f"the path is longer than {MAX_LENGTH:,} characters")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise PathRefusedError("the path cannot be written in the encoding of this machine") from None
    if text == "~" or (text[0] == "~" and "/" in text):
        raise PathRefusedError(f"{text} means a home folder; name a path in the workspace")
    if "\\" in text:
        raise PathRefusedError(f"{text} holds a backslash; folders are separated by /")
    return text
