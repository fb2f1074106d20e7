"""`loom process test`, as somebody would type it."""

from __future__ import annotations

import json
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.app.package_tests.packages import make_package
from tests.cli.conftest import Loom

SAY = {"id": "say", "run": {"tool": "say", "args": {"text": "hello"}}}
GOOD = {"id": "good"}
BAD: dict[str, Any] = {"id": "bad", "expect": {"status": "blocked"}}
LIVE = {"id": "later", "mode": "live"}


@pytest.fixture
def small(here: Path) -> Path:
    """A package with a case that holds, one that does not, and one that is not run."""
    return make_package(here / "small", [SAY], [GOOD, BAD, LIVE])


@pytest.mark.usefixtures("small")
class TestTyped:
    def test_a_case_that_holds_is_exit_0_and_a_line(self, loom: Loom) -> None:
        answer = loom("process", "test", "./small", "--case", "good")
        assert (answer.code, answer.err) == (0, "")
        first, *_, last = answer.out.splitlines()
        assert (first.split()[0], first.split()[-1]) == ("ok", "good")
        assert last.startswith("small: 1 passed in ")

    def test_a_case_that_fails_is_exit_1_and_the_next_command_repeats_it(self, loom: Loom) -> None:
        answer = loom("process", "test", "./small")
        assert answer.code == 1
        assert "      expected the run to end blocked; it ended ok with verdict OK" in answer.out
        assert "skip            later: live: nothing is replaced; add --live" in answer.out
        following = answer.out.splitlines()[-1].removeprefix("next: loom ")
        again = loom(*shlex.split(following))
        assert again.code == 1
        assert "good" not in again.out

    def test_live_cases_join_when_asked_for(self, loom: Loom) -> None:
        answer = loom("process", "test", "./small", "--live", "--case", "later", "--case", "good", "-j", "1")
        assert answer.code == 0
        assert "2 passed" in answer.out

    def test_json_is_one_object_and_nothing_else(self, loom: Loom) -> None:
        answer = loom("process", "test", "./small", "--json")
        found = json.loads(answer.out)
        assert answer.code == 1
        assert [(case["id"], case["status"]) for case in found["cases"]] == [
            ("good", "ok"),
            ("bad", "failed"),
            ("later", "skipped"),
        ]
        assert found["next"] == ["loom process test ./small --case bad"]

    def test_a_junit_report_is_written_beside_the_text(self, here: Path, loom: Loom) -> None:
        answer = loom("process", "test", "./small", "--junit", "report.xml")
        assert answer.code == 1
        suite = ET.parse(here / "report.xml").getroot()[0]
        assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["3", "1", "1"]

    def test_a_report_that_cannot_be_written_is_exit_2(self, loom: Loom) -> None:
        answer = loom("process", "test", "./small", "--case", "good", "--junit", "no/such/folder.xml")
        assert answer.code == 2
        assert "1 passed" in answer.out
        assert answer.err.startswith("error: no/such/folder.xml cannot be written\n")

    def test_quiet_says_what_failed_only(self, loom: Loom) -> None:
        answer = loom("-q", "process", "test", "./small", "--case", "good")
        assert (answer.code, answer.out) == (0, "")
        assert "FAIL" in loom("-q", "process", "test", "./small").out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--case", "god"), "fix: loom process test ./small --case good"),
            (("-j", "0"), "fix: loom process test --help"),
            (("--case",), "fix: loom process test ./small --help"),
        ],
    )
    def test_words_that_mean_nothing_are_exit_2(self, words: tuple[str, ...], said: str, loom: Loom) -> None:
        answer = loom("process", "test", "./small", *words)
        assert (answer.code, answer.out) == (2, "")
        assert said in answer.err


def test_a_package_that_does_not_hold_is_not_tested(here: Path, loom: Loom) -> None:
    make_package(here / "small", [{**SAY, "depends_on": ["nobody"]}], [GOOD])
    answer = loom("process", "test", "./small")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[-1].startswith("  fix: loom process check ")


def test_a_package_is_found_by_its_name(here: Path, loom: Loom) -> None:
    make_package(here / "loom-processes" / "small", [SAY], [GOOD])
    answer = loom("process", "test", "small")
    assert (answer.code, answer.err) == (0, "")
