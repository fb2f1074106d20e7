"""`loom --process`, verbs of a person's own packages, and `loom verbs`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from loom.cli import headless, verbs
from loom.process.loader import builtin_root
from tests.cli.calls import Calls
from tests.cli.conftest import Loom

OWN = """\
name: price-watch
schema_version: 2
description: Watch prices. Every day.
risk_level: low
verb:
  command: watch
  aliases: [look]
  tier: read-only
  inputs:
    shop: {type: text, required: true, positional: true, help: Where to look}
    item: {type: text, repeat: true, help: What to look for}
    days: {type: integer, default: 3, help: How far back}
    buy: {type: flag, raises_tier: irreversible, help: Buy it}
    column: {type: columns, help: Which columns}
  verdict: {from: phases.look.data.verdict, values: [OK, WARN], ok: [OK]}
phases:
  - id: look
    description: Look it up.
    run: {tool: calculator, args: {expression: "1+1"}}
    deliverables: [{name: prices.csv, description: The prices.}]
"""


@pytest.fixture
def own(here: Path) -> Path:
    """A package with a verb of its own in the workspace."""
    folder = here / "loom-processes" / "price-watch"
    folder.mkdir(parents=True)
    (folder / "process.yaml").write_text(OWN)
    return folder


def test_a_package_runs_by_name_with_a_goal_and_inputs(own: Path, loom: Loom, calls: Calls) -> None:
    words = ("--process", "price-watch", "find the cheapest", "--input", "shop=here", "--input", "days=7")
    assert loom(*words, "--input", "item=pen", "--input", "item=a=b").code == 0
    assert calls.last.package == "price-watch"
    assert calls.last.goal == "find the cheapest"
    assert calls.last.inputs == {"shop": "here", "days": 7, "item": ["pen", "a=b"]}


@pytest.mark.parametrize(
    "reference", ["loom-processes/price-watch", "loom-processes/price-watch/process.yaml"]
)
def test_a_package_runs_by_path(reference: str, own: Path, loom: Loom, calls: Calls) -> None:
    assert loom("--process", reference, "--input", "shop=here").code == 0
    assert calls.last.package == reference


@pytest.mark.parametrize(
    "words",
    [
        ("--process", "price-watch", "--json", "--input", "shop=x", "GOAL"),
        ("--process=price-watch", "GOAL", "--input", "shop=x", "--json"),
        ("-q", "--process", "price-watch", "--input", "shop=x", "--json", "--", "GOAL"),
        ("--process", "price-watch", "-q", "-w", ".", "GOAL", "--json", "--input=shop=x"),
        ("--workspace=.", "--no-color", "--process", "price-watch", "GOAL", "--json", "--input=shop=x"),
    ],
    ids=" ".join,
)
def test_words_may_stand_in_any_order(words: tuple[str, ...], own: Path, loom: Loom, calls: Calls) -> None:
    answer = loom(*words)
    assert (answer.code, json.loads(answer.out)["VERDICT"]) == (0, "OK")
    assert (calls.last.goal, calls.last.inputs) == ("GOAL", {"shop": "x"})


def test_a_goal_that_looks_like_a_command_is_still_a_goal(own: Path, loom: Loom, calls: Calls) -> None:
    assert loom("--process", "price-watch", "runs", "--input", "shop=x").code == 0
    assert calls.last.goal == "runs"


def test_a_goal_is_also_the_input_of_that_name(loom: Loom, calls: Calls) -> None:
    loom("--process", "optimize", "predict churn")
    assert (calls.last.goal, calls.last.inputs) == ("predict churn", {"goal": "predict churn"})


def test_a_package_without_a_verb_runs_but_takes_no_inputs(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "note.yaml").write_text(OWN.split("verb:")[0] + "phases:" + OWN.split("phases:")[1])
    assert loom("--process", "note.yaml", "write it").code == 0
    assert calls.last.inputs == {}
    answer = loom("--process", "note.yaml", "--input", "x=1")
    assert "no input is called `x`\n  why: it takes no inputs\n" in answer.err


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("shop=7", "7"),
        ("shop=true", "true"),
        ("shop=", ""),
        ("days=7", 7),
        ("days=many", "many"),
        ("buy=true", True),
        ("buy=yes", "yes"),
        ("column=a,b", "a,b"),
        ('column=["a","b,c"]', ["a", "b,c"]),
        ("column=2024", "2024"),
    ],
)
def test_a_value_is_text_where_the_input_is_and_json_elsewhere(
    word: str, value: object, own: Path, loom: Loom, calls: Calls
) -> None:
    # what does not fit is for the one place that reads all inputs to say
    assert loom("--process", "price-watch", "--input", word).code == 0
    assert calls.last.inputs == {word.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("inputs", "what", "why"),
    [
        (["shp=x"], "no input is called `shp`", "did you mean `shop`?"),
        (["colour=x"], "no input is called `colour`", "the inputs are shop, item, days, buy, column"),
        (["shop"], "`shop` is not an input", "an input is written NAME=VALUE"),
        (["days=1", "days=2"], "the input days is given twice", "it takes one value"),
    ],
    ids=lambda value: str(value),
)
def test_an_input_that_is_none_is_refused(
    inputs: list[str], what: str, why: str, own: Path, loom: Loom, calls: Calls
) -> None:
    answer = loom("--process", "price-watch", *(word for each in inputs for word in ("--input", each)))
    assert (answer.code, calls.made) == (2, [])
    assert answer.err.startswith(f"error: {what}\n  why: {why}\n  fix: loom --process price-watch")


def test_a_file_gives_inputs_to_a_package_too(own: Path, here: Path, loom: Loom, calls: Calls) -> None:
    (here / "in.yaml").write_text("shop: there\ndays: 9\n")
    assert loom("--process", "price-watch", "--config", "in.yaml", "--input", "days=2").code == 0
    assert calls.last.inputs == {"shop": "there", "days": 2}


def test_the_help_of_a_package_lists_its_inputs(own: Path, loom: Loom) -> None:
    answer = loom("--process", "price-watch", "--help")
    assert answer.code == 0
    assert answer.out.startswith("Usage: loom --process price-watch [OPTIONS] [GOAL]\n")
    assert "shop             text      Where to look (required)" in answer.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["eda", "--process", "x"], None),
        (["--process"], None),
        (["-w"], None),
        ([], None),
        (["--process", "x"], (["--process", "x"], [])),
        (["--process", "x", "-w"], (["--process", "x"], ["-w"])),
    ],
)
def test_only_a_process_before_any_command_takes_the_rest(
    words: list[str], expected: tuple[list[str], list[str]] | None
) -> None:
    assert headless.split(words) == expected


@pytest.mark.parametrize("name", ["watch", "look"])
def test_a_verb_of_a_persons_own_package_is_a_command(name: str, own: Path, loom: Loom, calls: Calls) -> None:
    assert loom(name, "shop-1", "--days", "2", "--item", "pen").code == 0
    assert calls.last.package == own / "process.yaml"
    assert calls.last.inputs == {"shop": "shop-1", "days": 2, "item": ["pen"]}
    assert "Where to look" in loom(name, "--help").out


def test_a_command_that_nothing_has_is_still_unknown(own: Path, loom: Loom) -> None:
    assert "no such command 'wash'" in loom("wash").err


def test_an_own_package_is_found_in_the_workspace_that_was_named(
    own: Path, here: Path, loom: Loom, calls: Calls
) -> None:
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    shutil.move(here / "loom-processes", elsewhere)
    assert loom("watch", "x").code == 2
    assert loom("-w", "elsewhere", "watch", "x").code == 0
    assert loom("-w", "elsewhere", "--process", "price-watch", "--input", "shop=x").code == 0


def test_the_inputs_of_a_trusted_replacement_take_the_place_of_the_builtin_ones(
    here: Path, loom: Loom, calls: Calls
) -> None:
    folder = here / "loom-processes" / "datasets"
    shutil.copytree(builtin_root() / "datasets", folder)
    file = folder / "process.yaml"
    file.write_text(
        file.read_text()
        .replace("name: {type: text, help", "shelf: {type: text, help")
        .replace("inputs.name", "inputs.shelf")
    )
    assert loom("datasets", "--shelf", "x").code == 2
    assert loom("trust", "add", str(folder)).code == 0
    assert loom("datasets", "--shelf", "x").code == 0
    assert calls.last.inputs == {"shelf": "x"}


def test_verbs_are_listed_with_what_a_caller_must_know(own: Path, loom: Loom) -> None:
    told = json.loads(loom("verbs", "--json").out)
    by_name = {verb["command"]: verb for verb in told["verbs"]}
    builtin = {entry["command"] for entry in verbs.catalogue().values()}
    assert told["schema_version"] == 1
    assert set(by_name) == builtin | {"watch"}
    assert by_name["watch"]["origin"] == "workspace"
    assert by_name["watch"]["verdicts"] == {"values": ["OK", "WARN"], "ok": ["OK"]}
    assert by_name["eda"]["model_may_invoke"] is True
    apply = next(item for item in by_name["deploy"]["inputs"] if item["name"] == "apply")
    assert (apply["raises_tier"], apply["model_may_give"]) == ("irreversible", False)


def test_verbs_are_a_table_for_people(own: Path, loom: Loom) -> None:
    out = loom("verbs").out
    assert out.splitlines()[0].split()[:4] == ["verb", "tier", "raised", "by"]
    for name in {entry["command"] for entry in verbs.catalogue().values()} | {"watch"}:
        assert f"\n{name} " in out
    assert "--buy: irreversible" in out
    assert out.endswith("next: loom VERB --help\n")
    assert loom("-q", "verbs").out + "\n" in out


def test_a_verb_that_is_irreversible_by_itself_is_never_for_a_model(own: Path, loom: Loom) -> None:
    file = own / "process.yaml"
    file.write_text(
        OWN.replace("tier: read-only", "tier: irreversible").replace(", raises_tier: irreversible", "")
    )
    told = json.loads(loom("verbs", "--json").out)
    assert [verb["command"] for verb in told["verbs"] if not verb["model_may_invoke"]] == ["watch"]
