"""LM3xx — phases, their ids, their arrows and their files."""

from __future__ import annotations

from collections.abc import Iterator

from loom.kernel.diagnostics import suggest
from loom.process.graph import find_cycle, layer
from loom.process.lint.rule import Finding, rule
from loom.process.package import Package
from loom.process.spec.phases import Phase
from loom.process.steps import step_name

FINALIZER = "__finalize_output"


@rule(
    "LM301",
    "dependency cycle detected",
    fix="remove one of these dependencies",
    failing="""
phases:
  - {id: draft, description: Write., depends_on: [review]}
  - {id: review, description: Read., depends_on: [draft]}
""",
    passing="""
phases:
  - {id: draft, description: Write.}
  - {id: review, description: Read., depends_on: [draft]}
""",
)
def dependency_cycle(package: Package) -> Iterator[Finding]:
    """Phases run when what they depend on has finished. Phases that wait for each other never start."""
    if not package.graph.cyclic:
        return
    index = {phase.id: at for at, phase in reversed(list(enumerate(package.spec.phases)))}
    left = list(package.graph.cyclic)
    while left:
        cycle = find_cycle(package.dependencies, left)
        first, second = cycle[0], cycle[1]
        at = package.dependencies[first].index(second)
        shown = cycle if len(cycle) <= 8 else (*cycle[:4], "…", *cycle[-3:])
        yield Finding(("phases", index[first], "depends_on", at), " → ".join(shown))
        # what waited for this cycle only is not a second finding
        rest = {node: package.dependencies[node] for node in left}
        for node in cycle:
            rest[node] = ()
        left = list(layer(rest).cyclic)


@rule(
    "LM302",
    "unknown dependency",
    fix="name a phase of this process, or remove it",
    failing="""
phases:
  - {id: draft, description: Write., depends_on: [resaerch]}
  - {id: research, description: Gather.}
""",
    passing="""
phases:
  - {id: draft, description: Write., depends_on: [research]}
  - {id: research, description: Gather.}
""",
)
def unknown_dependency(package: Package) -> Iterator[Finding]:
    """A dependency on a phase that does not exist can never be met."""
    known = package.phase_names
    if not ids_are_known(package):
        return
    for index, phase in enumerate(package.spec.phases):
        for at, name in enumerate(phase.depends_on):
            if name not in known:
                yield unknown_phase(("phases", index, "depends_on", at), name, known)


def ids_are_known(package: Package) -> bool:
    """Whether every phase of the file has an id that can be read; otherwise any name may be one of them."""
    if not package.validated.removed:
        return True
    phases = package.document.data["phases"]
    ids = [phase.get("id") if isinstance(phase, dict) else None for phase in phases]
    return all(isinstance(name, str) and name.strip() for name in ids)


def order_is_known(package: Package) -> bool:
    """Whether no phase and no dependency was left out, so that what is before what can be said."""
    return not any(
        gone[0] == "phases"
        and (len(gone) < 3 or gone[2] == "depends_on" or gone[2] not in Phase.model_fields)
        for gone in package.validated.removed
    )


def unknown_phase(path: tuple[str | int, ...], name: str, known: frozenset[str]) -> Finding:
    """A finding that names what was probably meant."""
    meant = suggest(name, sorted(known))
    fix = f"did you mean `{meant}`?" if meant else ""
    return Finding(path, f"no phase is called `{name}`", fix)


@rule(
    "LM303",
    "duplicate phase id",
    fix="give each phase an id of its own",
    failing="""
phases:
  - {id: draft, description: Write.}
  - {id: draft, description: Write again.}
""",
    passing="""
phases:
  - {id: draft, description: Write.}
  - {id: rewrite, description: Write again.}
""",
)
def duplicate_phase(package: Package) -> Iterator[Finding]:
    """A phase is named by its id everywhere: in dependencies, references, results and on disk."""
    if len(package.phases) == len(package.spec.phases):
        return
    first: dict[str, int] = {}
    for index, phase in enumerate(package.spec.phases):
        if phase.id in first:
            line = package.value_at(("phases", first[phase.id], "id")).line
            yield Finding(("phases", index, "id"), f"`{phase.id}` is first used on line {line}")
        first.setdefault(phase.id, index)


@rule(
    "LM304",
    "duplicate deliverable",
    fix="give each file one phase that writes it",
    failing="""
phases:
  - {id: draft, description: Write., deliverables: [report.md]}
  - {id: review, description: Read., deliverables: [./report.md], depends_on: [draft]}
""",
    passing="""
phases:
  - {id: draft, description: Write., deliverables: [report.md]}
  - {id: review, description: Read., deliverables: [review.md], depends_on: [draft]}
""",
)
def duplicate_deliverable(package: Package) -> Iterator[Finding]:
    """Deliverables are checked by exact name, so one name can belong to one phase only. `a.md` and
    `./a.md` are the same file."""
    first: dict[str, tuple[int, int]] = {}
    for index, phase in enumerate(package.spec.phases):
        for at, deliverable in enumerate(phase.deliverables):
            if deliverable.name in first:
                line = package.value_at(("phases", *_at(first[deliverable.name]))).line
                detail = f"`{deliverable.name}` is already delivered on line {line}"
                yield Finding(("phases", index, "deliverables", at), detail)
            first.setdefault(deliverable.name, (index, at))


def _at(place: tuple[int, int]) -> tuple[str | int, ...]:
    return (place[0], "deliverables", place[1])


