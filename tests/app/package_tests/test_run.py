"""`loom process test`: small packages with real tools, run for real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.kernel.errors import LoomError
from tests.app.package_tests.packages import (
    as_plain,
    is_alive,
    make_package,
    number_in,
    run,
    statuses,
    verb,
    wait_until,
)

LOOM = str(Path(sys.executable).parent / "loom")
SAY = {"id": "say", "run": {"tool": "say", "args": {"text": "hello", "verdict": "OK"}}}


def say(name: str, *after: str, **args: Any) -> dict[str, Any]:
    """A phase that answers with its arguments."""
    return {"id": name, "depends_on": list(after), "run": {"tool": "say", "args": args}}


class TestWhatHolds:
    def test_a_package_that_does_what_it_should_passes(self, tmp_path: Path) -> None:
        report = run(make_package(tmp_path / "small", [SAY], [{"id": "says"}]))
        assert statuses(report) == {"says": "ok"}
        assert (report.exit_code, report.next) == (0, "")

    def test_phases_may_be_declared_in_any_order(self, tmp_path: Path) -> None:
        phases = [say("last", "middle", got="${phases.middle.data.number}"), say("middle", "first", number=2)]
        package = make_package(
            tmp_path / "small",
            [*phases, say("first")],
            [{"id": "all", "acceptance": {"phases": {"must_include": ["first", "middle", "last"]}}}],
        )
        assert statuses(run(package)) == {"all": "ok"}

    def test_reports_come_in_the_order_of_the_package_however_long_each_takes(self, tmp_path: Path) -> None:
        cases = [{"id": f"case-{number}"} for number in range(5)]
        report = run(make_package(tmp_path / "small", [SAY], cases), workers=3)
        assert list(statuses(report)) == [case["id"] for case in cases]

    def test_data_of_the_package_lies_in_a_workspace_that_each_case_has_for_itself(
        self, tmp_path: Path
    ) -> None:
        phases = [{"id": "read", "run": {"tool": "read_number", "args": {"file": "${inputs.file}"}}}]
        phases += [say("judge", "read", verdict="OK", number="${phases.read.data.number}")]
        package = make_package(
            tmp_path / "small",
            phases,
            [
                {"id": "flat", "inputs": {"file": "one.txt"}},
                {"id": "deep", "inputs": {"file": "more/two.txt"}},
                {
                    "id": "none",
                    "inputs": {"file": "none.txt"},
                    "expect": {"status": "error", "phase": "read"},
                },
            ],
            data={"one.txt": "1", "more/two.txt": "2"},
            verb=verb("judge", file={"type": "path", "required": True}),
        )
        report = run(package)
        assert statuses(report) == {"flat": "ok", "deep": "ok", "none": "ok"}

    def test_only_the_chosen_cases_run(self, tmp_path: Path) -> None:
        package = make_package(tmp_path / "small", [SAY], [{"id": "a"}, {"id": "b"}, {"id": "c"}])
        assert statuses(run(package, "c", "a")) == {"a": "ok", "c": "ok"}

    def test_nothing_is_written_to_the_home_or_the_package_of_the_person(self, tmp_path: Path) -> None:
        package = make_package(tmp_path / "small", [SAY], [{"id": "says"}])
        before = sorted(package.rglob("*"))
        run(package)
        assert sorted(path for path in package.rglob("*") if "__pycache__" not in path.parts) == before
        assert not (tmp_path / "home").exists()


class TestFailures:
    def test_a_case_that_ends_otherwise_than_expected_fails_and_says_how(self, tmp_path: Path) -> None:
        phases = [{"id": "try", "run": {"tool": "give_up", "args": {"text": "the door is locked"}}}]
        package = make_package(tmp_path / "small", phases, [{"id": "opens"}])
        (case,) = run(package).cases
        assert case.status == "failed"
        assert case.complaints[0] == "expected the run to end ok; it ended error with verdict ERROR in try"
        assert "tool_failure: the door is locked" in case.reasons

    def test_each_fault_ends_as_a_real_failure_of_that_sort_would(self, tmp_path: Path) -> None:
        ends = {
            "timeout": ("error", "timeout_failure"),
            "error": ("error", "tool_failure"),
            "unavailable": ("error", "io_failure"),
            "permission": ("refused", "safety_failure"),
            "invalid": ("error", "contract_failure"),
        }
        tests = [
            {
                "id": error,
                "faults": [
                    {"tool": "say", "phase": "say", "attempt": 0, "error": error, "message": "on purpose"}
                ],
                "expect": {"status": status, "phase": "say", "reason_code": code},
            }
            for error, (status, code) in ends.items()
        ]
        report = run(make_package(tmp_path / "small", [SAY], tests))
        assert {case.id: case.complaints for case in report.cases} == dict.fromkeys(ends, ())
        assert report.coverage.reached["failure paths"] == {"say"}

    def test_a_phase_that_nobody_needed_and_that_failed_is_mentioned(self, tmp_path: Path) -> None:
        phases = [{"id": "aside", "run": {"tool": "give_up"}}, say("judge", verdict="OK")]
        package = make_package(tmp_path / "small", phases, [{"id": "goes"}], verb=verb("judge"))
        (case,) = run(package).cases
        assert (case.status, case.note) == ("ok", "ended ok although aside did not end well")

    def test_a_fault_in_one_attempt_is_survived_by_a_retry(self, tmp_path: Path) -> None:
        fault = {"tool": "say", "phase": "say", "attempt": 1, "error": "unavailable"}
        package = make_package(
            tmp_path / "small", [{**SAY, "retries": 1}], [{"id": "again", "faults": [fault]}]
        )
        assert statuses(run(package)) == {"again": "ok"}

    def test_a_fault_that_never_comes_about_fails_its_case(self, tmp_path: Path) -> None:
        fault = {"tool": "say", "phase": "say", "attempt": 2}
        package = make_package(tmp_path / "small", [SAY], [{"id": "idle", "faults": [fault]}])
        (case,) = run(package).cases
        assert case.complaints == ("the fault in say never came about: say did not call it 2 times",)

    def test_a_call_that_is_turned_down_before_it_starts_is_an_error(self, tmp_path: Path) -> None:
        package = make_package(
            tmp_path / "small",
            [SAY],
            [{"id": "without"}, {"id": "knows", "expect": {"status": "error"}}],
            verb=verb("say", number={"type": "integer", "required": True}),
        )
        report = run(package)
        assert statuses(report) == {"without": "failed", "knows": "ok"}
        assert "small needs number" in report.cases[0].reasons[0]

    def test_what_nobody_agreed_to_is_refused(self, tmp_path: Path) -> None:
        declared = {**verb("say"), "tier": "irreversible"}
        tests = [{"id": "alone", "expect": {"status": "refused"}}]
        (case,) = run(make_package(tmp_path / "small", [SAY], tests, verb=declared)).cases
        assert (case.status, case.complaints) == ("ok", ())

    def test_a_tool_that_ends_its_process_fails_its_own_case_only(self, tmp_path: Path) -> None:
        phases = [{"id": "read", "run": {"tool": "read_number", "args": {"file": "${inputs.file}"}}}]
        phases += [
            {"id": "end", "depends_on": ["read"], "for_each": "${inputs.ends}", "run": {"tool": "crash"}}
        ]
        phases += [say("judge", "end", verdict="OK")]
        package = make_package(
            tmp_path / "small",
            phases,
            [
                {"id": "falls", "inputs": {"file": "n", "ends": ["x"]}},
                {"id": "stands", "inputs": {"file": "n"}},
            ],
            data={"n": "1"},
            verb=verb("judge", file={"type": "path"}, ends={"type": "text", "repeat": True}),
        )
        report = run(package)
        assert statuses(report) == {"falls": "failed", "stands": "ok"}
        fallen = report.cases[0]
        assert fallen.complaints == ("its process ended with exit code 7 in end, before the run did",)
        assert fallen.said.endswith("the last words")
        assert fallen.coverage is not None
        assert fallen.coverage.reached["phases"] == {"read", "end"}

    def test_a_tool_that_hangs_is_ended_with_all_it_started(self, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        phases = [{"id": "hang", "run": {"tool": "hang", "args": {"pid_file": str(pid_file)}}}]
        package = make_package(tmp_path / "small", phases, [{"id": "waits", "timeout_seconds": 1}])
        (case,) = run(package).cases
        assert case.complaints == ("stopped after 1 s in hang",)
        assert number_in(pid_file)
        assert not is_alive(number_in(pid_file))

    def test_what_a_case_leaves_running_is_ended_and_said(self, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        args = {"pid_file": str(pid_file), "only_start": True}
        package = make_package(
            tmp_path / "small", [{"id": "start", "run": {"tool": "hang", "args": args}}], [{"id": "leaves"}]
        )
        (case,) = run(package).cases
        assert (case.status, case.note) == ("ok", "1 process was left running; it was ended")
        assert not is_alive(number_in(pid_file))


class TestEndings:
    @pytest.mark.parametrize("signals", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_an_interrupt_leaves_no_process_behind(self, signals: signal.Signals, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        phases = [{"id": "hang", "run": {"tool": "hang", "args": {"pid_file": str(pid_file)}}}]
        package = make_package(tmp_path / "small", phases, [{"id": "waits"}, {"id": "waits-too"}])
        environ = {**os.environ, "LOOM_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
        words = [LOOM, "process", "test", str(package), "-j", "1"]
        with subprocess.Popen(
            words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        ) as started:
            wait_until(lambda: number_in(pid_file) > 0)
            # to the group, as a terminal does it
            os.killpg(started.pid, signals)
            started.communicate(timeout=60)
        wait_until(lambda: not is_alive(number_in(pid_file)))
        if signals == signal.SIGINT:
            assert started.returncode == 130
            assert not list(tmp_path.glob("loom-test-*"))


class TestNested:
    def _outer(self, tmp_path: Path, **test: Any) -> Path:
        inner = tmp_path / "loom-processes" / "inner"
        make_package(
            inner,
            [say("answer", verdict="OK", got="${inputs.what}")],
            [{"id": "alone", "inputs": {"what": "x"}}],
            verb={**verb("answer", what={"type": "text"}), "command": "inner"},
        )
        phases = [{"id": "call", "run": {"process": "inner", "args": {"what": "it"}}}]
        phases += [say("after", "call", verdict="${phases.call.verdict}")]
        return make_package(tmp_path / "outer", phases, [{"id": "nests", **test}], verb=verb("after"))

    def test_a_package_of_the_workspace_is_run_inside_another(self, tmp_path: Path) -> None:
        (case,) = run(self._outer(tmp_path)).cases
        assert (case.status, case.complaints, case.reasons) == ("ok", (), ())

    def test_a_fault_reaches_the_process_inside(self, tmp_path: Path) -> None:
        fault = {"tool": "say", "attempt": 1, "error": "error"}
        expect = {"status": "error", "phase": "call"}
        (case,) = run(self._outer(tmp_path, faults=[fault], expect=expect)).cases
        assert (case.status, case.complaints) == ("ok", ())


class TestForEach:
    def test_a_phase_runs_once_per_item_and_not_at_all_without_any(self, tmp_path: Path) -> None:
        each = {"for_each": "${inputs.items}", "run": {"tool": "say", "args": {"item": "${item}"}}}
        phases = [{"id": "each", **each}, say("judge", "each", verdict="OK", all="${phases.each.data}")]
        items = {"none": [], "one": ["a"], "three": ["a", "b", "c"]}
        must = {"acceptance": {"phases": {"must_include": ["judge"]}}}
        tests = [{"id": name, "inputs": {"items": given}, **must} for name, given in items.items()]
        declared = verb("judge", items={"type": "text", "repeat": True})
        report = run(make_package(tmp_path / "small", phases, tests, verb=declared))
        assert {case.id: case.complaints for case in report.cases} == dict.fromkeys(items, ())
        reached = [case.coverage.reached["phases"] for case in report.cases if case.coverage]
        assert reached == [{"judge"}, {"each", "judge"}, {"each", "judge"}]

    def test_an_item_that_fails_fails_the_phase(self, tmp_path: Path) -> None:
        phases = [say("list", items=[1, 2, 3])]
        phases += [
            {
                "id": "each",
                "depends_on": ["list"],
                "for_each": "${phases.list.data.items}",
                "run": {"tool": "say", "args": {"item": "${item}"}},
            }
        ]
        fault = {"tool": "say", "phase": "each", "attempt": 1, "error": "error"}
        tests = [{"id": "one-breaks", "faults": [fault], "expect": {"status": "error", "phase": "each"}}]
        assert statuses(run(make_package(tmp_path / "small", phases, tests))) == {"one-breaks": "ok"}


class TestSetup:
    def test_a_package_that_needs_a_model_is_skipped_and_never_passed(self, tmp_path: Path) -> None:
        phases = [SAY, {"id": "think", "depends_on": ["say"]}]
        report = run(make_package(tmp_path / "small", phases, [{"id": "thinks"}]))
        assert statuses(report) == {"thinks": "skipped"}
        assert report.cases[0].note == "needs a model: phase think has no `run`"
        assert report.count("ok") == 0

    def test_live_cases_run_only_when_asked_for_and_with_nothing_replaced(self, tmp_path: Path) -> None:
        fault = {"tool": "say", "attempt": 0}
        package = make_package(tmp_path / "small", [SAY], [{"id": "real", "mode": "live", "faults": [fault]}])
        report = run(package)
        assert statuses(report) == {"real": "skipped"}
        assert report.next == f"loom process test {package} --live"
        assert statuses(run(package, live=True)) == {"real": "ok"}

    def test_a_case_that_needs_the_network_is_skipped_where_there_is_none(self, tmp_path: Path) -> None:
        package = make_package(tmp_path / "small", [SAY], [{"id": "calls", "requires_network": True}])
        report = run(package, is_online=lambda: False)
        assert statuses(report) == {"calls": "skipped"}
        assert report.cases[0].note == "needs the network, and none can be reached"
        assert statuses(run(package, is_online=lambda: True)) == {"calls": "ok"}

    def test_tools_that_a_case_requires_and_nobody_has_are_named(self, tmp_path: Path) -> None:
        tests = [
            {"id": "lacks", "requires_tools": ["say", "weave"]},
            {"id": "has", "requires_tools": ["say"]},
        ]
        report = run(make_package(tmp_path / "small", [SAY], tests))
        assert statuses(report) == {"lacks": "error", "has": "ok"}
        assert report.cases[0].complaints == ("requires_tools names what is not there: weave",)
        assert report.exit_code == 2

    def test_a_package_that_calls_what_nobody_has_is_refused(self, tmp_path: Path) -> None:
        package = make_package(tmp_path / "small", [{"id": "a", "run": {"tool": "weave"}}], [{"id": "goes"}])
        with pytest.raises(LoomError, match="weave") as refused:
            run(package)
        assert refused.value.what == "the tests of small cannot run"

    def test_a_case_that_is_not_there_is_refused_with_the_one_that_was_meant(self, tmp_path: Path) -> None:
        package = make_package(tmp_path / "small", [SAY], [{"id": "smoke"}])
        with pytest.raises(LoomError) as refused:
            run(package, "smok")
        assert refused.value.fix == f"loom process test {package} --case smoke"

    def test_a_package_without_tests_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LoomError, match="has no tests"):
            run(make_package(tmp_path / "small", [SAY], []))

    def test_a_package_in_a_single_file_is_tested_too(self, tmp_path: Path) -> None:
        phases = [{"id": "add", "run": {"tool": "calculator", "args": {"expression": "1 + 1"}}}]
        folder = make_package(tmp_path / "small", phases, [{"id": "adds"}])
        file = shutil.move(folder / "process.yaml", tmp_path / "small.yaml")
        assert statuses(run(Path(file))) == {"adds": "ok"}


class TestGolden:
    def _package(self, tmp_path: Path, text: str) -> Path:
        package = make_package(
            tmp_path / "small",
            [say("judge", verdict="OK", text=text, seconds=1.5)],
            [{"id": "says"}, {"id": "fails", "expect": {"status": "blocked"}}],
            verb=verb("judge"),
        )
        (package / "tests" / "golden").mkdir(parents=True)
        return package

    def test_update_writes_and_later_runs_compare(self, tmp_path: Path) -> None:
        package = self._package(tmp_path, "hello")
        golden = package / "tests" / "golden" / "says.json"
        report = run(package, update=True)
        assert report.updated == (str(golden),)
        assert not (golden.parent / "fails.json").exists()
        assert statuses(run(package, "says")) == {"says": "ok"}
        golden.write_text(golden.read_text().replace("hello", "goodbye"))
        (case,) = run(package, "says").cases
        assert case.status == "failed"
        assert '-    "text": "goodbye"' in case.diff
        assert '+    "text": "hello"' in case.diff
        assert run(package, "says").next.endswith("--case says --update")
        assert statuses(run(package, "says", update=True)) == {"says": "ok"}
        assert '"hello"' in golden.read_text()

    def test_without_the_folder_nothing_is_written(self, tmp_path: Path) -> None:
        package = make_package(tmp_path / "small", [SAY], [{"id": "says"}])
        assert run(package, update=True).updated == ()
        assert not (package / "tests").exists()


class TestObjects:
    def test_data_objects_are_there_before_the_case_begins(self, tmp_path: Path) -> None:
        rows = "".join(f"{number},{number % 2}\n" for number in range(40))
        package = make_package(
            tmp_path / "small",
            [say("judge", verdict="OK", dataset="${inputs.dataset}")],
            [{"id": "has-data", "inputs": {"dataset": "IngestDataset/2"}}],
            data={"a.csv": "id,churned\n" + rows, "b.csv": "id,churned\n" + rows},
            verb=verb("judge", dataset={"type": "pathspec"}),
        )
        wanted = package / "tests" / "objects.yaml"
        wanted.write_text("- {source: a.csv, target: churned}\n- {source: b.csv}\n")
        assert statuses(run(package)) == {"has-data": "ok"}
        wanted.write_text("- {source: none.csv}\n")
        report = run(package)
        assert statuses(report) == {"has-data": "error"}
        assert report.cases[0].complaints[0].startswith("tests/objects.yaml, object 1: ")


class TestReport:
    def test_json_says_all_that_the_text_says(self, tmp_path: Path) -> None:
        phases = [say("read", leak=True)]
        phases += [
            {
                **say("judge", "read"),
                "require": [{"phase": "read", "field": "data.leak", "operator": "eq", "value": False}],
            }
        ]
        tests = [{"id": "blocks", "expect": {"status": "blocked", "phase": "judge"}}]
        plain = as_plain(run(make_package(tmp_path / "small", phases, tests)))
        assert plain["passed"] == 1
        assert plain["coverage"]["failure_paths"] == {"reached": ["judge"], "missed": ["read"]}
        assert plain["coverage"]["requirements"]["missed"] == []
