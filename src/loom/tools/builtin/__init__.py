"""The tools that come with Loom, one per file."""

from __future__ import annotations

from loom.tools.builtin.calculator import Calculator
from loom.tools.builtin.document_write import DocumentWrite
from loom.tools.builtin.fact_checker import FactChecker
from loom.tools.builtin.read_file import ReadFile
from loom.tools.builtin.search_files import SearchFiles
from loom.tools.builtin.shell_execute import ShellExecute
from loom.tools.builtin.spreadsheet import Spreadsheet
from loom.tools.builtin.verification_helper import VerificationHelper
from loom.tools.builtin.web_fetch import WebFetch
from loom.tools.builtin.web_search import WebSearch
from loom.tools.builtin.write_file import WriteFile
from loom.tools.tool import Tool


def builtin_tools() -> tuple[Tool, ...]:
    """A fresh instance of every tool that comes with Loom."""
    return (
        Calculator(),
        DocumentWrite(),
        FactChecker(),
        ReadFile(),
        SearchFiles(),
        ShellExecute(),
        Spreadsheet(),
        VerificationHelper(),
        WebFetch(),
        WebSearch(),
        WriteFile(),
    )
