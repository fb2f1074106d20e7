"""`${...}`: what is a lookup, what is refused, and where lookups are found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.process.references import (
    PHASE_FIELDS,
    ROOTS,
    RUN_FIELDS,
    BadReference,
    Reference,
    parse_reference,
    references_in,
)
from tests.process.checking import HEAD, codes_in


@pytest.mark.parametrize(
    ("text", "root", "steps", "phase"),
    [
        ("inputs.price", "inputs", ("price",), None),
        ("inputs.as-of", "inputs", ("as-of",), None),
        ("inputs.rows[0].name", "inputs", ("rows[0]", "name"), None),
        ("phases.profile.data", "phases", ("profile", "data"), "profile"),
        ("phases.profile.data.rows[2][10].x", "phases", ("profile", "data", "rows[2][10]", "x"), "profile"),
        ("phases.profile.deliverables[0]", "phases", ("profile", "deliverables[0]"), "profile"),
        ("phases.draft-report.verdict", "phases", ("draft-report", "verdict"), "draft-report"),
        ("phases.2024-totals.data.2024", "phases", ("2024-totals", "data", "2024"), "2024-totals"),
        ("item", "item", (), None),
        ("item.path.name", "item", ("path", "name"), None),
        ("run.seed", "run", ("seed",), None),
        ("  inputs.price ", "inputs", ("price",), None),
    ],
)
def test_a_lookup_is_a_root_and_steps(
    text: str, root: str, steps: tuple[str, ...], phase: str | None
) -> None:
    read = parse_reference(text)
    assert isinstance(read, Reference)
    assert (read.root, read.steps, read.phase) == (root, steps, phase)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "words joined by dots"),
        (" ", "words joined by dots"),
        (".", "words joined by dots"),
        ("inputs.", "words joined by dots"),
        (".inputs", "words joined by dots"),
        ("inputs..price", "words joined by dots"),
        ("inputs.price + 1", "words joined by dots"),
        ("inputs['price']", "words joined by dots"),
        ("inputs.rows[-1]", "words joined by dots"),
        ("inputs.rows[a]", "words joined by dots"),
        ("inputs.rows[0", "words joined by dots"),
        ("inputs.größe", "words joined by dots"),
        ("inputs.a\nb", "words joined by dots"),
        ("__import__('os')", "words joined by dots"),
        ("input.price", "it starts with `input`"),
        ("price", "it starts with `price`"),
        ("Phases.a.data", "it starts with `Phases`"),
        ("inputs", "it names no input"),
        ("phases", "a phase is followed by"),
        ("phases.a", "a phase is followed by"),
        ("phases.a.result", "`result` is not one of data, pathspec, deliverables, verdict, summary"),
        ("run", "`run` has id, experiment_id, workspace, goal, seed"),
        ("run.secret", "`run` has"),
        ("run.id.more", "`run` has"),
    ],
)
def test_what_is_no_lookup_says_why(text: str, why: str) -> None:
    read = parse_reference(text)
    assert isinstance(read, BadReference)
    assert why in read.why
    assert read.text == text


NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,6}", fullmatch=True)
STEPS = st.lists(st.tuples(NAMES, st.lists(st.integers(0, 99), max_size=2)), max_size=4)


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(ROOTS), NAMES, st.sampled_from(PHASE_FIELDS), st.sampled_from(RUN_FIELDS), STEPS)
def test_every_well_formed_lookup_is_read_back_as_it_was_written(
    root: str, name: str, field: str, fact: str, steps: list[tuple[str, list[int]]]
) -> None:
    tail = [word + "".join(f"[{index}]" for index in indexes) for word, indexes in steps]
    head = {"inputs": [name], "phases": [name, field], "item": [], "run": [fact]}[root]
    written = ".".join([root, *head, *(tail if root != "run" else [])])
    read = parse_reference(written)
    assert isinstance(read, Reference)
    assert ".".join([read.root, *read.steps]) == written


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.text("${}.[]0ainputsphesrm \n_-", max_size=30))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    found = [reference for _, reference in references_in(text)]
    opened = text.count("${")
    assert len(found) <= opened + 1
    assert bool(found) == bool(opened)


def test_lookups_are_found_however_deep_with_the_place_of_their_text() -> None:
    value = {
        "a": ["x", {"b": "from ${inputs.c} to ${item.d}"}],
        "e": "$ { } ${",
        "f": 1,
        "g": "${run.seed}",
        "h": None,
    }
    found = [(path, type(each).__name__, each.text) for path, each in references_in(value, ("args",))]
    assert found == [
        (("args", "a", 1, "b"), "Reference", "inputs.c"),
        (("args", "a", 1, "b"), "Reference", "item.d"),
        (("args", "e"), "BadReference", "$ { } ${"),
        (("args", "g"), "Reference", "run.seed"),
    ]


@pytest.mark.parametrize("text", ["a", "$", "{}", "$inputs.a", "{inputs.a}", "$ {inputs.a}", "{{inputs.a}}"])
def test_a_text_without_the_opening_sign_is_only_a_text(text: str) -> None:
    assert list(references_in(text)) == []


@pytest.mark.parametrize("text", ["${", "${inputs.a", "a ${inputs.a} ${", "${${inputs.a}}"])
def test_a_lookup_that_is_not_closed_is_said(text: str) -> None:
    assert any(isinstance(each, BadReference) and "not closed" in each.why for _, each in references_in(text))


def test_what_a_phase_may_read_is_everything_it_comes_after() -> None:
    text = HEAD + (
        "verb: {command: c, tier: read-only, inputs: {rows: {type: integer}}}\n"
        "phases:\n"
        "  - {id: 1st, description: One.}\n"
        "  - {id: second, description: Two., depends_on: [1st]}\n"
        "  - id: third\n    description: Three.\n    depends_on: [second]\n    for_each: ${phases.1st.data.all}\n"
        "    run: {tool: t, args: {a: '${phases.1st.data}', b: ['${phases.second.verdict}', '${item.x}'], c: '${inputs.rows}'}}\n"
    )
    assert codes_in(text) == []
    assert codes_in(text.replace("depends_on: [second]", "depends_on: []")) == ["LM323", "LM323", "LM323"]
    assert codes_in(text.replace("for_each", "x-for-each")) == ["LM324"]
    assert codes_in(text.replace("inputs.rows", "inputs.row")) == ["LM321"]
    assert codes_in(text.replace("${phases.second", "${phases.third")) == ["LM323"]
