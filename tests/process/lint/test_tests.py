"""The cases a package carries: names that exist, patterns that compile, scripts that act."""

from __future__ import annotations

import pytest

from tests.process.lint.example import findings

FAN_IN = "phases:\n  - {id: work, description: Work., deliverables: [notes.md], output_strategy: fan_in}\n"
DIRECT = FAN_IN.replace("fan_in", "direct")


def case(text: str, mode: str = "deterministic") -> str:
    return f"tests:\n  - {{id: smoke, mode: {mode}, goal: Try., {text}}}\n"


def test_the_second_test_of_an_id_points_at_the_first() -> None:
    one = "  - {id: smoke, mode: live, goal: Try.}\n"
    (found,) = findings("tests:\n" + one * 2, "LM801")
    assert found.path == "tests[1].id"
    assert found.detail.startswith("`smoke` is first used on line ")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("acceptance: {phases: {must_include: [work, wrok]}}", "tests[0].acceptance.phases.must_include[1]"),
        ("script: {wrok: []}", "tests[0].script.wrok"),
        ("faults: [{tool: web_fetch, phase: wrok}]", "tests[0].faults[0].phase"),
        ("expect: {status: failed, phase: wrok}", "tests[0].expect.phase"),
    ],
)
def test_a_test_may_name_a_phase_in_four_places_and_each_is_checked(text: str, path: str) -> None:
    (found,) = findings(case(text), "LM802")
    assert (found.path, found.fix) == (path, "did you mean `work`?")


def test_the_finalizer_of_a_fan_in_phase_counts_as_a_phase() -> None:
    text = case("acceptance: {phases: {must_include: [work__finalize_output]}}")
    assert not findings(FAN_IN + text, "LM802")
    assert findings(DIRECT + text, "LM802")
    assert findings(FAN_IN.replace("deliverables: [notes.md], ", "") + text, "LM802")


def test_a_phase_that_was_left_out_for_another_mistake_is_still_known() -> None:
    phases = "phases:\n  - {id: work, description: Work.}\n  - {id: torn, description: 3}\n"
    assert not findings(phases + case("expect: {status: failed, phase: torn}"), "LM802")


@pytest.mark.parametrize(
    ("name", "found"),
    [("notes.md", 0), ("./notes.md", 0), ("a/../notes.md", 0), ("note.md", 1), ("/notes.md", 1)],
)
def test_a_deliverable_is_named_exactly_however_its_path_is_written(name: str, found: int) -> None:
    assert (
        len(findings(DIRECT + case(f"acceptance: {{deliverables: {{must_exist: [{name}]}}}}"), "LM803"))
        == found
    )


def test_a_broken_pattern_is_reported_at_its_character() -> None:
    (found,) = findings(case("acceptance: {verification: {forbidden_patterns: [ok, 'no(']}}"), "LM804")
    assert found.path == "tests[0].acceptance.verification.forbidden_patterns[1]"
    assert found.detail.endswith("at character 3")


def test_a_live_test_warns_about_each_thing_that_is_scripted() -> None:
    text = "script: {work: [{output: Done.}]}, faults: [{tool: web_fetch}], claims: [{id: c, type: date, text: T.}]"
    found = findings(case(text, mode="live"), "LM805")
    assert [each.path for each in found] == ["tests[0].script", "tests[0].faults", "tests[0].claims"]
    assert not findings(case("script: {}", mode="live"), "LM805")


def test_inputs_of_a_test_are_those_of_the_verb_when_there_is_one() -> None:
    assert not findings(case("inputs: {target: price}"), "LM806")
    verb = "verb: {command: compare, tier: read-only, inputs: {target: {type: text}}}\n"
    (found,) = findings(verb + case("inputs: {target: price, tarbet: price}"), "LM806")
    assert (found.path, found.fix) == ("tests[0].inputs.tarbet", "did you mean `target`?")


def test_an_input_that_was_left_out_for_another_mistake_is_not_missed() -> None:
    verb = "verb: {command: compare, tier: read-only, inputs: {target: {type: txt}}}\n"
    assert not findings(verb + case("inputs: {target: price}"), "LM806")


def test_a_script_writes_what_its_phase_delivers() -> None:
    script = case("script: {work: [{write: {./notes.md: A.}}, {write: {draft.md: B.}}]}")
    (found,) = findings(DIRECT + script, "LM807")
    assert (found.path, found.severity) == ("tests[0].script.work[1].write.draft.md", "warning")


def test_workers_of_a_fan_in_phase_write_what_they_like_and_its_finalizer_does_not() -> None:
    assert not findings(FAN_IN + case("script: {work: [{write: {part-1.md: A.}}]}"), "LM807")
    assert findings(FAN_IN + case("script: {work__finalize_output: [{write: {part-1.md: A.}}]}"), "LM807")
    assert not findings(FAN_IN + case("script: {work__finalize_output: [{write: {notes.md: A.}}]}"), "LM807")
