"""Tables of a deployment's page: scores, files, lineage, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.tools.card import Block, column, table

_CODE = "code/"


def scores_table(metrics: Sequence[Mapping[str, Any]]) -> Block:
    """How good the model is, and how good simpler ones are."""
    rows = [
        {
            "of": each["of"],
            "score": each["score"],
            "low": (each.get("ci") or (None, None))[0],
            "high": (each.get("ci") or (None, None))[1],
            "on": each["on"],
        }
        for each in metrics
    ]
    columns = [column("of", "model"), column("score", metrics[0]["metric"], "number")]
    columns += [column("low", "from", "number"), column("high", "to", "number"), column("on", "on")]
    return table("Scores", columns, rows, note="from and to are the ends of the 95 % interval")


def files_table(files: Sequence[Mapping[str, Any]]) -> Block:
    """Every file by the beginning of its digest; the code in one line."""
    rows = [
        {"path": each["path"], "bytes": each["bytes"], "sha256": each["sha256"][:16]}
        for each in files
        if not each["path"].startswith(_CODE)
    ]
    code = [each for each in files if each["path"].startswith(_CODE)]
    rows.append(
        {"path": _CODE, "bytes": sum(each["bytes"] for each in code), "sha256": f"{len(code)} modules"}
    )
    columns = [column("path", "file", "code"), column("bytes", "bytes", "number")]
    columns.append(column("sha256", "SHA-256 begins with", "code"))
    return table("What is deployed", columns, rows, note="--json lists every file with its whole digest")


def lineage_table(lineage: Sequence[Mapping[str, Any]]) -> Block:
    """From the verdict back to where the data came in."""
    rows = [{"ref": each["ref"], "what": each["what"], "digest": each["digest"]} for each in lineage]
    columns = [column("ref", "reference", "code"), column("what", "is"), column("digest", "digest", "code")]
    return table("Where it comes from", columns, rows, note="the last line is where the data came in")


def notes_table(reasons: Sequence[Mapping[str, Any]]) -> Block:
    """What the validation said that speaks neither for nor against the model."""
    rows = [{"code": each["code"], "what": each["what"], "column": each.get("column")} for each in reasons]
    columns = [column("code", "note", "code"), column("what", "what"), column("column", "column", "code")]
    return table("What the validation noted", columns, rows)
