"""What a tool answers: text for a reader, data for what comes next, and the files it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loom.core.messages import ErrorKind
    from loom.sandbox.policy import Level

MAX_OUTPUT = 256 * 1024
MAX_ERROR = 8 * 1024
_TRY_AGAIN = frozenset({"io", "timeout"})


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The outcome of one call. Expected trouble is a failed result, not an exception."""

    success: bool
    output: str = ""
    """What a reader, or a model, sees."""

    data: dict[str, Any] | None = None
    """What references and gates read; plain JSON."""

    error: str | None = None
    """What went wrong; None on success."""

    files_changed: list[str] = field(default_factory=list)
    """Every file that was written or removed, relative to the workspace."""

    blocks: list[dict[str, Any]] = field(default_factory=list)
    """Rich content beside the text, such as images."""

    truncated: bool = False
    """Whether the output was cut."""

    error_kind: ErrorKind | None = None
    """What kind of failure this is; decides how it counts and what is tried next."""

    retryable: bool = False
    """Whether the same call may succeed later."""

    sandbox: Level | None = None
    """How closed in the programs were that it started; None when it started none."""

    fault: str | None = field(default=None, repr=False)
    """Where an unexpected exception arose: for the log, never for a model."""

    @classmethod
    def ok(
        cls,
        output: str,
        data: dict[str, Any] | None = None,
        *,
        files_changed: Sequence[str] = (),
        blocks: Sequence[dict[str, Any]] = (),
        truncated: bool = False,
        sandbox: Level | None = None,
    ) -> ToolResult:
        """It worked."""
        return cls(
            True,
            output,
            data,
            files_changed=_names(files_changed),
            blocks=list(blocks),
            truncated=truncated,
            sandbox=sandbox,
        )

    @classmethod
    def fail(
        cls,
        error: str,
        data: dict[str, Any] | None = None,
        *,
        output: str = "",
        files_changed: Sequence[str] = (),
        kind: ErrorKind = "tool",
        retryable: bool | None = None,
        truncated: bool = False,
        sandbox: Level | None = None,
        fault: str | None = None,
    ) -> ToolResult:
        """It did not work, and this is why."""
        return cls(
            False,
            output,
            data,
            error,
            files_changed=_names(files_changed),
            truncated=truncated,
            error_kind=kind,
            retryable=kind in _TRY_AGAIN if retryable is None else retryable,
            sandbox=sandbox,
            fault=fault,
        )

    @classmethod
    def multimodal(
        cls,
        output: str,
        blocks: Sequence[dict[str, Any]],
        data: dict[str, Any] | None = None,
        *,
        files_changed: Sequence[str] = (),
    ) -> ToolResult:
        """It worked, and there is more to see than text."""
        return cls.ok(output, data, files_changed=files_changed, blocks=blocks)

    def as_json(self) -> dict[str, Any]:
        """The result as it travels between processes; the fault stays behind."""
        return {
            "success": self.success,
            "output": self.output,
            "data": self.data,
            "error": self.error,
            "files_changed": list(self.files_changed),
            "blocks": list(self.blocks),
            "truncated": self.truncated,
            "error_kind": self.error_kind,
            "retryable": self.retryable,
            "sandbox": self.sandbox,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ToolResult:
        """A result that came from another process; unknown keys are refused with TypeError."""
        return cls(**data)


def _names(files: Sequence[str]) -> list[str]:
    # a lone text is a slip that would be read letter by letter
    return [files] if isinstance(files, str) else [str(name) for name in files]


def cut(text: str, limit: int) -> tuple[str, bool]:
    """The text within a number of bytes of UTF-8, the middle left out and marked, and whether it was cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode("utf-8"), False
    mark = f"\n[... {len(raw):,} bytes; the middle is left out ...]\n".encode()
    room = max(limit - len(mark), 0)
    head, tail = raw[: room * 2 // 3], raw[len(raw) - (room - room * 2 // 3) :]
    return (head + mark + tail).decode("utf-8", "ignore")[:limit], True
