"""What a command that could not do its work says: three lines, the last one a thing to do next."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from itertools import takewhile
from typing import Any, Literal

import typer

import loom
from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

# typer has no lasting public name for it, but every refused argument is one
UsageError: type[Exception] = typer.BadParameter.mro()[1]

INTERRUPT = LoomError("the call was interrupted", "somebody stopped it", "loom runs")

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
_MEANT = re.compile(r"Did you mean '([^']+)'")


def say(message: str) -> None:
    """Print a failure on standard error; words that came from outside cannot steer the terminal."""
    from loom.kernel.diagnostic_formats import clean

    typer.echo("\n".join(map(clean, message.split("\n"))), err=True)


def answer_as_json(failed: LoomError, *, is_interrupt: bool = False) -> None:
    """Print the one object of a `--json` call that came to nothing."""
    if CURRENT.json_verb is None:
        return
    from loom.app.envelope import Envelope
    from loom.cli.running import print_json

    error = {"what": failed.what, "why": failed.why, "fix": failed.fix}
    ended: Literal["interrupted", "error"] = "interrupted" if is_interrupt else "error"
    print_json(Envelope(CURRENT.json_verb, "ERROR", False, error=error, ended=ended).as_json())


def usage_failure(error: Any) -> LoomError | str:
    """Words that are no command: what is wrong with them, the usage, and where the help is."""
    message = " ".join(str(error.format_message()).split())
    if message.startswith("Usage: "):
        return str(error.format_message())  # a group without a command answers with its help
    command = error.ctx.command_path if error.ctx else _typed_command()
    meant = _MEANT.search(message)
    what, _, rest = message.partition(": " if message.startswith("Invalid value for") else ". ")
    why = _clause(rest.removeprefix("Value error, ")) or _form(error.ctx)
    fix = f"{command} {meant[1]} --help" if meant else f"{command} --help"
    return LoomError(_clause(what), why, fix)


def _clause(text: str) -> str:
    return (text[:1].lower() + text[1:]).removesuffix(".")


def _form(context: Any) -> str:
    if context is None:
        return "an option stands before its value"
    return "the form is " + " ".join(context.get_usage().removeprefix("Usage: ").split())


def _typed_command() -> str:
    """The words before the first option; they are a command as far as they got."""
    return " ".join(["loom", *takewhile(lambda word: not word.startswith("-"), sys.argv[1:])])


def output_failure(error: OSError) -> LoomError | None:
    """A standard output that takes no more, when that is what the error is about."""
    if error.filename is not None or error.errno not in _NO_ROOM:
        return None
    why = (error.strerror or str(error)).lower()
    return LoomError("the output cannot be written", why, "df -h .")


def abandon_output() -> None:
    """Send what is left of the output nowhere, so that leaving does not fail once more."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def bug() -> LoomError:
    """The exception being handled, its traceback kept in a file, or shown where no file can be made."""
    import tempfile
    import traceback

    trace = traceback.format_exc()
    last = trace.strip().splitlines()[-1]
    text = f"loom {loom.__version__}, Python {sys.version}\narguments: {sys.argv[1:]}\n\n{trace}"
    try:
        handle, name = tempfile.mkstemp(prefix="loom-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return LoomError("Loom met a bug of its own", last, f"report it with this text\n\n{text}")
    return LoomError("Loom met a bug of its own", last, f"report it with the file {name}")
