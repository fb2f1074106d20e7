"""The folder of a case: what is laid out there, and what can be seen afterwards."""

from __future__ import annotations

import json
import site
from pathlib import Path

import pytest

from loom.app.package_tests.place import Place, Task, remove
from loom.app.package_tests.pool import Ended
from loom.kernel.errors import LoomError
from loom.process.spec.tests import Case

CASE = Case.model_validate({"id": "it", "mode": "deterministic", "goal": "See.", "inputs": {"n": 1}})


def test_the_task_arrives_as_it_was_laid_down(tmp_path: Path) -> None:
    place, task = Place(tmp_path / "0"), Task(CASE, tmp_path)
    place.prepare(task, None, {})
    assert place.task() == task


def test_links_in_the_data_become_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("precious")
    data = tmp_path / "package" / "tests" / "data"
    data.mkdir(parents=True)
    (data / "link.txt").symlink_to(tmp_path / "outside.txt")
    place = Place(tmp_path / "0")
    place.prepare(Task(CASE, tmp_path), tmp_path / "package", {})
    (place.workspace / "link.txt").write_text("changed")
    assert (tmp_path / "outside.txt").read_text() == "precious"


def test_data_that_cannot_be_copied_is_a_setup_failure(tmp_path: Path) -> None:
    data = tmp_path / "package" / "tests" / "data"
    data.mkdir(parents=True)
    (data / "link.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LoomError, match="cannot be copied"):
        Place(tmp_path / "0").prepare(Task(CASE, tmp_path), tmp_path / "package", {})


def test_packages_that_are_run_inside_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "process.yaml").write_text("name: inner\n")
    (tmp_path / "other.yaml").write_text("name: other\n")
    place = Place(tmp_path / "0")
    nested = {"inner": tmp_path / "inner", "other": tmp_path / "other.yaml"}
    place.prepare(Task(CASE, tmp_path), None, nested)
    assert (place.home / "processes" / "inner" / "process.yaml").is_file()
    assert (place.home / "processes" / "other.yaml").is_file()


def test_a_case_has_a_home_of_its_own_nobodys_metaflow_and_its_share_of_the_cores(tmp_path: Path) -> None:
    place = Place(tmp_path)
    mine = {"METAFLOW_PROFILE": "x", "METAFLOW_HOME": "/y", "OMP_NUM_THREADS": "7", "PATH": "/bin"}
    found = place.environment({**mine, "HOME": "/root", "LOOM_HOME": "/mine", "LOOM_MODELS__TIER1": "m"}, 2)
    assert not [name for name in found if name.startswith("METAFLOW")]
    assert (found["LOOM_HOME"], found["HOME"]) == (str(place.home), str(tmp_path / "user"))
    assert (found["OMP_NUM_THREADS"], found["POLARS_MAX_THREADS"]) == ("7", "2")
    assert (found["PATH"], found["LOOM_MODELS__TIER1"]) == ("/bin", "m")
    assert found["PYTHONUSERBASE"] == site.getuserbase()


def test_a_case_that_left_no_result_is_seen_as_far_as_it_came(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.events.write_bytes(b'{"kind": "phase_started", "phase": "a"}\n{"kind": "phase_fin')
    (tmp_path / "output.txt").write_text("x" * 9000 + "\nthe end\n")
    seen = place.seen(Ended(7, seconds=2.0))
    assert not seen.is_whole
    assert seen.events == ({"kind": "phase_started", "phase": "a"},)
    assert seen.said.endswith("\nthe end")
    assert len(seen.said) <= 4096
    assert seen.seconds == 2.0


def test_deliverables_are_found_where_the_run_left_them(tmp_path: Path) -> None:
    place = Place(tmp_path)
    phases = [{"deliverables": ["a.md", "b.md", "c.md", "none.md"]}]
    envelope = {"run": "run-1", "phases": phases}
    places = {"home/runs/run-1": "a.md", "tmp/loom-x": "b.md"}
    for folder, name in places.items():
        (tmp_path / folder / "workspace").mkdir(parents=True)
        (tmp_path / folder / "workspace" / name).write_text(name)
    place.workspace.mkdir()
    (place.workspace / "c.md").write_text("c.md")
    place.save_files()
    result = {"envelope": envelope, "error": None, "fired": [0], "seconds": 1.5}
    place.result.write_text(json.dumps(result))
    seen = place.seen(Ended(0))
    assert dict(seen.texts) == {name: name for name in ("a.md", "b.md", "c.md")}
    assert (seen.is_whole, seen.fired, seen.seconds) == (True, {0}, 1.5)


def test_what_a_tool_has_locked_is_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    folder = tmp_path / "0"
    (folder / "locked").mkdir(parents=True)
    (folder / "locked" / "file").touch()
    (folder / "locked").chmod(0)
    (folder / "link").symlink_to(tmp_path / "kept")
    remove(folder)
    assert not folder.exists()
    assert (tmp_path / "kept" / "file").exists()
