"""What is broken is said once, left out, and does not move or hide what is sound."""

from __future__ import annotations

import pytest

from loom.kernel.diagnostics import Edit, Span
from loom.kernel.document import parse_document
from loom.process.structure import MAX_REPORTED, validate
from tests.process.checking import HEAD, WORK, check, document_of, errors_in, offsets_of


def places(text: str) -> list[tuple[str, int, int]]:
    return [(found.code, found.span.line, found.span.column) for found in errors_in(text)]


def pointed_at(text: str) -> list[tuple[str, str]]:
    """The code of each error and the text it points at."""
    return [(found.code, text[slice(*offsets_of(text, found.span))]) for found in errors_in(text)]


# one mistake, one finding ----------------------------------------------------------------------------

CASCADES = {
    "a phase without an id": """
phases:
  - {description: Gather.}
  - {id: conclude, description: Conclude., depends_on: [gather], run: {tool: t, args: {a: "${phases.gather.data}"}}}
verification: {rules: [{name: a, check: b, applies_to_phases: [gather]}]}
""",
    "a phase whose id is a number": """
phases:
  - {id: 7, description: Gather.}
  - id: conclude
    description: Conclude.
    depends_on: [gather]
    require: [{phase: gather, field: verdict, operator: eq, value: OK}]
""",
    "a phase without a description, between two others": """
phases:
  - {id: one, description: One.}
  - {id: two, depends_on: [one]}
  - {id: three, description: Three., depends_on: [two], run: {tool: t, args: {a: "${phases.one.data}"}}}
""",
    "dependencies that are a text": """
phases:
  - {id: one, description: One.}
  - {id: two, description: Two., depends_on: one, for_each: "${phases.one.data}", run: {tool: t}}
""",
    "a misspelt depends_on": """
phases:
  - {id: one, description: One.}
  - id: two
    description: Two.
    depend_on: [one]
    require: [{phase: one, field: verdict, operator: eq, value: OK}]
""",
    "an input without a type": """
verb: {command: c, tier: read-only, inputs: {price: {help: The price}}}
phases: [{id: one, description: One., run: {tool: t, args: {a: "${inputs.price}"}}}]
tests: [{id: smoke, mode: deterministic, goal: Go., inputs: {price: 1}}]
""",
    "a verb without a command": """
verb: {tier: read-only, inputs: {price: {type: text}}}
phases: [{id: one, description: One., run: {tool: t, args: {a: "${inputs.price}"}}}]
""",
    "a verb that is empty": """
verb:
phases: [{id: one, description: One., run: {tool: t, args: {a: "${inputs.price}"}}}]
""",
    "a loop over nothing": """
phases: [{id: one, description: One., for_each: , run: {tool: t, args: {a: "${item}"}}}]
""",
    "a tool that is empty": "phases: [{id: one, description: One., run: {tool: }}]",
    "the only gate is of an unknown kind": """
phases:
  - id: one
    description: One.
    iteration:
      enabled: true
      max_attempts: 2
      max_total_runner_invocations: 2
      iteration_budget: {max_wall_clock_seconds: 1, max_tokens: 1, max_tool_calls: 1}
      gates: [{id: a, type: regex, pattern: b}]
""",
    "a cap that is a text": """
phases:
  - id: one
    description: One.
    iteration:
      enabled: true
      max_attempts: two
      max_total_runner_invocations: 2
      iteration_budget: {max_wall_clock_seconds: 1, max_tokens: 1, max_tool_calls: 1}
      gates: [{id: a, type: artifact_regex, pattern: b}]
""",
    "a cap that no machine can hold": """
phases:
  - id: one
    description: One.
    iteration:
      enabled: true
      max_attempts: 2
      max_total_runner_invocations: 2
      iteration_budget: {max_wall_clock_seconds: .inf, max_tokens: 1, max_tool_calls: 1}
      gates: [{id: a, type: artifact_regex, pattern: b}]
""",
    "a tier of a synthesis that is a text": """
risk_level: high
phases: [{id: one, description: One., is_synthesis: true, verification_tier: 'two'}]
""",
    "a strategy without a name": """
verification: {remediation: {default_strategy: b, strategies: [{name: a}, {nam: b}]}}
phases: [{id: one, description: One.}]
""",
    "a task of an example without an id": """
planner_examples: [{goal: Go., subtasks: [{description: a}, {id: one, depends_on: [zero]}]}]
phases: [{id: one, description: One.}]
""",
    "the only phase is a text": "phases: [one]",
    "all verdicts are numbers": """
verb: {command: c, tier: read-only, verdict: {from: phases.one.data, values: [1], ok: []}}
phases: [{id: one, description: One.}]
""",
    "a required key that is almost there": "phases: [{id: one, descriptoin: One.}]",
    "an alias for a list of phases": "phases: *phases",
    "an alias for a required value": "phases: [{id: one, description: *text}]",
    "a number as a key": "phases: [{id: one, description: One., 1: a}]",
    "a wrong list in a mapping by name": """
verification: {remediation: {strategies: {a: {description: [1]}}}}
phases: [{id: one, description: One.}]
""",
}


