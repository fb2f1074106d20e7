"""The inputs of a process as parameters of its flow."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loom.process.plan import Plan
from loom.process.spec.verb import Input

GOAL = "loom_goal"
INPUTS = "loom_inputs"

# what Metaflow's commands call their own options
_OPTIONS = frozenset(
    [
        "decospecs",
        "help",
        "max_log_size",
        "max_num_splits",
        "max_workers",
        "namespace",
        "obj",
        "params",
        "run_id",
        "run_id_file",
        "runner_attribute_file",
        "tag",
        "tags",
        "task_id",
        "user_namespace",
        "with",
    ]
)
# what a flow has already
_OWN = frozenset(
    [
        "cmd",
        "end",
        "foreach_stack",
        "index",
        "input",
        "merge_artifacts",
        "name",
        "next",
        "script_name",
        "start",
    ]
)
# what a finished run leaves as artifacts
_ARTIFACTS = frozenset(
    [
        "train",
        "test",
        "holdout",
        "sample_submission",
        "schema",
        "transformer",
        "model",
        "data_object",
        "verdict",
        "status",
        "summary",
        "reasons",
        "next_commands",
    ]
)
DECORATORS = frozenset({"resources", "retry", "step", "timeout"})
TAKEN = _OPTIONS | _OWN | _ARTIFACTS | DECORATORS
"""Names that a parameter cannot have."""

_TYPES = {"flag": "bool", "integer": "int", "number": "float", "columns": "JSONType"}


@dataclass(frozen=True, slots=True)
class FlowParameter:
    """One parameter of a flow."""

    name: str
    type: str
    """`bool`, `int`, `float`, `str` or `JSONType`, as the flow writes it."""

    input: str | None = None
    """The input it stands for."""

    required: bool = False
    default: Any = None
    help: str = ""


def parameters_of(plan: Plan) -> tuple[FlowParameter, ...]:
    """The parameters of a plan's flow, in the order of its inputs."""
    verb = plan.package.spec.verb
    if verb is None:
        return (
            FlowParameter(GOAL, "str", default="", help="What the run is to achieve."),
            FlowParameter(INPUTS, "JSONType", help="Inputs of the process, as one JSON object."),
        )
    names = parameter_names(plan)
    return tuple(_parameter(names[name], name, declared) for name, declared in verb.inputs.items())


def parameter_names(plan: Plan) -> dict[str, str]:
    """The parameter of each input: `-` becomes `_`, and a name that is taken ends in `_input`."""
    verb = plan.package.spec.verb
    taken = {step.step for step in plan.steps} | TAKEN
    names: dict[str, str] = {}
    for declared in verb.inputs if verb else ():
        name = "".join(letter if letter.isidentifier() or letter.isdigit() else "_" for letter in declared)
        if not name.isidentifier() or name.startswith(("_", "loom_")):
            name = f"input_{name}"
        while name in taken or keyword.iskeyword(name):
            name += "_input"
        taken.add(name)
        names[declared] = name
    return names


def parameter_arguments(plan: Plan, inputs: Mapping[str, Any], goal: str = "") -> list[str]:
    """The options of `run` that give a flow these inputs; inputs that are None are left to their default."""
    beside: dict[str, Any] = {GOAL: goal or None, INPUTS: dict(inputs) or None}
    arguments: list[str] = []
    for parameter in parameters_of(plan):
        value = beside[parameter.name] if parameter.input is None else inputs.get(parameter.input)
        if value is not None:
            arguments.append(f"--{parameter.name}={_written(parameter.type, value)}")
    return arguments


def _written(type_: str, value: Any) -> str:
    if type_ == "JSONType":
        return json.dumps(value)
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _parameter(name: str, declared_name: str, declared: Input) -> FlowParameter:
    default = declared.default
    structured = declared.repeat or isinstance(default, list | dict)
    type_ = "JSONType" if structured else _TYPES.get(declared.type, "str")
    if type_ == "JSONType" and default is not None:
        default = json.dumps(default)  # Metaflow takes the default of such a parameter as text
    return FlowParameter(
        name,
        type_,
        declared_name,
        required=declared.required and default is None,
        default=default,
        help=" ".join(declared.help.split()),
    )
