"""Findings as people and machines read them."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.diagnostic_formats import FORMATS, WIDTH, as_sarif, as_text, clean, render, summary_line
from loom.kernel.diagnostics import Diagnostic, Edit, Report, Severity, Source, Span, dotted, suggest


def finding(
    *span: int,
    detail: str = "",
    fix: str = "",
    code: str = "LM201",
    severity: Severity = "error",
    message: str = "unknown key",
) -> Diagnostic:
    return Diagnostic(code, severity, message, Span(*span), "a.b", detail, fix)


def shown(text: str, found: Diagnostic, *, name: str = "process.yaml", color: bool = False) -> str:
    return as_text(Source(name, text), found, color=color)


def golden(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


# text ------------------------------------------------------------------------------------------------


def test_a_finding_shows_its_line_with_a_caret_below() -> None:
    text = "name: example\ndesription: Compares.\n"
    found = finding(
        2, 1, 2, 11, detail="`desription` is not a key of a process", fix="did you mean `description`?"
    )
    assert shown(text, found) == golden("""
        error[LM201]: unknown key
         --> process.yaml:2:1
          |
        2 | desription: Compares.
          | ^^^^^^^^^^ `desription` is not a key of a process
          = fix: did you mean `description`?
    """)


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    text = "\n" * 99 + "a: 1"
    assert shown(text, finding(100, 4, 100, 5, severity="warning")) == golden("""
        warning[LM201]: unknown key
           --> process.yaml:100:4
            |
        100 | a: 1
            |    ^
    """)


def test_a_line_without_text_has_no_caret() -> None:
    assert shown("a: 1\n\n", finding(2, 1, 2, 1, detail="nothing here", fix="write")) == golden("""
        error[LM201]: unknown key
         --> process.yaml:2:1
          = nothing here
          = fix: write
    """)
    assert "^" not in shown("", finding(1, 1, 1, 1))


@pytest.mark.parametrize(
    ("line", "column", "end", "caret"),
    [
        ("漢字: 1", 5, 6, "      ^"),
        ("漢字: 1", 1, 3, "^^^^"),
        ("e\u0301e\u0301: 1", 7, 8, "    ^"),
        ("❤\ufe0f: 1", 5, 6, "   ^"),
        ("ｆ: 1", 4, 5, "    ^"),
        ("a:\t1", 4, 5, "   ^"),
        ("a: b", 5, 5, "    ^"),
        ("a: b", 9, 12, "    ^"),
        ("a:\u200bb", 4, 5, "        ^"),
    ],
)
def test_the_caret_stands_below_its_text_on_a_terminal(line: str, column: int, end: int, caret: str) -> None:
    assert shown(line, finding(1, column, 1, end)).splitlines()[-1] == f"  | {caret}"


def test_a_span_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    lines = shown("key: [a,\n  b]\n", finding(1, 6, 2, 5)).splitlines()
    assert lines[-2:] == ["1 | key: [a,", "  |      ^^^"]


@pytest.mark.parametrize("column", [1, 60, 119, 120, 121, 500, 4990, 4999])
def test_of_a_very_long_line_the_part_around_the_place_is_shown(column: int) -> None:
    line = "".join(chr(97 + n % 26) for n in range(5000))
    text, caret = shown(line, finding(1, column, 1, column + 2)).splitlines()[-2:]
    assert len(text) <= WIDTH + 10
    at = caret.index("^")
    assert text[at : at + caret.count("^")] == line[column - 1 : column + 1]
    assert text.startswith("1 | …") == (not text.startswith("1 | " + line[:10]))
    assert text.endswith("…") == (not text.endswith(line[-10:]))


def test_a_very_long_span_ends_with_the_window() -> None:
    text, caret = shown("x" * 5000, finding(1, 1, 1, 5001)).splitlines()[-2:]
    assert text == "1 | " + "x" * WIDTH + "…"
    assert caret == "  | " + "^" * WIDTH


HOSTILE = [
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x07",
    "\x08",
    "\r",
    "\x00",
    "\x7f",
    "\u202eabc",
    "\u2066",
    "\u2028",
    "\x85",
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_control_characters_never_reach_the_terminal(hostile: str, form: Any) -> None:
    found = finding(1, 1, 1, 2, detail=f"`{hostile}`", fix=hostile, message=hostile)
    out = render([Report.of(Source(f"a{hostile}b", f"{hostile}x"), [found])], form)
    assert out.replace("\n", "").isprintable()


def test_colors_are_the_only_escapes_and_are_closed() -> None:
    out = shown("a: \x1b[2J", finding(1, 1, 1, 2, detail="d", fix="f"), color=True)
    for paint in ("\x1b[1;31m", "\x1b[34m", "\x1b[1m", "\x1b[0m"):
        out = out.replace(paint, "")
    assert "\x1b" not in out
    assert out == shown("a: \x1b[2J", finding(1, 1, 1, 2, detail="d", fix="f"))


def test_cleaned_text_keeps_what_can_be_seen() -> None:
    assert clean("é 漢 😀\ta\x01\u202e") == "é 漢 😀·a\\x01\\x202e"


def test_findings_are_parted_by_an_empty_line() -> None:
    report = Report.of(
        Source("a", "x"), [finding(1, 1, 1, 2, code="LM301"), finding(1, 1, 1, 2, code="LM302")]
    )
    assert render([report, report], "text").count("\n\n") == 3
    assert render([], "text") == render([], "github") == ""


@pytest.mark.parametrize(
    ("errors", "warnings", "files", "line"),
    [
        (0, 0, 1, "1 file checked: no findings"),
        (1, 0, 1, "1 file checked: 1 error"),
        (0, 2, 1, "1 file checked: 2 warnings"),
        (2, 1, 2, "2 files checked: 4 errors, 2 warnings"),
        (0, 0, 0, "0 files checked: no findings"),
    ],
)
def test_the_last_line_counts(errors: int, warnings: int, files: int, line: str) -> None:
    found = [finding(n, 1, n, 1) for n in range(1, errors + 1)]
    found += [finding(n, 1, n, 1, severity="warning") for n in range(50, 50 + warnings)]
    assert summary_line(Report.of(Source("a", ""), found) for _ in range(files)) == line


# machines --------------------------------------------------------------------------------------------


def test_json_holds_everything_a_finding_says() -> None:
    found = Diagnostic(
        "LM205", "warning", "m", Span(3, 5, 4, 1), "a[0].é", "d", "f", (Edit(Span(1, 1, 1, 1), "x"),)
    )
    read = json.loads(render([Report.of(Source("p/é.yaml", ""), [found])], "json"))
    assert read == {
        "schema_version": 1,
        "files": [
            {
                "file": "p/é.yaml",
                "diagnostics": [
                    {
                        "code": "LM205",
                        "severity": "warning",
                        "message": "m",
                        "detail": "d",
                        "fix": "f",
                        "path": "a[0].é",
                        "line": 3,
                        "column": 5,
                        "end_line": 4,
                        "end_column": 1,
                        "fixable": True,
                    }
                ],
            }
        ],
        "errors": 0,
        "warnings": 1,
    }


def test_sarif_has_every_property_the_format_requires() -> None:
    reports = [
        Report.of(
            Source("a b/é.yaml", "x: 1"),
            [finding(1, 2, 1, 4, code="LM302", detail="d"), finding(1, 1, 1, 2, fix="f")],
        ),
        Report.of(Source("c\\d.yaml", ""), [finding(1, 1, 1, 1, severity="warning")]),
    ]
    log = json.loads(render(reports, "sarif"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert driver["name"] == "loom"
    assert [rule["id"] for rule in driver["rules"]] == ["LM201", "LM302"]
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    assert len(run["results"]) == 3
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note", "none")
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"]
        assert region["startColumn"] >= 1 and region["endColumn"] >= 1
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]]
    assert uris == ["a%20b/%C3%A9.yaml", "a%20b/%C3%A9.yaml", "c/d.yaml"]
    assert run["results"][0]["message"]["text"] == "unknown key. Fix: f"


def test_sarif_of_nothing_is_a_log_with_one_empty_run() -> None:
    (run,) = as_sarif([])["runs"]
    assert run["results"] == [] and run["tool"]["driver"]["rules"] == []


def test_github_annotations_escape_what_would_end_them() -> None:
    found = finding(3, 5, 4, 1, message="50% off, a: b", detail="100%\nof: it, all", fix="write: 'x, y'")
    assert render([Report.of(Source("a,b:c%.yaml", ""), [found])], "github") == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,endLine=4,endColumn=1,title=LM201 50%25 off%2C a%3A b"
        "::100%25\\x0aof: it, all%0Afix: write: 'x, y'"
    )


def test_an_annotation_without_detail_repeats_the_message() -> None:
    assert render([Report.of(Source("a", ""), [finding(1, 1, 1, 1)])], "github").endswith("::unknown key")


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(
    st.text(),
    st.integers(1, 4),
    st.integers(1, 30),
    st.integers(0, 3),
    st.integers(1, 30),
    st.text(max_size=20),
)
def test_any_finding_on_any_text_can_be_shown(
    text: str, line: int, column: int, more: int, end: int, detail: str
) -> None:
    span = Span(line, column, line + more, end if more else max(end, column))
    report = Report.of(Source("a", text), [finding(*span, detail=detail)])
    for form in FORMATS:
        assert render([report], form).replace("\n", "").isprintable()
    json.loads(render([report], "json"))
    assert len(render([report], "github").splitlines()) == 1


# reports and words -----------------------------------------------------------------------------------


def test_a_report_is_sorted_by_place_and_says_nothing_twice() -> None:
    found = [
        finding(9, 1, 9, 2),
        finding(1, 9, 1, 9),
        finding(1, 2, 1, 3, code="LM302"),
        finding(1, 2, 1, 3),
        finding(9, 1, 9, 2),
    ]
    report = Report.of(Source("a", ""), found)
    assert [(d.span.line, d.span.column, d.code) for d in report.diagnostics] == [
        (1, 2, "LM201"),
        (1, 2, "LM302"),
        (1, 9, "LM201"),
        (9, 1, "LM201"),
    ]
    assert (report.errors, report.warnings) == (4, 0)


@pytest.mark.parametrize(
    ("word", "candidates", "meant"),
    [
        ("desription", ["description", "deliverables"], "description"),
        ("Tools", ["tools", "tests"], "tools"),
        ("risk-level", ["risk_level"], "risk_level"),
        ("depends-on", ["depends_on", "description"], "depends_on"),
        ("zzz", ["tools"], None),
        ("", ["tools"], None),
        ("x" * 81, ["x" * 80], None),
        ("tools", [], None),
    ],
)
def test_a_misspelt_word_finds_the_one_that_was_meant(
    word: str, candidates: list[str], meant: str | None
) -> None:
    assert suggest(word, candidates) == meant


def test_key_paths_are_written_as_people_write_them() -> None:
    assert dotted(("phases", 2, "iteration", "gates", 0)) == "phases[2].iteration.gates[0]"
    assert dotted(()) == ""
    assert dotted((0, "a")) == "[0].a"
