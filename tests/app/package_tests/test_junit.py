"""The report for build servers."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from loom.app.package_tests.coverage import Coverage
from loom.app.package_tests.junit import as_junit
from loom.app.package_tests.report import CaseReport, Report
from tests.app.package_tests.seen import package_of

NOTHING = Coverage.of(package_of("phases: [{id: a, description: A.}]\n"))


def report(*cases: CaseReport) -> Report:
    """A report of these cases."""
    return Report("small", "0.1.0", "small", cases, NOTHING, 1.5)


def test_each_case_is_a_test_with_its_outcome() -> None:
    cases = (
        CaseReport("good", "ok", 0.25, said="noise"),
        CaseReport(
            "bad", "failed", complaints=("expected <this> & that",), diff="-a\n+b", said="the last words"
        ),
        CaseReport("later", "skipped", note="live"),
        CaseReport("lost", "error", complaints=("no such tool",)),
    )
    suite = ET.fromstring(as_junit(report(*cases))).find("testsuite")
    assert suite is not None
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "1.500"}
    good, bad, later, lost = suite.findall("testcase")
    assert (good.get("classname"), good.get("time"), list(good)) == ("small", "0.250", [])
    failure, output = list(bad)
    assert (failure.tag, failure.get("message")) == ("failure", "expected <this> & that")
    assert failure.text == "expected <this> & that\n-a\n+b"
    assert output.text == "the last words"
    assert [later[0].tag, later[0].get("message"), lost[0].tag] == ["skipped", "live", "error"]


def test_what_xml_cannot_hold_is_left_out() -> None:
    text = "a\x00b\x1b[31mc\ud800d\ufffee\tf\ng"
    raw = as_junit(report(CaseReport("bad", "failed", complaints=(text,), said=text)))
    root = ET.fromstring(raw)
    assert root.findtext(".//system-out") == "ab[31mcde\tf\ng"
