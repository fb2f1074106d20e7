"""`loom`: the root command. Imports a group only when one of its commands is called."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import loom
from loom.cli import verbs
from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

EXIT_SETUP = 2

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

    @contextmanager
    def _names_only(self) -> Iterator[None]:
        self._listing = True
        try:
            yield
        finally:
            self._listing = False

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List groups and verbs without loading any."""
        rows = {
            name: command.get_short_help_str(formatter.width - 18) for name, command in self.commands.items()
        }
        sections = (("Packages", list(GROUPS)), ("Verbs", [name for name in rows if name not in GROUPS]))
        for title, names in sections:
            with formatter.section(title):
                formatter.write_dl([(name, rows[name]) for name in names])

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
    if ctx.invoked_subcommand is None and process is not None:
        verbs.refuse_to_run(process, CURRENT.folder())
    if ctx.invoked_subcommand is None:
        typer.echo(OVERVIEW, nl=False)


def main() -> None:
    """Run the command line; every failure ends in an exit code that means something."""
    try:
        typer.main.get_command(app)(prog_name="loom")
    except LoomError as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_SETUP)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # whoever was reading has gone; there is nobody left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_SETUP)
    except Exception:  # noqa: BLE001  the last line of defence: a bug becomes a file, not a wall of text
        typer.echo(str(_report_bug()), err=True)
        sys.exit(EXIT_SETUP)


def _report_bug() -> LoomError:
    handle, name = tempfile.mkstemp(prefix="loom-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(
            f"loom {loom.__version__}, Python {sys.version}\narguments: {sys.argv[1:]}\n\n{traceback.format_exc()}"
        )
    last = traceback.format_exc().strip().splitlines()[-1]
    return LoomError("Loom met a bug of its own", last, f"report it with the file {name}")


if __name__ == "__main__":
    main()
