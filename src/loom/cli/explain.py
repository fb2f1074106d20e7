"""`loom explain LMnnn`."""

from __future__ import annotations

from typing import Annotated

import typer

from loom.app.rules import complete_codes, explain_rule

app = typer.Typer(
    help="Explain a rule of the checker, with examples.",
    rich_markup_mode=None,
    add_completion=False,
)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def explain(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="A code such as LM301.", autocompletion=complete_codes)
    ],
) -> None:
    """Explain a rule of the checker, with examples."""
    typer.echo(explain_rule(code))
