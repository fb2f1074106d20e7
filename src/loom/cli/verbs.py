"""Verbs as commands, made from the generated catalogue: help costs no import of a package."""

from __future__ import annotations

import inspect
import json
import keyword
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from loom.cli import options
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
LOCAL = "local"
OWN_FOLDERS = ("loom-processes", ".loom/processes")


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


class RunCommand(TyperCommand):
    """A command that runs a package: with `--json` even a refused word is answered with one object."""

    verb: str | None = None

    def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the words that were typed."""
        typed = args[: args.index("--")] if "--" in args else args
        CURRENT.json_verb = (self.verb or info_name) if "--json" in typed else None
        return super().make_context(info_name, args, parent=parent, **extra)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The inputs of the package first, apart from the options that every call has."""
        shared = [each for each in self.params if str(each.name).startswith(options.PREFIX)]
        own = [each for each in self.get_params(ctx) if each not in shared]
        arguments = [each for each in own if each.param_type_name == "argument"]
        parts = (
            ("Arguments", arguments),
            ("Options", [each for each in own if each not in arguments]),
            ("Options of every verb", shared),
        )
        for title, params in parts:
            told = [record for each in params if (record := each.get_help_record(ctx)) is not None]
            if told:
                with formatter.section(title):
                    formatter.write_dl(told)


def command(name: str, folder: Path | None = None) -> Any:
    """The command of one verb that comes with Loom, with an option per input."""
    entry = catalogue()[name]
    if folder is not None and _may_be_replaced(entry["name"], folder):
        from loom.app.verbs_list import package_entry

        # one that may not be used is said when it is called, so that help always works
        with suppress(LoomError):
            entry = package_entry(folder, entry["name"])
    return command_of(entry, name)


def _may_be_replaced(name: str, folder: Path) -> bool:
    """Whether the person has a package of that name, looked up without loading anything."""
    home = os.path.expanduser(os.environ.get("LOOM_HOME") or "~/.loom")  # noqa: PTH111
    roots = (*(f"{folder}/{part}" for part in OWN_FOLDERS), f"{home}/processes")
    return any(
        os.path.lexists(f"{root}/{name}{ending}") for root in roots for ending in ("", ".yaml", ".yml")
    )


def own_command(name: str, folder: Path) -> Any:
    """The command of a verb from one of the person's own packages; None when no package has it."""
    from loom.app.verbs_list import find_verb

    found = find_verb(folder, name)
    return command_of(found.entry, name, found.reference) if found else None


def command_of(entry: dict[str, Any], name: str, package: str | Path | None = None) -> Any:
    """The command that an entry of the catalogue describes."""
    items: list[dict[str, Any]] = entry["inputs"]
    inputs = [_parameter(item) for item in items]
    names = {made.name: item["name"] for made, item in zip(inputs, items, strict=True)}

    def run(ctx: typer.Context, **values: Any) -> None:
        raise typer.Exit(run_call(entry, package or entry["name"], given(ctx, names), values))

    inputs.sort(key=lambda p: p.default is not inspect.Parameter.empty)
    shared = options.call_options(names.values())
    shared.insert(0, options.config_option(list(items), names, f"loom {name}"))
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    return build(name, help_text(entry), run, [context, *inputs, *shared])


def build(
    name: str, text: str, run: Any, parameters: list[inspect.Parameter], verb: str | None = None
) -> Any:
    """A command from a function and the parameters it is to have."""
    run.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    settings = {"help_option_names": ["-h", "--help"]}
    app.command(name=name, cls=RunCommand, help=text, context_settings=settings)(run)
    made: Any = typer.main.get_command(app)
    made.verb = verb or name
    return made


def given(ctx: typer.Context, names: dict[str, str]) -> dict[str, Any]:
    """The inputs that somebody gave, by name: typed ones as typed, those of a file as they stand there."""
    from_file: dict[str, Any] = ctx.meta.get(options.GIVEN, {})
    found: dict[str, Any] = {}
    for key, name in names.items():
        source = getattr(ctx.get_parameter_source(key), "name", "")
        if source == "COMMANDLINE":
            found[name] = ctx.params[key]
        elif name in from_file:
            found[name] = from_file[name]
    return found


def load_ahead() -> None:
    """Have Metaflow loaded beside this process, which has its own things to load first."""
    from loom.flows.fork import stand_by
    from loom.settings.layers import loom_home

    stand_by(loom_home(os.environ), os.environ)


def run_call(
    entry: dict[str, Any], package: str | Path, inputs: dict[str, Any], values: dict[str, Any]
) -> int:
    """Run a package with inputs by name and the options of the call; the exit code says how it ended."""
    from loom.app.call import Call
    from loom.cli.running import asked, run

    folder = CURRENT.folder().absolute()
    mlops = options.value(values, "mlops") or inputs.get("mlops")
    if mlops == LOCAL and "mlops" not in {item["name"] for item in entry["inputs"]}:
        raise LoomError(
            f"loom {entry['command']} has no local way to run",
            "--mlops local is for the search alone; every other verb leaves a versioned run behind",
            f"loom {entry['command']} --mlops metaflow",
        )
    if entry["flow"] and mlops != LOCAL and not options.value(values, "dry-run"):
        load_ahead()
    caller, words = asked()
    call = Call(
        package,
        inputs=inputs,
        goal=str(options.value(values, "goal") or inputs.get("goal") or ""),
        experiment_id=options.value(values, "experiment-id") or inputs.get("experiment-id"),
        seed=int(options.value(values, "seed") or inputs.get("seed") or 0),
        confirm=options.value(values, "confirm"),
        caller=caller,
        command=words,
        attached=options.attachments(options.value(values, "attach") or (), folder),
        transport="metaflow" if mlops is None else mlops,
        workspace=folder,
    )
    return run(call, how(values))


def how(values: dict[str, Any]) -> Any:
    """How the call is to be told about."""
    from loom.cli.running import How

    return How(
        as_json=bool(options.value(values, "json")),
        events=options.value(values, "events"),
        dry_run=bool(options.value(values, "dry-run")),
    )


def help_text(entry: dict[str, Any]) -> str:
    """What a verb does, what it may do, and what its exit codes mean."""
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
    completes = _complete_pathspecs if item["type"] == "pathspec" else None
    if item.get("positional"):
        info: Any = typer.Argument(
            help=help_line, metavar=item["name"].upper(), show_default=False, autocompletion=completes
        )
    else:
        flag = "--" + item["name"].replace("_", "-")
        shown = item.get("default") is not None
        info = typer.Option(
            flag, help=help_line, metavar=metavar, show_default=shown, autocompletion=completes
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


def _complete_pathspecs(incomplete: str) -> list[tuple[str, str]]:
    return options.complete("pathspec", incomplete)
