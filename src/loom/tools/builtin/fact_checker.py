"""Hold claims against evidence that was gathered before."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.evidence import Finding, Record, check_claim
from loom.tools.results import ToolResult
from loom.tools.schema import many, number, takes, text
from loom.tools.threads import Stop, in_thread
from loom.tools.tool import Effect, Tool

MAX_EVIDENCE = 1024 * 1024
_VALUE = {"type": ["string", "number"]}
_CLAIM = {
    "type": "object",
    "properties": {
        "id": text("Its id, such as `c1`.", minLength=1, maxLength=100),
        "text": text("The sentence that states it.", maxLength=2_000),
        "type": text("What kind of fact it is.", enum=["numeric", "date", "entity_fact"]),
        "value": {**_VALUE, "description": "The number, date or name; taken from the text when left out."},
        "unit": text("Unit of the number, such as `%` or `USD`.", maxLength=40),
        "subject": text("Who or what it is about.", maxLength=200),
        "attribute": text("Which property of the subject it gives, such as `revenue`.", maxLength=200),
    },
    "required": ["id", "type"],
}
_EVIDENCE = {
    "type": "object",
    "properties": {
        "evidence_id": text("Its id.", minLength=1, maxLength=200),
        "text": text("The passage.", maxLength=MAX_EVIDENCE),
        "value": {**_VALUE, "description": "The number, date or name that was found."},
        "unit": text("Unit of the value.", maxLength=40),
        "subject": text("Who or what it is about.", maxLength=200),
        "attribute": text("Which property of the subject it gives.", maxLength=200),
        "source_url": text("Where it comes from.", maxLength=8_000),
    },
    "required": ["evidence_id"],
}


class FactChecker(Tool):
    """Says per claim whether the evidence supports it, contradicts it or is silent, and cites the record."""

    name = "fact_checker"
    description = (
        "Compare claims with evidence records: numbers within rounding or a tolerance, dates by the period they mean, "
        "names by their aliases. Nothing is looked up; what the records do not say is insufficient_evidence. Give "
        "subject and attribute where you can: only then can a record contradict a claim for certain."
    )
    parameters = takes(
        {
            "claims": many(_CLAIM, "The claims.", minItems=1, maxItems=200),
            "evidence": many(_EVIDENCE, "The records to hold them against.", maxItems=1_000),
            "tolerance": number(
                "Relative difference that still counts as equal, such as 0.01.", minimum=0, maximum=0.5
            ),
            "aliases": {
                "type": "object",
                "description": "Other ways to write a name, by the usual one.",
                "additionalProperties": many(text("A name.", maxLength=200), "Names.", maxItems=50),
                "maxProperties": 500,
            },
        },
        required=("claims", "evidence"),
    )
    effects: frozenset[Effect] = frozenset()

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """A finding per claim, in the order they were given."""
        size = sum(len(str(record.get("text", ""))) for record in args["evidence"])
        if size > MAX_EVIDENCE:
            why = f"the evidence holds {size:,} characters; the limit is {MAX_EVIDENCE:,}: check fewer records at once"
            return ToolResult.fail(why, kind="contract")
        findings = await in_thread(lambda stop: _check(args, stop))
        counts = Counter(finding.verdict for finding in findings)
        lines = [f"{each.claim_id}: {each.verdict} — {each.reason}{_cited(each)}" for each in findings]
        data = {
            "findings": [finding.as_json() for finding in findings],
            "supported": counts["supported"],
            "contradicted": counts["contradicted"],
            "insufficient_evidence": counts["insufficient_evidence"],
        }
        return ToolResult.ok("\n".join(lines), data=data)


def _check(args: dict[str, Any], stop: Stop) -> list[Finding]:
    records = [Record.of(data) for data in args["evidence"]]
    tolerance = Decimal(str(args.get("tolerance", 0)))
    findings = []
    for claim in args["claims"]:
        stop.check()
        findings.append(check_claim(claim, records, args.get("aliases", {}), tolerance))
    return findings


def _cited(finding: Finding) -> str:
    names = [str(each["evidence_id"]) for each in finding.citations if "evidence_id" in each]
    return f" [{', '.join(dict.fromkeys(names))}]" if names else ""
