from __future__ import annotations

import json

from loom.verification.outcome import Finding, NotAssessed, Report

HARD = Finding("a", "hard", "semantic", "it is wrong", "draft.md:3", "none")
ADVICE = Finding("b", "advisory", "method", "it could be better")
SILENT = NotAssessed("c", "it takes a model")


def test_only_a_hard_finding_rejects_a_result() -> None:
    assert Report().passed and Report((ADVICE,)).passed and Report(not_assessed=(SILENT,)).passed
    assert not Report((ADVICE, HARD)).passed and Report((ADVICE, HARD)).hard == (HARD,)


def test_two_reports_make_one_that_holds_everything() -> None:
    both = Report((ADVICE,)) + Report((HARD,), (SILENT,))
    assert both == Report((ADVICE, HARD), (SILENT,))


def test_a_report_survives_the_way_through_json() -> None:
    report = Report((HARD, ADVICE), (SILENT,))
    data = json.loads(json.dumps(report.as_json()))
    assert data["passed"] is False and Report.from_json(data) == report
