"""Runs that took place before a case starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loom.app.package_tests.past_runs import FOLDER, read_runs
from loom.app.package_tests.place import Place, Task
from loom.app.package_tests.shelf import write_down
from loom.app.run_index import JournalIndex
from loom.kernel.errors import LoomError
from loom.process.spec.tests import Case


def written(folder: Path, **runs: object) -> Path:
    """A package with these runs, by the names of their files."""
    (folder / FOLDER).mkdir(parents=True)
    for name, run in runs.items():
        text = run if isinstance(run, str) else json.dumps(run)
        (folder / FOLDER / f"{name.replace('_', '-')}.json").write_text(text)
    return folder


def test_a_package_without_the_folder_wants_none(tmp_path: Path) -> None:
    assert read_runs(tmp_path) == ()


def test_a_file_is_the_run_of_its_name_and_the_numbers_are_the_order(tmp_path: Path) -> None:
    package = written(tmp_path, EdaFlow_10={"verb": "eda"}, EdaFlow_2={"verb": "eda", "verdict": "OK"})
    second, tenth = read_runs(package)
    assert (second.pathspec, second.verdict, tenth.pathspec) == ("EdaFlow/2", "OK", "EdaFlow/10")
    assert second.started < tenth.started


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"verb": "eda", "sumary": {}}', '{"verb": "eda", "seconds": -1}']
)
def test_what_is_no_run_is_refused_with_its_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(LoomError, match=r"EdaFlow-1\.json: not a run that took place"):
        read_runs(written(tmp_path, EdaFlow_1=text))


def test_a_case_finds_them_as_its_own_past(tmp_path: Path) -> None:
    package = written(
        tmp_path / "package",
        EdaFlow_1={"verb": "eda", "status": "interrupted", "seconds": 3},
        EdaFlow_2={"verb": "eda", "verdict": "FLAGGED", "summary": {"leakage_flags": []}, "started": 2e9},
    )
    place = Place(tmp_path / "0")
    task = Task(Case(id="a-case", mode="deterministic", goal="See."), package, (), read_runs(package))
    place.prepare(task, package, {})
    assert place.task() == task
    write_down(task.runs, package, place)
    newest, oldest = JournalIndex({"LOOM_HOME": str(place.home)}).runs()
    assert (newest.summary, newest.started) == ({"leakage_flags": []}, 2e9)
    assert (oldest.status, oldest.seconds) == ("interrupted", 3.0)
