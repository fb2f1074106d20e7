"""P3: planning a random DAG of 5,000 phases costs at most three times what graphlib needs to sort it."""

from __future__ import annotations

import random
from graphlib import TopologicalSorter

from measure import compare, cpu_of

from loom.process.check import check_text
from loom.process.package import Package
from loom.process.plan import plan

PHASES = 5_000


def package() -> Package:
    """A package whose phases depend on up to four earlier ones, in shuffled order."""
    dice = random.Random(7)
    lines = []
    for i in range(PHASES):
        needs = sorted(dice.sample(range(i), k=min(i, dice.randint(0, 4))))
        lines.append(f"- {{id: p{i}, description: d, depends_on: [{', '.join(f'p{j}' for j in needs)}]}}\n")
    dice.shuffle(lines)
    raw = ("name: generated\nschema_version: 2\nrisk_level: medium\nphases:\n" + "".join(lines)).encode()
    checked = check_text(raw, "process.yaml")
    assert checked.package is not None and not checked.report.errors
    return checked.package


def main() -> None:
    """The whole plan, steps included, against the bare order."""
    made = package()
    edges = {phase.id: phase.depends_on for phase in made.spec.phases}

    def ours() -> None:
        fresh = Package(made.document, made.spec, made.validated)
        assert len(plan(fresh).steps) == PHASES

    def theirs() -> None:
        assert len(list(TopologicalSorter(edges).static_order())) == PHASES

    compare("P3 5,000-phase DAG", cpu_of(ours), cpu_of(theirs), budget=3.0, n=15)


if __name__ == "__main__":
    main()
