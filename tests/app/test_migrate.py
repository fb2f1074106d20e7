"""Migrating a file: all of it or nothing, and never to something worse."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from loom.app import migrate as use_case
from loom.app.migrate import migrate_file
from loom.kernel.errors import LoomError
from loom.process.check import check_file
from loom.process.loader import ProcessError
from loom.process.migrate import Migrated

OLD = "name: brief # kept\nphases:\n  - {id: a, description: Write it.}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A version 1 file."""
    written = tmp_path / "process.yaml"
    written.write_text(OLD)
    return written


def test_without_being_told_to_write_nothing_is_written(file: Path) -> None:
    migration = migrate_file(file, write=False)
    assert file.read_text() == OLD
    assert migration.text.startswith("name: brief # kept\nschema_version: 2\n")
    assert len(migration.changes) == 6
    assert migration.conclusion.startswith("6 changes; --write makes them")


def test_the_result_checks_without_errors_and_a_second_run_has_nothing_to_do(file: Path) -> None:
    migration = migrate_file(file, write=True)
    assert migration.conclusion.startswith(f"{file} is version 2 now")
    written = file.read_bytes()
    assert written.decode() == migration.text
    report = check_file(file).report
    assert not report.errors
    assert f"{report.warnings} warnings left" in migration.conclusion
    again = migrate_file(file, write=True)
    assert (again.changes, again.conclusion) == ((), f"{file} is version 2 already; nothing to do")
    assert file.read_bytes() == written


def test_a_folder_stands_for_its_file(file: Path) -> None:
    assert migrate_file(file.parent, write=True).changes
    assert "schema_version: 2" in file.read_text()


def test_mark_line_ends_mode_and_link_stay(tmp_path: Path, file: Path) -> None:
    file.write_bytes(codecs.BOM_UTF8 + OLD.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    migrate_file(link, write=True)
    written = file.read_bytes()
    assert written.startswith(codecs.BOM_UTF8 + b"name") and written.count(codecs.BOM_UTF8) == 1
    assert written.count(b"\n") == written.count(b"\r\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert link.is_symlink()


@pytest.mark.parametrize(
    "text",
    [
        "name: brief\nphases: [\n",
        "name: brief\n",
        "[]",
        "",
        OLD + "tags: &a [x]\n",
        OLD + "verification:\n  policy:\n",
        OLD + "schema_version: 3\n",
        OLD + "schema_version: '1'\n",
        OLD + "nmae: x\n",
        OLD + "verification:\n  remediation: x\n  remediation: y\n",
    ],
)
def test_a_file_that_does_not_hold_is_refused_with_its_findings(text: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(ProcessError) as raised:
        migrate_file(file, write=True)
    assert raised.value.report.errors
    assert file.read_text() == text


def test_free_wording_is_the_one_mistake_that_migration_itself_repairs(file: Path) -> None:
    file.write_text(OLD + "verification:\n  remediation: Ask again.\n")
    assert check_file(file).report.errors == 1
    migrate_file(file, write=True)
    assert not check_file(file).report.errors
    assert "  remediation_instructions: Ask again.\n" in file.read_text()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ProcessError, match="LM101"):
            migrate_file(place, write=True)


def test_text_whose_last_blank_lines_count_takes_a_hand(file: Path) -> None:
    text = OLD + "persona: |+\n  You write.\n\n"
    file.write_text(text)
    with pytest.raises(LoomError) as raised:
        migrate_file(file, write=True)
    assert raised.value.why == "persona would not mean the same"
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: brief\n", "the result would not hold"),
        (
            OLD.replace("Write it", "Write") + "schema_version: 2\n",
            "phases[0].description would not mean the same",
        ),
        (OLD.replace("a, ", "b, ") + "schema_version: 2\n", "phases[0].id would not mean the same"),
        ("name: other\n" + OLD.split("\n", 1)[1], "name would not mean the same"),
    ],
)
def test_a_result_that_is_not_the_same_package_is_never_written(
    text: str, why: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "migrate_text", lambda _: Migrated(text, ("x",)))
    with pytest.raises(LoomError) as raised:
        migrate_file(file, write=True)
    assert raised.value.why.startswith(why)
    assert file.read_text() == OLD


def test_a_full_disk_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LoomError, match="cannot be written"):
        migrate_file(file, write=True)
    assert file.read_text() == OLD
    assert [path.name for path in file.parent.iterdir()] == ["process.yaml"]
