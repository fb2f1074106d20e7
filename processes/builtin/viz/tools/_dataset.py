"""The plots of a data object: its open rows are looked at, the sealed ones never."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.dataio.frames import load
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from loom.science.charts import (
    Chart,
    Survey,
    correlation,
    distributions,
    missing,
    missing_together,
    survey,
    target_charts,
)
from loom.science.columns import Columns
from loom.science.targets import resolve_target
from loom.tools.card import number
from loom.tools.naming import refuse_unknown
from loom.tools.registry import ToolContext

from ._drawn import ALL, Drawn

_LISTED = 12
_WHY_NOT = {
    "distributions": "every column is empty, constant, text, an id or personal",
    "correlation": "no two columns go together beyond chance",
    "target": "it never changes, or shows who a row is about",
    "missing": "no cell is missing",
}


def drawn_of_dataset(pathspec: str, target: str | None, kind: str, ctx: ToolContext) -> Drawn:
    """The plots of a kind, or of all that there is something to see in; LoomError where there is nothing."""
    if kind == "leaderboard":
        raise LoomError(
            f"{pathspec} has no leaderboard",
            "a data object holds rows; candidates are ranked by the run of a search",
            "loom runs",
        )
    found: DataObject = ctx.services["catalogue"].open(pathspec)
    train, test = found.parts["train"], found.parts.get("test")
    table = Columns(tuple(train.columns), train.rows, partial(load, train))
    named = target or found.schema.get("target")
    refuse_unknown(pathspec, table.names, {"target": named}, "viz")
    choice = resolve_target(table.names, declared=named, test_names=test and test.columns)
    if kind == "target" and choice is None:
        raise LoomError(
            f"{pathspec} has no target",
            "none was named when it was brought in, and no column is called target or label",
            command("viz", dataset=pathspec, target=table.names[-1], kind="target"),
        )
    seen = survey(table, target=choice.name if choice is not None else None)
    of = f"{pathspec}, {table.rows:,} open rows"
    charts = {each: tuple(_charts(each, seen, of)) for each in _WHY_NOT if kind in (ALL, each)}
    if not any(charts.values()):
        what = f"the target `{spoken(choice.name)}`" if kind == "target" and choice else pathspec
        why = _WHY_NOT.get(kind, "no column holds anything that may be shown")
        raise LoomError(f"there is nothing to draw of {what}", why, command("eda", dataset=pathspec))
    asked = None if choice is None or choice.name == found.schema.get("target") else choice.name
    return Drawn(
        of=pathspec,
        charts=charts,
        next=tuple(command(verb, dataset=pathspec, target=asked) for verb in ("eda", "features")),
        numbers=(
            number("rows", table.rows, note="open; the holdout stays sealed"),
            number("columns", len(table.names)),
            number("target", spoken(choice.name) if choice is not None else "none"),
        ),
        told=_method(seen),
    )


def _charts(kind: str, seen: Survey, of: str) -> Sequence[Chart]:
    if kind == "target":
        return target_charts(seen, of)
    if kind == "distributions":
        return distributions(seen, of)
    if kind == "correlation":
        found = [correlation(seen, of)]
    else:
        found = [missing(seen, of), missing_together(seen, of)]
    return [chart for chart in found if chart is not None]


def _method(seen: Survey) -> dict[str, str]:
    left_out = [each.name for each in seen.columns if not each.may_be_drawn and each.name != seen.target]
    named = ", ".join(spoken(name) for name in left_out[:_LISTED])
    more = f" and {len(left_out) - _LISTED:,} more" if len(left_out) > _LISTED else ""
    return {
        "what is shown": "aggregates only: cells and levels with at least 20 rows each, between shown quantiles",
        "left out (ids, texts, constants, personal)": f"{named}{more}" if left_out else "no column",
        "order of columns": "what goes together with the target most" if seen.answer else "as in the data",
        "intervals": "95 %: Wilson's of rates, normal of means",
        "strength": "root of the share of the target's variance between the values of a column, corrected",
    }