@rule(
    "LM305",
    "the phase id is reserved",
    fix="rename the phase",
    failing="""
phases:
  - {id: draft, description: Write., deliverables: [a.md], output_strategy: fan_in}
  - {id: draft-finalize-output, description: Write.}
""",
    passing="""
phases:
  - {id: draft, description: Write., deliverables: [a.md]}
  - {id: draft-finalize-output, description: Write.}
""",
)
def reserved_phase(package: Package) -> Iterator[Finding]:
    """A fan-in phase gets a finalizer step of its own, `<phase_id>__finalize_output`. A phase whose step
    would carry that name is refused."""
    reserved = {step_name(name + FINALIZER): name for name in fan_in_phases(package)}
    if not reserved:
        return
    for index, phase in enumerate(package.spec.phases):
        owner = reserved.get(_single(step_name(phase.id)))
        if owner:
            yield Finding(("phases", index, "id"), f"`{phase.id}` is the finalizer of `{owner}`")


def _single(step: str) -> str:
    return step.replace("_finalize_output", FINALIZER) if FINALIZER not in step else step


def fan_in_phases(package: Package) -> list[str]:
    """Phases whose deliverables are published by a finalizer."""
    default = package.spec.output_coordination.strategy
    return [
        p.id for p in package.spec.phases if p.deliverables and (p.output_strategy or default) == "fan_in"
    ]


@rule(
    "LM306",
    "two phases get the same step name",
    fix="rename one of the two",
    failing="""
phases:
  - {id: input, description: Read.}
  - {id: input-phase, description: Read more.}
""",
    passing="""
phases:
  - {id: input, description: Read.}
  - {id: more-input, description: Read more.}
""",
)
def step_collision(package: Package) -> Iterator[Finding]:
    """A phase becomes a step of a flow: hyphens become underscores, and names the engine keeps for
    itself get a suffix. Two phases must not end up with one name."""
    if not any(phase.id.startswith("phase-") or phase.id.endswith("-phase") for phase in package.spec.phases):
        return
    first: dict[str, str] = {}
    for index, phase in enumerate(package.spec.phases):
        step = step_name(phase.id)
        other = first.setdefault(step, phase.id)
        if other != phase.id:
            yield Finding(
                ("phases", index, "id"), f"`{phase.id}` and `{other}` both become the step `{step}`"
            )


@rule(
    "LM307",
    "a dependency is listed twice",
    severity="warning",
    fix="remove the second one",
    failing="""
phases:
  - {id: draft, description: Write.}
  - {id: review, description: Read., depends_on: [draft, draft]}
""",
    passing="""
phases:
  - {id: draft, description: Write.}
  - {id: review, description: Read., depends_on: [draft]}
""",
)
def repeated_dependency(package: Package) -> Iterator[Finding]:
    """It changes nothing, and is usually a slip for another phase."""
    for index, phase in enumerate(package.spec.phases):
        needs = phase.depends_on
        if len(needs) > 1 and len(set(needs)) < len(needs):
            seen: set[str] = set()
            for at, name in enumerate(needs):
                if name in seen:
                    yield Finding(("phases", index, "depends_on", at), f"`{name}` is already listed")
                seen.add(name)


@rule(
    "LM308",
    "a planner example does not form a DAG",
    fix="make the example's subtasks depend on each other as the phases do",
    failing="""
planner_examples:
  - goal: Compare two products.
    subtasks:
      - {id: work, depends_on: [reserch]}
""",
    passing="""
planner_examples:
  - goal: Compare two products.
    subtasks:
      - {id: work}
""",
)
def example_graph(package: Package) -> Iterator[Finding]:
    """Examples are shown to the planner as models of a good plan; a broken one teaches broken plans."""
    for index, example in enumerate(package.spec.planner_examples):
        tasks = {task.id: task.depends_on for task in example.subtasks}
        base = ("planner_examples", index, "subtasks")
        if package.is_torn(base):
            continue
        for at, task in enumerate(example.subtasks):
            for place, name in enumerate(task.depends_on):
                if name not in tasks:
                    yield unknown_phase((*base, at, "depends_on", place), name, frozenset(tasks))
        cyclic = layer(tasks).cyclic
        if cyclic:
            yield Finding(base, "it has a cycle: " + " → ".join(find_cycle(tasks, cyclic)))


@rule(
    "LM309",
    "intermediate_root is not a path inside the workspace",
    fix="write a relative path such as `.loom/phase-artifacts`",
    failing="""
output_coordination: {strategy: fan_in, intermediate_root: ../elsewhere}
""",
    passing="""
output_coordination: {strategy: fan_in, intermediate_root: .loom/phase-artifacts}
""",
)
def intermediate_root(package: Package) -> Iterator[Finding]:
    """Intermediate artifacts belong to the run; a path that leaves the workspace would scatter them."""
    root = package.spec.output_coordination.intermediate_root
    parts = root.split("/")
    if root.startswith(("/", "~")) or "\\" in root or any(part in ("", ".", "..") for part in parts):
        yield Finding(("output_coordination", "intermediate_root"), f"`{root}` is absolute or not normalised")


@rule(
    "LM310",
    "run needs exactly one of tool and process",
    fix="keep `tool:` or `process:`",
    failing="""
phases:
  - {id: profile, description: Look., run: {args: {}}}
""",
    passing="""
phases:
  - {id: profile, description: Look., run: {tool: eda_profile}}
""",
)
def one_executor(package: Package) -> Iterator[Finding]:
    """A phase with `run` is executed by one thing: a tool call or a nested process."""
    for index in package.running:
        run = package.spec.phases[index].run
        if run is not None and (run.tool is None) == (run.process is None):
            detail = "both are written" if run.tool else "neither is written"
            yield Finding(("phases", index, "run"), detail, at_key=True)
