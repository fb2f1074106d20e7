"""The page about a chain of runs: champion and verdict first, then its stages, what was left out, and what is to be noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.tools.card import Block, Tone, card, column, facts, number, table, tag
from loom.tools.stages import Chain, Stage

_LEFT_OUT = {
    "id": "it names rows",
    "constant": "it never changes",
    "all_missing": "it is empty",
    "nested": "its cells hold lists or records",
    "absent_in_test": "rows to predict do not have it",
}
_TONES: dict[str, Tone] = {
    **dict.fromkeys(("OK", "BUILT", "BEST", "PASS"), "fine"),
    **dict.fromkeys(("FLAGGED", "REVIEW"), "wary"),
    **dict.fromkeys(("FAIL", "EMPTY", "BLOCKED"), "bad"),
}
_OF_SEVERITY: dict[str, Tone] = {"error": "bad", "warning": "wary"}
_MOST, _BEST = 12, 5


def page(chain: Chain, *, more: Sequence[Block] = (), told: Mapping[str, Any] | None = None) -> Block:
    """The page: champion and verdict first, then the stages, what was left out, and what is to be noted."""
    sections = [_stages(chain), *more, *_left_out(chain), *_noted(chain), *_board(chain)]
    about = {
        "target": chain.found("eda", "target", "name"),
        "data": chain.found("eda", "dataset_ref"),
        "features": chain.found("features", "dataset_ref"),
        "experiment": chain.found("optimize", "experiment_id"),
        "proposer": chain.found("optimize", "proposer"),
        "budget": chain.found("optimize", "budget"),
        "champion's code": chain.found("optimize", "solution_path"),
        "its predictions": chain.found("optimize", "submission_path"),
        "splits": chain.found("validate", "splitter", "why"),
        **(told or {}),
    }
    known = {name: value for name, value in about.items() if value}
    return card(numbers=list(_numbers(chain)), sections=[*sections, facts("Method and lineage", known)])


def _numbers(chain: Chain) -> Iterator[Block]:
    best = chain.found("optimize", "best")
    if best:
        yield number("champion", best["family"], note=best.get("pathspec"))
    judged, holdout = chain.get("validate"), chain.found("validate", "holdout")
    if judged and holdout and holdout.get("score") is not None:
        name = chain.found("validate", "metric", "name")
        tone = _TONES.get(str(judged.verdict))
        yield number(
            f"{name} on sealed rows", _rounded(holdout["score"]), note=_span(holdout.get("ci")), tone=tone
        )
    dummy = chain.found("validate", "baselines", "dummy")
    if dummy and dummy.get("score") is not None:
        yield number("without a model", _rounded(dummy["score"]), note=dummy.get("name"))
    leaks = chain.leaks()
    named = ", ".join(str(each["column"]) for each in leaks[:3])
    yield number("leaks dropped", len(leaks), note=named or None, tone="wary" if leaks else "fine")
    tried = chain.found("optimize", "candidates")
    if tried is not None:
        yield number("candidates tried", tried)
    spent = [stage.run.seconds for stage in chain.stages if stage.run and stage.run.seconds]
    if spent:
        yield number("seconds", round(sum(spent), 1), note="of all stages")


def _stages(chain: Chain) -> Block:
    rows = [
        {
            "verb": stage.verb,
            "verdict": [tag(stage.verdict or "none", _TONES.get(str(stage.verdict), "calm"))],
            "came": "; ".join(_said(stage)),
            "seconds": stage.run and stage.run.seconds and round(stage.run.seconds, 1),
            "run": stage.pathspec or "",
        }
        for stage in chain.stages
    ]
    columns = [
        column("verb", "stage"),
        column("verdict", "verdict", "tags"),
        column("came", "what came of it"),
        column("seconds", "seconds", "number"),
        column("run", "run", "code"),
    ]
    return table("Stages", columns, rows)


def _said(stage: Stage) -> Iterator[str]:
    """What a stage came to, in a few words."""
    get = stage.summary.get
    if stage.verb == "ingest":
        yield f"{get('n_rows') or 0:,} rows, {(get('holdout') or {}).get('rows') or 0:,} of them sealed"
    elif stage.verb == "eda":
        flags = get("leakage_flags") or ()
        named = ", ".join(str(each.get("column") or "the table") for each in flags[:3])
        yield f"target {(get('target') or {}).get('name')}"
        yield f"{len(flags)} leak{'' if len(flags) == 1 else 's'}{f': {named}' if flags else ''}"
    elif stage.verb == "features":
        yield f"{get('n_features_after') or 0:,} features of {get('n_features_before') or 0:,} columns"
    elif stage.verb == "optimize" and get("best"):
        best = get("best") or {}
        yield f"{best.get('family')} of {get('candidates') or 0:,} candidates"
    elif stage.verb == "validate":
        held = get("holdout") or {}
        if held.get("score") is not None:
            yield f"{_rounded(held['score'])} on {held.get('n') or 0:,} sealed rows"
    elif stage.verb == "report":
        yield f"{len(get('sections') or ())} sections"


def _left_out(chain: Chain) -> Iterator[Block]:
    leaks = {each["column"]: each for each in chain.leaks()}
    rows = [
        {
            "column": each.get("column"),
            "why": [tag("leak", "bad") if each.get("column") in leaks else tag(str(each["reason"]))],
            "means": _how(leaks[each["column"]])
            if each.get("column") in leaks
            else _LEFT_OUT.get(str(each["reason"]), ""),
            "score": leaks.get(each.get("column"), {}).get("score"),
        }
        for each in chain.found("features", "dropped") or ()
    ]
    rows.sort(key=lambda row: row["column"] not in leaks)
    if rows:
        columns = [
            column("column", "column", "code"),
            column("why", "", "tags"),
            column("means", "that is"),
            column("score", "alone it scores", "score"),
        ]
        more = f"and {len(rows) - _MOST:,} more" if len(rows) > _MOST else None
        yield table("Left out of modelling", columns, rows[:_MOST], note=more)


def _how(leak: Mapping[str, Any]) -> str:
    """How a column gives the answer away; that it is a name goes without saying there."""
    return str(leak["what"] or leak["reason"]).replace("`", "")


def _noted(chain: Chain) -> Iterator[Block]:
    rows = [
        {"says": [_mark(each)], "what": each.get("what"), "rule": each.get("code")}
        for each in chain.said_of("validate")
    ]
    if rows:
        columns = [column("says", "", "tags"), column("what", "what"), column("rule", "rule", "code")]
        yield table("What the judge noted", columns, rows[:_MOST])


def _board(chain: Chain) -> Iterator[Block]:
    rows = [
        {
            **{key: each.get(key) for key in ("rank", "family", "search", "folds", "seal", "seconds")},
            "candidate": each.get("pathspec") or "",
            "marks": [tag("champion", "fine")] if each.get("champion") else [],
        }
        for each in (chain.found("optimize", "leaderboard") or ())[:_BEST]
    ]
    if rows:
        metric = chain.found("optimize", "metric") or "score"
        columns = [
            column("rank", "rank", "number"),
            column("family", "family"),
            column("search", f"{metric}, search", "score"),
            column("folds", "folds", "number"),
            column("seal", "sealed", "score"),
            column("seconds", "seconds", "number"),
            column("candidate", "candidate", "code"),
            column("marks", "", "tags"),
        ]
        yield table("The best candidates", columns, rows)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _span(interval: Sequence[float | None] | None) -> str | None:
    if not interval or None in interval:
        return None
    return " to ".join(f"{end:.3g}" for end in interval)


def _mark(reason: Mapping[str, Any]) -> Block:
    severity = str(reason.get("severity"))
    return tag({"error": "against", "warning": "doubt"}.get(severity, "note"), _tone(severity))


def _tone(severity: str) -> Tone:
    return _OF_SEVERITY.get(severity, "calm")
