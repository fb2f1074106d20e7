"""`loom --process NAME|PATH [GOAL]`: run any package, whether it is a verb or not."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import typer

from loom.cli import options, verbs
from loom.cli.context import CURRENT

ROOT_FLAGS = frozenset({"-q", "--quiet", "--no-color"})
ROOT_OPTIONS = frozenset({"-w", "--workspace"})


def split(words: list[str]) -> tuple[list[str], list[str]] | None:
    """The words of the root command and those of the package; None when no package is named."""
    at = _past_root_options(words, 0)
    if at >= len(words) or words[at].partition("=")[0] != "--process":
        return None
    end = at + 1 if "=" in words[at] else at + 2
    if end > len(words):
        return None  # its value is missing, which the parser says better
    end = _past_root_options(words, end)
    return words[:end], words[end:]


def _past_root_options(words: list[str], at: int) -> int:
    """Where the root options that begin at a place end."""
    while at < len(words):
        word = words[at]
        if word in ROOT_FLAGS or word.startswith("--workspace=") or (word[:2] == "-w" and len(word) > 2):
            at += 1
        elif word in ROOT_OPTIONS and at + 1 < len(words):
            at += 2
        else:
            break
    return at


def command(reference: str, folder: Path) -> Any:
    """The command that runs one package; its inputs are NAME=VALUE words."""
    from loom.app.verbs_list import package_entry

    if not {"--dry-run", "--help", "-h"} & set(sys.argv):
        verbs.load_ahead()
    entry = package_entry(folder, reference)
    name = f"--process {reference}"

    def run(ctx: typer.Context, goal: str | None, inputs: list[str] | None, **values: Any) -> None:
        from loom.cli.inputs import parse_words

        from_file: dict[str, Any] = ctx.meta.get(options.GIVEN, {})
        given = from_file | parse_words(inputs or [], entry["inputs"], f"loom {name}")
        if goal and "goal" in {item["name"] for item in entry["inputs"]}:
            given.setdefault("goal", goal)
        raise typer.Exit(verbs.run_call(entry, reference, given, {**values, "opt_goal": goal}))

    goal_word = typer.Argument(metavar="GOAL", help="What the result is for, in words.", show_default=False)
    given_words = typer.Option(
        "--input",
        metavar="NAME=VALUE",
        help="Give the package an input; may be repeated.",
        show_default=False,
    )
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        options.parameter("goal", str | None, None, goal_word),
        options.parameter("inputs", list[str] | None, None, given_words),
        options.config_option(entry["inputs"], {}, f"loom {name}"),
        *options.call_options(["goal"]),
    ]
    return verbs.build(name, _help(entry), run, parameters, entry["command"])


def _help(entry: dict[str, Any]) -> str:
    lines = [verbs.help_text(entry)]
    if entry["inputs"]:
        lines += ["", "\b", "inputs:"]
        for item in entry["inputs"]:
            mark = " (required)" if item.get("required") else ""
            lines.append(f"  {item['name']:<16} {item['type']:<9} {item['help']}{mark}")
    return "\n".join(lines)


def settle(params: dict[str, Any]) -> Path:
    """Take the root options in before a command is looked up; the folder that names are looked up in."""
    workspace = params.get("workspace")
    CURRENT.workspace = Path(workspace) if workspace is not None else None
    return CURRENT.folder()
