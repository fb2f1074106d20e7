"""The source of a flow: what it looks like, what Metaflow thinks of it, and in which order it runs phases."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loom.app
from loom.flows.compile import compile_flow, flow_name, steps_of
from loom.flows.folder import write_flow
from loom.flows.layout import FlowStep
from loom.flows.parameters import TAKEN, parameter_arguments, parameter_names, parameters_of
from loom.process.loader import ProcessLoader, builtin_root
from loom.process.plan import Plan, plan
from tests.flows.building import SOAK, metaflow, phases, planned

GOLDEN = Path(__file__).parents[1] / "golden" / "flows"
DIGEST = "sha256:" + "0" * 64
THREE = """\
name: example
version: '1.0'
schema_version: 2
risk_level: medium
description: Looks at a table from two sides and says what "both" found.
verb:
  command: example
  flow: ExampleFlow
  tier: read-only
  inputs:
    dataset: {type: pathspec, required: true, help: Data object}
    with: {type: text}
    max-rows: {type: integer, default: 100, help: Rows at most}
    share: {type: number}
    quick: {type: flag}
    drop: {type: column, repeat: true, default: [a, b], help: "Columns to leave out; it's a list"}
phases:
  - {id: look, description: Look at it., run: {tool: calculator}, resources: {cpu: 2, memory_mb: 512, timeout_seconds: 30}}
  - {id: retry, description: "Look \\\\ again.", run: {tool: calculator}, retries: 7, resources: {gpu: 1}}
  - {id: tell, description: Say it., depends_on: [look, retry], run: {tool: calculator}}
"""
EACH = """\
phases:
  - {id: list-them, description: List.}
  - {id: next, description: One by one., depends_on: [list-them], for_each: "${phases.list-them.data.all}", retries: 1}
  - {id: beside, description: Meanwhile., depends_on: [list-them]}
"""
WIDE = phases(
    {
        f"p{wave}-{at}": [f"p{wave - 1}-{up}" for up in range(7)] if wave else []
        for wave in range(4)
        for at in range(7)
    }
)


@pytest.fixture(scope="module", autouse=True)
def steps_module() -> Iterator[None]:
    """Flows can be loaded although nothing is run."""
    before = {name: sys.modules.get(name) for name in ("loom.app.step",)}
    known = getattr(loom.app, "step", None)
    sys.modules["loom.app.step"] = loom.app.step = ModuleType("loom.app.step")  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("METAFLOW_")]:
            patch.delenv(name)
        patch.setenv("METAFLOW_USER", "somebody")
        metaflow()
        yield
    for name, module in before.items():
        if module is None:
            del sys.modules[name]
        else:
            sys.modules[name] = module
    if known is None:
        del loom.app.step  # type: ignore[attr-defined]
    else:
        loom.app.step = known  # type: ignore[attr-defined]


def compiled(of: Plan) -> str:
    return compile_flow(of, process="example", digest=DIGEST)


_numbers = itertools.count()


def loaded(source: str, tmp_path: Path) -> Any:
    """The class of a flow, as Metaflow makes it."""
    # a name that was never used: bytecode and lines of a file written twice in a second may be the old ones
    name = f"flow_{os.getpid()}_{next(_numbers)}"
    file = tmp_path / f"{name}.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[module.__name__]
    (found,) = (
        value for value in vars(module).values() if isinstance(value, type) and "_graph" in vars(value)
    )
    return found


def lint(flow: Any) -> None:
    """Metaflow's own opinion; raises what it does not like."""
    metaflow("metaflow.lint").linter.run_checks(flow._graph)


GOLDENS = {"three": THREE, "one": phases({"only-this": []}), "each": EACH, "wide": WIDE}


@pytest.mark.parametrize("name", GOLDENS)
def test_flows_look_as_agreed(name: str, tmp_path: Path) -> None:
    source = compiled(planned(GOLDENS[name]))
    golden = GOLDEN / f"{name}_flow.py.txt"
    if os.environ.get("LOOM_WRITE_GOLDEN"):
        golden.write_text(source)
    assert source == golden.read_text()
    lint(loaded(source, tmp_path))
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "110", "-"],
        input=source, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert formatted.stdout == source


@pytest.mark.parametrize("name", sorted(path.name for path in builtin_root().iterdir()))
def test_every_builtin_process_becomes_a_flow_that_metaflow_accepts(name: str, tmp_path: Path) -> None:
    of = plan(ProcessLoader(tmp_path, home=tmp_path).load(name).package)
    flow = loaded(compile_flow(of, process=name, digest=DIGEST), tmp_path)
    lint(flow)
    assert flow.__name__ == flow_name(of)
    assert {step.step for step in of.steps} <= set(flow._graph.nodes)


def test_a_package_that_is_no_verb_gets_a_goal_and_a_name_of_its_own(tmp_path: Path) -> None:
    of = planned(phases({"a": []}), verb=False)
    assert flow_name(of) == "ExampleFlow"
    assert [parameter.name for parameter in parameters_of(of)] == ["loom_goal", "loom_inputs"]
    lint(loaded(compiled(of), tmp_path))
    assert parameter_arguments(of, {"x": 1}, "win") == ["--loom_goal=win", '--loom_inputs={"x": 1}']
    assert parameter_arguments(of, {}) == []


def test_one_phase_is_one_step() -> None:
    (step,) = steps_of(planned(phases({"only-this": []})))
    assert (step.name, step.begins, step.finishes) == ("only_this", True, True)


