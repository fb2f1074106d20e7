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
from loom.cli import failure, headless, options, verbs
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

RUNS = {
    "demo": ("loom.cli.demo", "Go from a table to a verdict, with a leak on the way."),
    "runs": ("loom.cli.runs", "List what was run, newest first."),
    "show": ("loom.cli.runs", "Show what a run did, on what, and how it ended."),
    "logs": ("loom.cli.runs", "Print what the phases of a run said."),
    "events": ("loom.cli.runs", "Print the events of a run as JSON lines."),
    "resume": ("loom.cli.runs", "Go on with a run where it stopped."),
    "gc": ("loom.cli.runs", "Free what no run needs any more."),
    "compile": ("loom.cli.compile", "Print the Metaflow flow that a package becomes."),
    "verbs": ("loom.cli.listing", "List the verbs, what they take and what they may do."),
}

OVERVIEW = """\
Loom runs process packages: a process.yaml that says what must happen, and tools that do it.

  loom doctor                       whether everything works here
  loom ingest --source data.csv     bring data in, once
  loom datasets                     the data objects there are
  loom runs                         what was run, and how it ended
  loom verbs                        everything that can be run
  loom process new my-process       start a package of your own
  loom process check my-process     everything that is wrong with it, with the way out
  loom --help                       all commands
"""


PROCESS = "--process"


def load(name: str) -> Any:
    """The command or group of this name; several commands may share a module."""
    made = typer.main.get_command(importlib.import_module((GROUPS | RUNS)[name][0]).app)
    return made.commands[name] if isinstance(made, TyperGroup) and name in RUNS else made


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
        lines = {name: line for name, (_, line) in (GROUPS | RUNS).items()} | verbs.help_lines()
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
        if self._listing:
            return self.commands.get(cmd_name)
        if cmd_name in GROUPS or cmd_name in RUNS:
            return load(cmd_name)
        folder = headless.settle(ctx.params)
        make = verbs.command if cmd_name in self.commands else verbs.own_command
        return make(cmd_name, folder)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The root options; what follows `--process NAME` are words of that package."""
        found = headless.split(args)
        return super().parse_args(ctx, args if found is None else [*found[0], "--", PROCESS, *found[1]])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was named; after --process it is the package's own."""
        try:
            return self._resolve(ctx, args)
        except LoomError:
            if ctx.resilient_parsing:
                return None, None, args  # a word that is still being typed
            raise

    def _resolve(self, ctx: Any, args: list[str]) -> Any:
        reference = ctx.params.get("process")
        if reference is None:
            return super().resolve_command(ctx, args)
        CURRENT.json_verb = reference if "--json" in args else None
        command = headless.command(reference, headless.settle(ctx.params))
        return f"{PROCESS} {reference}", command, args[args[0] == PROCESS :]

    @contextmanager
    def _names_only(self) -> Iterator[None]:
        self._listing = True
        try:
            yield
        finally:
            self._listing = False

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List groups and verbs without loading any."""
        verb_names = [name for name in self.commands if name not in GROUPS | RUNS]
        for title, names in (("Packages", list(GROUPS)), ("Runs", list(RUNS)), ("Verbs", verb_names)):
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
        str | None,
        typer.Option(
            "--process",
            metavar="NAME|PATH",
            help="Run this package without the agent.",
            autocompletion=options.complete_packages,
        ),
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
    CURRENT.quiet, CURRENT.no_color = quiet, no_color
    if ctx.invoked_subcommand is None:
        typer.echo(OVERVIEW, nl=False)


def main() -> None:
    """Run the command line; every failure ends in an exit code that means something."""
    sys.exit(_run())


def _run() -> int:
    _accept_any_character()
    CURRENT.json_verb = None
    failed: LoomError | str
    try:
        code = typer.main.get_command(app)(prog_name="loom", standalone_mode=False)
        if code == EXIT_INTERRUPTED:
            failure.answer_as_json(failure.INTERRUPT, is_interrupt=True)
        return code if isinstance(code, int) else 0
    except SystemExit as left:
        # typer leaves by itself after completion, or when whoever was reading has gone
        return EXIT_SETUP if left.code else 0
    except failure.UsageError as error:
        failed = failure.usage_failure(error)
    except LoomError as error:
        failed = error
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last line of defence: a bug becomes a file, not a wall of text
        outside = failure.output_failure(error) if isinstance(error, OSError) else None
        if outside is not None:
            failure.abandon_output()
        failed = outside or failure.bug()
    failure.say(str(failed))
    if isinstance(failed, LoomError):
        failure.answer_as_json(failed)
    return EXIT_SETUP


def _accept_any_character() -> None:
    """A terminal that cannot show a character gets its number, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
