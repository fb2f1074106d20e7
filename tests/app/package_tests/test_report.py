"""What is said about the cases."""

from __future__ import annotations

from loom.app.package_tests.coverage import Coverage
from loom.app.package_tests.ending import Ending
from loom.app.package_tests.report import CaseReport, Report
from tests.app.package_tests.seen import package_of

COVERAGE = Coverage.of(package_of("phases: [{id: a, description: A.}]\n"))


def report(*cases: CaseReport, reference: str = "small") -> Report:
    """A report of these cases."""
    return Report("small", "0.1.0", reference, cases, COVERAGE, 1.5)


def test_a_good_case_takes_one_line() -> None:
    assert CaseReport("good", "ok", 0.25).as_text() == "ok       0.2 s  good"
    assert CaseReport("later", "skipped", note="live").as_text() == "skip            later: live"


def test_a_case_that_failed_says_why_and_what_the_run_said() -> None:
    case = CaseReport(
        "bad",
        "failed",
        2,
        Ending("error"),
        complaints=("expected ok",),
        reasons=("tool_failure: no",),
        diff="-a\n+b",
    )
    assert case.as_text().splitlines() == [
        "FAIL     2.0 s  bad",
        "      expected ok",
        "      the run gave these reasons:",
        "        tool_failure: no",
        "      -a",
        "      +b",
    ]


def test_words_of_a_tool_cannot_steer_the_terminal() -> None:
    case = CaseReport("bad", "failed", complaints=("red \x1b[31m",), said="\x1b]0;title\x07")
    assert "\x1b" not in case.as_text() + report(case).conclusion()


def test_exit_codes_tell_a_failed_case_from_one_that_was_not_set_up() -> None:
    good, skipped = CaseReport("a", "ok"), CaseReport("b", "skipped")
    failed, unset = CaseReport("c", "failed"), CaseReport("d", "error")
    assert report(good, skipped).exit_code == 0
    assert report(good, unset).exit_code == 2
    assert report(good, failed, unset).exit_code == 1


def test_the_next_command_runs_what_failed() -> None:
    failed = [CaseReport(name, "failed", complaints=("no",)) for name in "abcd"]
    named = report(*failed, reference="my work/small").next
    assert named == "loom process test 'my work/small' --case a --case b --case c"
    assert report(CaseReport("a", "failed", diff="-x")).next == "loom process test small --case a --update"
    assert report(CaseReport("a", "ok")).next == ""


def test_the_conclusion_counts_and_names_what_was_not_reached() -> None:
    lines = report(CaseReport("a", "ok"), CaseReport("b", "skipped")).conclusion().splitlines()
    assert lines == [
        "",
        "reached: 0 of 1 phase, 0 of 1 failure path",
        "  not reached, phases: a",
        "  not reached, failure paths: a",
        "",
        "small: 1 passed, 1 skipped in 1.5 s",
    ]
