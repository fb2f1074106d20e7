"""Tools, arguments, credentials and dependencies: what is refused, where, and with which way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.process.lint.requirement import is_pinned, is_requirement
from tests.process.lint.example import check_of, findings

SCORE = """
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
    parameters = {
        "type": "object",
        "properties": {
            "limit": {"type": "integer"},
            "share": {"type": "number"},
            "mode": {"type": "string", "enum": ["fast", "full"]},
            "columns": {"type": ["array", "null"]},
            "options": {"type": "object"},
            "strict": {"type": "boolean"},
            "anything": {},
        },
        "required": ["mode"],
    }
"""


def called_with(args: str, folder: Path, tool: str = SCORE) -> list[tuple[str, str, str]]:
    phases = f"phases:\n  - {{id: score, description: Score., run: {{tool: score_rows, args: {args}}}}}"
    return [(found.path, found.detail, found.fix) for found in findings(phases + tool, "LM707", folder)]


def test_overlapping_tools_are_reported_in_the_words_of_the_guide() -> None:
    (found,) = findings("tools: {required: [a, b], excluded: [c, b]}", "LM701")
    assert found.message == "required and excluded tools overlap"
    assert found.path == "tools.excluded[1]"


@pytest.mark.parametrize("ref", ["mcp:notion", "api_integration:acme_issues", "tool:ga_metrics"])
def test_each_kind_of_selector_is_accepted(ref: str) -> None:
    assert not findings(f'auth: {{required: [{{source: mcp, resource_ref: "{ref}"}}]}}', "LM702")


@pytest.mark.parametrize(
    ("ref", "detail"),
    [
        ("notion", "`notion` has no colon"),
        ("mpc:notion", "`mpc:` is not a kind"),
        ("mcp:", "`mcp:` names nothing"),
        ("mcp: ", "`mcp: ` names nothing"),
    ],
)
def test_a_selector_of_an_unknown_kind_is_refused(ref: str, detail: str) -> None:
    (found,) = findings(f'auth: {{required: [{{resource_ref: "{ref}"}}]}}', "LM702")
    assert found.detail == detail


@pytest.mark.parametrize("name", ["A-B", "1A", "A B", "ÄB", "$A"])
def test_an_environment_variable_is_an_identifier_wherever_it_is_named(name: str) -> None:
    text = f'permissions: {{env: [OK, "{name}"]}}\nauth: {{required: [{{provider: a, required_env_keys: ["{name}"]}}]}}'
    assert {found.path for found in findings(text, "LM703")} == {
        "permissions.env[1]",
        "auth.required[0].required_env_keys[0]",
    }


def test_an_auth_entry_may_be_named_by_any_of_its_three_names() -> None:
    for key in ("provider: a", "resource_ref: 'tool:a'", "resource_id: a"):
        assert not findings(f"auth: {{required: [{{{key}}}]}}", "LM705")


def test_a_gate_may_not_measure_an_excluded_tool() -> None:
    gate = "{id: g, type: tool_metric, tool: rate, metric_path: score, operator: eq, value: 1}"
    text = "tools: {excluded: [rate]}\nphases:\n  - {id: a, description: A., iteration: {enabled: %s, gates: [%s]}}"
    (found,) = findings(text % ("true", gate), "LM706")
    assert found.path == "phases[0].iteration.gates[0].tool"
    assert not findings(text % ("false", gate), "LM706")


@pytest.mark.parametrize(
    "args",
    [
        "{mode: fast}",
        "{mode: fast, limit: 3, share: 0.5, columns: [a], options: {a: 1}, strict: true}",
        "{mode: full, limit: 3.0, share: 1, columns: null}",
        "{mode: '${inputs.mode}', limit: '${phases.a.data.limit}', strict: '${inputs.strict}'}",
        "{mode: 'fa${inputs.rest}', anything: {deep: [1]}}",
    ],
)
def test_fitting_arguments_are_accepted(tmp_path: Path, args: str) -> None:
    assert called_with(args, tmp_path) == []


@pytest.mark.parametrize(
    ("args", "path", "detail"),
    [
        ("{}", "", "it needs `mode`"),
        ("{mode: slow}", ".mode", "`mode` is one of `fast`, `full`; not `slow`"),
        ("{mode: true}", ".mode", "`mode` takes text, not `true`"),
        ("{mode: fast, limit: '3'}", ".limit", "`limit` takes a whole number, not `3`"),
        ("{mode: fast, limit: 3.5}", ".limit", "`limit` takes a whole number, not `3.5`"),
        ("{mode: fast, limit: true}", ".limit", "`limit` takes a whole number, not `true`"),
        (
            "{mode: fast, limit: 'n=${inputs.n}'}",
            ".limit",
            "`limit` takes a whole number, not `n=${inputs.n}`",
        ),
        ("{mode: fast, share: false}", ".share", "`share` takes a number, not `false`"),
        ("{mode: fast, columns: a}", ".columns", "`columns` takes a list or nothing, not `a`"),
        ("{mode: fast, options: []}", ".options", "`options` takes a mapping, not a list"),
        ("{mode: fast, strict: {}}", ".strict", "`strict` takes true or false, not a mapping"),
        ("{mode: fast, strict: null}", ".strict", "`strict` takes true or false, not nothing"),
        ("{mode: fast, zzz: 1}", ".zzz", "it has no argument `zzz`"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(tmp_path: Path, args: str, path: str, detail: str) -> None:
    (found,) = called_with(args, tmp_path)
    assert found[:2] == ("phases[0].run.args" + path, f"`score_rows`: {detail}")


def test_a_misspelt_argument_is_one_finding_with_an_edit(tmp_path: Path) -> None:
    phases = "phases:\n  - {id: score, description: Score., run: {tool: score_rows, args: {mod: fast}}}"
    (found,) = findings(phases + SCORE, "LM707", tmp_path)
    assert found.fix == "did you mean `mode`?"
    assert [edit.text for edit in found.edits] == ["mode"]


@pytest.mark.parametrize(
    "parameters",
    [
        "make()",
        "{'type': 'object'}",
        "{'properties': []}",
        "{'properties': {}, 'additionalProperties': True}",
        "{'properties': {}, 'additionalProperties': {'type': 'integer'}}",
        "{'properties': {'a': True}, 'required': 'a'}",
        "{'properties': {'a': {'type': 3, 'enum': 'x'}}}",
        "{'properties': {'a': {'type': ['novel']}}}",
        "{}",
    ],
)
def test_parameters_that_say_too_little_refuse_nothing(tmp_path: Path, parameters: str) -> None:
    tool = f"\n# file: tools/t.py\nclass T(Tool):\n    name = 'score_rows'\n    parameters = {parameters}\n"
    assert called_with("{a: 1}", tmp_path, tool) == []


def test_arguments_of_a_tool_from_elsewhere_are_not_judged(tmp_path: Path) -> None:
    phases = "phases:\n  - {id: score, description: Score., run: {tool: calculator, args: {x: 1}}}"
    assert not findings(phases + SCORE, "LM707", tmp_path)


def test_a_package_without_a_folder_has_no_bundled_tools() -> None:
    phases = "phases:\n  - {id: score, description: Score., run: {tool: score_rows}}"
    assert {found.code for found in check_of(phases + SCORE).report.diagnostics}.isdisjoint(
        {"LM707", "LM708", "LM709"}
    )


def test_an_unreadable_tool_is_reported_even_when_the_declaration_is_torn(tmp_path: Path) -> None:
    (found,) = findings("persna: Typo.\n# file: tools/broken.py\nx = (\n", "LM708", tmp_path)
    assert found.detail.startswith("tools/broken.py, line 1:")


@pytest.mark.parametrize("name", ["score_rows", "calculator", "unrelated"])
def test_a_tool_that_is_known_or_nothing_like_a_bundled_one_is_no_slip(tmp_path: Path, name: str) -> None:
    phases = f"phases:\n  - {{id: score, description: Score., run: {{tool: {name}}}}}"
    assert not findings(phases + SCORE, "LM709", tmp_path)


def test_a_required_tool_is_meant_however_much_it_looks_like_a_bundled_one(tmp_path: Path) -> None:
    phases = "phases:\n  - {id: score, description: Score., run: {tool: score_row}}\n"
    (found,) = findings(phases + SCORE, "LM709", tmp_path)
    assert (found.severity, found.fix) == ("warning", "did you mean `score_rows`?")
    assert not findings(phases + "tools: {required: [score_row]}" + SCORE, "LM709", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "requests",
        "requests==2.32.3",
        "requests >= 2.28, < 3, != 2.30.*",
        "requests (>=2.28)",
        "requests[socks, security]~=2.32",
        "zope.interface===6.0+local",
        'pywin32==306; sys_platform == "win32" and (python_version >= \'3.11\' or extra == "x")',
        "tomli==2.0.1; python_version not in '3.11, 3.12'",
    ],
)
def test_a_requirement_is_a_name_with_versions_and_a_condition(text: str) -> None:
    assert is_requirement(text)


@pytest.mark.parametrize(
    "text",
    [
        "requests 2.32",
        "requests=2.32",
        "requests==",
        "requests @ https://example.org/requests.whl",
        "git+https://example.org/requests.git",
        "./requests",
        "-r requirements.txt",
        "--index-url=https://example.org",
        "requests; windows only",
        "requests[",
        "-requests",
        "requests" + " " * 600 + "x",
    ],
)
def test_anything_else_is_refused_as_a_dependency(text: str) -> None:
    assert not is_requirement(text)
    assert not is_pinned(text)
    (found,) = findings(f"dependencies: ['{text}']", "LM711")
    assert found.path == "dependencies[0]"


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("a==1.0", True),
        ("a===1.0", True),
        ("a (== 1.0)", True),
        ("a==1.0,!=1.1; python_version>='3.11'", True),
        ("a==1.*", False),
        ("a~=1.0", False),
        ("a>=1,<2", False),
        ("a; python_version=='3.11'", False),
    ],
)
def test_only_one_version_is_pinned(text: str, pinned: bool) -> None:
    assert is_requirement(text)
    assert is_pinned(text) is pinned


def test_two_tools_of_one_name_are_reported_with_both_places(tmp_path: Path) -> None:
    tool = "class T(Tool):\n    name = 'same'\n"
    (found,) = findings(f"# file: tools/a.py\n{tool}# file: tools/b.py\n\n{tool}", "LM712", tmp_path)
    assert found.detail == "`same` is declared in tools/a.py, line 1 and in tools/b.py, line 2"
