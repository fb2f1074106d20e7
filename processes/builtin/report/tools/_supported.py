"""Nothing is written before each of its numbers was found again in the run that it names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from loom.kernel.errors import LoomError
from loom.tools.registry import ToolContext

from ._facts import told
from ._parts import Cited


def refuse_unsupported(text: str, citations: Sequence[Cited], ctx: ToolContext) -> None:
    """A LoomError that names the first number which no run says, and how many there are."""

    def lookup(name: str) -> dict[str, Any]:
        try:
            return told(ctx.services["runs"].run(name))
        except LoomError as error:
            raise LookupError(name) from error

    findings = ctx.services["numbers"].check(text, citations, lookup)
    if not findings:
        return
    first = findings[0]
    where = f" ({first.address})" if first.address else ""
    more = f", and {len(findings) - 1:,} more" if len(findings) > 1 else ""
    run = first.address.partition("#")[0] if first.address else citations[0].pathspec
    raise LoomError(
        f"the report would say what no run says: {first.what}{where}{more}",
        {
            "gone": "the run or that part of its answer is not there any more",
            "different": "the run says something else by now than when it was gathered",
        }.get(first.kind, "a number has to stand as it was read"),
        f"loom show {shlex.quote(run)}",
    )