def test_phases_do_the_splitting_and_joining_themselves() -> None:
    steps = steps_of(planned(phases({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]})))
    assert [step.name for step in steps] == ["a", "b", "c", "d", "e"]
    assert [step.joins for step in steps] == [False, False, False, True, False]


def test_inputs_become_parameters_with_names_that_metaflow_leaves_free() -> None:
    of = planned(THREE)
    assert parameter_names(of) == {
        "dataset": "dataset",
        "with": "with_input",
        "max-rows": "max_rows",
        "share": "share",
        "quick": "quick",
        "drop": "drop",
    }
    given_inputs = {"dataset": "-x", "with": None, "max-rows": 5, "quick": False, "drop": ["ü", "b"]}
    assert parameter_arguments(of, given_inputs) == [
        "--dataset=-x",
        "--max_rows=5",
        "--quick=false",
        '--drop=["\\u00fc", "b"]',
    ]


def test_a_parameter_never_takes_the_name_of_a_step() -> None:
    head = THREE[: THREE.index("phases:")]
    of = planned(head + phases({"dataset": [], "share": ["dataset"], "share-input": ["share"]}))
    names = parameter_names(of)
    assert names["dataset"] == "dataset_input" and names["share"] == "share_input_input"


def test_names_that_metaflow_takes_are_known() -> None:
    own = {name for name in dir(metaflow().FlowSpec) if not name.startswith("_")}
    assert own <= TAKEN
    run = metaflow("metaflow.cli_components.run_cmds").run
    options = {parameter.name for parameter in run.original_params if parameter.name}
    written = {
        option.lstrip("-").replace("-", "_") for parameter in run.original_params for option in parameter.opts
    }
    assert (options | written) <= TAKEN


def test_texts_in_a_package_cannot_break_out_of_the_flow(tmp_path: Path) -> None:
    evil = 'x""" + __import__("os").abort() + """ \\N{BELL} \' {x} %s \u2028 \\'
    text = THREE.replace("Look at it.", json.dumps(evil)).replace(
        "help: Data object", f"help: {json.dumps(evil)}"
    )
    text = text.replace("default: [a, b]", f"default: [{json.dumps(evil)}]")
    flow = loaded(compiled(planned(text)), tmp_path)
    lint(flow)
    found = dict(flow._get_parameters())
    assert json.loads(found["drop"]._override_kwargs["default"]) == [evil]


def test_a_package_of_the_user_goes_with_its_flow(tmp_path: Path) -> None:
    package = tmp_path / "example"
    (package / "tools").mkdir(parents=True)
    (package / "process.yaml").write_text(THREE)
    (package / "tools" / "look.py").write_text("x = 1\n")
    (package / "__pycache__").mkdir()
    of = plan(ProcessLoader(tmp_path, home=tmp_path).load(package).package)
    folder = tmp_path / "flow"
    for _ in range(2):
        file = write_flow(of, folder, process=str(package), digest=DIGEST)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "example_flow.py",
        "package/process.yaml",
        "package/tools/look.py",
    }
    source = file.read_text()
    assert 'PROCESS = "./package"' in source
    assert '@package_sources("package", suffixes=[".py", ".yaml"])' in source
    lint(loaded(source, tmp_path))
    assert [
        path.name for path in write_flow(of, tmp_path / "b", process="eda", digest=DIGEST).parent.iterdir()
    ] == ["example_flow.py"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[str]]:
    """Dependencies between up to 12 phases, some of which run per item; names in any order."""
    count = draw(st.integers(1, 12))
    names = [f"p{at}" for at in draw(st.permutations(range(count)))]
    graph = {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=3)) if at else []
        for at, name in enumerate(names)
    }
    return graph, draw(st.lists(st.sampled_from(names), unique=True, max_size=4))


@settings(max_examples=1500 if SOAK else 150, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.booleans(), st.randoms(use_true_random=False))
def test_every_graph_becomes_a_flow_that_keeps_its_dependencies(
    tmp_path_factory: pytest.TempPathFactory,
    graph: tuple[dict[str, list[str]], list[str]],
    in_waves: bool,
    chance: random.Random,
) -> None:
    dependencies, each = graph
    of = planned(phases(dependencies, each))
    with pytest.MonkeyPatch.context() as patch:
        if in_waves:
            patch.setattr("loom.flows.shape.MOST_PHASES", 0)
        flow = loaded(compiled(of), tmp_path_factory.getbasetemp())
        steps = {step.name: step for step in steps_of(of)}
    lint(flow)
    assert set(flow._graph.nodes) == set(steps)
    done = walked(flow, steps, chance)
    assert sorted(phase for phases_done in done for phase in phases_done) == sorted(dependencies)
    when = {phase: at for at, phases_done in enumerate(done) for phase in phases_done}
    for phase, needs in dependencies.items():
        assert all(when[need] < when[phase] for need in needs)


def walked(flow: Any, steps: dict[str, FlowStep], chance: random.Random) -> list[tuple[str, ...]]:
    """The phases in an order in which Metaflow may run them; a join waits for all that lead to it."""
    nodes = flow._graph.nodes
    ready, arrived, done = [flow._graph.start_step], dict.fromkeys(nodes, 0), []
    while ready:
        name = ready.pop(chance.randrange(len(ready)))
        done.append(steps[name].phases)
        for following in nodes[name].out_funcs:
            arrived[following] += 1
            if arrived[following] == len(nodes[following].in_funcs):
                ready.append(following)
    assert len(done) == len(nodes)
    return done
