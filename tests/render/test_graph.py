"""Drawings: complete, escaped, and bounded."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from loom.process.check import check_text
from loom.process.plan import Plan, plan
from loom.render.graph import draw

SMALL = """
name: churn
schema_version: 2
phases:
  - {id: gather, description: Gather., run: {tool: fetch}}
  - {id: table, description: Count., run: {process: eda}, is_critical_path: true}
  - id: conclude
    description: Conclude.
    depends_on: [gather, table]
    is_synthesis: true
    require: [{phase: table, field: verdict, operator: eq, value: OK}]
"""


def planned(text: str) -> Plan:
    checked = check_text(text.encode(), "process.yaml")
    assert checked.package is not None and not checked.report.errors, checked.report.diagnostics
    return plan(checked.package)


def test_text_shows_waves_runners_and_gates() -> None:
    assert draw(planned(SMALL), "text").splitlines() == [
        "churn: 3 phases in 2 waves",
        "",
        "   1 ──┬─ gather    tool fetch",
        "       └─ table     process eda !",
        "   2 ──── conclude  model tier 2 ◆  ← gather, table",
        "           if table verdict eq OK",
    ]


def test_mermaid_names_every_phase_and_draws_gates_dotted() -> None:
    assert draw(planned(SMALL), "mermaid").splitlines() == [
        "flowchart LR",
        "  accTitle: churn",
        '  p0["gather<br/>tool fetch"]',
        '  p1[["table<br/>process eda"]]',
        '  p2("conclude<br/>model tier 2")',
        "  p0 --> p2",
        '  p1 -. "verdict eq OK" .-> p2',
        "  classDef critical stroke:#d9480f,stroke-width:2.5px",
        "  class p1 critical",
        "  classDef synthesis fill:#7c3aed26,font-weight:bold",
        "  class p2 synthesis",
    ]


def test_svg_is_well_formed_and_tells_readers_what_it_shows() -> None:
    root = ElementTree.fromstring(draw(planned(SMALL), "svg"))
    texts = " ".join(text for text in root.itertext())
    for word in ("gather", "table", "conclude", "tool fetch", "process eda"):
        assert word in texts
    assert any(child.tag.endswith("title") for child in root)


@pytest.mark.parametrize("form", ["mermaid", "svg", "text"])
def test_hostile_values_are_shown_and_never_read(form: str) -> None:
    hostile = '<script>"]-->\\"#quot; '
    text = SMALL.replace("value: OK", f"value: '{hostile}'").replace("tool: fetch", f"tool: '{hostile}'")
    drawing = draw(planned(text), form)  # type: ignore[arg-type]
    if form == "svg":
        ElementTree.fromstring(drawing)
        assert "<script" not in drawing
    elif form == "mermaid":
        assert "<script" not in drawing and '"]-->' not in drawing


@pytest.mark.parametrize("form", ["mermaid", "svg", "text"])
def test_a_thousand_phases_are_drawn_without_trouble(form: str) -> None:
    phases = "".join(
        f"  - {{id: p{i}, description: d, depends_on: [{f'p{i - 1}, p{i // 3}' if i > 1 else 'p0' if i else ''}]}}\n"
        for i in range(1000)
    )
    drawing = draw(planned(f"name: many\nschema_version: 2\nphases:\n{phases}"), form)  # type: ignore[arg-type]
    assert len(drawing) < 5_000_000
    if form == "text":
        assert "--format svg draws all of them" in drawing
