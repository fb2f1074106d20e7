"""Tools by name, and the words for what is missing or in the way."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from loom.kernel.errors import LoomError
from loom.tools.builtin import BUILTIN_NAMES, builtin_registry
from loom.tools.builtin.calculator import Calculator
from loom.tools.registry import EFFECTS, Tool, ToolContext, ToolRegistry, ToolResult
from tests.tools.calls import BUILTIN, FakeTool


class _Named(FakeTool):
    def __init__(self, name: str, **declared: object) -> None:
        super().__init__(lambda args, ctx: ToolResult.ok("done"), **declared)  # type: ignore[arg-type]
        self._name = name

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._name


def test_a_tool_is_found_by_its_name_and_names_are_in_order() -> None:
    registry = ToolRegistry([_Named("b"), _Named("a")])
    assert registry.names() == ("a", "b") and len(registry) == 2
    assert registry.get("a") is not None and registry.get("c") is None and "b" in registry
    assert [tool.name for tool in registry] == ["a", "b"]


def test_a_bundled_tool_whose_name_is_taken_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = ToolRegistry(BUILTIN.values())
    with caplog.at_level(logging.WARNING):
        assert not registry.register_bundled(_Named("calculator"), "my-package/tools/calc.py")
        assert registry.register_bundled(_Named("my_calculator"), "my-package/tools/calc.py")
    (record,) = caplog.records
    assert record.getMessage() == (
        "Bundled tool 'calculator' from my-package/tools/calc.py conflicts with existing tool class "
        "loom.tools.builtin.calculator.Calculator; skipping bundled tool"
    )
    assert registry.get("calculator") is BUILTIN["calculator"]


def test_missing_tools_are_named_in_the_documented_words() -> None:
    registry = ToolRegistry([_Named("here"), _Named("elsewhere", surfaces=("tui",))])
    registry.require("eda", ["here", "elsewhere"])
    with pytest.raises(LoomError) as raised:
        registry.require("eda", ["zeta", "here", "alpha", "zeta"])
    assert raised.value.what == "Process 'eda' requires missing tool(s): zeta, alpha"
    with pytest.raises(LoomError) as raised:
        registry.require("eda", ["here", "elsewhere"], "cli")
    assert raised.value.what == "Process 'eda' requires missing tool(s): elsewhere"
    assert raised.value.why == "elsewhere cannot be called from cli"


def test_a_surface_is_offered_only_the_tools_that_support_it_and_are_not_excluded() -> None:
    registry = ToolRegistry([_Named("all"), _Named("tui_only", surfaces=("tui",)), _Named("unwanted")])
    assert [tool.name for tool in registry.for_surface("cli", excluded=["unwanted"])] == ["all"]
    assert [tool.name for tool in registry.for_surface("tui")] == ["all", "tui_only", "unwanted"]


@pytest.mark.parametrize("name", ["", "with space", "1st", "x" * 65, "a.b"])
def test_a_tool_that_no_model_could_call_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        ToolRegistry([_Named(name)])


def test_malformed_declarations_are_refused_with_all_that_is_wrong() -> None:
    class Wrong(_Named):
        description = "  "
        parameters = {"type": "array"}  # noqa: RUF012

    with pytest.raises(ValueError) as raised:
        ToolRegistry([Wrong("w", surfaces=("web",))])
    said = str(raised.value)
    assert all(word in said for word in ("description", "parameters", "supported_execution_surfaces"))


def test_a_second_tool_of_ones_own_with_a_taken_name_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="registered already"):
        ToolRegistry([_Named("a"), _Named("a")])


def test_a_tool_needs_its_four_members_and_declares_the_rest_carefully() -> None:
    class Unfinished(Tool):
        name = "unfinished"

    with pytest.raises(TypeError):
        Unfinished()  # type: ignore[abstract]
    plain = FakeTool(lambda args, ctx: ToolResult.ok("done"))
    assert plain.effects == EFFECTS == plain.effects_of({})
    assert not plain.is_mutating and plain.mutation_target_arg_keys == () and plain.auth_requirements == []
    assert plain.supported_execution_surfaces == ("tui", "api", "cli") and plain.timeout_seconds == 60


def test_a_context_has_the_documented_fields_and_cannot_be_changed() -> None:
    ctx = ToolContext()
    documented = ("workspace", "read_roots", "read_path_map", "scratch_dir", "subtask_id", "auth_context")
    assert [getattr(ctx, name) for name in documented] == [None, [], {}, None, "", None]
    assert ctx.execution_surface == "cli"
    with pytest.raises(AttributeError):
        ctx.subtask_id = "other"  # type: ignore[misc]


def test_a_tool_that_is_registered_for_later_is_loaded_once_and_only_when_it_is_asked_for() -> None:
    loaded: list[str] = []

    def load() -> Tool:
        loaded.append("calculator")
        return Calculator()

    registry = ToolRegistry()
    registry.register_later("calculator", load)
    assert "calculator" in registry and registry.names() == ("calculator",) and len(registry) == 1
    registry.require("p", ["calculator"])
    assert loaded == []
    assert registry.get("calculator") is registry.get("calculator") is not None
    assert loaded == ["calculator"]
    for again in (
        lambda: registry.register_later("calculator", load),
        lambda: registry.register(Calculator()),
    ):
        with pytest.raises(ValueError, match="registered already, by loom"):
            again()


def test_the_registry_of_builtin_tools_knows_each_by_the_name_it_has() -> None:
    registry = builtin_registry()
    assert registry.names() == tuple(sorted(BUILTIN_NAMES))
    assert [tool.name for tool in registry] == list(registry.names())
    registry.require("p", BUILTIN_NAMES, "cli")


HEAVY = ("jsonschema", "regex", "http.client", "urllib.request", "ssl", "pydantic", "subprocess", "csv")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import loom.tools.registry", ()),
        ("from loom.tools.builtin import builtin_registry; builtin_registry().names()", ()),
        # asyncio brings these along
        ("import loom.tools.invoke", ("ssl", "subprocess")),
        (
            "import asyncio; from loom.tools.builtin import builtin_tool; from loom.tools.invoke import invoke\n"
            "from loom.tools.registry import ToolContext\n"
            "assert asyncio.run(invoke(builtin_tool('calculator'), {'expression': '1'}, ToolContext())).success",
            ("ssl", "subprocess"),
        ),
    ],
)
def test_what_is_slow_to_import_is_not_imported_before_it_is_needed(
    code: str, allowed: tuple[str, ...]
) -> None:
    found = f"{code}\nimport sys; print(*(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= set(allowed)
