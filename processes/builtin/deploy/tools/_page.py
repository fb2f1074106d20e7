"""The page of a deployment: what stands in the way, or what would be deployed, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loom.tools.card import Block, card, column, facts, number, table, tag

from ._tables import files_table, lineage_table, notes_table, scores_table


def blocked_page(evidence: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> Block:
    """What the conditions came to, those that are not met first."""
    met = sum(gate["is_met"] is True for gate in evidence["gates"])
    model = evidence["model"] or {}
    numbers = [
        number("validation", evidence["validation"] or "none", tone="calm"),
        number(
            "verdict", evidence["verdict"] or "none", tone="fine" if evidence["verdict"] == "PASS" else "bad"
        ),
        number("conditions met", f"{met} of {len(evidence['gates'])}", tone="bad"),
        number("reasons", len(reasons), note="each is named below"),
    ]
    about = {
        "model": model.get("ref"),
        "digest of the model": model.get("digest"),
        **{f"digest of {one['pathspec']}": one["digest"] for one in evidence["data"]},
        "floor": evidence["floor"],
    }
    told = {name: value for name, value in about.items() if value is not None}
    return card(
        numbers=numbers,
        sections=[_reasons(reasons), gates_table(evidence["gates"]), facts("Looked at", told)],
    )


def plan_page(
    manifest: Mapping[str, Any], gates: Iterable[Mapping[str, Any]], told: Mapping[str, Any]
) -> Block:
    """What is deployed: its score, the conditions, every file, where it comes from."""
    score, files = manifest["metrics"][0], manifest["bundle"]["files"]
    low, high = score.get("ci") or (None, None)
    span = f"{low:.3g} to {high:.3g}, {score['on']}" if None not in (low, high) else score["on"]
    size = sum(each["bytes"] for each in files)
    numbers = [
        number(score["metric"], float(f"{score['score']:.4g}"), note=span, tone="fine"),
        number("verdict", manifest["validation"]["verdict"], note=manifest["validation"]["ref"], tone="fine"),
        number("files", len(files), note=f"{size / 1e6:.1f} MB, {manifest['target']['form']}"),
        number("columns it reads", manifest["model"]["columns"], note="input_schema.json says which"),
        *told["numbers"],
    ]
    sections = [
        gates_table(gates),
        scores_table(manifest["metrics"]),
        files_table(files),
        lineage_table(manifest["lineage"]),
    ]
    if manifest["validation"]["reasons"]:
        sections.append(notes_table(manifest["validation"]["reasons"]))
    return card(numbers=numbers, sections=[*sections, facts("Digests and versions", _about(manifest, told))])


def gates_table(gates: Iterable[Mapping[str, Any]]) -> Block:
    """Every condition, those that are not met first."""
    words = {True: ("met", "fine"), False: ("not met", "bad"), None: ("not looked at", "wary")}
    rows = [
        {"title": gate["title"], "is": [tag(*words[gate["is_met"]])], "says": gate["says"]}  # type: ignore[arg-type]
        for gate in sorted(gates, key=lambda gate: (gate["is_met"] is not False, gate["is_met"] is True))
    ]
    columns = [column("title", "condition"), column("is", "is", "tags"), column("says", "what was seen")]
    return table("Conditions", columns, rows)


def _reasons(reasons: Sequence[Mapping[str, Any]]) -> Block:
    tones = {"error": "bad", "warning": "wary"}
    rows = [
        {
            "code": [tag(str(each["code"]), tones.get(str(each["severity"]), "calm"))],  # type: ignore[arg-type]
            "what": each["what"],
            "column": each.get("column"),
        }
        for each in reasons
    ]
    columns = [column("code", "reason", "tags"), column("what", "what"), column("column", "column", "code")]
    return table("What stands in the way", columns, rows)


def _about(manifest: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    libraries = manifest["versions"]["libraries"]
    return {
        **told["facts"],
        "bundle": manifest["bundle"]["digest"],
        "model": manifest["model"]["digest"],
        "features": (manifest["transformer"] or {}).get("fingerprint") or "none: it takes rows as they are",
        "sealed rows": manifest["holdout"]["digest"],
        "loom": manifest["versions"]["loom"],
        "Python": manifest["versions"]["python"],
        "libraries": ", ".join(f"{name} {version}" for name, version in libraries.items()),
    }
