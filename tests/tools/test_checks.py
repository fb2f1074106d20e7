"""The checks behind verification_helper, each really carried out."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.process.lint.verification import HELPERS as DOCUMENTED
from loom.tools.builtin.verification_helper import HELPERS
from loom.tools.checks import commands, real_browser
from loom.tools.checks.folder_server import serving
from loom.tools.registry import Permissions, ToolContext, ToolResult
from loom.tools.web import Request, fetch
from tests.tools.calls import call
from tests.tools.site import Site


@pytest.fixture(autouse=True)
def _own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` is the one that runs the tests, whatever else is installed."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _check(ctx: ToolContext, helper: str, **args: Any) -> tuple[ToolResult, dict[str, Any]]:
    result = call("verification_helper", {"helper": helper, **args}, ctx)
    assert result.data is not None, result.error
    return result, result.data


def test_every_documented_helper_is_there() -> None:
    assert set(HELPERS) == set(DOCUMENTED)


class TestSuites:
    def test_a_suite_is_run_and_its_tests_are_counted(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "test_it.py").write_text(
            "import pytest\n\ndef test_good(): pass\n\ndef test_bad(): assert 0\n\n"
            "@pytest.mark.skip\ndef test_later(): pass\n"
        )
        result, data = _check(ctx, "run_test_suite", command="python -m pytest -q -p no:cacheprovider")
        assert not result.success and data["outcome"] == "failed" and data["exit_code"] == 1
        assert data["counts"] == {"failed": 1, "passed": 1, "skipped": 1}
        assert data["command"].endswith("-m pytest -q -p no:cacheprovider") and "test_bad" in result.output

    @needs_make
    @pytest.mark.parametrize(("recipe", "state"), [("true", "passed"), ("false", "failed")])
    def test_the_command_is_found_by_what_the_project_looks_like(
        self, ctx: ToolContext, workspace: Path, recipe: str, state: str
    ) -> None:
        (workspace / "Makefile").write_text(f"all test:\n\t@{recipe}\n")
        for helper in ("run_test_suite", "run_build_check"):
            _, data = _check(ctx, helper)
            assert data["outcome"] == state and data["argv"][0] == "make"

    def test_sources_are_compiled_without_leaving_bytecode(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "good.py").write_text("x = 1\n")
        result, _ = _check(ctx, "run_build_check")
        assert result.success and result.files_changed == []
        (workspace / "bad.py").write_text("def broken(:\n")
        result, data = _check(ctx, "run_build_check")
        assert data["outcome"] == "failed" and "bad.py" in result.output

    def test_files_that_a_suite_writes_are_listed(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "test_it.py").write_text("def test_it(): open('made.txt', 'w').close()\n")
        result, _ = _check(ctx, "run_test_suite", command="python -m pytest -q -p no:cacheprovider")
        assert result.success and "made.txt" in result.files_changed

    @pytest.mark.parametrize("command", ["rm -rf .", ["sh", "-c", "make test"], "pytest-evil", "makes test"])
    def test_only_commands_of_checks_are_run(self, ctx: ToolContext, command: Any) -> None:
        result = call("verification_helper", {"helper": "run_test_suite", "command": command}, ctx)
        assert result.error_kind == "safety" and "is not a command of checks" in (result.error or "")

    def test_a_suite_that_takes_too_long_has_failed(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "test_it.py").write_text("import time\n\ntime.sleep(60)\n")
        _, data = _check(ctx, "run_test_suite", command="python -m pytest -q", timeout_seconds=0.2)
        assert data["outcome"] == "failed" and data["timed_out"] and data["exit_code"] is None

    @pytest.mark.parametrize(
        ("files", "tests", "build"),
        [
            (["pyproject.toml"], "python -m pytest", "python -m compileall"),
            (["package.json"], "npm test", "npm run build"),
            (["Cargo.toml"], "cargo test", "cargo build"),
            (["go.mod"], "go test ./...", "go build ./..."),
            (["Makefile"], "make test", "make"),
            ([], "", ""),
        ],
    )
    def test_projects_and_their_usual_commands(
        self, workspace: Path, files: list[str], tests: str, build: str
    ) -> None:
        for name in files:
            (workspace / name).write_text("")
        assert " ".join(commands._suggested("tests", workspace, workspace)).startswith(tests)
        suggested = commands._suggested("build", workspace, workspace)
        assert " ".join(suggested).startswith(build)
        if suggested:
            commands.check_allowed(suggested, commands.BUILD_PREFIXES)


class TestServices:
    def test_a_served_folder_answers_with_its_files_only(self, tmp_path: Path) -> None:
        (tmp_path / "site/sub").mkdir(parents=True)
        (tmp_path / "site/index.html").write_text("top")
        (tmp_path / "site/sub/a b.txt").write_text("sub")
        (tmp_path / "secret.txt").write_text("secret")
        (tmp_path / "site/link.txt").symlink_to("../secret.txt")
        with serving(tmp_path / "site") as address:

            def get(path: str, method: str = "GET") -> tuple[int, str]:
                answer = fetch(Request(address + path, method), Permissions(addresses="loopback"))
                return answer.status, answer.text

            assert get("/") == (200, "top") and get("/sub/a%20b.txt?x=1") == (200, "sub")
            assert get("/", "HEAD") == (200, "")
            for path in (
                "/../secret.txt",
                "/%2e%2e/secret.txt",
                "/link.txt",
                "/sub",
                "/%00",
                "//etc/passwd",
                "/nothing",
            ):
                assert get(path)[0] == 404

    def test_serve_static_probes_a_folder(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "dist").mkdir()
        (workspace / "dist/index.html").write_text("<h1>Hello</h1>")
        result, data = _check(ctx, "serve_static", target="dist", expect={"contains": ["Hello"]})
        assert result.success and data["served"] == "dist"
        result, data = _check(ctx, "serve_static", target="dist", probes=[{"url": "/"}, {"url": "/gone"}])
        assert not result.success and data["failures"] == ["/gone answered 404, not 200"]
        assert [each["passed"] for each in data["probes"]] == [True, False]
        assert not call(
            "verification_helper", {"helper": "serve_static", "target": "dist/index.html"}, ctx
        ).success

    @pytest.mark.parametrize(
        ("path", "expect", "why"),
        [
            ("/article", {"contains": ["Looms"], "not_contains": ["error"], "matches": "warp.*weft"}, None),
            ("/article", {"headers": {"Content-Type": "text/html"}, "max_seconds": 30}, None),
            ("/missing", {"status": 404}, None),
            ("/once", {"status": 302}, None),
            ("/data.json", {"json": {"items[0].id": 7, "items[0].ok": True}}, None),
            ("/missing", {}, "answered 404, not 200"),
            ("/article", {"contains": ["absent"]}, "does not contain 'absent'"),
            ("/article", {"not_contains": ["Looms"]}, "contains 'Looms'"),
            ("/article", {"matches": "absent$"}, "nothing matches"),
            ("/article", {"matches": "("}, "cannot be read"),
            ("/article", {"headers": {"X-Absent": "1"}}, "sends X-Absent: None"),
            ("/article", {"json": {"a": 1}}, "does not answer in JSON"),
            ("/data.json", {"json": {"items[0].ok": 1}}, "items[0].ok = true, not 1"),
            ("/data.json", {"json": {"items[5].id": 1}}, "has no items[5].id"),
            ("/article", {"max_seconds": 1e-9}, "took"),
        ],
    )
    def test_http_assert_holds_an_answer_against_what_is_expected(
        self, ctx: ToolContext, site: Site, path: str, expect: dict[str, Any], why: str | None
    ) -> None:
        result, data = _check(ctx, "http_assert", target=site.url(path), expect=expect)
        assert result.success == (why is None)
        assert why is None or why in data["failures"][0]

    def test_a_service_is_started_probed_and_ended(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "hello.txt").write_text("hello")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}/"
        start = f"python -m http.server {port} --bind 127.0.0.1"
        probes = [
            {"url": "/hello.txt", "expect": {"contains": ["hello"]}},
            {"name": "gone", "url": "/x", "expect": {"status": 404}},
        ]
        result, data = _check(ctx, "probe_suite", target=address, start=start, probes=probes)
        assert result.success and [each["name"] for each in data["probes"]] == ["/hello.txt", "gone"]
        with socket.socket() as again:
            assert again.connect_ex(("127.0.0.1", port)) != 0

    def test_a_service_that_does_not_start_says_why(self, ctx: ToolContext, site: Site) -> None:
        result, _ = _check(
            ctx, "http_assert", target="http://127.0.0.1:1/", start="python -m surely_not_a_module"
        )
        assert "ended: exit code 1" in (result.error or "") and "surely_not_a_module" in (result.error or "")
        result, _ = _check(ctx, "http_assert", target=site.url("/"), start="python -m http.server")
        assert "something else listens" in (result.error or "")
        for args in (
            {"target": "http://example.org/", "start": "make serve"},
            {"target": site.url("/"), "start": "rm x"},
        ):
            refused = call("verification_helper", {"helper": "http_assert", **args}, ctx)
            assert refused.error_kind == "safety"

    def test_checks_without_an_address_could_not_be_made(self, ctx: ToolContext) -> None:
        for helper in ("http_assert", "probe_suite"):
            assert _check(ctx, helper)[1]["outcome"] == "unavailable"


class TestPages:
    def test_a_session_follows_links_fills_forms_and_keeps_cookies(
        self, ctx: ToolContext, site: Site
    ) -> None:
        steps = [
            {"action": "assert_title", "value": "On looms"},
            {"action": "click", "selector": "a[href='/form']"},
            {"action": "assert_url", "value": "/form"},
            {"action": "assert_selector", "selector": "form input", "count": 2},
            {"action": "fill", "selector": "input[name=q]", "value": "a b&c"},
            {"action": "click", "selector": "form > button"},
            {"action": "assert_status", "status": 200},
            {"action": "assert_text", "value": "q=a+b%26c&c=on&s=2&go=now"},
            {"action": "assert_text", "value": "seen=yes"},
            {"action": "assert_no_text", "value": "secret"},
        ]
        result, data = _check(ctx, "browser_session", engine="static", target=site.url("/once"), steps=steps)
        assert result.success, result.error
        assert data["engine"] == "static" and data["title"] == "Echo"
        assert [(each["method"], each["status"]) for each in data["requests"]] == [
            *(("GET", 302), ("GET", 200), ("GET", 200), ("POST", 200))
        ]

    @pytest.mark.parametrize(
        ("step", "why"),
        [
            ({"action": "assert_text", "value": "absent"}, "'absent' is not on the page"),
            ({"action": "assert_no_text", "value": "Looms"}, "'Looms' is on the page"),
            ({"action": "assert_selector", "selector": "h2"}, "h2 is there 0 times"),
            ({"action": "assert_selector", "selector": "p", "count": 2}, "p is there 1 times"),
            ({"action": "assert_title", "value": "Other"}, "it is 'On looms'"),
            ({"action": "assert_status", "status": 404}, "it is 200, not 404"),
            ({"action": "click", "selector": "h1"}, "neither a link nor a button"),
            ({"action": "click", "selector": "nothing"}, "nothing matches nothing"),
            ({"action": "fill", "selector": "h1", "value": "x"}, "is no field"),
            ({"action": "click", "selector": "a:hover"}, "not understood"),
            ({"action": "goto", "url": "/circle"}, "redirects"),
        ],
    )
    def test_a_step_that_fails_is_named(
        self, ctx: ToolContext, site: Site, step: dict[str, Any], why: str
    ) -> None:
        result, data = _check(ctx, "browser_assert", target=site.url("/article"), steps=[step])
        assert data["outcome"] == "failed" and why in (result.error or "")

    def test_without_steps_a_page_has_to_load_and_show_something(
        self, ctx: ToolContext, workspace: Path
    ) -> None:
        (workspace / "empty.html").write_text("<script>draw()</script>")
        (workspace / "full.html").write_text("<p>x</p>")
        assert _check(ctx, "browser_assert", target="full.html")[0].success
        assert "shows nothing" in (_check(ctx, "browser_assert", target="empty.html")[0].error or "")
        assert "404" in (_check(ctx, "browser_assert", target="gone.html")[0].error or "")

    def test_a_step_that_lacks_its_argument_could_not_be_made(self, ctx: ToolContext, site: Site) -> None:
        _, data = _check(ctx, "browser_session", target=site.url("/"), steps=[{"action": "click"}])
        assert data["outcome"] == "unavailable" and site.asked == []

    def test_a_real_browser_that_is_missing_is_said_to_be_and_auto_does_without(
        self, ctx: ToolContext, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(real_browser.importlib.util, "find_spec", lambda name: None)
        _, data = _check(ctx, "browser_session", target=site.url("/article"), engine="playwright")
        assert data["outcome"] == "unavailable" and "Playwright" in data["summary"]
        assert _check(ctx, "browser_session", target=site.url("/article"))[1]["engine"] == "static"


class TestReports:
    def test_a_report_puts_failures_first_and_never_calls_silence_a_pass(
        self, ctx: ToolContext, workspace: Path
    ) -> None:
        results = [
            {"helper": "run_test_suite", "passed": True, "summary": "3 passed | fine"},
            {"name": "says nothing"},
            {"name": "page", "outcome": "failed", "summary": "empty"},
        ]
        result, data = _check(ctx, "render_verification_report", results=results, output_path="out/checks.md")
        page = (workspace / "out/checks.md").read_text()
        assert (
            page in result.output + "\n"
            and data["verdict"] == "FAIL"
            and result.files_changed == ["out/checks.md"]
        )
        rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
        assert rows == [
            "| page | FAIL | empty |",
            "| run_test_suite | pass | 3 passed \\| fine |",
            "| says nothing | not checked |  |",
        ]
        assert _check(ctx, "render_verification_report", results=[])[1]["verdict"] == "NOT CHECKED"
        assert _check(ctx, "render_verification_report", results=results[:2])[1]["verdict"] == "PASS"
