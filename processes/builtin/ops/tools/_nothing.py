"""What to say where there is nothing to look at: a name that was mistyped, or a home in which nothing has run."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence

from loom.core.index import RunFacts
from loom.tools.registry import ToolResult

from ._finding import finding
from ._runs import flows_of, group_of

_NAMED = 5


def nothing(flow: str | None, experiment: str | None, every: Sequence[RunFacts]) -> ToolResult:
    """Nothing to look at; a name that was mistyped is told from one that has not run."""
    known = flows_of(every)
    flows = list(dict.fromkeys(group_of(run, known) for run in every))
    verbs = {run.verb.casefold() for run in every}
    experiments = list(dict.fromkeys(run.experiment_id for run in every if run.experiment_id))
    near: list[str] = []
    option = "--flow"
    if not every:
        what = "nothing has run in this home yet"
    elif experiment is not None and experiment not in experiments:
        what, near, option = f"{experiment[:80]} has no runs", _near(experiment, experiments), "--experiment"
    elif flow is not None and flow.casefold() not in verbs | {name.casefold() for name in flows}:
        what, near = f"{flow[:80]} has never run", _near(flow, flows)
    else:
        what = f"no run of {flow} belongs to {experiment}"
    if near:
        what += f"; there are {', '.join(near)}" if len(near) > 1 else f"; there is {near[0]}"
    following = [f"loom ops {option} {shlex.quote(near[0])}"] if near else []
    following += ["loom runs"] if every else ["loom verbs"]
    reasons = [finding("nothing_there", "error", what)]
    return ToolResult.ok(what, {"verdict": "EMPTY", "health": None, "reasons": reasons, "next": following})


def _near(word: str, names: Sequence[str]) -> list[str]:
    """The names that may have been meant; the latest ones where none is near."""
    folded = {name.casefold(): name for name in reversed(names)}
    close = difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)
    return [folded[name] for name in close] or list(names[:_NAMED])
