"""A phase as a message, its outcome as an answer, and the files in which both survive their process.

A phase leaves its outcome as a file before anybody is told. Whoever launched the run, or goes on with it
later, finds there what is finished, whatever died meanwhile.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from loom.core.messages import ErrorKind, ModelTier, TaskError, TaskMessage, TaskResult, TaskStatus
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.kernel.ids import digest_json
from loom.process.plan import Step
from loom.runtime.limits import MAX_RETRIES
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.state import Reason

OUTCOME = ".json"
EVENTS = ".events.jsonl"
STOP = "stop"


def task_name(phase: str, item: int | None = None) -> str:
    """What the files of a phase, or of one of its items, are called."""
    return phase if item is None else f"{phase}.{item}"


def task_id(run: str, name: str, digest: str) -> str:
    """The identity of a task: the same run, phase and inputs are the same task."""
    return digest_json([run, name, digest]).removeprefix("sha256:")


def message_for(step: Step, run: str, name: str, digest: str, args: Mapping[str, Any]) -> TaskMessage:
    """The phase as a task for a worker."""
    called = step.phase.run
    return TaskMessage(
        task_id=task_id(run, name, digest),
        parent_task_id=run,
        worker_type=(called and (called.tool or called.process)) or "model",
        payload=dict(args),
        model_tier=ModelTier.of_phase(step.phase.model_tier),
        max_retries=min(step.phase.retries, MAX_RETRIES),
        idempotency_key=digest,
        metadata={"phase": step.id, "task": name},
    )


def result_for(message: TaskMessage, outcome: PhaseOutcome) -> TaskResult:
    """The outcome as the answer to the task."""
    return TaskResult(
        task_id=message.task_id,
        parent_task_id=message.parent_task_id,
        worker_type=message.worker_type,
        status=TaskStatus.COMPLETED if outcome.is_good else TaskStatus.FAILED,
        output=outcome.as_json(),
        error=None if outcome.is_good else _error(outcome),
        processing_time_ms=int(outcome.seconds * 1000),
        attempt=max(1, outcome.attempts),
        idempotency_key=message.idempotency_key,
    )


def _error(outcome: PhaseOutcome) -> TaskError:
    first = next(iter(outcome.reasons), Reason("contract", f"the phase ended {outcome.status}"))
    kinds: dict[str, ErrorKind] = {f"{kind}_failure": kind for kind in get_args(ErrorKind)}
    return TaskError(kind=kinds.get(first.code, "contract"), message=first.what, retryable=first.retryable)


@dataclass(frozen=True, slots=True)
class TaskFolder:
    """Where the phases of one run leave their outcomes and events."""

    path: Path

    def finished(self, name: str, digest: str) -> PhaseOutcome | None:
        """The good outcome of a task that was carried out with the same inputs."""
        stored = self._read(name)
        if stored is None or stored["digest"] != digest:
            return None
        outcome = PhaseOutcome.from_json(stored["outcome"])
        return outcome if outcome.is_good else None

    def outcome(self, name: str) -> PhaseOutcome | None:
        """How a task ended, if it has."""
        stored = self._read(name)
        return PhaseOutcome.from_json(stored["outcome"]) if stored else None

    def keep(self, name: str, digest: str, outcome: PhaseOutcome) -> None:
        """Leave an outcome, whole or not at all."""
        content = json.dumps({"digest": digest, "outcome": outcome.as_json()}, allow_nan=False)
        self._make()
        write_atomically(self.path / f"{name}{OUTCOME}", content.encode())

    def append(self, name: str, kind: str, body: Mapping[str, Any]) -> None:
        """Leave an event; a line is written whole or not at all."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"kind": kind, "at": at, "body": dict(body)}, allow_nan=False) + "\n"
        path = self.path / f"{name}{EVENTS}"
        self._make()
        try:
            _append(path, line.encode())
        except OSError as error:
            raise _unwritable(path, error) from None

    def stop(self, phase: str) -> None:
        """Leave word that no further phase is to start, and because of which."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / STOP, phase.encode())

    def stopped_by(self) -> str | None:
        """The phase that stopped the run, if one has."""
        try:
            return (self.path / STOP).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def go_on(self) -> None:
        """Let phases start again."""
        (self.path / STOP).unlink(missing_ok=True)

    def outcomes(self) -> Iterator[tuple[str, PhaseOutcome]]:
        """Every outcome that was left, by task."""
        for path in sorted(self.path.glob(f"*{OUTCOME}")) if self.path.is_dir() else ():
            stored = self._read(path.name.removesuffix(OUTCOME))
            if stored is not None:
                yield path.name.removesuffix(OUTCOME), PhaseOutcome.from_json(stored["outcome"])

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / f"{name}{OUTCOME}"
        try:
            stored = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            stored = error
        if not isinstance(stored, dict) or not {"digest", "outcome"} <= stored.keys():
            why = str(stored) if isinstance(stored, Exception) else "it holds no outcome"
            # who takes it away decides that the phase is carried out again
            raise LoomError(f"{path} cannot be read", why, f"rm {shlex.quote(str(path))}")
        return stored


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        written = os.write(file, line)
        if written != len(line):
            # the disk is full: what found room would spoil the line after it
            os.ftruncate(file, os.fstat(file).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(file)


def _unwritable(path: Path, error: OSError) -> LoomError:
    why = (error.strerror or str(error)).lower()
    fix = "df -h" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "ls -ld"
    return LoomError(f"{path} cannot be written", why, f"{fix} {shlex.quote(str(path.parent))}")
