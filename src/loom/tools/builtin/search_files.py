"""Find files by name, and lines in them by a pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.results import ToolResult
from loom.tools.schema import flag, takes, text, whole
from loom.tools.search import Found, PatternError, Wanted, search
from loom.tools.threads import in_thread
from loom.tools.tool import Effect, Tool


class SearchFiles(Tool):
    """Searches the workspace and what was attached; the names it shows can be read as they are."""

    name = "search_files"
    description = (
        "Find files by a glob such as `*.py` or `docs/**/*.md`, in the workspace and in attached folders, and with "
        "`pattern` the lines that match a regular expression. Hidden files and caches are left out unless asked "
        "for. Large and binary files are not looked into."
    )
    parameters = takes(
        {
            "glob": text(
                "Which files; without `/` it is compared with the name alone.", minLength=1, maxLength=300
            ),
            "pattern": text("Regular expression to look for in each line.", minLength=1, maxLength=1_000),
            "path": text("Folder or file to look in, instead of everywhere."),
            "ignore_case": flag("Whether the pattern ignores case."),
            "hidden": flag("Whether to look at hidden files too."),
            "max_results": whole("Matches to show; 200 when left out.", minimum=1, maximum=1_000),
        },
    )
    effects: frozenset[Effect] = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The matches, and whether the search came to its end."""
        wanted = Wanted(
            glob=args.get("glob", "*"),
            content=args.get("pattern"),
            ignore_case=args.get("ignore_case", False),
            hidden=args.get("hidden", False),
            limit=args.get("max_results", 200),
        )
        roots = _roots(args.get("path"), ctx)
        missing = [shown for shown, path in roots if not path.exists()]
        if args.get("path") and missing:
            return ToolResult.fail(f"{args['path']} does not exist")
        try:
            found = await in_thread(lambda stop: search(roots, wanted, stop))
        except PatternError as error:
            return ToolResult.fail(str(error), kind="contract")
        return _told(found)


def _roots(where: str | None, ctx: ToolContext) -> list[tuple[str, Path]]:
    """The folders to look in, each with what stands before the names that are found in it."""
    if where:
        path = ctx.resolve_read(where)
        name = ctx.logical(path, where)
        return [("" if name == "." else name, path)]
    roots = [(alias, ctx.resolve_read(alias)) for alias in sorted(ctx.read_path_map)]
    if ctx.workspace is not None:
        roots.append(("", ctx.resolve(".")))
    return roots + [(ctx.logical(root.resolve()), root.resolve()) for root in ctx.read_roots]


def _told(found: Found) -> ToolResult:
    lines = [
        f"{match['path']}:{match['line']}: {match['text']}" if "line" in match else str(match["path"])
        for match in found.matches
    ]
    if found.stopped:
        lines.append(f"[the search ended at its limit: {found.stopped}]")
    data = {
        "matches": found.matches,
        "files_searched": found.files,
        "files_skipped": found.skipped,
        "complete": not found.stopped,
    }
    return ToolResult.ok("\n".join(lines) or "nothing found", data=data, truncated=bool(found.stopped))