@pytest.mark.parametrize("mistake", CASCADES)
def test_one_mistake_is_reported_once(mistake: str) -> None:
    text = "name: example\nschema_version: 2\n" + CASCADES[mistake].lstrip("\n")
    errors = errors_in(text)
    assert len(errors) == 1, errors


def test_two_mistakes_in_one_value_are_both_reported() -> None:
    text = HEAD + "phases:\n  - {id: My Phase, description: 1, zzz: 2}\n"
    assert pointed_at(text) == [("LM208", "My Phase"), ("LM203", "1"), ("LM201", "zzz")]


def test_a_mistake_that_shows_only_after_another_is_still_found() -> None:
    # the second item is looked at by the rules only when the models hold without the first
    text = (
        HEAD
        + "phases:\n  - {id: 1, description: One.}\n  - {id: two, description: Two., depends_on: [two]}\n"
    )
    assert pointed_at(text) == [("LM203", "1"), ("LM301", "two")]


# places ----------------------------------------------------------------------------------------------


def test_items_that_are_left_out_do_not_move_the_others() -> None:
    text = HEAD + (
        "tools:\n  required: [1, calculator, [], spreadsheet]\n  excluded: [{}, spreadsheet, 2, calculator]\n"
        "phases:\n  - {id: gone}\n  - {id: a, description: A., deliverables: [/x, a.md, ../b, c.md]}\n  - {id: b}\n"
        "  - {id: c, description: C., deliverables: [1, ./c.md, ./a.md], depends_on: [2, zebra]}\n"
    )
    found = [(d.code, d.path, text[slice(*offsets_of(text, d.span))]) for d in errors_in(text)]
    assert [each for each in found if each[0] in ("LM304", "LM701", "LM302")] == [
        ("LM701", "tools.excluded[1]", "spreadsheet"),
        ("LM701", "tools.excluded[3]", "calculator"),
        ("LM304", "phases[3].deliverables[1]", "./c.md"),
        ("LM304", "phases[3].deliverables[2]", "./a.md"),
        ("LM302", "phases[3].depends_on[1]", "zebra"),
    ]


def test_items_left_out_in_several_rounds_do_not_move_the_others() -> None:
    # an item without its required key goes in a later round than one of the wrong kind
    text = (
        HEAD
        + WORK
        + (
            "verification:\n  rules:\n    - 1\n    - {name: a}\n    - {name: b, check: '(', type: regex}\n    - {name: c, check: 1}\n"
            "    - {name: d, check: ')', type: regex}\n"
        )
    )
    assert [d.path for d in errors_in(text) if d.code == "LM601"] == [
        "verification.rules[2].check",
        "verification.rules[4].check",
    ]
    assert [text[slice(*offsets_of(text, d.span))] for d in errors_in(text) if d.code == "LM601"] == [
        "'('",
        "')'",
    ]


