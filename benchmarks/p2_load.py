"""P2: loading, checking and resolving a package costs at most twice what reading it must cost."""

from __future__ import annotations

from pathlib import Path

import yaml
from measure import compare, cpu_of
from yaml.cyaml import CParser

from loom.kernel.document import parse_document
from loom.process.check import check_text
from loom.process.loader import builtin_root
from loom.process.resolve import ResolvedProcess
from loom.process.spec.process import ProcessSpec


def scan(text: str) -> None:
    """libyaml's events, looked at by nobody."""
    get_event = CParser(text).get_event
    while type(get_event()) is not yaml.StreamEndEvent:
        pass


def load(raw: bytes) -> ResolvedProcess:
    """What Loom does with a file: read, validate, lint, resolve every phase's policy."""
    checked = check_text(raw, "process.yaml", warnings=False)
    assert checked.package is not None and not checked.report.errors, checked.report.diagnostics[:3]
    resolved = ResolvedProcess(checked.package)
    for index in range(len(resolved.phases)):
        resolved.policy_of(index)
    return resolved


def generated(phases: int) -> bytes:
    """A package of many small phases, each waiting for an earlier one."""
    head = "name: generated\nschema_version: 2\nrisk_level: medium\nphases:\n"
    body = "".join(f"- {{id: p{i}, description: d, depends_on: [p{i // 2}]}}\n" for i in range(1, phases))
    return (head + "- {id: p0, description: d}\n" + body).encode()


def measure(name: str, raw: bytes, n: int) -> float:
    """Ours against validation plus event scan of the same bytes."""
    document, _, source = parse_document(raw, "process.yaml")
    assert document is not None
    data = document.data

    def peer() -> None:
        scan(source.text)
        ProcessSpec.model_validate(data)

    compare(f"P2 {name}", cpu_of(lambda: load(raw)), cpu_of(peer), budget=2.0, n=n)
    return min(cpu_of(lambda: load(raw))() for _ in range(5))


def main() -> None:
    """One real package, then 2,000 and 20,000 phases, and how they relate."""
    measure("eda", (Path(builtin_root()) / "eda" / "process.yaml").read_bytes(), 51)
    small = measure("2,000 phases", generated(2_000), 15)
    large = measure("20,000 phases", generated(20_000), 7)
    compare("P2 20,000 phases against 2,000", lambda: large, lambda: small, budget=11.0, n=1)


if __name__ == "__main__":
    main()
