"""Judge the completeness of a table and write the findings down."""

from __future__ import annotations

from typing import Any

from loom.tools.registry import Tool, ToolContext, ToolResult


class Verdict(Tool):
    """Compares each column's share of empty cells with a limit."""

    @property
    def name(self) -> str:
        return "{{tool}}_verdict"

    @property
    def description(self) -> str:
        return "Compare the share of empty cells of each column with a limit, and write a table of findings."

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "profile": {
                    "type": "object",
                    "description": "Rows, and the share of empty cells per column.",
                },
                "max_missing": {"type": "number", "description": "Largest share that is accepted, 0 to 1."},
                "output_path": {"type": "string", "description": "File to write, inside the workspace."},
            },
            "required": ["profile", "max_missing", "output_path"],
        }

    @property
    def is_mutating(self) -> bool:
        return True  # it writes, so the policy on paths and sealed files is applied before it runs

    @property
    def mutation_target_arg_keys(self) -> tuple[str, ...]:
        return ("output_path",)  # where that policy finds what it is about to write

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        try:
            rows, missing = int(args["profile"]["rows"]), dict(args["profile"]["missing"])
            limit, target = float(args["max_missing"]), str(args["output_path"])
        except (KeyError, TypeError, ValueError) as error:
            return ToolResult.fail(f"the arguments do not fit: {error}")
        incomplete = [column for column, share in missing.items() if share > limit]
        verdict = "FAIL" if incomplete else "PASS"
        lines = [f"# {verdict}", "", f"{rows} rows; at most {limit:.1%} of a column may be empty.", ""]
        lines += [
            "| column | empty |",
            "|---|---|",
            *(f"| {name} | {share:.1%} |" for name, share in missing.items()),
        ]
        try:
            # writes stay inside the workspace: this resolver refuses anything else
            path = self._resolve_path(target, ctx.workspace)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except (OSError, ValueError) as error:
            return ToolResult.fail(f"{target} cannot be written: {error}")
        data = {"verdict": verdict, "rows": rows, "incomplete": incomplete}
        # files_changed is compared with what really changed
        return ToolResult.ok(
            f"{verdict}: {', '.join(incomplete) or 'every column is complete enough'}",
            data=data,
            files_changed=[target],
        )