def test_a_path_of_the_models_leads_back_to_the_document() -> None:
    validated = validate(
        document_of(HEAD + "phases: [1, {id: a, description: A., depends_on: [1, 2, b]}, 2]\n")
    )
    assert validated.spec is not None
    assert validated.spec.phases[0].depends_on == ("b",)
    assert validated.original(("phases", 0, "depends_on", 0)) == ("phases", 1, "depends_on", 2)
    assert validated.original(("phases", 0)) == ("phases", 1)
    assert validated.original(("tags", 0)) == ("tags", 0)
    assert set(validated.removed) >= {("phases", 0), ("phases", 2), ("phases", 1, "depends_on", 0)}


def test_a_mapping_by_name_is_pointed_at_by_name() -> None:
    text = (
        HEAD
        + WORK
        + "verification:\n  remediation:\n    strategies:\n      one: {description: 1}\n      two: []\n"
    )
    assert [(d.code, d.path) for d in errors_in(text)] == [
        ("LM203", "verification.remediation.strategies.one.description"),
        ("LM203", "verification.remediation.strategies.two"),
    ]
    assert pointed_at(text) == [("LM203", "1"), ("LM203", "[]")]


# keys of the author's own ----------------------------------------------------------------------------

FREE = (
    HEAD
    + """\
x-root: {a: [1, null]}
permissions: {x-why: none}
verb: {command: c, tier: read-only, x-a: 1, inputs: {price: {type: text, x-b: 2}}, verdict: {from: phases.one.data, values: [A], ok: [A], x-c: 3}}
phases:
  - id: one
    description: One.
    x-owner: us
    deliverables: [{name: a.md, x-d: 4}]
    run: {tool: t, args: {a: "${inputs.price}"}, x-e: 5}
    iteration:
      x-f: 6
      gates: [{id: a, type: artifact_regex, pattern: b, x-g: 7}]
    validity_contract: {x-h: 8, final_gate: {x-i: 9}}
verification: {x-j: 10, policy: {x-k: 11, semantic_checks: [{name: a, x-l: 12}]}, rules: [{name: a, check: b, x-m: 13}]}
evidence: {x-n: 14, record_schema: {x-o: 15}}
tests: [{id: a, mode: live, goal: b, x-p: 16, expect: {x-q: 17}}]
"""
)


def test_keys_that_begin_with_x_are_free_in_every_mapping_with_declared_keys() -> None:
    checked = check(FREE)
    assert checked.package is not None
    assert not errors_in(FREE)
    assert checked.package.validated.removed == ()
    assert checked.package.spec.phases[0].deliverables[0].name == "a.md"


@pytest.mark.parametrize(
    ("sound", "broken", "code"),
    [
        ("${inputs.price}", "${inputs.prise}", "LM321"),
        ("phases.one.data", "phases.none.data", "LM725"),
        ("goal: b,", "goal: b, acceptance: {deliverables: {must_exist: [b.md]}},", "LM803"),
        ("values: [A]", "values: [B]", "LM724"),
        ("pattern: b", "pattern: b, blocking: maybe", "LM203"),
    ],
)
def test_keys_of_ones_own_hide_no_mistake(sound: str, broken: str, code: str) -> None:
    assert [found.code for found in errors_in(FREE.replace(sound, broken, 1))] == [code]


def test_thousands_of_keys_of_ones_own_are_no_mistake() -> None:
    text = HEAD + WORK + "".join(f"x-{n}: {n}\n" for n in range(5_000))
    assert check(text).package is not None
    assert not errors_in(text)


@pytest.mark.parametrize("key", ["x", "X-a", "x_a", "xa", "-x"])
def test_only_keys_that_begin_with_x_and_a_hyphen_are_free(key: str) -> None:
    assert [found.code for found in errors_in(f"{HEAD}{WORK}'{key}': 1\n")] == ["LM201"]


# edits -----------------------------------------------------------------------------------------------


def edits(text: str) -> list[str]:
    """What each safe edit would put in place of what."""
    found = [
        edit for each in check(text).report.diagnostics if each.severity == "error" for edit in each.edits
    ]
    return [f"{text[slice(*offsets_of(text, edit.span))]} > {edit.text}" for edit in found]


