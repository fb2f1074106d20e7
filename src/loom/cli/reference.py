"""The reference page of the command line, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from loom.app.reference.markdown import fence, page
from loom.cli.main import GROUPS, RUNS, app

WIDTH = 100


def cli_page(_root: Path) -> str:
    """The help of every command, as it is printed; verbs have a page of their own."""
    root = typer.main.get_command(app)
    blocks = ["Verbs are on [their own page](verbs.md).", *_section(root, "loom", None)]
    return page("Commands", "`src/loom/cli/`", blocks)


def _section(command: Any, name: str, parent: Any) -> Iterator[str]:
    context = command.make_context(name.split()[-1], [], parent=parent, resilient_parsing=True)
    context.terminal_width = context.max_content_width = WIDTH
    help_text = command.get_help(context)
    yield f"## `{name}`"
    yield fence(help_text, "text")
    for child in (GROUPS | RUNS) if parent is None else getattr(command, "commands", {}):
        yield from _section(command.get_command(context, child), f"{name} {child}", context)
