"""Walks through pages step by step, and looks at what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from loom.tools.checks.browser import Browser, BrowserError, MissingEngineError
from loom.tools.checks.folder_server import serving
from loom.tools.checks.outcome import Outcome, judged
from loom.tools.checks.real_browser import is_installed, real_browser
from loom.tools.checks.services import check_permissions, started
from loom.tools.checks.static_browser import StaticBrowser
from loom.tools.context import Permissions, ToolContext
from loom.tools.files import write_bytes
from loom.tools.schema import text, whole
from loom.tools.selectors import SelectorError
from loom.tools.threads import Stop, in_thread

MAX_SHOWN_REQUESTS = 200
_NEEDS = {
    "goto": "url",
    "click": "selector",
    "fill": "selector",
    "assert_text": "value",
    "assert_no_text": "value",
    "assert_selector": "selector",
    "assert_title": "value",
    "assert_url": "value",
    "assert_status": "status",
}
"""What a step can do or look at, and the word it cannot do without."""
STEP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "action": text("What to do or to look at.", enum=list(_NEEDS)),
        "url": text("For goto; relative to the page.", maxLength=8_000),
        "selector": text("Which element; the first one that matches.", maxLength=500),
        "value": text(
            "What to fill in, or the text, title or part of the address to look for.", maxLength=10_000
        ),
        "count": whole("For assert_selector: exactly so many.", minimum=0),
        "status": whole("For assert_status.", minimum=100, maximum=599),
    },
    "required": ["action"],
    "additionalProperties": False,
}


async def browser_assert(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Load one page as it is sent, and look at it."""
    return await _session({**args, "engine": "static"}, ctx)


async def browser_session(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Walk through pages in a real browser, or without scripts where there is none."""
    return await _session(args, ctx)


async def _session(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    steps = args.get("steps", [])
    for number, step in enumerate(steps, 1):
        if _NEEDS[step["action"]] not in step:
            return Outcome(
                "unavailable", f"step {number}, {step['action']}, needs `{_NEEDS[step['action']]}`"
            )
    target = args.get("target") or "."
    async with started(args, ctx, target) as service:
        if service.missing:
            return Outcome("failed", service.missing, sandbox=service.sandbox)
        try:
            outcome = await in_thread(lambda stop: _walk(target, steps, args, ctx, stop))
        except MissingEngineError as error:
            return Outcome("unavailable", str(error), sandbox=service.sandbox)
        # a real browser has a sandbox of its own, but is not in ours
        is_real = outcome.data["engine"] != StaticBrowser.engine
        return replace(outcome, sandbox="none" if is_real else service.sandbox)


def _walk(
    target: str, steps: Sequence[Mapping[str, Any]], args: Mapping[str, Any], ctx: ToolContext, stop: Stop
) -> Outcome:
    with ExitStack() as stack:
        address = stack.enter_context(_address(target, ctx))
        permissions = check_permissions(ctx, own=address != target)
        browser = stack.enter_context(_engine(args.get("engine", "auto"), ctx, permissions, stop))
        wrong: list[str] = []
        status = 0
        try:
            status = browser.goto(address)
            if not any(step["action"] == "assert_status" for step in steps[:1]) and status >= 400:
                wrong.append(f"{target} answered {status}")
            for number, step in enumerate(steps, 1):
                stop.check()
                status, why = _step(browser, step, status)
                if why:
                    wrong.append(f"step {number}, {step['action']}: {why}")
        except (BrowserError, SelectorError) as error:
            wrong.append(str(error))
        if not steps and not wrong and not (browser.text.strip() or browser.title.strip()):
            wrong.append(f"{target} shows nothing")
        changed = _screenshot(browser, args.get("screenshot_path"), ctx)
        data = {
            "engine": browser.engine,
            "url": _shown(browser.url, address, target),
            "title": browser.title,
            "status": status or None,
            "requests": [
                {**each, "url": _shown(str(each["url"]), address, target)}
                for each in browser.requests[:MAX_SHOWN_REQUESTS]
            ],
            "problems": browser.problems[:50],
            "screenshot": changed[0] if changed else None,
        }
        outcome = judged(wrong, f"{len(steps)} steps passed ({browser.engine})", data, browser.text[:4000])
        return replace(outcome, files_changed=changed)


def _step(browser: Browser, step: Mapping[str, Any], status: int) -> tuple[int, str]:
    """Do one step; the status of the page, and what is wrong, if anything is."""
    selector, value = step.get("selector", ""), step.get("value", "")
    match step["action"]:
        case "goto":
            return browser.goto(step["url"]), ""
        case "click":
            browser.click(selector)
            return _latest(browser, status), ""
        case "fill":
            browser.fill(selector, value)
            return status, ""
        case "assert_selector":
            found = browser.count(selector)
            wanted = step.get("count")
            right = found > 0 if wanted is None else found == wanted
            return status, "" if right else f"{selector} is there {found} times"
        case "assert_status":
            return status, "" if status == step["status"] else f"it is {status}, not {step['status']}"
        case "assert_title":
            return status, "" if value in browser.title else f"it is {browser.title!r}"
        case "assert_url":
            return status, "" if value in browser.url else f"it is {browser.url}"
    there = " ".join(value.split()) in " ".join(browser.text.split())
    wanted_there = step["action"] == "assert_text"
    return (
        status,
        "" if there == wanted_there else f"{value!r} is {'not ' if wanted_there else ''}on the page",
    )


def _shown(url: str, address: str, target: str) -> str:
    """An address; of what is served only for the check, the path, since its port means nothing."""
    if address == target:
        return url
    return url.removeprefix(address.rpartition("/")[0])


def _latest(browser: Browser, before: int) -> int:
    latest = browser.requests[-1]["status"] if browser.requests else None
    return latest if isinstance(latest, int) else before


@contextmanager
def _address(target: str, ctx: ToolContext) -> Iterator[str]:
    """The address of a target; a file or folder is served for as long as it is looked at."""
    if target.startswith(("http://", "https://")):
        yield target
        return
    path = ctx.resolve_read(target)
    folder, page = (path, "") if path.is_dir() else (path.parent, path.name)
    with serving(folder) as address:
        yield f"{address}/{page}"


@contextmanager
def _engine(wanted: str, ctx: ToolContext, permissions: Permissions, stop: Stop) -> Iterator[Browser]:
    """The browser that was asked for, or the best there is. A real one is a program, so it has to be allowed."""
    refused = ""
    if not ctx.permissions.processes:
        refused = "this run may not start programs, and a browser is one"
    elif ctx.permissions.sandbox != "none":
        refused = f"a browser runs beside the sandbox, and this run asks for {ctx.permissions.sandbox}"
    if wanted == "playwright" and refused:
        raise MissingEngineError(refused)
    if wanted == "playwright" or (wanted == "auto" and not refused and is_installed()):
        try:
            with real_browser(permissions) as browser:
                yield browser
                return
        except MissingEngineError:
            if wanted == "playwright":
                raise
    yield StaticBrowser(permissions, stop)


def _screenshot(browser: Browser, where: str | None, ctx: ToolContext) -> list[str]:
    drawn = browser.screenshot() if where else None
    if not where or drawn is None:
        return []
    path = ctx.resolve(where)
    return [ctx.relative(path)] if write_bytes(path, drawn) else []
