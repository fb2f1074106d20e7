"""Verbs as commands, made from the generated catalogue: help costs no import of a package."""

from __future__ import annotations

import inspect
import json
import keyword
import shlex
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

TYPES: dict[str, type] = {"integer": int, "number": float, "flag": bool}
METAVARS = {
    "text": "TEXT",
    "integer": "N",
    "number": "NUMBER",
    "metric": "METRIC",
    "pathspec": "PATHSPEC",
    "column": "COL",
    "columns": "COL[,COL...]",
    "path": "PATH",
    "duration": "TIME",
}


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Every builtin verb by command name, aliases included."""
    entries = json.loads((Path(__file__).parent / "catalogue.json").read_bytes())["verbs"]
    return {name: entry for entry in entries for name in (entry["command"], *entry["aliases"])}


def help_lines() -> dict[str, str]:
    """One line per verb for the list of commands."""
    return {
        name: f"{entry['description'].split(': ')[0].removesuffix('.')}."
        if name == entry["command"]
        else f"The same as {entry['command']}."
        for name, entry in catalogue().items()
    }


def command(name: str) -> Any:
    """The command of one verb, with an option per input."""
    entry = catalogue()[name]

    def run(**values: Any) -> None:
        CURRENT.folder()
        _refuse_to_run(entry["name"])

    parameters = [_parameter(item) for item in entry["inputs"]]
    parameters.sort(key=lambda p: p.default is not inspect.Parameter.empty)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    app.command(name=name, help=_help(entry), context_settings={"help_option_names": ["-h", "--help"]})(run)
    return typer.main.get_command(app)


def _help(entry: dict[str, Any]) -> str:
    good = ", ".join(entry["ok"]) or "finished"
    bad = ", ".join(value for value in entry["values"] if value not in entry["ok"]) or "never"
    facts = [
        ("tier", entry["tier"]),
        ("model", entry["model"]),
        ("exit 0", good),
        ("exit 1", bad),
        ("exit 2", "setup or arguments"),
        ("exit 130", "interrupted"),
    ]
    # the mark keeps the formatter from making one paragraph of them
    return "\n".join([entry["description"], "", "\b", *(f"{name + ':':<9} {value}" for name, value in facts)])


def _parameter(item: dict[str, Any]) -> inspect.Parameter:
    choices = tuple(item.get("choices", ()))
    annotation: Any = Literal[choices] if choices else TYPES.get(item["type"], str)
    help_line = item["help"]
    if item.get("raises_tier"):
        help_line = f"{help_line} (raises the tier to {item['raises_tier']})".strip()
    metavar = "|".join(choices) or METAVARS.get(item["type"])
    if item.get("positional"):
        info: Any = typer.Argument(help=help_line, metavar=item["name"].upper(), show_default=False)
    else:
        flag = "--" + item["name"].replace("_", "-")
        info = typer.Option(
            flag, help=help_line, metavar=metavar, show_default=item.get("default") is not None
        )
    if item.get("repeat"):
        annotation = list[annotation]
    default = inspect.Parameter.empty if item.get("required") else item.get("default")
    if default is None:
        annotation, default = (bool, False) if annotation is bool else (annotation | None, None)
    name = item["name"].replace("-", "_")
    name = f"{name}_" if keyword.iskeyword(name) else name
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=Annotated[annotation, info])


def refuse_to_run_package(reference: str, folder: Path) -> None:
    """Refuse to run a package that holds; one that does not, or is not there, is said so first."""
    from loom.process.loader import ProcessLoader

    ProcessLoader(folder).load(reference)
    _refuse_to_run(reference)


def _refuse_to_run(process: str) -> None:
    raise LoomError(
        f"{process} cannot run in this release",
        "packages are read, checked, explained and planned; the runtime is not part of it",
        f"loom process plan {shlex.quote(process)}",
    )
