"""What was written down is there, once, in order, whoever else writes and whoever is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.runtime import journal as module
from loom.runtime.database import Database
from loom.runtime.grants import GrantRecord
from loom.runtime.journal import FORMAT, ConflictError, EventRecord, Journal, RunRecord
from tests.fakes.approval import Clock
from tests.runtime.writers import SHARED

ROOT = Path(__file__).parents[2]
START = 1_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "journal.db"


@pytest.fixture
def journal(file: Path, clock: Clock) -> Iterator[Journal]:
    with closing(Journal(file, clock=clock)) as made:
        yield made


class TestRuns:
    def test_a_run_that_was_resumed_is_found_under_each_pathspec_it_has_had(self, journal: Journal) -> None:
        journal.begin("run-1", "ingest", {})
        for number in (7, 8):
            journal.locate("run-1", f"IngestDataset/{number}")
        assert journal.find("IngestDataset/7").pathspec == "IngestDataset/8"
        assert journal.find("IngestDataset/8").run_id == "run-1"
        journal.remove("run-1")
        with pytest.raises(KeyError):
            journal.find("IngestDataset/7")

    def test_a_run_is_there_as_soon_as_it_begins(self, journal: Journal) -> None:
        begun = journal.begin("run-1", "eda", {"owner": {"pid": 1}}, "loom-abc123")
        assert begun == RunRecord(
            run_id="run-1",
            process="eda",
            experiment_id="loom-abc123",
            pathspec=None,
            status="running",
            verdict=None,
            started=START,
            heartbeat=START,
            finished=None,
            version=1,
            document={"owner": {"pid": 1}},
        )
        assert journal.run("run-1") == begun

    def test_two_runs_never_share_an_id(self, journal: Journal) -> None:
        journal.begin("run-1", "eda", {})
        with pytest.raises(Exception, match="UNIQUE"):
            journal.begin("run-1", "ingest", {})
        assert journal.run("run-1").process == "eda"

    def test_how_it_ended_is_written_beside_it(self, journal: Journal, clock: Clock) -> None:
        journal.begin("run-1", "eda", {"a": 1})
        clock.now += 5
        journal.locate("run-1", "EdaFlow/1")
        journal.conclude("run-1", "ok", "PASS")
        run = journal.run("run-1")
        assert (run.status, run.verdict, run.pathspec) == ("ok", "PASS", "EdaFlow/1")
        assert (run.started, run.heartbeat, run.finished) == (START, START + 5, START + 5)
        assert run.document == {"a": 1}

    def test_a_run_that_goes_on_has_not_ended(self, journal: Journal, clock: Clock) -> None:
        first = journal.begin("run-1", "eda", {"a": 1})
        journal.conclude("run-1", "interrupted", "ERROR")
        clock.now += 7
        journal.reopen("run-1")
        assert journal.run("run-1") == replace(first, heartbeat=START + 7)

    def test_a_sign_of_life_changes_nothing_else(self, journal: Journal, clock: Clock) -> None:
        begun = journal.begin("run-1", "eda", {})
        clock.now += 3
        journal.beat("run-1")
        assert journal.run("run-1") == replace(begun, heartbeat=START + 3)

    def test_what_nobody_wrote_down_is_not_there(self, journal: Journal) -> None:
        for look in (journal.run, journal.find):
            with pytest.raises(KeyError, match="run-9"):
                look("run-9")
        with pytest.raises(KeyError):
            journal.find("last")
        assert journal.runs() == []

    def test_only_the_run_that_is_named_is_changed(self, journal: Journal) -> None:
        journal.begin("run-1", "eda", {})
        other = journal.begin("run-2", "eda", {})
        journal.locate("run-1", "EdaFlow/1")
        journal.save("run-1", {"a": 1}, 1)
        journal.conclude("run-1", "ok")
        journal.reopen("run-1")
        journal.beat("run-1")
        assert journal.run("run-2") == other

    def test_a_journal_that_was_let_go_of_is_not_written_to(self, journal: Journal) -> None:
        journal.close()
        with pytest.raises(Exception, match="closed database"):
            journal.append("run-1", "tick")


class TestDocuments:
    def test_a_document_is_replaced_as_a_whole_and_counted(self, journal: Journal, clock: Clock) -> None:
        journal.begin("run-1", "eda", {"a": 1, "b": 2})
        clock.now += 1
        assert journal.save("run-1", {"a": 3}, 1) == 2
        run = journal.run("run-1")
        assert (run.document, run.version, run.heartbeat) == ({"a": 3}, 2, START + 1)

    @pytest.mark.parametrize("version", [0, 1, 3])
    def test_of_two_who_change_it_at_once_the_second_is_told(self, journal: Journal, version: int) -> None:
        journal.begin("run-1", "eda", {})
        journal.save("run-1", {"by": "first"}, 1)
        with pytest.raises(ConflictError, match=f"run-1 is no longer at version {version}"):
            journal.save("run-1", {"by": "second"}, version)
        assert (journal.run("run-1").document, journal.run("run-1").version) == ({"by": "first"}, 2)

    def test_a_document_that_is_no_json_leaves_the_old_one(self, journal: Journal) -> None:
        journal.begin("run-1", "eda", {"a": 1})
        for wrong in (float("nan"), {1, 2}):
            with pytest.raises((TypeError, ValueError)):
                journal.save("run-1", {"a": wrong}, 1)
        assert journal.run("run-1").document == {"a": 1}

    @given(
        st.dictionaries(
            st.text(),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(st.characters()),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
                max_leaves=8,
            ),
            max_size=4,
        )
    )
    def test_whatever_json_holds_comes_back(self, document: dict[str, Any]) -> None:
        with TemporaryDirectory() as folder, closing(Journal(Path(folder) / "journal.db")) as journal:
            journal.begin("run-1", "eda", document)
            journal.append("run-1", "note", document)
            assert journal.run("run-1").document == document
            assert [event.body for event in journal.events("run-1")] == [document]

    def test_the_name_of_a_file_that_is_no_unicode_comes_back(self, journal: Journal) -> None:
        name = os.fsdecode(b"caf\xe9.csv")
        journal.begin("run-1", "eda", {"name": name})
        journal.append("run-1", "note", {"text": name})
        assert journal.run("run-1").document == {"name": name}
        assert [event.body for event in journal.events("run-1")] == [{"text": name}]


class TestFinding:
    @pytest.fixture(autouse=True)
    def _runs(self, journal: Journal, clock: Clock) -> None:
        for number, (process, experiment) in enumerate(
            [("eda", "x"), ("ingest", "x"), ("eda", "y"), ("eda", None)]
        ):
            journal.begin(f"run-{number}", process, {}, experiment)
            clock.now += number % 2

    def test_the_latest_come_first_and_of_those_at_once_the_last_name(self, journal: Journal) -> None:
        assert [run.run_id for run in journal.runs()] == ["run-3", "run-2", "run-1", "run-0"]
        assert [run.run_id for run in journal.runs(limit=2)] == ["run-3", "run-2"]

    def test_they_can_be_narrowed_down(self, journal: Journal) -> None:
        assert [run.run_id for run in journal.runs(process="eda")] == ["run-3", "run-2", "run-0"]
        assert [run.run_id for run in journal.runs(experiment_id="x")] == ["run-1", "run-0"]
        assert [run.run_id for run in journal.runs(process="eda", experiment_id="x")] == ["run-0"]
        assert journal.runs(process="nobody") == []

    def test_a_run_is_found_by_its_name_its_pathspec_and_as_the_last(self, journal: Journal) -> None:
        journal.locate("run-1", "IngestFlow/1")
        assert journal.find("run-1").run_id == journal.find("IngestFlow/1").run_id == "run-1"
        assert journal.find("last") == journal.runs()[0]

    def test_of_two_runs_under_one_pathspec_the_later_is_meant(self, journal: Journal) -> None:
        for name in ("run-0", "run-2"):
            journal.locate(name, "EdaFlow/1")
        assert journal.find("EdaFlow/1").run_id == "run-2"


class TestEvents:
    def test_events_come_back_in_order_with_their_moment(self, journal: Journal, clock: Clock) -> None:
        journal.begin("run-1", "eda", {})
        first = journal.append("run-1", "started", {"a": 1})
        clock.now += 2
        second = journal.append("run-1", "finished")
        assert second > first > 0
        assert list(journal.events("run-1")) == [
            EventRecord(first, "run-1", START, "started", {"a": 1}),
            EventRecord(second, "run-1", START + 2, "finished", {}),
        ]

    def test_each_run_has_its_own(self, journal: Journal) -> None:
        for number in range(6):
            journal.append(f"run-{number % 2}", "tick", {"n": number})
        assert [event.body["n"] for event in journal.events("run-1")] == [1, 3, 5]

    def test_they_can_be_read_on_from_a_number(self, journal: Journal) -> None:
        numbers = [journal.append("run-1", "tick", {"n": number}) for number in range(5)]
        assert [event.body["n"] for event in journal.events("run-1", after=numbers[2])] == [3, 4]
        assert list(journal.events("run-1", after=numbers[-1])) == []

    def test_many_are_read_page_by_page_and_what_is_written_meanwhile_comes_too(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PAGE", 3)
        for number in range(7):
            journal.append("run-1", "tick", {"n": number})
        found = []
        for event in journal.events("run-1"):
            found.append(event.body["n"])
            if len(found) == 2:
                journal.append("run-1", "tick", {"n": 7})
        assert found == list(range(8))

    def test_reading_does_not_hold_up_whoever_writes(self, journal: Journal, file: Path) -> None:
        for number in range(3):
            journal.append("run-1", "tick", {"n": number})
        reading = journal.events("run-1")
        next(reading)
        with closing(Journal(file)) as other:
            other.append("run-1", "tick", {"n": 3})
            other.remove("run-2")
        assert [event.body["n"] for event in reading] == [1, 2, 3]


class TestTasks:
    def test_a_task_is_dispatched_leased_and_done_once(self, journal: Journal) -> None:
        assert journal.dispatch("t", "run-1", "a") is None
        assert journal.lease("t", "me", 10.0)
        assert journal.complete("t", {"n": 1})
        assert not journal.complete("t", {"n": 2})
        assert not journal.lease("t", "me", 10.0)
        assert journal.result("t") == {"n": 1}
        assert journal.done("run-1") == {"t": {"n": 1}}

    def test_a_task_that_is_done_is_not_done_again_when_it_is_dispatched_again(
        self, journal: Journal
    ) -> None:
        journal.dispatch("t", "run-1", "a")
        journal.complete("t", {"n": 1})
        assert journal.dispatch("t", "run-2", "b") == {"n": 1}
        assert journal.done("run-2") == {}

    def test_dispatching_twice_does_not_end_a_lease(self, journal: Journal) -> None:
        journal.dispatch("t", "run-1", "a")
        assert journal.lease("t", "me", 10.0)
        assert journal.dispatch("t", "run-1", "a") is None
        assert not journal.lease("t", "other", 10.0)

    def test_a_lease_belongs_to_one_until_it_runs_out(self, journal: Journal, clock: Clock) -> None:
        journal.dispatch("t", "run-1", "a")
        assert journal.lease("t", "me", 10.0)
        assert journal.lease("t", "me", 10.0)
        clock.now += 10
        assert not journal.lease("t", "other", 10.0)
        clock.now += 0.5
        assert journal.lease("t", "other", 10.0)
        assert not journal.lease("t", "me", 10.0)

    def test_nothing_is_written_for_a_task_that_nobody_dispatched(self, journal: Journal) -> None:
        assert not journal.lease("t", "me", 10.0)
        with pytest.raises(KeyError, match="t"):
            journal.complete("t", {"n": 1})
        assert journal.result("t") is None

    def test_what_is_not_done_has_no_result(self, journal: Journal) -> None:
        journal.dispatch("t", "run-1", "a")
        journal.dispatch("u", "run-1", "b")
        journal.complete("u", {})
        assert (journal.result("t"), journal.result("u")) == (None, {})
        assert journal.done("run-1") == {"u": {}}


def grant(name: str, run: str) -> GrantRecord:
    return GrantRecord(name, run, "eda", "sha256:0", "expensive", "terminal", START, START + 60, "seal")


class TestForgetting:
    def test_everything_about_the_run_goes_and_nothing_else(self, journal: Journal) -> None:
        for name in ("run-1", "run-2"):
            journal.begin(name, "eda", {})
            journal.append(name, "tick")
            journal.dispatch(f"task of {name}", name, "a")
            journal.complete(f"task of {name}", {})
            journal.grants.add(grant(f"grant of {name}", name))
        journal.remove("run-1")
        assert [run.run_id for run in journal.runs()] == ["run-2"]
        assert (list(journal.events("run-1")), journal.done("run-1")) == ([], {})
        assert journal.grants.of_run("run-1") == ()
        assert len(list(journal.events("run-2"))) == len(journal.done("run-2")) == 1
        assert len(journal.grants.of_run("run-2")) == 1

    def test_a_journal_that_never_held_a_grant_can_forget_as_well(self, journal: Journal) -> None:
        journal.begin("run-1", "eda", {})
        journal.remove("run-1")
        assert journal.runs() == []


class TestGrants:
    def test_spending_a_grant_does_not_end_what_another_thread_is_writing(self, journal: Journal) -> None:
        journal.grants.add(grant("g", "run-1"))
        database: Database = journal._db
        with pytest.raises(RuntimeError, match="taken back"), database.transaction():
            # a write of its own would wait for this one; what it must not do is end it
            thread = threading.Thread(target=lambda: journal.grants.get("g"))
            thread.start()
            thread.join(60)
            database.write(
                "INSERT INTO tasks (task_id, run_id, phase, state) VALUES ('t', 'r', 'p', 'leased')"
            )
            raise RuntimeError("taken back")
        assert database.rows("SELECT * FROM tasks") == []
        assert journal.grants.spend("g", START)
        assert not journal.grants.spend("g", START)

    def test_grants_survive_the_process(self, journal: Journal, file: Path) -> None:
        journal.grants.add(grant("g", "run-1"))
        journal.close()
        with closing(Journal(file)) as other:
            assert other.grants.of_run("run-1") == (grant("g", "run-1"),)


class TestOthers:
    def test_threads_share_one_journal(self, journal: Journal) -> None:
        journal.begin("run-1", "eda", {})

        def work(number: int) -> None:
            for each in range(20):
                journal.append("run-1", "tick", {"by": number, "n": each})
                journal.dispatch(f"{number}-{each}", "run-1", "a")
                journal.complete(f"{number}-{each}", {"by": number})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        events = list(journal.events("run-1"))
        assert len(events) == len(journal.done("run-1")) == 80
        for number in range(4):
            assert [event.body["n"] for event in events if event.body["by"] == number] == list(range(20))

    def test_processes_write_to_one_journal_at_once(self, file: Path) -> None:
        count, names = 25, ("run-a", "run-b", "run-c")
        with closing(Journal(file)) as journal:
            journal.begin(SHARED, "eda", {"n": 0})
        writers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.runtime.writers", str(file), name, str(count)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in names
        ]
        try:
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.write("\n")
                writer.stdin.flush()
        finally:
            ends = [writer.communicate(timeout=120)[1] for writer in writers]
        assert ends == [""] * 3
        with closing(Journal(file)) as journal:
            # no change of the shared document was lost, no event either, and each task was done by one
            assert journal.run(SHARED).document == {"n": count * len(names)}
            assert journal.run(SHARED).version == count * len(names) + 1
            for name in names:
                assert [event.body["n"] for event in journal.events(name)] == list(range(count))
                assert journal.run(name).status == "ok"
            done = [each for name in names for each in journal.done(name).items()]
            assert sorted(task for task, _ in done) == sorted(f"task-{number}" for number in range(count))

    def test_a_run_that_is_killed_stands_as_running_with_all_it_wrote(self, file: Path) -> None:
        program = (
            "import os, signal; from pathlib import Path; from loom.runtime.journal import Journal\n"
            f"journal = Journal(Path({str(file)!r}))\n"
            "journal.begin('run-1', 'eda', {'a': 1})\n"
            "[journal.append('run-1', 'tick', {'n': n}) for n in range(5)]\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
        with closing(Journal(file)) as journal:
            assert journal.find("last").status == "running"
            assert [event.body["n"] for event in journal.events("run-1")] == list(range(5))


def test_a_journal_of_another_format_is_refused(file: Path) -> None:
    with closing(Journal(file)):
        pass
    with closing(Database(file, "", FORMAT)) as database:
        database.write(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(LoomError, match="newer release"):
        Journal(file)
