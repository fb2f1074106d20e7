"""LM32x — `${...}` lookups and entry gates: they must lead somewhere, and in time."""

from __future__ import annotations

from collections.abc import Iterator

from loom.kernel.diagnostics import suggest
from loom.process.lint.graph import ids_are_known, order_is_known, unknown_phase
from loom.process.lint.rule import Finding, rule
from loom.process.package import Package
from loom.process.references import BadReference, Reference


@rule(
    "LM320",
    "the reference is not understood",
    fix="write `${inputs.NAME}` or `${phases.ID.data.FIELD}`",
    failing="""
phases:
  - {id: profile, description: Look., run: {tool: eda_profile, args: {dataset: "${input.dataset}"}}}
""",
    passing="""
verb: {command: look, tier: read-only, inputs: {dataset: {type: pathspec}}}
phases:
  - {id: profile, description: Look., run: {tool: eda_profile, args: {dataset: "${inputs.dataset}"}}}
""",
)
def malformed_reference(package: Package) -> Iterator[Finding]:
    """A reference is a path lookup, not code: it starts with inputs, phases, item or run."""
    for _, path, reference in package.references:
        if isinstance(reference, BadReference):
            yield Finding(path, reference.why)


@rule(
    "LM321",
    "reference to an unknown input",
    fix="declare it under verb.inputs, or correct the name",
    failing="""
verb: {command: look, tier: read-only, inputs: {dataset: {type: pathspec}}}
phases:
  - {id: profile, description: Look., run: {tool: eda_profile, args: {dataset: "${inputs.datset}"}}}
""",
    passing="""
verb: {command: look, tier: read-only, inputs: {dataset: {type: pathspec}}}
phases:
  - {id: profile, description: Look., run: {tool: eda_profile, args: {dataset: "${inputs.dataset}"}}}
""",
)
def unknown_input(package: Package) -> Iterator[Finding]:
    """Inputs are declared under `verb.inputs`; nothing else is there to look up."""
    verb = package.spec.verb
    known = set(verb.inputs) if verb else set()
    if package.is_torn(("verb",)):
        return
    for _, path, reference in package.references:
        if isinstance(reference, Reference) and reference.root == "inputs":
            name = reference.steps[0].split("[")[0]
            if name not in known:
                meant = suggest(name, sorted(known))
                yield Finding(
                    path, f"no input is called `{name}`", f"did you mean `{meant}`?" if meant else ""
                )


@rule(
    "LM322",
    "reference to an unknown phase",
    fix="name a phase of this process",
    failing="""
phases:
  - {id: profile, description: Look., run: {tool: look}}
  - {id: report, description: Tell., depends_on: [profile], run: {tool: tell, args: {rows: "${phases.profle.data.rows}"}}}
""",
    passing="""
phases:
  - {id: profile, description: Look., run: {tool: look}}
  - {id: report, description: Tell., depends_on: [profile], run: {tool: tell, args: {rows: "${phases.profile.data.rows}"}}}
""",
)
def unknown_referenced_phase(package: Package) -> Iterator[Finding]:
    """A reference can only read the result of a phase that exists."""
    if not ids_are_known(package):
        return
    for _, path, reference in package.references:
        if (
            isinstance(reference, Reference)
            and reference.phase
            and reference.phase not in package.phase_names
        ):
            yield unknown_phase(path, reference.phase, package.phase_names)


@rule(
    "LM323",
    "reference to a phase that may not have finished",
    fix="add that phase to depends_on",
    failing="""
phases:
  - {id: profile, description: Look., run: {tool: look}}
  - {id: report, description: Tell., run: {tool: tell, args: {rows: "${phases.profile.data.rows}"}}}
""",
    passing="""
phases:
  - {id: profile, description: Look., run: {tool: look}}
  - {id: report, description: Tell., depends_on: [profile], run: {tool: tell, args: {rows: "${phases.profile.data.rows}"}}}
""",
)
def reference_out_of_order(package: Package) -> Iterator[Finding]:
    """Only what a phase depends on, directly or through others, is sure to have finished before it."""
    if not order_is_known(package):
        return
    for index, path, reference in package.references:
        if isinstance(reference, Reference) and reference.phase in package.phases:
            phase = package.spec.phases[index].id
            if reference.phase not in package.ancestors(phase):
                yield Finding(path, f"`{phase}` does not depend on `{reference.phase}`")


@rule(
    "LM324",
    "`${item}` is used outside for_each",
    fix="add `for_each:` to the phase, or use another reference",
    failing="""
phases:
  - {id: score, description: Score., run: {tool: score, args: {candidate: "${item}"}}}
""",
    passing="""
phases:
  - {id: plan, description: Plan., run: {tool: plan}}
  - {id: score, description: Score., depends_on: [plan], for_each: "${phases.plan.data.all}", run: {tool: score, args: {candidate: "${item}"}}}
""",
)
def item_outside_loop(package: Package) -> Iterator[Finding]:
    """`${item}` names the current element of a `for_each`; elsewhere there is none."""
    for index, path, reference in package.references:
        inside = package.spec.phases[index].for_each is not None or package.is_torn(
            ("phases", index, "for_each")
        )
        inside = inside and path[2] == "run"
        if isinstance(reference, Reference) and reference.root == "item" and not inside:
            yield Finding(path, "this phase runs once")


@rule(
    "LM325",
    "for_each must be one reference",
    fix='write `for_each: "${phases.ID.data.FIELD}"`',
    failing="""
phases:
  - {id: score, description: Score., for_each: "a, b", run: {tool: score}}
""",
    passing="""
phases:
  - {id: plan, description: Plan., run: {tool: plan}}
  - {id: score, description: Score., depends_on: [plan], for_each: "${phases.plan.data.all}", run: {tool: score}}
""",
)
def loop_source(package: Package) -> Iterator[Finding]:
    """The list to loop over is looked up once the phases before have finished; a text is no list."""
    for index in package.running:
        loop = package.spec.phases[index].for_each
        if loop is not None and not is_one_reference(loop):
            yield Finding(("phases", index, "for_each"), f"`{loop[:60]}` is not a reference")


def is_one_reference(text: str) -> bool:
    """Whether a text is a single reference and nothing around it, so that its type survives."""
    return text.startswith("${") and text.find("}") == len(text) - 1


@rule(
    "LM326",
    "an entry gate reads a phase that may not have finished",
    fix="add that phase to depends_on",
    failing="""
phases:
  - {id: profile, description: Look., run: {tool: look}}
  - id: build
    description: Build.
    run: {tool: build}
    require: [{phase: profile, field: data.leaks, operator: eq, value: 0}]
""",
    passing="""
phases:
  - {id: profile, description: Look., run: {tool: look}}
  - id: build
    description: Build.
    depends_on: [profile]
    run: {tool: build}
    require: [{phase: profile, field: data.leaks, operator: eq, value: 0}]
""",
)
def gate_out_of_order(package: Package) -> Iterator[Finding]:
    """`require` holds a phase back until an earlier result allows it; the result must be there by then."""
    for index in package.gated:
        phase = package.spec.phases[index]
        for at, requirement in enumerate(phase.require):
            path = ("phases", index, "require", at, "phase")
            if requirement.phase not in package.phase_names:
                if ids_are_known(package):
                    yield unknown_phase(path, requirement.phase, package.phase_names)
            elif order_is_known(package) and requirement.phase not in package.ancestors(phase.id):
                yield Finding(path, f"`{phase.id}` does not depend on `{requirement.phase}`")
