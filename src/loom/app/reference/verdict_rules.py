"""docs/reference/verdict-rules.md: every rule of a verdict, with how often it trips where it should and should not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loom.app.reference.markdown import page, table
from loom.science.judgement import RULES

RATES = "docs/reference/verdict-rates.json"
SOAK = "python -m tests.science.validation.characteristics SEEDS --write"

_INTRODUCTION = """\
`loom validate` holds each measurement of a model against one rule. FAIL comes from one failing rule, REVIEW from
one that wants a person to look, or that could not be applied. PASS needs all of them to have nothing to say. What
could not be measured is never a pass.

`worst` is the worst that a rule can make of a verdict; where it knows two outcomes, the limit says where each begins.
False alarms are counted over the honest tables below."""
_RATES = """\
Measured with `{soak}` over {seeds} seeds of each
table, {rows:,} rows each. An honest table is one on which a model may be trusted; the others have a defect that must
never pass. A rule that could not be applied counts as one that spoke."""
_NO_RATES = "They have not been measured on this checkout: run `{soak}`."


def verdict_rules_page(root: Path) -> str:
    """The page: the rules, then what was measured of them."""
    return page("Rules of a verdict", "`src/loom/science/judgement/`", _blocks(_rates_of(root)))


def _rates_of(root: Path) -> Mapping[str, Any]:
    path = root / RATES
    if not path.is_file():
        return {}
    told: Mapping[str, Any] = json.loads(path.read_bytes())
    return told


def _blocks(rates: Mapping[str, Any]) -> Iterator[str]:
    yield _INTRODUCTION
    tables = rates.get("tables") or {}
    honest = [each for each in tables.values() if each["kind"] == "honest"]
    rows = [(f"`{rule.code}`", rule.level, rule.limit, _alarms(rule.code, honest)) for rule in RULES]
    yield table(("rule", "worst", "speaks against a model", "false alarms"), rows)
    yield "## What each rule looks at"
    for rule in RULES:
        yield f"### {rule.code}"
        yield f"Looks at {rule.statistic}. Expected of an honest model: {rule.null}. Limit: {rule.limit}."
    yield "## Operating characteristics"
    if not tables:
        yield _NO_RATES.format(soak=SOAK)
        return
    yield _RATES.format(soak=SOAK, seeds=rates["seeds"], rows=rates["rows"])
    yield table(("table", "is", "PASS", "REVIEW", "FAIL", "rules that spoke"), list(_lines(tables)))


def _lines(tables: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, each in tables.items():
        verdicts, total = each["verdicts"], sum(each["verdicts"].values())
        shares = [_share(verdicts.get(verdict, 0), total) for verdict in ("PASS", "REVIEW", "FAIL")]
        spoke = sorted(each["rules"].items(), key=lambda pair: (-pair[1], pair[0]))
        said = ", ".join(f"`{code}` {_share(count, total)}" for code, count in spoke) or "none"
        yield (name.replace("_", " "), each["kind"], *shares, said)


def _alarms(code: str, honest: list[Mapping[str, Any]]) -> str:
    total = sum(sum(each["verdicts"].values()) for each in honest)
    if not total:
        return "not measured"
    return _share(sum(each["rules"].get(code, 0) for each in honest), total)


def _share(count: int, total: int) -> str:
    share = 100 * count / total
    return "0" if not count else f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
