from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loom.process.spec.verification import Policy
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt, Call
from loom.verification.outcome import Report
from loom.verification.static import helper_calls, verify, verify_run
from tests.verification.attempts import PHASES, attempt_in, broke, process_of, worked

RULE = {"name": "no-placeholders", "type": "regex", "check": "TBD", "severity": "error"}


def _found(report: Report) -> list[tuple[str, str, str, str]]:
    return [(each.check, each.severity, each.failure_class, each.where) for each in report.findings]


def test_a_result_that_lacks_nothing_passes_without_a_word(tmp_path: Path) -> None:
    assert verify(process_of(), "draft", attempt_in(tmp_path, worked())) == Report()


class TestDeliverables:
    @pytest.mark.parametrize("kind", ["missing", "empty", "blank", "folder"])
    def test_a_deliverable_that_is_not_there_or_holds_nothing_is_hard(
        self, tmp_path: Path, kind: str
    ) -> None:
        attempt = attempt_in(tmp_path)
        (tmp_path / "draft.md").unlink()
        if kind == "folder":
            (tmp_path / "draft.md").mkdir()
        elif kind != "missing":
            (tmp_path / "draft.md").write_text("" if kind == "empty" else " \n")
        report = verify(process_of(), "draft", attempt)
        assert _found(report) == [("deliverable", "hard", "recoverable_placeholder", "draft.md")]

    def test_the_name_must_be_exact(self, tmp_path: Path) -> None:
        attempt = attempt_in(tmp_path)
        (tmp_path / "draft.md").rename(tmp_path / "Draft.md")
        assert not verify(process_of(), "draft", attempt).passed

    def test_a_deliverable_that_lies_outside_is_a_breach(self, tmp_path: Path) -> None:
        workspace = tmp_path / "ws"
        workspace.mkdir()
        attempt = attempt_in(workspace)
        (tmp_path / "secret.md").write_text("TBD")
        (workspace / "draft.md").unlink()
        (workspace / "draft.md").symlink_to("../secret.md")
        report = verify(process_of({"rules": [{**RULE, "target": "deliverables"}]}), "draft", attempt)
        assert _found(report) == [("deliverable", "hard", "hard_integrity", "draft.md")]
        assert "TBD" not in str(report)

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            ("acme_draft.md", True),
            ("out/draft.md", True),
            ("drafts.md", True),
            ("notes.txt", False),
            ("data.csv", False),
        ],
    )
    def test_a_file_that_was_written_under_another_name_is_pointed_out(
        self, tmp_path: Path, written: str, said: bool
    ) -> None:
        changed = Call("write_file", ToolResult.ok("", files_changed=[written]))
        attempt = attempt_in(tmp_path, changed)
        (tmp_path / "draft.md").unlink()
        (finding,) = verify(process_of(), "draft", attempt).findings
        assert (f"`{written}` was written instead" in finding.what) is said

    @pytest.mark.parametrize("beyond", ["TBD", ""])
    def test_a_deliverable_may_be_larger_than_what_is_searched_and_that_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beyond: str
    ) -> None:
        monkeypatch.setattr("loom.verification.attempt.MAX_SEARCHED", 10)
        rule = {**RULE, "target": "deliverables"}
        attempt = attempt_in(tmp_path)
        (tmp_path / "draft.md").write_text("# " + "x" * (8 if not beyond else 9) + beyond)
        report = verify(process_of({"rules": [rule]}), "draft", attempt)
        assert report.passed
        checks = [(each.check, "draft.md" in each.why) for each in report.not_assessed]
        assert checks == ([("syntax", True), ("no-placeholders", True)] if beyond else [])

    def test_a_deliverable_that_begins_blank_is_not_taken_for_empty(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("loom.verification.attempt.MAX_BLANK", 4)
        attempt = attempt_in(tmp_path)
        for text, passes in (("\n" * 4, False), ("\n" * 4 + "x", True), ("\n" * 3 + "x", True)):
            (tmp_path / "draft.md").write_text(text)
            assert verify(process_of(), "draft", attempt).passed is passes

    def test_another_phase_has_its_own_and_whoever_says_what_to_look_for_is_heard(
        self, tmp_path: Path
    ) -> None:
        assert verify(process_of(), "review", Attempt(tmp_path)) == Report()
        assert verify(process_of(), "draft", Attempt(tmp_path, deliverables=())) == Report()
        assert (
            _found(verify(process_of(), "review", Attempt(tmp_path, deliverables=("part.md",))))[0][3]
            == "part.md"
        )


class TestSyntax:
    def test_a_deliverable_that_cannot_be_read_is_hard_and_another_changed_file_is_advice(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "data.csv").write_text("a,b\n1\n")
        (tmp_path / "step.py").write_text("def (")
        changed = Call("write_file", ToolResult.ok("", files_changed=["step.py", "data.csv", "gone.json"]))
        report = verify(process_of(), "draft", attempt_in(tmp_path, changed))
        assert _found(report) == [
            ("syntax", "hard", "semantic", "data.csv:2"),
            ("syntax", "advisory", "semantic", "step.py:1"),
        ]

    def test_a_file_that_holds_nothing_is_not_misread(self, tmp_path: Path) -> None:
        (tmp_path / "step.json").write_text(" \n")
        changed = Call("write_file", ToolResult.ok("", files_changed=["step.json"]))
        assert verify(process_of(), "draft", attempt_in(tmp_path, changed)) == Report()

    def test_text_is_searched_in_spite_of_bytes_that_are_none(self, tmp_path: Path) -> None:
        attempt = attempt_in(tmp_path)
        (tmp_path / "draft.md").write_bytes(b"\xff\xfe TBD\n")
        report = verify(process_of({"rules": [{**RULE, "target": "deliverables"}]}), "draft", attempt)
        assert [each.where for each in report.findings] == ["draft.md:1"]

    @pytest.mark.parametrize(("target", "passes"), [("final.md", True), ("other.md", False)])
    def test_a_link_may_lead_to_what_a_later_phase_delivers(
        self, tmp_path: Path, target: str, passes: bool
    ) -> None:
        later = {"id": "late", "description": "L.", "depends_on": ["draft"], "deliverables": ["out/final.md"]}
        process = process_of(phases=[PHASES[0], later])
        (tmp_path / "draft.md").write_text(f"[the end](out/{target})\n")
        assert verify(process, "draft", attempt_in(tmp_path)).passed is passes


class TestOpinions:
    @pytest.mark.parametrize(
        ("keys", "checks"),
        [
            ({}, []),
            ({"verification_tier": 1}, []),
            ({"verification_tier": 2}, ["verification_tier"]),
            ({"verification_tier": 3}, ["verification_tier"]),
            ({"acceptance_criteria": "It reads well."}, ["acceptance_criteria"]),
        ],
    )
    def test_what_only_a_model_could_say_about_a_phase_is_not_assessed(
        self, tmp_path: Path, keys: dict[str, Any], checks: list[str]
    ) -> None:
        process = process_of(phases=[{"id": "draft", "description": "Draft.", **keys}])
        report = verify(process, "draft", Attempt(tmp_path))
        assert report.passed and [each.check for each in report.not_assessed] == checks


def test_the_policy_of_the_process_decides_about_failed_calls(tmp_path: Path) -> None:
    attempt = attempt_in(tmp_path, worked(), broke("web_fetch"))
    strict = {"policy": {"static_checks": {"tool_success_policy": "all_tools_hard"}}}
    assert verify(process_of(), "draft", attempt).passed
    assert not verify(process_of(strict), "draft", attempt).passed


class TestRules:
    def test_output_and_deliverables_are_searched(self, tmp_path: Path) -> None:
        process = process_of({"rules": [RULE, {**RULE, "name": "files", "target": "deliverables"}]})
        (tmp_path / "draft.md").write_text("# TBD\n")
        report = verify(process, "draft", attempt_in(tmp_path, output="TBD"))
        assert [(each.check, each.where) for each in report.findings] == [
            ("no-placeholders", "output:1"),
            ("files", "draft.md:1"),
        ]
        assert verify(process, "review", Attempt(tmp_path, output="done")) == Report()

    def test_rules_for_other_phases_and_for_the_end_have_no_say(self, tmp_path: Path) -> None:
        process = process_of(
            {"rules": [{**RULE, "applies_to_phases": ["review"]}, {**RULE, "name": "end", "scope": "global"}]}
        )
        assert verify(process, "draft", attempt_in(tmp_path, output="TBD")) == Report()
        assert not verify(process, "review", Attempt(tmp_path, output="TBD")).passed

    def test_at_the_end_a_rule_sees_all_its_phases_together(self, tmp_path: Path) -> None:
        demand = {**RULE, "scope": "global", "check": "SEEN", "min_count": 2}
        for chosen, passes in ((["draft", "review"], True), (["draft"], False), ("*", True)):
            process = process_of({"rules": [{**demand, "applies_to_phases": chosen}]})
            attempts = {
                "draft": attempt_in(tmp_path, output="SEEN TBD"),
                "review": Attempt(tmp_path, output="SEEN"),
            }
            assert verify_run(process, attempts, {}).passed is passes
        forbids = process_of({"rules": [{**RULE, "scope": "global"}]})
        assert verify_run(forbids, attempts, {}).findings[0].where == "output of draft:1"

    def test_a_file_that_two_phases_deliver_is_searched_once(self, tmp_path: Path) -> None:
        process = process_of({"rules": [{**RULE, "scope": "global", "target": "deliverables"}]})
        (tmp_path / "draft.md").write_text("TBD")
        attempts = {"draft": attempt_in(tmp_path), "review": Attempt(tmp_path, deliverables=("draft.md",))}
        assert len(verify_run(process, attempts, {}).findings) == 1

    def test_what_only_a_model_can_judge_is_listed(self, tmp_path: Path) -> None:
        process = process_of({"rules": [{"name": "sourced", "check": "Is it sourced?"}]})
        report = verify(process, "draft", attempt_in(tmp_path))
        assert [each.check for each in report.not_assessed] == ["sourced"] and report.passed


def _semantic(**keys: Any) -> dict[str, Any]:
    check = {"name": "tests", "capability": "command_execution", "helper": "run_test_suite", **keys}
    return {"semantic_checks": [{key: value for key, value in check.items() if value is not None}]}


def _result(outcome: str) -> ToolResult:
    data = {"outcome": outcome}
    return ToolResult.ok("", data) if outcome == "passed" else ToolResult.fail(f"it {outcome}", data)


class TestSemanticChecks:
    def _judge(
        self, tmp_path: Path, outcome: str | None, policy: dict[str, Any] | None = None, **keys: Any
    ) -> Report:
        process = process_of({"policy": {**_semantic(**keys), **(policy or {})}})
        helpers = {} if outcome is None else {keys.get("name") or keys.get("id") or "tests": _result(outcome)}
        return verify(process, "draft", attempt_in(tmp_path, helpers=helpers))

    def test_a_check_that_was_not_carried_out_is_not_assessed(self, tmp_path: Path) -> None:
        report = self._judge(tmp_path, None)
        assert [(each.check, each.why) for each in report.not_assessed] == [
            ("tests", "run_test_suite was not run")
        ]
        report = self._judge(tmp_path, None, helper=None, capability="artifact_static", check="Is it good?")
        assert "model" in report.not_assessed[0].why and report.findings == ()

    def test_a_check_that_passed_is_no_finding(self, tmp_path: Path) -> None:
        assert self._judge(tmp_path, "passed") == Report()

    @pytest.mark.parametrize(
        ("keys", "severity"),
        [
            ({}, "hard"),
            ({"severity": "warning"}, "advisory"),
            ({"enforcement": "advisory"}, "advisory"),
            ({"severity": "warning", "enforcement": "hard"}, "hard"),
            ({"optional": True}, "hard"),
        ],
    )
    def test_a_check_that_failed_is_as_hard_as_it_says(
        self, tmp_path: Path, keys: dict[str, Any], severity: str
    ) -> None:
        report = self._judge(tmp_path, "failed", target="src", **keys)
        assert _found(report) == [("tests", severity, "semantic", "src")]

    @pytest.mark.parametrize(
        ("keys", "outcome_policy"),
        [
            ({"optional": True}, {}),
            ({}, {"optional_capabilities": ["command_execution"]}),
            ({}, {"treat_verifier_infra_as_warning": True}),
            ({}, None),
        ],
    )
    def test_a_check_that_could_not_be_made_is_not_held_against_the_product_where_the_package_says_so(
        self, tmp_path: Path, keys: dict[str, Any], outcome_policy: dict[str, Any] | None
    ) -> None:
        policy: dict[str, Any] = {"static_checks": {"tool_success_policy": "development_balanced"}}
        if outcome_policy is not None:
            policy = {"outcome_policy": outcome_policy}
        report = self._judge(tmp_path, "unavailable", policy, **keys)
        assert report.findings == () and [each.why for each in report.not_assessed] == ["it unavailable"]
        assert _found(self._judge(tmp_path, "failed", policy, **keys)) != []

    def test_elsewhere_a_check_that_could_not_be_made_rejects(self, tmp_path: Path) -> None:
        other = {"outcome_policy": {"optional_capabilities": ["browser_runtime"]}}
        assert _found(self._judge(tmp_path, "unavailable", other)) == [("tests", "hard", "method", "")]

    def test_a_check_is_known_by_its_id_as_well(self, tmp_path: Path) -> None:
        assert self._judge(tmp_path, "failed", name=None, id="suite").findings[0].check == "suite"

    def test_checks_of_the_whole_run_wait_for_its_end(self, tmp_path: Path) -> None:
        process = process_of({"policy": _semantic(scope="global")})
        assert (
            verify(process, "draft", attempt_in(tmp_path, helpers={"tests": _result("failed")})) == Report()
        )
        assert not verify_run(process, {}, {"tests": _result("failed")}).passed

    def test_the_helpers_to_run_are_those_of_the_scope_with_their_arguments(self) -> None:
        policy = Policy.model_validate(
            {
                "semantic_checks": [
                    {
                        "name": "tests",
                        "helper": "run_test_suite",
                        "capability": "command_execution",
                        "target": "src",
                    },
                    {
                        "id": "page",
                        "helper": "serve_static",
                        "capability": "service_runtime",
                        "scope": "global",
                    },
                    {"name": "read", "check": "Is it good?"},
                ]
            }
        )
        assert helper_calls(policy, "phase") == (("tests", {"helper": "run_test_suite", "target": "src"}),)
        assert helper_calls(policy, "global") == (("page", {"helper": "serve_static"}),)
