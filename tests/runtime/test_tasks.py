"""Outcomes and events of phases lie in files that survive their process, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loom.core.messages import ModelTier, TaskStatus
from loom.kernel.errors import LoomError
from loom.runtime import tasks as module
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.state import Reason
from loom.runtime.tasks import EVENTS, TaskFolder, message_for, result_for, task_id, task_name
from tests.runtime.plans import only_step

GOOD = PhaseOutcome("a", "accepted", data={"n": 1}, attempts=2, seconds=0.25)
BAD = PhaseOutcome("a", "rejected", reasons=(Reason("io_failure", "no answer", True),), attempts=1)


@pytest.fixture
def folder(tmp_path: Path) -> TaskFolder:
    return TaskFolder(tmp_path / "run" / "tasks")


def lines(folder: TaskFolder, name: str = "a") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder.path / f"{name}{EVENTS}").read_text().splitlines()]


class TestOutcomes:
    def test_a_good_outcome_is_found_by_its_digest_only(self, folder: TaskFolder) -> None:
        assert folder.finished("a", "d") is None
        folder.keep("a", "d", GOOD)
        assert folder.finished("a", "d") == GOOD
        assert folder.finished("a", "other") is None
        assert folder.finished("b", "d") is None

    def test_an_outcome_that_is_not_good_is_kept_but_not_finished(self, folder: TaskFolder) -> None:
        folder.keep("a", "d", BAD)
        assert folder.finished("a", "d") is None
        assert folder.outcome("a") == BAD
        assert folder.outcome("b") is None

    def test_the_latest_outcome_stands(self, folder: TaskFolder) -> None:
        folder.keep("a", "d", BAD)
        folder.keep("a", "e", GOOD)
        assert folder.finished("a", "e") == GOOD
        assert list(folder.outcomes()) == [("a", GOOD)]

    def test_all_of_them_are_found_by_task_and_events_are_none(self, folder: TaskFolder) -> None:
        assert list(folder.outcomes()) == []
        folder.append("a", "note", {})
        for name in ("b", "a.1", "a.0"):
            folder.keep(name, "d", GOOD)
        assert [name for name, _ in folder.outcomes()] == ["a.0", "a.1", "b"]

    def test_an_outcome_that_json_cannot_hold_leaves_the_old_one(self, folder: TaskFolder) -> None:
        folder.keep("a", "d", GOOD)
        with pytest.raises(ValueError, match="JSON"):
            folder.keep("a", "d", PhaseOutcome("a", "accepted", data=float("nan")))
        assert folder.finished("a", "d") == GOOD

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"digest": "d"}', b"\xff", b"null"])
    def test_a_damaged_outcome_is_named_and_can_be_taken_away(
        self, folder: TaskFolder, content: bytes
    ) -> None:
        folder.keep("a", "d", GOOD)
        path = folder.path / "a.json"
        path.write_bytes(content)
        for look in (
            lambda: folder.finished("a", "d"),
            lambda: folder.outcome("a"),
            lambda: list(folder.outcomes()),
        ):
            with pytest.raises(LoomError) as refused:
                look()
            assert (refused.value.what, refused.value.fix) == (f"{path} cannot be read", f"rm {path}")
            holds_json = content in (b"[]", b"null", b'{"digest": "d"}')
            assert (refused.value.why == "it holds no outcome") == holds_json

    def test_items_have_files_of_their_own(self) -> None:
        assert (task_name("a"), task_name("a", 0), task_name("a", 12)) == ("a", "a.0", "a.12")


class TestEvents:
    def test_events_are_appended_in_order_each_on_a_line(self, folder: TaskFolder) -> None:
        folder.append("a", "one", {"text": "two\nlines \u2028 é"})
        folder.append("a", "two", {})
        folder.append("b", "three", {})
        assert [(line["kind"], line["body"]) for line in lines(folder)] == [
            ("one", {"text": "two\nlines \u2028 é"}),
            ("two", {}),
        ]
        assert all(line["at"].endswith("+00:00") for line in lines(folder))
        assert len((folder.path / f"a{EVENTS}").read_bytes().splitlines()) == 2

    def test_a_line_that_finds_no_room_leaves_none_of_it(
        self, folder: TaskFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.append("a", "one", {})
        real = os.write
        monkeypatch.setattr(module.os, "write", lambda file, line: real(file, line[:10]))
        with pytest.raises(LoomError) as refused:
            folder.append("a", "two", {})
        assert refused.value.what == f"{folder.path}/a{EVENTS} cannot be written"
        assert (refused.value.why, refused.value.fix) == ("no space left on device", f"df -h {folder.path}")
        monkeypatch.undo()
        folder.append("a", "three", {})
        assert [line["kind"] for line in lines(folder)] == ["one", "three"]

    def test_an_event_that_json_cannot_hold_is_not_written(self, folder: TaskFolder) -> None:
        folder.append("a", "one", {})
        with pytest.raises(ValueError, match="JSON"):
            folder.append("a", "two", {"n": float("nan")})
        assert [line["kind"] for line in lines(folder)] == ["one"]

    def test_appending_leaves_no_file_open(self, folder: TaskFolder) -> None:
        folder.append("a", "one", {})
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(20):
            folder.append("a", "two", {})
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_a_full_disk_is_told(self, folder: TaskFolder) -> None:
        program = (
            "import resource, signal, sys; from pathlib import Path\n"
            "from loom.kernel.errors import LoomError; from loom.runtime.tasks import TaskFolder\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try:\n"
            "    for number in range(100): TaskFolder(Path(sys.argv[1])).append('a', 'tick', {'n': number})\n"
            "except LoomError as error: print(error.fix)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder.path)], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"df -h {folder.path}\n"
        found = lines(folder)
        assert 3 < len(found) < 20
        assert [line["body"]["n"] for line in found] == list(range(len(found)))

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "run").write_text("")
        folder = TaskFolder(tmp_path / "run" / "tasks")
        for write in (lambda: folder.append("a", "one", {}), lambda: folder.keep("a", "d", GOOD)):
            with pytest.raises(LoomError) as refused:
                write()
            assert refused.value.what == f"{folder.path} cannot be written"
            assert refused.value.fix == f"ls -ld {folder.path.parent}"


class TestMessages:
    def test_the_same_run_task_and_inputs_are_the_same_task(self) -> None:
        same = task_id("run-1", "a", "d")
        assert same == task_id("run-1", "a", "d")
        others = [task_id("run-2", "a", "d"), task_id("run-1", "a.0", "d"), task_id("run-1", "a", "e")]
        assert len({same, *others}) == 4
        assert len(same) == 64

    def test_a_phase_becomes_a_task(self) -> None:
        message = message_for(only_step("    retries: 9\n"), "run-1", "work.0", "d", {"n": 1})
        assert message.task_id == task_id("run-1", "work.0", "d")
        assert (message.parent_task_id, message.worker_type, message.idempotency_key) == ("run-1", "t", "d")
        assert (message.payload, message.max_retries) == ({"n": 1}, 3)
        assert message.metadata == {"phase": "work", "task": "work.0"}
        assert message.model_tier is ModelTier.of_phase(only_step().phase.model_tier)

    def test_a_good_outcome_becomes_a_completed_result(self) -> None:
        message = message_for(only_step(), "run-1", "work", "d", {})
        result = result_for(message, GOOD)
        assert (result.status, result.error, result.attempt) == (TaskStatus.COMPLETED, None, 2)
        assert (result.task_id, result.idempotency_key) == (message.task_id, "d")
        assert result.processing_time_ms == 250
        assert result.parent_task_id == "run-1"
        assert result_for(message, replace(GOOD, seconds=60.0)).processing_time_ms == 60_000
        assert PhaseOutcome.from_json(result.output) == GOOD

    @pytest.mark.parametrize(
        ("reasons", "kind", "text", "retryable"),
        [
            ((Reason("io_failure", "no answer", True), Reason("retries", "used")), "io", "no answer", True),
            ((Reason("safety_failure", "out of bounds"),), "safety", "out of bounds", False),
            ((Reason("rule", "broken"),), "contract", "broken", False),
            ((), "contract", "the phase ended rejected", False),
        ],
    )
    def test_an_outcome_that_is_not_good_becomes_a_failure_of_its_kind(
        self, reasons: tuple[Reason, ...], kind: str, text: str, retryable: bool
    ) -> None:
        message = message_for(only_step(), "run-1", "work", "d", {})
        result = result_for(message, PhaseOutcome("work", "rejected", reasons=reasons))
        assert result.status is TaskStatus.FAILED and result.error is not None
        assert (result.error.kind, result.error.message, result.error.retryable) == (kind, text, retryable)
        assert result.attempt == 1
