"""What an attempt at a phase left behind: the calls it made, what it said, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom.tools.files import read_bytes
from loom.tools.paths import PathRefusedError, resolve_path
from loom.tools.results import ToolResult

MAX_SEARCHED = 16 * 1024 * 1024
MAX_BLANK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool."""

    tool: str
    result: ToolResult
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, as it stands before it is judged."""

    workspace: Path
    """The folder its files lie in."""

    calls: tuple[Call, ...] = ()
    """Every call it made, in order."""

    output: str = ""
    """The text of its result."""

    deliverables: tuple[str, ...] | None = None
    """The files to look for; None for those the phase declares."""

    helpers: Mapping[str, ToolResult] = field(default_factory=dict)
    """What came of the semantic checks that a helper carried out, by their name."""

    @property
    def changed_files(self) -> tuple[str, ...]:
        """The files its calls changed, each once, in order."""
        return tuple(dict.fromkeys(name for call in self.calls for name in call.result.files_changed))

    def latest(self, tool: str) -> ToolResult | None:
        """The last result of a tool; None when it was not called."""
        return next((call.result for call in reversed(self.calls) if call.tool == tool), None)


class UnreadableError(Exception):
    """Why a file cannot be looked at; `escaped` when it does not lie in the workspace."""

    def __init__(self, why: str, *, escaped: bool = False) -> None:
        super().__init__(why)
        self.escaped = escaped


class MissingError(UnreadableError):
    """A file that is not there."""


class TooLargeError(UnreadableError):
    """A file that is there, and larger than what is looked at."""


def is_blank(workspace: Path, name: str) -> bool:
    """Whether a file of the workspace holds nothing but white space, however large it is; or UnreadableError."""
    head, more = _head(workspace, name, MAX_BLANK)
    return not more and not head.strip()


def content_of(workspace: Path, name: str) -> bytes:
    """The content of a file of the workspace, opened without following a link out of it; or UnreadableError."""
    content, more = _head(workspace, name, MAX_SEARCHED)
    if more:
        raise TooLargeError(f"it is larger than {MAX_SEARCHED:,} bytes")
    return content


def text_of(workspace: Path, name: str) -> str:
    """The text of a file of the workspace; bytes that are no text are replaced."""
    return content_of(workspace, name).decode("utf-8", "replace")


def _head(workspace: Path, name: str, limit: int) -> tuple[bytes, bool]:
    """The beginning of a file, and whether there is more of it."""
    try:
        return read_bytes(resolve_path(name, workspace), limit)
    except PathRefusedError as error:
        raise UnreadableError(str(error), escaped=True) from None
    except FileNotFoundError:
        raise MissingError("it does not exist") from None
    except IsADirectoryError:
        raise UnreadableError("it is a folder") from None
    except OSError as error:
        raise UnreadableError((error.strerror or "it cannot be read").lower()) from None
