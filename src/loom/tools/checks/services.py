"""Checks of what answers over HTTP: a folder that is served, an address, a list of addresses."""

from __future__ import annotations

import asyncio
import shlex
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from loom.sandbox.policy import Level
from loom.tools.checks.commands import check_allowed, words_of
from loom.tools.checks.expectations import unmet
from loom.tools.checks.folder_server import serving
from loom.tools.checks.outcome import Outcome, judged
from loom.tools.context import NotPermittedError, Permissions, ToolContext
from loom.tools.programs import Ended, has_network, level_for, running
from loom.tools.threads import Stop, in_thread
from loom.tools.web import FetchError, Request, fetch

START_PREFIXES = (
    *(
        "npm start",
        "npm run",
        "pnpm start",
        "pnpm run",
        "bun run",
        "node",
        "uv run",
        "python -m",
        "python3 -m",
    ),
    *("flask run", "uvicorn", "gunicorn", "go run", "cargo run", "make"),
)
START_SECONDS = 20.0
_POLL_SECONDS = 0.05
_HERE = ("127.0.0.1", "localhost", "::1")


def check_permissions(ctx: ToolContext, own: bool = False) -> Permissions:
    """What a check may reach. A run whose programs may reach this machine may do so itself; and what the check
    itself serves may be looked at in any case."""
    allowed = ctx.permissions
    if not own and not (allowed.processes and has_network(ctx)):
        return allowed
    addresses = "loopback" if allowed.addresses == "public" else allowed.addresses
    return replace(allowed, addresses=addresses, network=(*allowed.network, *_HERE))


async def serve_static(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Serve a folder and look at what it answers; `/` when no probes are given."""
    folder = ctx.resolve_read(args.get("target") or ".")
    if not folder.is_dir():
        return Outcome("failed", f"{args.get('target')} is not a folder")
    probes = args.get("probes") or [{"url": "/", "expect": args.get("expect", {})}]
    own = Permissions(network=("127.0.0.1",), addresses="loopback")

    def look(stop: Stop) -> Outcome:
        with serving(folder) as address:
            mine = [{**probe, "url": _path(probe.get("url", "/"))} for probe in probes]
            return _probe(address, mine, own, stop, shown="")

    outcome = await in_thread(look)
    return replace(outcome, data={**outcome.data, "served": ctx.logical(folder)})


async def http_assert(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Fetch one address and hold it against what is expected."""
    if not args.get("target"):
        return Outcome("unavailable", "http_assert needs a target: the address to fetch")
    probe = {"url": args["target"], "expect": args.get("expect", {})}
    return await _with_service(args, ctx, args["target"], [probe])


async def probe_suite(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Fetch several addresses of one service, started for the purpose if a command is given."""
    if not args.get("probes"):
        return Outcome("unavailable", "probe_suite needs probes")
    return await _with_service(
        args, ctx, args.get("target") or args["probes"][0].get("url", ""), args["probes"]
    )


async def _with_service(
    args: Mapping[str, Any], ctx: ToolContext, address: str, probes: Sequence[Mapping[str, Any]]
) -> Outcome:
    permissions = check_permissions(ctx)
    async with started(args, ctx, address) as service:
        if service.missing:
            return Outcome("failed", service.missing, data={"probes": []}, sandbox=service.sandbox)
        outcome = await in_thread(lambda stop: _probe(address, probes, permissions, stop))
        return replace(outcome, sandbox=service.sandbox)


@dataclass(frozen=True, slots=True)
class Service:
    """What a check looks at: why it does not answer, if so, and how closed in its program is."""

    missing: str = ""
    sandbox: Level | None = None


@asynccontextmanager
async def started(args: Mapping[str, Any], ctx: ToolContext, address: str) -> AsyncIterator[Service]:
    """A service that runs while the block does, if a command starts one."""
    argv = words_of(args.get("start"))
    if not argv:
        yield Service()
        return
    check_allowed(argv, START_PREFIXES)
    parts = urlsplit(address)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    if host not in _HERE:
        raise NotPermittedError(f"a service is started on this machine; {host} is another")
    if not has_network(ctx):
        raise NotPermittedError('a service needs the network: permissions.network without `"*"` gives none')
    if await asyncio.to_thread(_listens, host, port):
        yield Service(f"something else listens on port {port} already")
        return
    async with running(argv, ctx.resolve("."), ctx) as program:
        deadline = time.monotonic() + START_SECONDS
        while not await asyncio.to_thread(_listens, host, port):
            if program.done():
                ended = program.result()
                yield Service(f"{shlex.join(argv)} ended: {_last_words(ended)}", ended.sandbox)
                return
            if time.monotonic() > deadline:
                why = f"{shlex.join(argv)} does not listen on port {port} after {START_SECONDS:g} s"
                yield Service(why, level_for(ctx))
                return
            await asyncio.wait({program}, timeout=_POLL_SECONDS)
        yield Service(sandbox=level_for(ctx))


def _last_words(ended: Ended) -> str:
    return f"{ended.why}: {ended.stderr.strip()[-500:]}"


def _listens(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), 0.5):
        return True
    return False


def _probe(
    address: str,
    probes: Sequence[Mapping[str, Any]],
    permissions: Permissions,
    stop: Stop,
    shown: str | None = None,
) -> Outcome:
    """Fetch each address and judge it. What is served on a port of the moment is shown without it."""
    wrong: list[str] = []
    told = []
    for probe in probes:
        url = urljoin(address, probe.get("url", ""))
        expect = probe.get("expect", {})
        request = Request(url, seconds=expect.get("max_seconds", 10.0) + 5.0, redirects=_redirects(expect))
        name = url if shown is None else url.replace(address, shown, 1)
        status: int | None = None
        try:
            answer = fetch(request, permissions, stop)
        except FetchError as error:
            found = [f"{name}: {error}"]
        else:
            found, status = unmet(name, answer, expect), answer.status
        wrong += found
        called = probe.get("name") or urlsplit(url).path or "/"
        told.append({"name": called, "url": name, "status": status, "passed": not found, "failures": found})
    return judged(wrong, f"{len(told)} of {len(told)} probes passed", {"probes": told})


def _redirects(expect: Mapping[str, Any]) -> int:
    """Whoever expects a redirect wants to see it, not to follow it."""
    return 0 if 300 <= expect.get("status", 200) < 400 else 5


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
