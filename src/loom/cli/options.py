"""The options that every verb has beside its own inputs."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

Item = Mapping[str, Any]
PREFIX = "opt_"
"""What the parameters of these options begin with; no input does."""

GIVEN = "loom.inputs"
"""Where the inputs of a `--config` file wait for the call, under their own names."""


def parameter(name: str, annotation: Any, default: Any, info: Any) -> inspect.Parameter:
    """A parameter of a command that typer reads as an option or argument."""
    annotated = Annotated[annotation, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotated)


def call_options(inputs: Iterable[str]) -> list[inspect.Parameter]:
    """The options of a call; an input of the same name takes an option's place."""
    taken = set(inputs)
    return [parameter(_named(key), *rest) for key, *rest in _OPTIONS if key not in taken]


def _named(key: str) -> str:
    return PREFIX + key.replace("-", "_")


def value(values: Mapping[str, Any], key: str) -> Any:
    """The value of one of these options; None where an input took its place."""
    return values.get(_named(key))


def attachments(words: Iterable[str], folder: Path) -> dict[str, Path]:
    """PATH[=ALIAS] words as paths by alias; an alias is the path's last part unless it is given."""
    found: dict[str, Path] = {}
    for word in words:
        text, equals, alias = word.rpartition("=")
        # a file may have the sign in its name
        if not equals or (folder / word).exists():
            text, alias = word, ""
        path = (folder / Path(text).expanduser()).absolute()
        alias = alias or path.name
        if not path.exists():
            raise LoomError(
                f"{text} cannot be attached",
                "there is no such file or folder",
                f"ls {shlex.quote(str(path.parent))}",
            )
        if "/" in alias or alias in ("", ".", ".."):
            raise LoomError(
                f"{alias!r} cannot be an alias",
                "it becomes the name of a folder",
                f"--attach {shlex.quote(f'{text}=data')}",
            )
        if alias in found:
            why = f"{found[alias]} is attached under that name"
            raise LoomError(
                f"two attachments are called {alias}", why, f"--attach {shlex.quote(f'{text}={alias}-2')}"
            )
        found[alias] = path
    return found


def config_option(items: list[Item], names: Mapping[str, str], command: str) -> Any:
    """`--config FILE`: its values stand in for options that were not typed. `names` maps parameters to inputs."""

    def load(ctx: typer.Context, file: str | None) -> str | None:
        if file is None or ctx.resilient_parsing:
            return file
        from loom.cli.inputs import read_inputs

        given = read_inputs(CURRENT.folder() / Path(file).expanduser(), items, command)
        ctx.meta[GIVEN] = given
        ctx.default_map = {key: _as_typed(given[name]) for key, name in names.items() if name in given}
        return file

    return parameter(
        _named("config"),
        str | None,
        None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Take inputs from a YAML, JSON or TOML file; options that are typed win.",
            callback=load,
            is_eager=True,
        ),
    )


def _as_typed(given: Any) -> Any:
    """A value as it would stand on a command line; what it really is goes with the call."""
    if isinstance(given, list):
        return [str(each) for each in given]
    return given if isinstance(given, bool | int | float) else str(given)


def _option(flag: str, help_line: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(f"--{flag}", help=help_line, metavar=metavar, show_default=False, **more)


def _complete_experiments(incomplete: str) -> list[tuple[str, str]]:
    return complete("experiment", incomplete)


def complete_packages(incomplete: str) -> list[str]:
    """Packages that can be named here and begin like this."""
    from loom.process.loader import ProcessLoader

    try:
        found = {package.name for package in ProcessLoader(CURRENT.folder()).all()}
    except LoomError:
        return []
    return sorted(name for name in found if name.startswith(incomplete))


def complete(kind: Literal["pathspec", "experiment"], incomplete: str) -> list[tuple[str, str]]:
    """Runs, or experiments, whose name begins like this, with what is known of them; newest first."""
    import os

    from loom.app.history import open_history

    try:
        with open_history(os.environ) as history:
            return [found for found in history.completions(kind) if found[0].startswith(incomplete)]
    except LoomError:
        return []


_OPTIONS: tuple[tuple[Any, ...], ...] = (
    ("goal", str | None, None, _option("goal", "What the result is for, in words.", "TEXT")),
    (
        "experiment-id",
        str | None,
        None,
        _option(
            "experiment-id", "File the run under this experiment.", "ID", autocompletion=_complete_experiments
        ),
    ),
    ("seed", int, 0, _option("seed", "Where chance begins; the same seed gives the same run.", "N")),
    (
        "attach",
        list[str] | None,
        None,
        _option("attach", "Let the run read a file or folder, under a name of its own.", "PATH[=ALIAS]"),
    ),
    (
        "mlops",
        Literal["metaflow", "local"] | None,
        None,
        _option("mlops", "What carries the run out.", "metaflow|local"),
    ),
    ("json", bool, False, _option("json", "Print one JSON object.")),
    (
        "events",
        str | None,
        None,
        _option("events", "Write what happens as JSON lines; - is standard output.", "FILE|-"),
    ),
    ("dry-run", bool, False, _option("dry-run", "Show what would run, and why; change nothing.")),
    ("confirm", str | None, None, _option("confirm", "Agree to the plan that has this digest.", "DIGEST")),
)
