"""`tools:` names what must be there and what must not be used."""

from __future__ import annotations

from loom.process.spec.tools import Tools
from tests.process.checking import codes_in, spec_of


def test_nothing_is_required_and_nothing_excluded_by_default() -> None:
    tools = Tools()
    assert (tools.guidance, tools.required, tools.excluded) == ("", (), ())


def test_lists_keep_their_order() -> None:
    tools = spec_of(
        "tools: {guidance: Add up., required: [spreadsheet, calculator], excluded: [web_search]}\n"
    ).tools
    assert tools.guidance == "Add up."
    assert tools.required == ("spreadsheet", "calculator")
    assert tools.excluded == ("web_search",)


def test_a_tool_that_is_excluded_need_not_exist() -> None:
    assert spec_of("tools: {excluded: [nobody_has_this]}\n").tools.excluded == ("nobody_has_this",)


def test_one_name_is_not_a_list() -> None:
    assert codes_in(
        "name: a\nschema_version: 2\ntools: {required: calculator}\nphases: [{id: b, description: C.}]\n"
    ) == ["LM203"]
