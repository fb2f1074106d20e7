"""`loom`: the root command. Imports a group only when one of its commands is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import loom
from loom.cli import failure, verbs
from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

EXIT_SETUP = 2
EXIT_INTERRUPTED = 130

GROUPS = {
    "process": ("loom.cli.process", "Write, check, explain, plan and draw packages."),
    "explain": (
        "loom.cli.explain",
        "Explain a rule of the checker, with examples.",
    ),
    "trust": ("loom.cli.trust", "Say which folders may replace a builtin package."),
    "config": ("loom.cli.config", "Show settings and where they come from."),
}

OVERVIEW = """\
Loom runs process packages: a process.yaml that says what must happen, and tools that do it.

  loom process list                 packages that can be used here
  loom process show eda             one of them at a glance
  loom process new my-process       start a package of your own
  loom process check my-process     everything that is wrong with it, with the way out
  loom process plan my-process      what would run, in which order, and what it needs
  loom --help                       all commands
"""


class Unconverted:
    """Takes a root option as the text it is: typer's own conversion would import pydantic for every help."""

    def coerce(self, value: Any, **_: Any) -> Any:
        """The value as typed."""
        return value


class RootGroup(TyperGroup):
    """Knows every command by name and one line; loads the one that is called."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self._listing = False
        lines = {name: help_line for name, (_, help_line) in GROUPS.items()} | verbs.help_lines()
        self.commands = {
            name: TyperCommand(name, help=line, rich_markup_mode=None) for name, line in lines.items()
        }

    def get_params(self, ctx: Any) -> Any:
        """The root options, taken as they are typed."""
        options = super().get_params(ctx)
        for option in options:
            option.get_runtime_param = Unconverted  # type: ignore[attr-defined]
        return options

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The real command, or a stand-in while names are merely listed."""
        if self._listing or cmd_name not in self.commands:
            return self.commands.get(cmd_name)
        if cmd_name in GROUPS:
            return typer.main.get_command(importlib.import_module(GROUPS[cmd_name][0]).app)
        return verbs.command(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was named; after --process, words are the goal and no command."""
        if ctx.params.get("process") is not None:
            return args[0], self.commands["process"], []
        return super().resolve_command(ctx, args)

    @contextmanager
    def _names_only(self) -> Iterator[None]:
        self._listing = True
        try:
            yield
        finally:
            self._listing = False

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List groups and verbs without loading any."""
        verb_names = [name for name in self.commands if name not in GROUPS]
        for title, names in (("Packages", list(GROUPS)), ("Verbs", verb_names)):
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].help) for name in names])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete command names without loading any."""
        with self._names_only():
            return super().shell_complete(ctx, incomplete)


app = typer.Typer(
    cls=RootGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"loom {loom.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace", "-w", metavar="DIR", help="Work in this folder instead of the current one."
        ),
    ] = None,
    process: Annotated[
        str | None, typer.Option("--process", metavar="NAME|PATH", help="Run this package without the agent.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="Print without colour; NO_COLOR does the same.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A declarative framework for process packages.

    Exit codes: 0 ran and acceptable, 1 ran and not acceptable, 2 setup or arguments, 130 interrupted.
    """
    CURRENT.workspace = Path(workspace) if workspace is not None else None
    CURRENT.process, CURRENT.quiet, CURRENT.no_color = process, quiet, no_color
    if process is not None:
        verbs.refuse_to_run_package(process, CURRENT.folder())
    if ctx.invoked_subcommand is None:
        typer.echo(OVERVIEW, nl=False)


def main() -> None:
    """Run the command line; every failure ends in an exit code that means something."""
    sys.exit(_run())


def _run() -> int:
    _accept_any_character()
    try:
        code = typer.main.get_command(app)(prog_name="loom", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except SystemExit as left:
        # typer leaves by itself after completion, or when whoever was reading has gone
        return EXIT_SETUP if left.code else 0
    except failure.UsageError as error:
        message = failure.usage_failure(error)
    except LoomError as error:
        message = str(error)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last line of defence: a bug becomes a file, not a wall of text
        outside = failure.output_failure(error) if isinstance(error, OSError) else None
        if outside is not None:
            failure.abandon_output()
        message = str(outside or failure.bug())
    failure.say(message)
    return EXIT_SETUP


def _accept_any_character() -> None:
    """A terminal that cannot show a character gets its number, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
