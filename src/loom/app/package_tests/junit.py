"""The report as JUnit XML, which build servers read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom.app.package_tests.report import CaseReport, Report

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report) -> bytes:
    """One suite with a test per case."""
    root = ET.Element("testsuites")
    numbers = {
        "tests": str(len(report.cases)),
        "failures": str(report.count("failed")),
        "errors": str(report.count("error")),
        "skipped": str(report.count("skipped")),
        "time": f"{report.seconds:.3f}",
    }
    suite = ET.SubElement(root, "testsuite", {"name": _clean(report.name), **numbers})
    for case in report.cases:
        _add(suite, report.name, case)
    ET.indent(root)
    return b"%b\n" % ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _add(suite: ET.Element, package: str, case: CaseReport) -> None:
    about = {"classname": _clean(package), "name": _clean(case.id), "time": f"{case.seconds:.3f}"}
    test = ET.SubElement(suite, "testcase", about)
    if case.status == "skipped":
        ET.SubElement(test, "skipped", {"message": _clean(case.note)})
    elif case.status in ("failed", "error"):
        kind = "failure" if case.status == "failed" else "error"
        first = case.complaints[0] if case.complaints else case.note
        problem = ET.SubElement(test, kind, {"message": _clean(first), "type": kind})
        problem.text = _clean("\n".join([*case.complaints, *case.reasons, case.diff]).strip())
    if case.said and case.status != "ok":
        ET.SubElement(test, "system-out").text = _clean(case.said)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)
