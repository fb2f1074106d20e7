"""Opening the journal's file: by many at once, and when it is damaged, foreign, out of reach or out of room."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.runtime import database
from loom.runtime.database import Database, told
from tests.runtime.openers import opened

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "a journal.db"


class Connection:
    """A connection on which the switch to WAL fails so often, and in such a way."""

    def __init__(self, times: int, name: str) -> None:
        self.asked, self.times, self.name = 0, times, name

    def execute(self, statement: str) -> None:
        """Switch, or fail."""
        assert statement == "PRAGMA journal_mode = WAL"
        self.asked += 1
        if self.asked <= self.times:
            error = sqlite3.OperationalError(self.name)
            error.sqlite_errorname = self.name
            raise error


class TestSwitching:
    @pytest.fixture
    def pauses(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        taken: list[float] = []
        monkeypatch.setattr(database.time, "sleep", taken.append)
        return taken

    @pytest.mark.parametrize("name", ["SQLITE_BUSY", "SQLITE_BUSY_RECOVERY"])
    def test_whoever_looks_at_the_file_just_then_is_waited_for(self, name: str, pauses: list[float]) -> None:
        connection = Connection(3, name)
        database._switch(connection)  # type: ignore[arg-type]
        assert (connection.asked, len(pauses)) == (4, 3)
        assert min(pauses) >= 0.02

    def test_but_not_for_ever(self, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", -1.0)
        with pytest.raises(sqlite3.OperationalError):
            database._switch(Connection(9, "SQLITE_BUSY"))  # type: ignore[arg-type]
        assert pauses == []

    def test_any_other_trouble_is_raised_at_once(self, pauses: list[float]) -> None:
        with pytest.raises(sqlite3.OperationalError):
            database._switch(Connection(9, "SQLITE_IOERR"))  # type: ignore[arg-type]
        assert pauses == []


@pytest.fixture
def db(file: Path) -> Iterator[Database]:
    with closing(opened(file)) as made:
        yield made


def refusal(call: Callable[[], object]) -> LoomError:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value


class TestOpening:
    def test_a_new_file_is_made_with_its_folder_and_for_its_owner_only(
        self, db: Database, file: Path
    ) -> None:
        assert db.rows("PRAGMA journal_mode") == [("wal",)]
        assert db.rows("PRAGMA user_version") == [(1,)]
        assert db.rows("PRAGMA synchronous") == [(1,)]
        assert db.rows("PRAGMA busy_timeout") == [(30_000,)]
        assert [name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'table'")] == [
            "kept",
            "more",
        ]
        db.write("INSERT INTO kept VALUES ('a')")
        for each in file.parent.iterdir():
            assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each

    def test_a_file_that_is_there_is_kept_as_it_is(self, db: Database, file: Path) -> None:
        db.write("INSERT INTO kept VALUES ('a')")
        with closing(opened(file)) as other:
            assert other.rows("SELECT name FROM kept") == [("a",)]

    def test_folders_above_it_are_made_too(self, tmp_path: Path) -> None:
        opened(tmp_path / "a" / "b" / "c" / "journal.db").close()
        opened(tmp_path / "a" / "b" / "c" / "journal.db").close()

    def test_an_empty_file_becomes_one(self, file: Path) -> None:
        file.parent.mkdir()
        file.touch()
        with closing(opened(file)) as made:
            assert made.rows("SELECT * FROM kept") == []

    def test_opening_what_is_there_writes_nothing(self, file: Path) -> None:
        opened(file).close()
        before = file.read_bytes()
        opened(file).close()
        assert file.read_bytes() == before

    def test_opening_does_not_wait_for_somebody_who_writes(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
        with closing(opened(file)) as writer, writer.transaction():
            writer.write("INSERT INTO kept VALUES ('a')")
            with closing(opened(file)) as reader:
                assert reader.rows("SELECT * FROM kept") == []

    def test_what_a_killed_process_left_beside_a_lost_file_is_not_taken_for_part_of_a_new_one(
        self, file: Path
    ) -> None:
        _die(file)
        log = file.with_name(file.name + "-wal")
        assert log.stat().st_size > 0
        file.rename(file.with_name("aside"))
        with closing(opened(file)) as made:
            assert made.rows("SELECT * FROM kept") == []
            assert made.rows("PRAGMA integrity_check") == [("ok",)]

    def test_what_a_killed_process_committed_is_there(self, file: Path) -> None:
        _die(file)
        with closing(opened(file)) as made:
            assert made.rows("SELECT name FROM kept") == [("whole",)]
            assert made.rows("PRAGMA integrity_check") == [("ok",)]


def _process(what: str) -> subprocess.Popen[str]:
    """A process that does something with every file it is told of."""
    command = [sys.executable, "-m", "tests.runtime.openers", what]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str], file: Path) -> str:
    """What one process has to say about one file."""
    out, _ = process.communicate(f"{file}\n", timeout=60)
    return out


def _die(file: Path) -> None:
    with _process("die") as process:
        _said(process, file)
    assert process.returncode == -signal.SIGKILL


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    children = [_process("write") for _ in range(4)]
    try:
        for attempt in range(40):
            file = tmp_path / str(attempt) / "journal.db"
            for child in children:
                assert child.stdin is not None
                child.stdin.write(f"{file}\n")
                child.stdin.flush()
            assert [child.stdout.readline() for child in children if child.stdout] == ["\n"] * len(children)
            with closing(opened(file)) as db:
                assert db.rows("SELECT count(*) FROM kept") == [(len(children),)]
    finally:
        for child in children:
            child.communicate(timeout=60)


class TestRefusals:
    def test_the_file_of_a_newer_release_is_left_untouched(self, file: Path) -> None:
        opened(file, version=2).close()
        before = file.read_bytes()
        refused = refusal(lambda: opened(file))
        assert refused.what == f"{file} was written by a newer release"
        assert refused.why == "its format is 2, this release reads 1"
        assert refused.fix == "pip install --upgrade loom"
        assert file.read_bytes() == before

    def test_the_file_of_an_older_release_can_be_put_aside(self, file: Path) -> None:
        opened(file, version=2).close()
        refused = refusal(lambda: opened(file, version=3))
        assert refused.what == f"{file} was written by another release"
        assert subprocess.run(refused.fix, shell=True, check=False).returncode == 0
        opened(file, version=3).close()
        assert file.with_name("a journal.db.2").exists()

    def test_a_damaged_file_is_named_and_can_be_put_aside(self, file: Path) -> None:
        content = b"no database, but long enough to look like one " * 50
        file.parent.mkdir()
        file.write_bytes(content)
        refused = refusal(lambda: opened(file))
        assert refused.what == f"{file} is damaged"
        assert refused.why == "file is not a database"
        assert subprocess.run(refused.fix, shell=True, check=False).returncode == 0
        opened(file).close()
        assert file.with_name("a journal.db.broken").read_bytes() == content

    def test_damage_that_is_met_later_is_told_as_well(self, file: Path) -> None:
        with closing(opened(file)) as db:
            for number in range(500):
                db.write("INSERT INTO kept VALUES (?)", f"{number}" * 20)
        content = bytearray(file.read_bytes())
        content[4096:] = os.urandom(len(content) - 4096)
        file.write_bytes(content)
        with closing(opened(file)) as db:
            refused = refusal(lambda: db.rows("SELECT name FROM kept ORDER BY name"))
        assert (refused.what, refused.fix[:3]) == (f"{file} is damaged", "mv ")

    def test_a_folder_in_its_place_is_named(self, file: Path) -> None:
        file.mkdir(parents=True)
        refused = refusal(lambda: opened(file))
        assert refused.what == f"{file} cannot be used"
        assert refused.fix == f"ls -ld {file.parent} '{file}'"

    def test_a_file_where_the_home_should_be_is_named(self, file: Path) -> None:
        file.parent.write_text("")
        refused = refusal(lambda: opened(file))
        assert (refused.what, refused.why) == (f"{file} cannot be used", "file exists")

    def test_somebody_who_writes_for_too_long_is_not_waited_for(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(opened(file)) as writer:
            monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
            with closing(opened(file)) as other, writer.transaction():
                refused = refusal(lambda: other.write("INSERT INTO kept VALUES ('a')"))
        assert refused.what == f"{file} is locked"
        assert refused.why == "another process has been writing to it for 0 s"
        assert refused.fix == "loom runs"

    def test_a_mistake_of_the_caller_stays_what_it_is(self, db: Database) -> None:
        db.write("INSERT INTO kept VALUES ('a')")
        with pytest.raises(sqlite3.IntegrityError):
            db.write("INSERT INTO kept VALUES ('a')")
        db.close()
        with pytest.raises(sqlite3.ProgrammingError):
            db.rows("SELECT 1")

    def test_no_connection_stays_open_after_a_refusal(self, file: Path) -> None:
        opened(file, version=2).close()
        refusal(lambda: opened(file))
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as db:
            assert db.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)


def _as_nobody(file: Path) -> str:
    """What somebody is told who opens the file without the rights of root."""
    with _process("write-as-nobody") as process:
        return _said(process, file)


class TestFoldersThatCannotBeWritten:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        # not below tmp_path, whose parents only this user may enter
        with tempfile.TemporaryDirectory(prefix="loom-test-") as name:
            Path(name).chmod(0o555)
            yield Path(name)
            Path(name).chmod(0o755)

    def test_a_new_file_cannot_be_made_there(self, folder: Path) -> None:
        said = _as_nobody(folder / "journal.db")
        told_ = (
            f"error: {folder}/journal.db cannot be used\n  why: permission denied\n"
            f"  fix: ls -ld {folder} {folder}/journal.db"
        )
        assert said == f"{told_!r}\n"

    def test_nor_can_the_home_be_made(self, folder: Path) -> None:
        said = _as_nobody(folder / "home" / "journal.db")
        assert "  why: permission denied" in said

    def test_a_file_that_is_there_and_cannot_be_written_is_named(self, folder: Path) -> None:
        file = folder / "journal.db"
        opened(file).close()
        file.chmod(0o444)
        folder.chmod(0o555)
        assert f"error: {file} cannot be used" in _as_nobody(file)


FILL = """
import json, resource, signal, sys
from pathlib import Path
from loom.kernel.errors import LoomError
from loom.runtime.database import Database
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
db = Database(Path(sys.argv[1]), "CREATE TABLE kept (name TEXT)", 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
count = 0
try:
    while count < 10_000:
        with db.transaction():
            db.write("INSERT INTO kept VALUES (?)", "first half" * 50)
            db.write("INSERT INTO kept VALUES (?)", "second half" * 50)
        count += 1
except LoomError as error:
    print(json.dumps([error.what, error.fix, count]))
try:
    with db.transaction():
        db.write("INSERT INTO kept VALUES ('again')")
except LoomError as error:
    print(json.dumps([error.what, error.fix, count]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
"""


class TestNoRoom:
    def test_a_full_disk_is_told_and_leaves_nothing_half_written(self, file: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", FILL, str(file)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        first, second = done.stdout.splitlines()
        assert first == second
        assert f"{file} cannot be written" in first and "df -h" in first
        with closing(opened(file)) as db:
            assert db.rows("PRAGMA integrity_check") == [("ok",)]
            halves = db.rows("SELECT substr(name, 1, 5), count(*) FROM kept GROUP BY 1 ORDER BY 1")
            assert [name for name, _ in halves] == ["first", "secon"]
            assert halves[0][1] == halves[1][1] == int(first.split()[-1].rstrip("]"))

    def test_it_can_be_written_again_when_there_is_room(self, db: Database) -> None:
        (size,) = db.rows("PRAGMA page_count")[0]
        db.rows(f"PRAGMA max_page_count = {size}")
        with pytest.raises(LoomError), db.transaction():
            for number in range(1000):
                db.write("INSERT INTO more VALUES (?)", f"{number}" * 100)
        assert db.rows("SELECT * FROM more") == []
        db.rows("PRAGMA max_page_count = 100000")
        with db.transaction():
            db.write("INSERT INTO more VALUES ('a')")
        assert db.rows("SELECT * FROM more") == [("a",)]


class TestTransactions:
    def test_an_exception_takes_everything_back(self, db: Database) -> None:
        with pytest.raises(KeyboardInterrupt), db.transaction():
            db.write("INSERT INTO kept VALUES ('a')")
            raise KeyboardInterrupt
        assert db.rows("SELECT * FROM kept") == []
        with db.transaction():
            db.write("INSERT INTO kept VALUES ('b')")
        assert db.rows("SELECT * FROM kept") == [("b",)]

    def test_others_see_all_of_it_or_nothing(self, db: Database, file: Path) -> None:
        with closing(opened(file)) as other:
            with db.transaction():
                db.write("INSERT INTO kept VALUES ('a')")
                assert other.rows("SELECT * FROM kept") == []
                db.write("INSERT INTO kept VALUES ('b')")
            assert other.rows("SELECT * FROM kept ORDER BY name") == [("a",), ("b",)]

    def test_a_connection_of_somebodys_own_waits_for_the_disk_and_is_closed_with_the_rest(
        self, db: Database
    ) -> None:
        own = db.connect("FULL")
        assert own.execute("PRAGMA synchronous").fetchone() == (2,)
        db.close()
        with pytest.raises(sqlite3.ProgrammingError):
            own.execute("SELECT 1")


def test_what_the_disk_refuses_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="permission denied"), told(tmp_path / "journal.db"):
        raise PermissionError(13, "Permission denied")
