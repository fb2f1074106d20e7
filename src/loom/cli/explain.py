"""`loom explain LMnnn`."""

from __future__ import annotations

from typing import Annotated

import typer

from loom.app.rules import complete_codes, explain_rule

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A code such as LM301.", autocompletion=complete_codes)],
) -> None:
    """Explain a rule of the checker, with examples."""
    typer.echo(explain_rule(code))
