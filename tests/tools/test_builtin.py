"""What is particular to each tool that comes with Loom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loom.tools.registry import Permissions, ToolContext
from tests.tools.calls import call
from tests.tools.site import Site


def test_read_file_gives_the_lines_that_were_asked_for(ctx: ToolContext, workspace: Path) -> None:
    (workspace / "f").write_text("one\ntwo\nthree")
    whole = call("read_file", {"path": "f"}, ctx)
    assert whole.output == "one\ntwo\nthree" and whole.data is not None
    assert (whole.data["start_line"], whole.data["end_line"], whole.data["total_lines"]) == (1, 3, 3)
    part = call("read_file", {"path": "f", "start_line": 2, "end_line": 2}, ctx)
    assert part.output == "two\n" and part.data is not None and part.data["total_lines"] is None
    for args in ({"start_line": 9}, {"start_line": 3, "end_line": 2}):
        assert not call("read_file", {"path": "f", **args}, ctx).success


@pytest.mark.parametrize(
    ("content", "lines"), [(b"", 0), (b"\n", 1), (b"x", 1), (b"x\n", 1), (b"x\ny", 2), (b"\n\n", 2)]
)
def test_read_file_counts_lines_as_people_do(
    ctx: ToolContext, workspace: Path, content: bytes, lines: int
) -> None:
    (workspace / "f").write_bytes(content)
    result = call("read_file", {"path": "f"}, ctx)
    assert (
        result.data is not None and result.data["total_lines"] == lines and result.output == content.decode()
    )


def test_read_file_cuts_at_a_megabyte_and_reads_on_from_a_line(ctx: ToolContext, workspace: Path) -> None:
    (workspace / "f").write_text("x" * 99 + "\n" + ("y" * 99 + "\n") * 20_000 + "last\n")
    result = call("read_file", {"path": "f"}, ctx)
    assert result.truncated and result.data is not None and result.data["bytes"] == 1024 * 1024
    assert call("read_file", {"path": "f", "start_line": 20_002}, ctx).output == "last\n"


@pytest.mark.parametrize(
    ("name", "why"), [("binary", "not text"), ("folder", "is a folder"), ("absent", "no such file")]
)
def test_read_file_says_what_it_cannot_read(ctx: ToolContext, workspace: Path, name: str, why: str) -> None:
    (workspace / "binary").write_bytes(b"a\0b")
    (workspace / "folder").mkdir()
    assert why in (call("read_file", {"path": name}, ctx).error or "")


def test_reading_a_pipe_does_not_wait_for_a_writer(ctx: ToolContext, workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    assert call("read_file", {"path": "pipe"}, ctx).error_kind == "safety"


def test_write_file_replaces_extends_and_creates(ctx: ToolContext, workspace: Path) -> None:
    assert call("write_file", {"path": "a/f", "content": "é"}, ctx).data == {
        "path": "a/f",
        "bytes": 2,
        "changed": True,
    }
    call("write_file", {"path": "a/f", "content": "!", "mode": "append"}, ctx)
    assert (workspace / "a/f").read_text() == "é!"
    assert "exists" in (call("write_file", {"path": "a/f", "content": "", "mode": "create"}, ctx).error or "")
    assert "folder" in (call("write_file", {"path": "a", "content": ""}, ctx).error or "")
    assert call("write_file", {"path": "a/f/g", "content": ""}, ctx).error_kind == "safety"


def test_document_write_refuses_other_files_and_titles_where_they_change_nothing(ctx: ToolContext) -> None:
    sections = [{"heading": "A", "body": "x"}]
    assert "does not end in" in (
        call("document_write", {"path": "a.py", "sections": sections}, ctx).error or ""
    )
    update = {"path": "a.md", "sections": sections, "mode": "update", "title": "T"}
    assert "title" in (call("document_write", update, ctx).error or "")


def test_spreadsheet_reads_a_window_and_says_that_there_is_more(ctx: ToolContext, workspace: Path) -> None:
    (workspace / "t.tsv").write_text("a\tb\n" + "".join(f"{n}\tx\n" for n in range(10)))
    result = call("spreadsheet", {"operation": "read", "path": "t.tsv", "offset": 3, "limit": 2}, ctx)
    assert result.data is not None and result.data["rows"] == [["3", "x"], ["4", "x"]]
    assert result.truncated and result.data["n_rows"] == 10


def test_spreadsheet_keeps_what_stands_in_a_file_to_the_byte_when_rows_are_added(
    ctx: ToolContext, workspace: Path
) -> None:
    (workspace / "t.csv").write_bytes(b'a,"b"\r\n"1",2')
    call("spreadsheet", {"operation": "append", "path": "t.csv", "rows": [{"b": "x,y"}]}, ctx)
    assert (workspace / "t.csv").read_bytes() == b'a,"b"\r\n"1",2\n,"x,y"\n'


@pytest.mark.parametrize(
    "args",
    [
        {"operation": "create", "path": "t.xlsx", "columns": ["a"]},
        {"operation": "create", "path": "t.csv"},
        {"operation": "create", "path": "t.csv", "columns": ["a", "a"]},
        {"operation": "append", "path": "bad.csv", "rows": [["x"]]},
        {"operation": "read", "path": "bad.csv"},
    ],
)
def test_spreadsheet_says_what_does_not_fit(ctx: ToolContext, workspace: Path, args: dict[str, Any]) -> None:
    (workspace / "bad.csv").write_text("a,b\n1\n")
    result = call("spreadsheet", args, ctx)
    assert result.error_kind == "tool" and str(args["path"]) in (result.error or "")
    assert sorted(each.name for each in workspace.iterdir()) == ["bad.csv"]


def test_calculator_gives_a_number_and_its_exact_text() -> None:
    assert call("calculator", {"expression": "2 ** 70"}).data == {
        "value": 2.0**70,
        "text": "1180591620717411303424",
    }
    assert call("calculator", {"expression": "1 < 2"}).data == {"value": True, "text": "true"}
    assert call("calculator", {"expression": "10 ** 400"}).data == {"value": None, "text": "1E+400"}
    failed = call("calculator", {"expression": "price * 2"})
    assert "price is not given" in (failed.error or "")


def test_search_files_looks_at_the_workspace_and_everything_attached(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/r.md").write_text("needle\n")
    (tmp_path / "one.md").write_text("needle\n")
    (workspace / "w.md").write_text("needle\n")
    ctx = ToolContext(workspace, [tmp_path / "root"], {"alias.md": tmp_path / "one.md"})
    result = call("search_files", {"pattern": "needle"}, ctx)
    assert result.output.splitlines() == ["alias.md:1: needle", "w.md:1: needle", "root/r.md:1: needle"]
    for match in (result.data or {})["matches"]:
        assert call("read_file", {"path": match["path"]}, ctx).output == "needle\n"
    assert "does not exist" in (call("search_files", {"path": "gone"}, ctx).error or "")
    assert call("search_files", {"pattern": "("}, ctx).error_kind == "contract"


def test_shell_execute_tells_failures_apart(ctx: ToolContext) -> None:
    failed = call("shell_execute", {"command": "echo why >&2; exit 4"}, ctx)
    assert failed.error == "exit code 4" and "why" in failed.output and failed.error_kind == "tool"
    late = call("shell_execute", {"command": ["sleep", "60"], "timeout_seconds": 0.05}, ctx)
    assert late.error_kind == "timeout" and (late.error or "").startswith("stopped after 0.")
    absent = call("shell_execute", {"command": ["surely-not-installed", "x"]}, ctx)
    assert "cannot be started" in (absent.error or "")
    assert "not a folder" in (call("shell_execute", {"command": "true", "cwd": "gone"}, ctx).error or "")
    assert call("shell_execute", {"command": ["a\0b"]}, ctx).error_kind == "contract"


def test_shell_execute_runs_words_as_they_are_and_a_line_through_a_shell(
    ctx: ToolContext, workspace: Path
) -> None:
    (workspace / "sub").mkdir()
    words = call("shell_execute", {"command": ["echo", "$HOME; ls"]}, ctx)
    assert words.output == "$HOME; ls" and words.data is not None
    assert words.data["command"] == "echo '$HOME; ls'" and words.data["exit_code"] == 0
    assert call("shell_execute", {"command": "pwd | tail -c 4", "cwd": "sub"}, ctx).output == "sub"


def test_web_fetch_gives_readable_text_and_where_it_comes_from(ctx: ToolContext, site: Site) -> None:
    result = call("web_fetch", {"url": site.url("/once")}, ctx)
    assert result.output.splitlines() == ["# Looms", "A loom holds the warp & the weft.", "form"]
    assert result.data is not None
    assert result.data["url"] == site.url("/article") and result.data["redirects"] == [site.url("/once")]
    assert result.data["title"] == "On looms" and result.data["published_at"] == "2024-03-12"
    assert result.data["links"] == [{"url": site.url("/form"), "text": "form"}]
    assert '"items"' in call("web_fetch", {"url": site.url("/data.json")}, ctx).output


@pytest.mark.parametrize(
    ("path", "kind", "retryable", "why"),
    [
        ("/missing", "io", False, "answered 404"),
        ("/broken", "io", True, "answered 503"),
        ("/picture", "tool", False, "image/png is not text"),
        ("/circle", "io", True, "redirects"),
    ],
)
def test_web_fetch_says_why_there_is_nothing_to_read(
    ctx: ToolContext, site: Site, path: str, kind: str, retryable: bool, why: str
) -> None:
    result = call("web_fetch", {"url": site.url(path)}, ctx)
    assert (result.error_kind, result.retryable) == (kind, retryable) and why in (result.error or "")


def test_web_fetch_ends_at_its_own_deadline(ctx: ToolContext, site: Site) -> None:
    result = call("web_fetch", {"url": site.url("/never"), "timeout_seconds": 0.05}, ctx)
    assert result.error_kind == "timeout"


def test_web_search_is_honest_about_having_no_provider_and_uses_one_it_is_given() -> None:
    alone = call("web_search", {"query": "looms"})
    assert not alone.success and "no web search provider is configured" in (alone.error or "")
    assert alone.data == {"results": [], "provider": None} and not alone.retryable

    async def provider(query: str, limit: int) -> list[Mapping[str, Any]]:
        return [{"title": query, "url": "https://example.org/", "snippet": str(limit), "internal": "x"}]

    found = call("web_search", {"query": "looms"}, ToolContext(services={"web_search": provider}))
    assert found.data == {"results": [{"title": "looms", "url": "https://example.org/", "snippet": "10"}]}


def test_fact_checker_counts_and_cites(ctx: ToolContext) -> None:
    claims = [
        {"id": "c1", "type": "numeric", "value": "12%", "subject": "Acme", "attribute": "growth"},
        {"id": "c2", "type": "numeric", "value": "20%", "subject": "Acme", "attribute": "growth"},
        {"id": "c3", "type": "date", "value": "2020", "subject": "Acme", "attribute": "founded"},
    ]
    evidence = [
        {"evidence_id": "e1", "text": "Acme Ltd saw growth of 12.2%.", "source_url": "https://example.org/"}
    ]
    result = call("fact_checker", {"claims": claims, "evidence": evidence}, ctx)
    assert result.data is not None
    assert [each["verdict"] for each in result.data["findings"]] == [
        "supported",
        "contradicted",
        "insufficient_evidence",
    ]
    assert (result.data["supported"], result.data["contradicted"]) == (1, 1)
    assert result.output.splitlines()[0] == "c1: supported — a record says so [e1]"


def test_fact_checker_refuses_more_evidence_than_it_can_read(ctx: ToolContext) -> None:
    evidence = [{"evidence_id": str(n), "text": "x" * 600_000} for n in range(2)]
    claims = [{"id": "c", "type": "numeric", "value": 1}]
    assert call("fact_checker", {"claims": claims, "evidence": evidence}, ctx).error_kind == "contract"


def test_verification_helper_tells_a_failed_product_from_a_check_that_could_not_be_made(
    ctx: ToolContext,
) -> None:
    result = call("verification_helper", {"helper": "run_test_suite"}, ctx)
    assert not result.success and result.data is not None
    assert (result.data["outcome"], result.data["passed"]) == ("unavailable", False)
    assert "could not be checked" in (result.error or "")
    assert result.data["started_at"] <= result.data["finished_at"]


def test_a_closed_network_is_closed_for_helpers_too(ctx: ToolContext, site: Site) -> None:
    closed = replace(ctx, permissions=Permissions(network=("example.org",), processes=False))
    args = {"helper": "http_assert", "target": site.url("/")}
    assert call("verification_helper", args, closed).error_kind == "safety" and site.asked == []
