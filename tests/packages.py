"""Small packages that really run, written where a test wants them."""

from __future__ import annotations

import textwrap
from pathlib import Path

HEAD = """
name: {name}
schema_version: 2
version: "1.0.0"
description: A package of the tests.
risk_level: low
verb:
  command: {name}
  {flow}
  tier: {tier}
  inputs: {inputs}
  verdict: {{from: phases.{last}.data.verdict, values: [OK, FAIL], ok: [OK]}}
  summary: {{from: phases.{last}.data, schema: {{type: object, required: [said]}}}}
phase_mode: strict
phases:
"""

TOOLS = '''
"""Tools of the tests: each says what it was given, and leaves a mark that it ran."""

import os
import time
from pathlib import Path

from loom.tools.registry import Tool, ToolResult


class Say(Tool):
    name = "say"
    description = "Say a word; leave a mark, write a file, fail or hang if asked to."
    parameters = {
        "type": "object",
        "properties": {
            "word": {},
            "file": {"type": "string"},
            "fail": {},
            "mark": {"type": "string"},
            "until": {"type": "string"},
            "needs": {"type": "string"},
            "verdict": {"type": "string"},
        },
        "additionalProperties": False,
    }
    effects = frozenset({"reads", "writes"})
    mutation_target_arg_keys = ("file",)

    async def execute(self, args, ctx):
        word = args.get("word")
        if args.get("mark"):
            with open(args["mark"], "a") as file:
                file.write(f"{ctx.subtask_id} {word}\\n")
        while args.get("until") and not Path(args["until"]).exists():
            time.sleep(0.02)
        fail = args.get("fail") or (args.get("needs") and not Path(args["needs"]).exists())
        if fail in ("io", "timeout"):
            return ToolResult.fail("it did not work this time", kind=fail)
        if fail:
            return ToolResult.fail("it cannot work")
        changed = []
        if args.get("file"):
            path = ctx.resolve(args["file"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{word}\\n")
            changed = [ctx.relative(path)]
        data = {"said": word, "verdict": args.get("verdict", "OK")}
        return ToolResult.ok(f"said {word}", data, files_changed=changed)
'''


def write_package(
    folder: Path,
    phases: str,
    *,
    name: str = "probe",
    last: str,
    inputs: str = "{word: {type: text, default: hello}}",
    tier: str = "workspace-write",
    flow: str | None = "ProbeFlow",
    tools: str = TOOLS,
) -> Path:
    """Write a package whose phases use the tool `say`; answers with its folder."""
    package = folder / name
    (package / "tools").mkdir(parents=True)
    head = HEAD.format(name=name, last=last, inputs=inputs, tier=tier, flow=f"flow: {flow}" if flow else "")
    text = head + textwrap.indent(textwrap.dedent(phases).strip("\n"), "  ") + "\n"
    (package / "process.yaml").write_text(text.lstrip(), encoding="utf-8")
    (package / "tools" / "say.py").write_text(tools.lstrip(), encoding="utf-8")
    return package


ONE = "- {id: only, description: Say it., run: {tool: say, args: {word: '${inputs.word}'}}}"

DIAMOND = """
- {id: first, description: Begin., run: {tool: say, args: {word: '${inputs.word}', mark: '${inputs.mark}'}}}
- id: left
  description: One way.
  depends_on: [first]
  run: {tool: say, args: {word: 'left of ${phases.first.data.said}', file: left.txt, mark: '${inputs.mark}'}}
  deliverables: [left.txt]
- id: right
  description: The other way.
  depends_on: [first]
  run: {tool: say, args: {word: 'right of ${phases.first.data.said}', file: right.txt, mark: '${inputs.mark}'}}
  deliverables: [right.txt]
- id: last
  description: Both.
  depends_on: [left, right]
  run: {tool: say, args: {word: ['${phases.left.data.said}', '${phases.right.data.said}'], mark: '${inputs.mark}'}}
"""
WITH_MARK = "{word: {type: text, default: hello}, mark: {type: text, required: true}}"
