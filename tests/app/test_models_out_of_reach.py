"""A run that asks a model does not begin without one: three lines, before anything is asked or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call
from loom.app.prepare import Prepared, prepare, refuse_models_out_of_reach
from loom.kernel.errors import LoomError
from tests.packages import ONE, TOOLS, write_package

ASKING = TOOLS.replace(
    "    async def execute",
    "    def model_of(self, args):\n"
    '        return ("proposer", args["word"]) if args["word"] else None\n\n'
    "    async def execute",
)


def prepared(folder: Path, environ: Mapping[str, str], package: str = "optimize", **inputs: Any) -> Prepared:
    call = Call(package, inputs, transport="local", workspace=folder)
    return prepare(call, {"LOOM_HOME": str(folder / "home"), "HOME": str(folder), **environ}, key="run-1")


def check(folder: Path, environ: Mapping[str, str], **inputs: Any) -> None:
    told = {"dataset": "IngestDataset/1", **inputs}
    refuse_models_out_of_reach(prepared(folder, environ, **told), environ)


def test_without_a_key_a_run_that_needs_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="there is no key for anthropic") as refused:
        check(tmp_path, {}, proposer="anthropic")
    assert refused.value.why == "ANTHROPIC_API_KEY is not set"
    assert refused.value.fix == "choose another with --model-provider, or: export ANTHROPIC_API_KEY=KEY"
    assert not (tmp_path / "home").exists()


def test_with_a_key_and_a_model_it_may_begin(tmp_path: Path) -> None:
    key = {"ANTHROPIC_API_KEY": "sk-test"}
    check(tmp_path, key, proposer="anthropic", **{"model-provider": "anthropic:a-model"})


def test_a_model_that_needs_no_key_may_begin_without_one(tmp_path: Path) -> None:
    check(tmp_path, {}, proposer="openai-compatible", **{"model-provider": "openai-compatible:m"})


def test_a_key_without_a_model_says_what_is_not_configured(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="no model is configured for proposer") as refused:
        check(tmp_path, {"ANTHROPIC_API_KEY": "sk-test"}, proposer="anthropic")
    assert refused.value.fix == "export LOOM_MODELS__TIER3=anthropic:MODEL"


def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="cannot be sent") as refused:
        check(tmp_path, {"ANTHROPIC_API_KEY": "sk secret"}, proposer="anthropic")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("proposer", ["builtin", "replay"])
def test_who_asks_no_model_needs_none(tmp_path: Path, proposer: str) -> None:
    check(tmp_path, {}, proposer=proposer)


def test_what_is_known_only_when_it_runs_is_left_to_then(tmp_path: Path) -> None:
    phases = """
- {id: first, description: Say it., run: {tool: say, args: {word: ''}}}
- {id: only, description: Ask., depends_on: [first], run: {tool: say, args: {word: '${phases.first.data.said}'}}}
"""
    package = write_package(tmp_path, phases, last="only", tools=ASKING)
    refuse_models_out_of_reach(prepared(tmp_path, {}, str(package)), {})


def test_a_tool_of_any_package_is_asked_with_the_inputs_that_were_given(tmp_path: Path) -> None:
    package = write_package(tmp_path, ONE, last="only", tools=ASKING)
    found = prepared(tmp_path, {}, str(package), word="anthropic")
    with pytest.raises(LoomError, match="there is no key for anthropic"):
        refuse_models_out_of_reach(found, {})
    refuse_models_out_of_reach(found.with_request(replace(found.request, inputs={"word": ""})), {})
