"""Write a Markdown document by its sections."""

from __future__ import annotations

from typing import Any

from loom.tools.context import ToolContext
from loom.tools.files import MAX_READ, read_bytes, write_bytes
from loom.tools.results import ToolResult
from loom.tools.schema import many, takes, text, whole
from loom.tools.sections import Section, headings, update_document, write_document
from loom.tools.tool import Effect, Tool

_SUFFIXES = (".md", ".markdown", ".txt")
_SECTION = {
    "type": "object",
    "properties": {
        "heading": text(
            "The heading, without `#`.", minLength=1, maxLength=300, pattern=r"^[^\n\r]*\S[^\n\r]*$"
        ),
        "body": text("What stands below it, in Markdown."),
        "level": whole("Depth of the heading; 2 when left out.", minimum=1, maximum=6),
    },
    "required": ["heading", "body"],
    "additionalProperties": False,
}


class DocumentWrite(Tool):
    """Writes a whole document, or some of its sections, and leaves the others as they are."""

    name = "document_write"
    description = (
        "Write a Markdown document from a title and sections. mode `replace` (the default) writes the whole "
        "document; mode `update` puts each section in the place of the one with the same heading, subsections "
        "included, or adds it at the end, and leaves the rest untouched."
    )
    parameters = takes(
        {
            "path": text("Path in the workspace, ending in .md, .markdown or .txt."),
            "title": text("The title of the document; for mode `replace`.", maxLength=300),
            "sections": many(_SECTION, "The sections, in order.", minItems=1, maxItems=200),
            "mode": text("Whether to write all of it or some sections.", enum=["replace", "update"]),
        },
        required=("path", "sections"),
    )
    is_mutating = True
    mutation_target_arg_keys = ("path",)
    effects: frozenset[Effect] = frozenset({"reads", "writes"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The headings of the document as it is now."""
        path = ctx.resolve(args["path"])
        shown = ctx.relative(path)
        if path.suffix.lower() not in _SUFFIXES:
            return ToolResult.fail(f"{shown} does not end in {', '.join(_SUFFIXES)}", kind="contract")
        sections = [
            Section(each["heading"].strip(), each["body"], each.get("level", 2)) for each in args["sections"]
        ]
        if args.get("mode") == "update":
            if args.get("title"):
                return ToolResult.fail("mode `update` leaves the title as it is", kind="contract")
            before, more = read_bytes(path, MAX_READ) if path.is_file() else (b"", False)
            if more:
                return ToolResult.fail(f"{shown} is too large to update section by section")
            document = update_document(before.decode("utf-8", "surrogateescape"), sections)
        else:
            document = write_document(args.get("title", ""), sections)
        content = document.encode("utf-8", "surrogateescape")
        try:
            changed = write_bytes(path, content)
        except IsADirectoryError:
            return ToolResult.fail(f"{shown} is a folder")
        found = [words for _, _, words in headings(document)]
        data = {"path": shown, "headings": found, "words": len(document.split()), "changed": changed}
        said = f"wrote {len(found)} headings, {data['words']} words to {shown}"
        return ToolResult.ok(said, data=data, files_changed=[shown] if changed else [])
