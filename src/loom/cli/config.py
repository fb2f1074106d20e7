"""`loom config explain`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from loom.cli.context import CURRENT

app = typer.Typer(
    help="Show settings and where they come from.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def config() -> None:
    """Show settings and where they come from."""


def _complete_keys(incomplete: str) -> list[tuple[str, str]]:
    from loom.app.config import complete_keys

    return complete_keys(incomplete)


@app.command()
def explain(
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY", help="A setting; without it, all of them.", autocompletion=_complete_keys
        ),
    ] = None,
) -> None:
    """Show a setting, what each layer says, and which one wins."""
    from loom.app.config import explain_settings

    typer.echo(explain_settings(CURRENT.folder(), os.environ, key))
