"""Verbs on the command line: everything they say comes from the catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from loom.cli import verbs
from loom.cli.context import CURRENT
from loom.process.loader import WORKSPACE_FOLDERS
from tests.cli.calls import Calls
from tests.cli.conftest import Loom

NAMES = list(verbs.catalogue())
SAMPLE = {"integer": "3", "number": "0.5"}


def _flag(item: dict[str, Any]) -> str:
    return item["name"].upper() if item.get("positional") else "--" + item["name"].replace("_", "-")


def _typed(item: dict[str, Any]) -> Any:
    """The value of an input in such a call."""
    value = {"integer": 3, "number": 0.5, "flag": True}.get(
        item["type"], (item.get("choices") or ["value"])[0]
    )
    return [value] if item.get("repeat") else value


def _words(entry: dict[str, Any], *, optional: bool) -> list[str]:
    """A call that gives every required input, and the optional ones if wanted."""
    words: list[str] = []
    for item in entry["inputs"]:
        if not (optional or item.get("required")):
            continue
        value = (item.get("choices") or [SAMPLE.get(item["type"], "value")])[0]
        words += [] if item.get("positional") else [_flag(item)]
        words += [] if item["type"] == "flag" else [value]
    return words


@pytest.mark.parametrize("name", NAMES)
def test_help_names_every_input_the_tier_the_model_and_every_exit_code(name: str, loom: Loom) -> None:
    entry = verbs.catalogue()[name]
    answer = loom(name, "--help")
    assert answer.code == 0
    # a line may end after a space or after a hyphen
    flat = "".join(answer.out.split())
    assert answer.out.startswith(f"Usage: loom {name} ")
    for item in entry["inputs"]:
        assert _flag(item) in answer.out
        assert "".join(item["help"].split()) in flat
        for choice in item.get("choices", ()):
            assert choice in answer.out
        assert not item.get("raises_tier") or f"raisesthetierto{item['raises_tier']}" in flat
    lines = {line.split(":")[0].strip(): line.split(":")[-1].strip() for line in answer.out.splitlines()}
    assert lines["tier"] == entry["tier"]
    assert lines["model"] == entry["model"]
    good, bad = entry["ok"], [value for value in entry["values"] if value not in entry["ok"]]
    assert lines["exit 0"] == (", ".join(good) or "finished")
    assert lines["exit 1"] == (", ".join(bad) or "never")
    assert lines["exit 2"] == "setup or arguments"
    assert lines["exit 130"] == "interrupted"


@pytest.mark.parametrize("optional", [False, True], ids=["required", "everything"])
@pytest.mark.parametrize("name", NAMES)
def test_a_call_runs_the_package_with_exactly_what_was_typed(
    name: str, optional: bool, loom: Loom, calls: Calls
) -> None:
    entry = verbs.catalogue()[name]
    answer = loom(name, *_words(entry, optional=optional))
    assert answer.code == 0
    typed = {item["name"]: _typed(item) for item in entry["inputs"] if optional or item.get("required")}
    assert calls.last.package == entry["name"]
    assert calls.last.inputs == typed
    assert calls.last.command == ("loom", name, *_words(entry, optional=optional))


def test_an_alias_says_what_it_stands_for() -> None:
    aliases = {a: e["command"] for e in verbs.catalogue().values() for a in e["aliases"]}
    assert aliases["run"] == "optimize"
    lines = verbs.help_lines()
    assert all(lines[alias] == f"The same as {command}." for alias, command in aliases.items())


def test_the_line_about_a_verb_is_one_short_sentence() -> None:
    for name, line in verbs.help_lines().items():
        assert line.endswith(".") and not line.endswith(".."), name
        assert "\n" not in line and ": " not in line, name


ITEMS: list[tuple[dict[str, Any], list[str], str]] = [
    ({"name": "from", "type": "text", "help": "h"}, ["--from", "x"], "--from TEXT"),
    ({"name": "class", "type": "flag", "help": "h"}, ["--class"], "--class"),
    ({"name": "max_rows", "type": "integer", "help": "h", "default": 0}, ["--max-rows", "7"], "--max-rows N"),
    (
        {"name": "column", "type": "columns", "help": "h", "repeat": True},
        ["--column", "a", "--column", "b"],
        "--column",
    ),
    ({"name": "source", "type": "path", "help": "h", "positional": True, "required": True}, ["x"], "SOURCE"),
    (
        {"name": "kind", "type": "choice", "help": "h", "choices": ["a", "b"], "default": "a"},
        ["--kind", "b"],
        "a|b",
    ),
    ({"name": "share", "type": "number", "help": "h", "default": 0.5}, ["--share", "1e-3"], "0.5"),
]


@pytest.mark.parametrize(("item", "words", "shown"), ITEMS, ids=[item["name"] for item, _, _ in ITEMS])
def test_every_shape_of_input_becomes_a_parameter(
    item: dict[str, Any],
    words: list[str],
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    calls: Calls,
) -> None:
    entry = {
        "name": "probe",
        "command": "probe",
        "aliases": [],
        "description": "Try it.",
        "tier": "read-only",
        "model": "none",
        "values": [],
        "ok": [],
        "flow": None,
        "inputs": [item],
    }
    monkeypatch.setattr(verbs, "catalogue", lambda: {"probe": entry})
    monkeypatch.setattr(CURRENT, "workspace", None)
    command = verbs.command("probe")
    assert command(words, standalone_mode=False) == 0
    assert list(calls.last.inputs) == [item["name"]]
    assert command(["--help"], standalone_mode=False) == 0
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["optimize", "--seed", "many"], "invalid value for '--seed'"),
        (["validate", "--dataset", "x", "--fairness", "kind"], "invalid value for '--fairness'"),
        (["eda", "--dataset", "x", "--colour"], "no such option: --colour"),
        (["eda", "--dataset", "x", "more"], "got unexpected extra argument"),
        (["connect"], "missing argument 'SOURCE'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_word_is_named(words: list[str], what: str, loom: Loom) -> None:
    answer = loom(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {what}")
    assert answer.err.endswith(f"fix: loom {words[0]} --help\n")


def test_the_folders_of_a_persons_own_packages_are_those_of_the_loader() -> None:
    assert verbs.OWN_FOLDERS == WORKSPACE_FOLDERS
