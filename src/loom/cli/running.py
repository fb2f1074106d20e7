"""Carries a call out for somebody at a command line: progress beside it, one answer at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer

from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

if TYPE_CHECKING:
    from loom.app.call import Call, Caller
    from loom.app.envelope import Envelope
    from loom.render.progress import Progress
    from loom.runtime.approval import NotApprovedError

STDOUT = "-"
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class How:
    """How a call is told about."""

    as_json: bool = False
    events: str | None = None
    dry_run: bool = False

    def check(self) -> None:
        """Standard output takes one thing."""
        if self.as_json and self.events == STDOUT:
            why = "--json and `--events -` both write there"
            raise LoomError(
                "standard output cannot hold both the answer and the events",
                why,
                "name a file: --events events.jsonl",
            )


def run(call: Call, how: How) -> int:
    """Carry a call out, or show what it would do; the exit code says how it ended."""
    how.check()
    if how.dry_run:
        return _preview(call, how)
    from loom.app import run as use_case
    from loom.runtime.approval import NotApprovedError

    with _telling(how) as (on_event, progress):
        asker = Terminal(progress) if _is_attended() else None
        try:
            envelope = use_case.carry_out(call, environ=os.environ, on_event=on_event, asker=asker)
        except NotApprovedError as error:
            envelope = refused(error)
    return answer(envelope, how)


def refused(error: NotApprovedError) -> Envelope:
    """The answer where nobody agreed: well-formed, not acceptable, and nothing has happened."""
    from loom.app.envelope import Envelope

    told = {"what": error.what, "why": error.why, "fix": error.fix}
    gate = {"tier": error.plan.tier, "plan": error.plan.short_digest}
    return Envelope(error.plan.name, "REFUSED", False, gate=gate, error=told, ended="refused")


def asked() -> tuple[Caller, tuple[str, ...]]:
    """Who calls, and in which words."""
    from loom.runtime.consent import caller_kind

    return caller_kind(os.environ), ("loom", *sys.argv[1:])


def again(run_id: str, confirm: str | None) -> Call:
    """The call that goes on with a run."""
    from loom.app.call import Call

    caller, command = asked()
    return Call("", confirm=confirm, caller=caller, command=command, resume=run_id)


def answer(envelope: Envelope, how: How) -> int:
    """Print the outcome of a call; its exit code."""
    if how.as_json:
        print_json(envelope.as_json())
        return envelope.exit_code
    if envelope.error is None or envelope.ended != "error" or envelope.pathspec:
        from loom.render.envelope import answer_text

        to_stderr = how.events == STDOUT
        said = {**envelope.as_json(), "card": envelope.card}
        typer.echo(
            answer_text(
                {**said, "VERDICT": "INTERRUPTED"} if envelope.ended == "interrupted" else said,
                acceptable=envelope.exit_code == 0,
                color=CURRENT.color() and not to_stderr,
                width=width(),
                quiet=CURRENT.quiet,
            ),
            err=to_stderr,
        )
    if envelope.error:
        from loom.cli.failure import say

        say(str(LoomError(envelope.error["what"], envelope.error["why"], envelope.error["fix"])))
    return envelope.exit_code


def print_json(data: Mapping[str, Any]) -> None:
    """Print the one object of a `--json` call."""
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    # JSON itself escapes only the oldest of the characters that steer a terminal
    typer.echo("".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text))
    CURRENT.json_verb = None


def width() -> int:
    """How many characters fit in a line; a file takes long ones."""
    return shutil.get_terminal_size((160, 24)).columns


class Terminal:
    """Asks the person at the terminal; whatever is not a plain yes is a no."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def confirm(self, text: str) -> bool:
        """Show a text, and whether the person said yes."""
        from loom.kernel.diagnostic_formats import clean

        with self._progress.paused() if self._progress else contextlib.nullcontext():
            shown = "\n".join(map(clean, text.rstrip().split("\n")))
            typer.echo(f"{shown} [y/N] ", err=True, nl=False)
            _forget_what_was_typed()
            return sys.stdin.readline().strip().lower() in ("y", "yes")


def _forget_what_was_typed() -> None:
    """A key that was pressed before the question is no answer to it."""
    try:
        import termios
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError, termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _preview(call: Call, how: How) -> int:
    from loom.app import run as use_case
    from loom.render.preview import preview_text

    preview = use_case.preview(call, environ=os.environ)
    if how.as_json:
        print_json(preview)
    else:
        typer.echo(preview_text(preview, color=CURRENT.color(), width=width()))
    return 0


@contextmanager
def _telling(how: How) -> Iterator[tuple[Callable[[Event], None] | None, Progress | None]]:
    """Where the events of a run go: to the terminal, and to a file if one was named."""
    progress = None if CURRENT.quiet else _progress()
    with contextlib.ExitStack() as stack:
        sinks: list[Callable[[Event], None]] = []
        if progress is not None:
            stack.callback(progress.close)
            sinks.append(progress)
        if how.events is not None:
            sinks.append(stack.enter_context(_event_file(how.events)))
        yield (_Tee(sinks) if sinks else None), progress


class _Tee:
    """Hands every event to several readers, one event at a time."""

    def __init__(self, sinks: list[Callable[[Event], None]]) -> None:
        self._sinks = sinks
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            for sink in self._sinks:
                sink(event)


class _EventLines:
    """Writes events as JSON lines. A file that takes no more ends the writing, not the run."""

    def __init__(self, file: IO[str]) -> None:
        self._file: IO[str] | None = file

    def __call__(self, event: Event) -> None:
        if self._file is None:
            return
        try:
            self._file.write(event_line(event) + "\n")
            self._file.flush()
        except BrokenPipeError:
            self._file = None
        except OSError as error:
            self._file = None
            typer.echo(
                f"note: events are no longer written: {(error.strerror or str(error)).lower()}", err=True
            )


def event_line(event: Event) -> str:
    """One event as one line of JSON."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=True, default=str)


@contextmanager
def _event_file(name: str) -> Iterator[_EventLines]:
    if name == STDOUT:
        yield _EventLines(sys.stdout)
        return
    path = CURRENT.folder() / Path(name).expanduser()
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise LoomError(
            f"{path} cannot be written", (error.strerror or str(error)).lower(), f"ls -ld {path.parent}"
        ) from None
    try:
        yield _EventLines(file)
    finally:
        # what could not be written has been said already
        with contextlib.suppress(OSError):
            file.close()


def _progress() -> Progress:
    """The view of a run that suits standard error."""
    stream = sys.stderr
    if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
        from loom.render.live import LiveView

        return LiveView(stream, color=not CURRENT.no_color and not os.environ.get("NO_COLOR"))
    from loom.render.progress import Lines

    return Lines(lambda text: typer.echo(text, err=True))


def _is_attended() -> bool:
    """Whether somebody can be asked."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
