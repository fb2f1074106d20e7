"""Where a tool may read and write: below the workspace, and below what was attached for reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath


class PathRefusedError(ValueError):
    """A path that a tool may not touch."""


def resolve_path(raw: str | Path, workspace: Path | None) -> Path:
    """A path inside the workspace, absolute and free of links; anything else is refused."""
    text = _checked(raw)
    if workspace is None:
        raise PathRefusedError("this run has no workspace")
    root = workspace.resolve()
    path = Path(text)
    resolved = (path if path.is_absolute() else root / path).resolve()
    if not resolved.is_relative_to(root):
        raise PathRefusedError(f"{text} is outside the workspace")
    return resolved


def resolve_read_path(
    raw: str | Path,
    workspace: Path | None,
    read_roots: Sequence[Path] = (),
    read_path_map: Mapping[str, Path] | None = None,
) -> Path:
    """A path a tool may read: an attached alias, or a file below the workspace or an attached root."""
    text = _checked(raw)
    attached = _by_alias(text, read_path_map or {})
    if attached is not None:
        return attached
    roots = [root.resolve() for root in ([workspace] if workspace else []) + list(read_roots)]
    path = Path(text)
    for root in roots:
        resolved = (path if path.is_absolute() else root / path).resolve()
        if resolved.is_relative_to(root) and (resolved.exists() or root == roots[0]):
            if resolved.exists() or len(roots) == 1:
                return resolved
    for root in roots:
        resolved = (path if path.is_absolute() else root / path).resolve()
        if resolved.is_relative_to(root):
            return resolved
    raise PathRefusedError(f"{text} is outside the workspace and of what was attached")


def _checked(raw: str | Path) -> str:
    text = str(raw).strip()
    if not text:
        raise PathRefusedError("the path is empty")
    if "\0" in text:
        raise PathRefusedError("the path holds a NUL")
    return text


def _by_alias(text: str, aliases: Mapping[str, Path]) -> Path | None:
    """The real path behind an alias, or behind something below it."""
    wanted = PurePosixPath(text)
    for alias, real in aliases.items():
        name = PurePosixPath(alias)
        if wanted == name:
            return real.resolve()
        if wanted.is_relative_to(name):
            root = real.resolve()
            resolved = (root / wanted.relative_to(name)).resolve()
            if resolved.is_relative_to(root):
                return resolved
            raise PathRefusedError(f"{text} is outside of {alias}")
    return None
