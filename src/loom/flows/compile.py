"""The source of a flow: one Metaflow flow per process, one step per phase, readable and complete."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import ceil

from loom.flows.layout import FlowStep, lay_out
from loom.flows.parameters import FlowParameter, parameters_of
from loom.flows.shape import shape
from loom.process.plan import Plan, Step

WIDTH = 110
MARGIN_SECONDS = 60
"""How much longer than each attempt at its phase a step may take before Metaflow stops it."""

MOST_SPLITS = 100
"""How many tasks a foreach may start unless the command says otherwise."""

_MOST_SECONDS = 2_000_000_000
_MOST_RETRIES = 4  # Metaflow counts at most six attempts, one of them for @catch
_MOST_WORDS = 300


def compile_flow(plan: Plan, *, process: str, digest: str, carries: Sequence[str] = ()) -> str:
    """The source of the flow that runs a plan.

    `process` is what the steps load: a builtin's name, or a path (`./package` is beside the flow). `carries`
    are the endings of the files in that folder, which a run on another machine has to take along.
    """
    steps = steps_of(plan)
    parameters = parameters_of(plan)
    lines = _header(plan, steps)
    lines += _imports(plan, steps, parameters, carries)
    spec = plan.package.spec
    constants = (("PROCESS", process), ("VERSION", spec.version), ("DIGEST", digest))
    lines += ["", *(f"{name} = {literal(value)}" for name, value in constants), "", ""]
    if carries:
        lines += _call("@package_sources", [literal("package"), f"suffixes={_list(carries)}"], "")
    lines += [
        f"class {flow_name(plan)}(FlowSpec):",
        *_docstring(spec.description or f"The process {spec.name}.", "    "),
    ]
    if parameters:
        lines += ["", *(line for parameter in parameters for line in _parameter(parameter))]
    of_phase = {step.id: step for step in plan.steps}
    for step in steps:
        lines += ["", *_step(step, of_phase, is_first=step is steps[0], is_last=step is steps[-1])]
    lines += ["", "", 'if __name__ == "__main__":', f"    {flow_name(plan)}()"]
    return "\n".join(lines) + "\n"


def flow_name(plan: Plan) -> str:
    """The name of a plan's flow: the one its verb declares, otherwise the package's in CamelCase and `Flow`."""
    verb = plan.package.spec.verb
    if verb is not None and verb.flow:
        return verb.flow
    name = "".join(word[:1].upper() + word[1:] for word in plan.package.name.split("-"))
    return f"Process{name}Flow" if name[:1].isdigit() else f"{name}Flow"


def flow_file_name(plan: Plan) -> str:
    """The name of the file a flow is written to."""
    return f"{plan.package.name.replace('-', '_')}_flow.py"


def steps_of(plan: Plan) -> tuple[FlowStep, ...]:
    """The steps of a plan's flow, first to last."""
    each = {step.id for step in plan.steps if step.phase.for_each is not None}
    names = {step.id: step.step for step in plan.steps}
    return lay_out(shape(plan.package.dependencies, each), names)


def _header(plan: Plan, steps: Sequence[FlowStep]) -> list[str]:
    spec, file = plan.package.spec, flow_file_name(plan)
    widest = max((len(step.hands_out) for step in steps), default=0)
    option = f" --max-num-splits {widest}" if widest > MOST_SPLITS else ""
    return [
        f'"""Runs the process {spec.name} {spec.version}: python {file} run{option}',
        "",
        "Compiled. Change the process, not this file.",
        '"""',
        "",
    ]


def _imports(
    plan: Plan, steps: Sequence[FlowStep], parameters: Sequence[FlowParameter], carries: Sequence[str]
) -> list[str]:
    names = {"FlowSpec", "step"}
    if parameters:
        names.add("Parameter")
    if any(parameter.type == "JSONType" for parameter in parameters):
        names.add("JSONType")
    if carries:
        names.add("package_sources")
    performing = {name for step in steps for name in step.phases}
    for step in plan.steps:
        if step.id in performing:
            names.update(name for name, _ in _decorators([step]))
    ordered = sorted(names, key=lambda name: (name.islower(), name))
    return [f"from metaflow import {', '.join(ordered)}", "", "from loom.app import step as loom"]


def _parameter(parameter: FlowParameter) -> list[str]:
    arguments = [literal(parameter.name), f"type={parameter.type}"]
    if parameter.required:
        arguments.append("required=True")
    elif parameter.default is not None:
        arguments.append(f"default={literal(parameter.default)}")
    if parameter.help:
        arguments.append(f"help={literal(parameter.help)}")
    return _call(f"{parameter.name} = Parameter", arguments, "    ")


