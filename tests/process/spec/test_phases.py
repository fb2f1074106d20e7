"""`phases:` need an id and a description; deliverables may be written in four ways."""

from __future__ import annotations

import keyword

import pytest

from loom.process.spec.phases import Deliverable, Phase, normal_deliverable
from loom.process.steps import step_name
from tests.process.checking import HEAD, check, spec_of


def test_an_id_and_a_description_are_enough() -> None:
    phase = Phase.model_validate({"id": "a", "description": "B."})
    assert (phase.depends_on, phase.deliverables, phase.require) == ((), (), ())
    assert (phase.model_tier, phase.verification_tier, phase.retries) == (2, 1, 0)
    assert not (phase.is_critical_path or phase.is_synthesis)
    assert (phase.run, phase.for_each, phase.iteration, phase.resources, phase.validity_contract) == (
        None,
    ) * 5


@pytest.mark.parametrize(
    ("written", "name", "description"),
    [
        ("notes.md", "notes.md", ""),
        ("notes.md — all findings", "notes.md", "all findings"),
        ("notes.md – all findings", "notes.md", "all findings"),
        ("notes.md - all findings", "notes.md", "all findings"),
        ("'notes.md: all findings'", "notes.md", "all findings"),
        ("notes.md: all findings", "notes.md", "all findings"),
        ("{name: notes.md, description: all findings}", "notes.md", "all findings"),
        ("{name: notes.md}", "notes.md", ""),
        ("my-notes.md — text", "my-notes.md", "text"),
        ("./notes.md", "notes.md", ""),
        ("a//b/./c.md", "a/b/c.md", ""),
        ("a/../notes.md", "notes.md", ""),
        ("notes in full.md - text", "notes in full.md", "text"),
        ("résumé.md — é", "résumé.md", "é"),
    ],
)
def test_a_deliverable_is_a_name_and_perhaps_what_is_in_it(written: str, name: str, description: str) -> None:
    (phase,) = spec_of(
        f"phases:\n  - id: a\n    description: A.\n    deliverables:\n      - {written}\n"
    ).phases
    assert phase.deliverables == (Deliverable(name=name, description=description),)


@pytest.mark.parametrize(
    "written",
    ["", " ", ".", "./", "..", "../a", "/a", "~/a", "a/", "a\\b", "C:/a", "C:\\a", "a/../../b", "a\0b"],
)
def test_a_deliverable_never_leaves_the_workspace(written: str) -> None:
    with pytest.raises(ValueError, match="not a path inside the workspace"):
        normal_deliverable(written)


def test_every_switch_and_number_of_a_phase_is_read() -> None:
    (first, second) = spec_of(
        "phases:\n  - {id: a, description: A.}\n  - {id: b, description: B., depends_on: [a], model_tier: 3, verification_tier: 3,"
        " is_critical_path: true, is_synthesis: true, acceptance_criteria: All is said., retries: 10}\n"
    ).phases
    assert second.depends_on == (first.id,)
    assert (second.model_tier, second.verification_tier, second.retries) == (3, 3, 10)
    assert second.is_critical_path and second.is_synthesis
    assert second.acceptance_criteria == "All is said."


def test_an_unquoted_deliverable_reads_like_the_quoted_one() -> None:
    text = HEAD + "phases:\n  - {id: a, description: A., deliverables: [a.md — x: y, ..b.md]}\n"
    package = check(text).package
    assert package is not None
    assert [(d.name, d.description) for d in package.spec.phases[0].deliverables] == [
        ("a.md", "x: y"),
        ("..b.md", ""),
    ]


@pytest.mark.parametrize("phase_id", ["class", "import", "input", "2nd"])
def test_a_step_name_is_always_a_python_name(phase_id: str) -> None:
    step = step_name(phase_id)
    assert step.isidentifier() and not keyword.iskeyword(step)