@pytest.mark.parametrize(
    ("fragment", "edit"),
    [
        ("desription: a", "desription > description"),
        ("'desription': a", "'desription' > description"),
        ("phase_mode: strct", "strct > strict"),
        ("author: 1.10", '1.10 > "1.10"'),
        ("author: 0x1F", '0x1F > "0x1F"'),
        ("author: true", 'true > "true"'),
        ("permissions: {processes: 'yes'}", "'yes' > true"),
        ("permissions: {processes: off}", "off > false"),
        ("tags: research", "research > [research]"),
        ("tags: 'a b'", "'a b' > ['a b']"),
        ("schema_version: '2'", "'2' > 2"),
        ("1: a", '1 > "1"'),
    ],
)
def test_a_mistake_with_one_way_out_carries_the_edit(fragment: str, edit: str) -> None:
    head = HEAD.replace("schema_version: 2\n", "") if fragment.startswith("schema") else HEAD
    assert edits(f"{head}{fragment}\n{WORK}") == [edit]


@pytest.mark.parametrize(
    "fragment",
    [
        "desription: a\ndescription: b",
        "tags: a, b",
        "tags: a]b",
        "tags: |\n  a",
        "phase_mode: |\n  strct",
        "phase_mode: fast",
        "author: [1]",
        "permissions: {processes: maybe}",
        "verification: {remediation: {strategies: {a: 1}}}",
        "phases: [{id: work, description: Work., deliverables: [{a.md: 1}]}]",
    ],
)
def test_a_mistake_with_several_ways_out_is_left_to_the_author(fragment: str) -> None:
    assert edits(f"{HEAD}{fragment}\n{WORK if 'phases' not in fragment else ''}") == []


def test_an_edit_replaces_exactly_what_is_wrong() -> None:
    document, _, _ = parse_document((HEAD + "tags: [é, 1.10]\n" + WORK).encode(), "it")
    assert document is not None
    (found,) = validate(document).diagnostics
    assert found.edits == (Edit(Span(5, 11, 5, 15), '"1.10"'),)


# versions and limits ---------------------------------------------------------------------------------


def test_version_one_is_read_with_a_warning() -> None:
    for text in ("name: a\nschema_version: 1\n" + WORK, "name: a\n" + WORK):
        checked = check(text)
        assert checked.package is not None
        (found,) = (d for d in checked.report.diagnostics if d.code == "LM212")
        assert found.severity == "warning"
        assert found.fix == "loom process migrate process.yaml --write"


@pytest.mark.parametrize("version", ["0", "3", "-1", "99999999999999999999"])
def test_other_versions_are_refused_and_the_rest_is_still_checked(version: str) -> None:
    text = f"name: a\nschema_version: {version}\n" + WORK + "zzz: 1\n"
    assert [found.code for found in errors_in(text)] == ["LM211", "LM201"]


@pytest.mark.parametrize("version", ["true", "'3'", "two", "[2]", "1.0"])
def test_a_version_that_is_no_whole_number_is_refused_once(version: str) -> None:
    assert len(errors_in(f"name: a\nschema_version: {version}\n" + WORK)) == 1


@pytest.mark.parametrize("text", ["[]", "just text", "42", "- name: a\n", "'name: a'"])
def test_what_is_no_mapping_is_no_declaration(text: str) -> None:
    (found,) = errors_in(text)
    assert (found.code, found.message, found.span[:2]) == ("LM203", "wrong type", (1, 1))


@pytest.mark.parametrize("unit", ["1, ", "a, ", "{id: a}, ", "[], "])
def test_thousands_of_mistakes_end_after_the_first_thousand(unit: str) -> None:
    text = HEAD + "phases: [" + unit * 20_000 + "]\n"
    errors = errors_in(text)
    assert len(errors) == MAX_REPORTED
    assert check(text).package is None


def test_mistakes_in_many_layers_are_all_found() -> None:
    text = (
        HEAD
        + "phases:\n"
        + "".join(
            f"  - {{id: p{n}, description: P., zzz{n}: 1, retries: -{n + 1}, run: {{tool: 1, a: 2}}}}\n"
            for n in range(50)
        )
    )
    assert len(errors_in(text)) == 50 * 4
    assert check(text).package is not None
