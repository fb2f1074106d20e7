"""The list of packages, and one at a glance."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.app.listing import first_sentence, list_as_json, list_as_text, list_packages, show
from loom.process.loader import ProcessLoader
from loom.process.trust import TrustStore

NOTE = "name: note\nversion: '0.2'\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: a, description: Write it.}\n"


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessLoader:
    """A loader that knows no builtin package."""
    monkeypatch.setattr("loom.process.loader.builtin_root", lambda: tmp_path / "builtin")
    return ProcessLoader(tmp_path, home=tmp_path / "home")


def write(folder: Path, name: str, text: str = NOTE) -> Path:
    """A package under a name."""
    (folder / name).mkdir(parents=True)
    (folder / name / "process.yaml").write_text(text)
    return folder / name


def test_an_empty_list_says_how_to_start(loader: ProcessLoader) -> None:
    assert list_as_text(list_packages(loader), 80) == "no packages here; `loom process new NAME` starts one"
    assert list_as_json(list_packages(loader)) == {"schema_version": 1, "packages": []}


def test_of_several_with_one_name_the_one_that_counts_comes_first(
    loader: ProcessLoader, tmp_path: Path
) -> None:
    write(tmp_path / "builtin", "note")
    write(tmp_path / "home" / "processes", "note")
    mine = write(tmp_path / "loom-processes", "note")
    for trusted in (False, True):
        if trusted:
            TrustStore(tmp_path / "home").add(mine)
        listed = list_packages(loader)
        assert [(item.found.origin, item.shadowed, item.untrusted) for item in listed] == [
            ("workspace", False, not trusted),
            ("builtin", True, False),
            ("user", True, False),
        ]


def test_a_package_that_cannot_be_read_is_listed_as_such(loader: ProcessLoader, tmp_path: Path) -> None:
    write(tmp_path / "builtin", "broken", "{")
    write(tmp_path / "builtin", "half", NOTE + "tags: x\nauthor: []\n")
    lines = list_as_text(list_packages(loader), 100).splitlines()
    assert lines[0].startswith("broken") and lines[0].endswith("?         (1 error)")
    assert lines[1].endswith("(2 errors)")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_lines_fit_the_terminal_as_far_as_there_is_room(
    width: int, loader: ProcessLoader, tmp_path: Path
) -> None:
    write(tmp_path / "builtin", "note", NOTE + f"description: {'word ' * 60}\n")
    (line,) = list_as_text(list_packages(loader), width).splitlines()
    assert len(line) <= max(width, 49)
    assert line.endswith("…")
    assert line == line.rstrip()


def test_a_description_cannot_steer_the_terminal(loader: ProcessLoader, tmp_path: Path) -> None:
    folder = write(tmp_path / "builtin", "note", NOTE + 'description: "a\\e[31mb\\rc"\n')
    assert "a\\x1b[31mb c" in list_as_text(list_packages(loader), 100)
    assert "\x1b" not in show(loader.load(folder), "note")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ""),
        ("One.", "One."),
        ("One. Two.", "One."),
        ("One\n  line.\nTwo.", "One line."),
        ("No end", "No end"),
        ("Version 1.2 of it. More.", "Version 1.2 of it."),
    ],
)
def test_the_first_sentence_ends_at_a_full_stop(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


VERB = """\
verb:
  command: note
  tier: read-only
  inputs:
    table: {type: path, positional: true, required: true, help: The table}
    max_rows: {type: integer, default: 0, help: Rows at most}
    all: {type: flag, default: false, help: Everything}
    kind: {type: choice, choices: [a, b], default: a, help: Which}
    note: {type: text, help: Anything}
"""


def test_the_inputs_of_a_verb_show_what_is_required_and_every_default(
    loader: ProcessLoader, tmp_path: Path
) -> None:
    shown = show(loader.load(write(tmp_path, "note", NOTE + VERB)), "./note")
    assert "  TABLE              The table (required)\n" in shown
    assert "  --max-rows         Rows at most (default 0)\n" in shown
    assert "  --all              Everything (default false)\n" in shown
    assert "  --kind             Which (default a)\n" in shown
    assert "  --note             Anything\n" in shown
    assert shown.endswith("next: loom process plan ./note")