def _step(step: FlowStep, of_phase: Mapping[str, Step], *, is_first: bool, is_last: bool) -> list[str]:
    performed = [of_phase[name] for name in step.phases]
    marks = [
        f"{mark}=True"
        for mark, marked in (("start", is_first), ("end", is_last))
        if marked and step.name != mark
    ]
    lines = [
        line for name, arguments in _decorators(performed) for line in _call(f"@{name}", arguments, "    ")
    ]
    lines.append(f"    @step({', '.join(marks)})" if marks else "    @step")
    lines.append(f"    def {step.name}(self{', inputs' if step.joins else ''}):")
    if step.phase is not None:
        lines += _docstring(of_phase[step.phase].phase.description, "        ")
    return lines + [f"        {line}" for line in _body(step)]


def _body(step: FlowStep) -> list[str]:
    lines: list[str] = []
    if step.begins:
        lines.append("loom.begin(self)")
    if step.joins:
        lines.append("loom.join(self, inputs)")
    if step.phase is not None:
        lines.append(f"loom.perform(self, {literal(step.phase)})")
    if step.wave:
        lines.append("loom.perform(self, self.input)")
    if step.items_of is not None:
        lines.append(f"self.loom_items = loom.items(self, {literal(step.items_of)})")
    if step.hands_out:
        lines += _list_lines("self.loom_items = ", step.hands_out, WIDTH - 8)
    if step.finishes:
        lines.append("loom.finish(self)")
    if step.next:
        following = [f"self.{other.name}" for other in step.next]
        over = step.items_of is not None or step.hands_out
        lines += _call("self.next", following + ['foreach="loom_items"'] * bool(over), "", WIDTH - 8)
    return lines


def _decorators(performed: Sequence[Step]) -> list[tuple[str, list[str]]]:
    """What the phases of a step ask of Metaflow; of several phases, the most that any of them asks."""
    found: list[tuple[str, list[str]]] = []
    wanted = [step.phase.resources for step in performed if step.phase.resources is not None]
    if wanted:
        arguments = [f"cpu={_number(max(each.cpu for each in wanted))}"]
        arguments.append(f"memory={max(each.memory_mb for each in wanted)}")
        gpu = max(each.gpu for each in wanted)
        found.append(("resources", [*arguments, f"gpu={gpu}"] if gpu else arguments))
    retries = min(max((step.phase.retries for step in performed), default=0), _MOST_RETRIES)
    if retries:
        found.append(("retry", [f"times={retries}", "minutes_between_retries=0"]))
    limits = [
        (step.timeout_seconds + MARGIN_SECONDS) * step.attempts
        for step in performed
        if step.timeout_seconds is not None
    ]
    if limits and len(limits) == len(performed):
        found.append(("timeout", [f"seconds={ceil(min(max(limits), _MOST_SECONDS))}"]))
    return found


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def literal(value: object) -> str:
    """A value as Python writes it, texts in double quotes."""
    written = repr(value)
    if isinstance(value, str) and written.startswith("'") and '"' not in value:
        return '"' + written[1:-1].replace("\\'", "'") + '"'
    return written


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, values))}]"


def _list_lines(start: str, values: Sequence[str], width: int) -> list[str]:
    line = start + _list(values)
    if len(line) <= width:
        return [line]
    return [f"{start}[", *(f"    {literal(value)}," for value in values), "]"]


def _call(name: str, arguments: Sequence[str], indent: str, width: int = WIDTH) -> list[str]:
    """A call on one line, or with its arguments on the next one, or with one argument per line."""
    inside = ", ".join(arguments)
    if len(indent) + len(name) + len(inside) + 2 <= width:
        return [f"{indent}{name}({inside})"]
    if len(indent) + 4 + len(inside) <= width:
        return [f"{indent}{name}(", f"{indent}    {inside}", f"{indent})"]
    return [f"{indent}{name}(", *(f"{indent}    {argument}," for argument in arguments), f"{indent})"]


def _docstring(text: str, indent: str) -> list[str]:
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    short = textwrap.shorten(plain, _MOST_WORDS, placeholder=" …").replace("\\", "\\\\").replace('"', "'")
    lines = textwrap.wrap(f'"""{short}', WIDTH - len(indent) - 3, break_long_words=False)
    if len(lines) == 1:
        return [f'{indent}{lines[0]}"""']
    return [*(f"{indent}{line}" for line in lines), f'{indent}"""']
