"""Sending a bundle: exactly what was shown, to where it was agreed, and a delivery that fails is an error."""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.run import carry_out
from loom.runtime.approval import NotApprovedError
from tests.packages import write_package
from tests.processes.sharing import Room, bytes_of, part, webhook

AT_ONCE = {"Retry-After": "0"}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    (tmp_path / "outbox").mkdir()
    return Room(tmp_path)


def agreed(room: Room) -> tuple[Room, dict[str, Any]]:
    """A bundle, and a room in which somebody agreed to it."""
    bundle = room.built()
    return replace(room, staged=bundle["digest"]), bundle


def test_a_destination_alone_sends_nothing(room: Room) -> None:
    with webhook() as hook:
        told = room.ended(room.built(), to=f"{hook.url}/in/canary-token")
        assert not hook.received
    assert (told["verdict"], told["sent"]) == ("BUILT", False)
    assert told["to"] == f"{hook.url}/…"
    assert told["next"] == []
    assert "canary-token" not in str(told)
    (reason,) = told["reasons"]
    assert f"--send --confirm {told['digest'].removeprefix('sha256:')[:16]}" in reason["what"]


def test_the_next_command_sends_exactly_this(room: Room) -> None:
    told = room.ended(room.built(out="here"), to="outbox", out="here")
    short = told["digest"].removeprefix("sha256:")[:16]
    assert told["next"] == [f"loom collab --run ReportFlow/1 --out here --to outbox --send --confirm {short}"]


def test_an_outbox_gets_the_archive_that_was_shown(room: Room) -> None:
    room, bundle = agreed(room)
    for _ in range(2):
        told = room.ended(bundle, to="outbox", send=True)
        assert (told["verdict"], told["sent"]) == ("SENT", True)
    (path,) = (room.folder / "outbox").iterdir()
    assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == bundle["digest"]


def test_a_webhook_gets_the_archive_that_was_shown(room: Room) -> None:
    room, bundle = agreed(room)
    with webhook((202, {})) as hook:
        told = room.ended(bundle, to=f"{hook.url}/in?box=1", send=True)
    assert (told["verdict"], told["attempts"], told["answer"]) == ("SENT", 1, 202)
    ((path, headers, body),) = hook.received
    digest = bundle["digest"].removeprefix("sha256:")
    assert path == "/in?box=1"
    assert hashlib.sha256(body).hexdigest() == digest
    assert headers["x-content-sha256"] == headers["idempotency-key"] == digest
    assert headers["content-type"] == "application/zip"
    assert str(room.folder) not in str(headers)


def test_an_address_may_come_from_the_environment(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room, bundle = agreed(room)
    assert "needs WEBHOOK_KEY" in room.refused(
        "collab_delivery", bundle=bundle, to="https://h.example/${env:WEBHOOK_KEY}"
    )
    with webhook() as hook:
        monkeypatch.setenv("WEBHOOK_KEY", "canary-token")
        told = room.ended(bundle, to=f"{hook.url}/${{env:WEBHOOK_KEY}}", send=True)
    assert hook.received[0][0] == "/canary-token"
    assert "canary-token" not in str(told)


@pytest.mark.parametrize("busy", [500, 503, 429])
def test_one_that_is_busy_is_asked_again_with_the_same_key(room: Room, busy: int) -> None:
    room, bundle = agreed(room)
    with webhook((busy, AT_ONCE), (busy, AT_ONCE), (200, {})) as hook:
        told = room.ended(bundle, to=hook.url, send=True)
    assert told["attempts"] == 3
    assert len({headers["idempotency-key"] for _, headers, _ in hook.received}) == 1
    assert len({body for _, _, body in hook.received}) == 1


def test_one_that_stays_broken_is_an_error_after_a_few_attempts(room: Room) -> None:
    room, bundle = agreed(room)
    with webhook((500, AT_ONCE)) as hook:
        said = room.refused("collab_delivery", bundle=bundle, to=hook.url, send=True)
    assert "it answered 500, after 4 attempts" in said
    assert len(hook.received) == 4


def test_waits_are_bounded_whatever_the_other_side_asks_for() -> None:
    waited: list[float] = []
    post, split = part("_webhook").post, part("_destination").urlsplit
    with webhook(
        (503, {"Retry-After": "86400"}), (503, {"Retry-After": "soon"}), (503, {}), (200, {})
    ) as hook:
        assert post(split(hook.url), b"x", {}, waited.append).attempts == 4
    assert waited == [30.0, 2.0, 4.0]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_one_that_will_not_have_it_is_not_asked_again(room: Room, status: int) -> None:
    room, bundle = agreed(room)
    with webhook((status, {})) as hook:
        assert f"it answered {status}" in room.refused(
            "collab_delivery", bundle=bundle, to=hook.url, send=True
        )
    assert len(hook.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(room: Room, status: int) -> None:
    room, bundle = agreed(room)
    with webhook() as elsewhere, webhook((status, {"Location": elsewhere.url})) as hook:
        assert "redirects" in room.refused("collab_delivery", bundle=bundle, to=hook.url, send=True)
        assert not elsewhere.received


def test_one_that_never_answers_is_given_up(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room, bundle = agreed(room)
    monkeypatch.setattr(part("_webhook"), "SECONDS", 0.2)
    with webhook(hangs=True) as hook:
        said = room.refused("collab_delivery", bundle=bundle, to=hook.url, send=True)
    assert "did not answer in time; it may have arrived" in said


def test_one_that_is_not_there_is_an_error(room: Room) -> None:
    room, bundle = agreed(room)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = room.refused("collab_delivery", bundle=bundle, to=address, send=True)
    assert "connection refused" in said
    assert "may have arrived" not in said


def test_one_without_encryption_behind_https_is_an_error(room: Room) -> None:
    room, bundle = agreed(room)
    with webhook() as hook:
        address = hook.url.replace("http://", "https://")
        assert "no secure connection" in room.refused("collab_delivery", bundle=bundle, to=address, send=True)
        assert not hook.received


@pytest.mark.parametrize("staged", ["", "sha256:" + "0" * 64])
def test_nothing_is_sent_but_what_somebody_agreed_to(room: Room, staged: str) -> None:
    bundle = room.built()
    with webhook() as hook:
        for to in (hook.url, "outbox"):
            said = replace(room, staged=staged).refused("collab_delivery", bundle=bundle, to=to, send=True)
            assert "is not what somebody agreed to" in said
        assert not hook.received
    assert not list((room.folder / "outbox").iterdir())


def test_an_archive_that_was_changed_is_not_sent(room: Room) -> None:
    room, bundle = agreed(room)
    path = Path(bundle["archive"])
    path.write_bytes(path.read_bytes() + b"more")
    assert "was changed" in room.refused("collab_delivery", bundle=bundle, to="outbox", send=True)
    path.unlink()
    assert "cannot be read" in room.refused("collab_delivery", bundle=bundle, to="outbox", send=True)
    assert not list((room.folder / "outbox").iterdir())


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (None, "--send needs --to"),
        ("nowhere", "there is no such folder"),
        ("http://hooks.example.org/in", "http is not encrypted"),
        ("http://127.0.0.1.example.org/in", "http is not encrypted"),
        ("https://ann:canary-word@hooks.example.org", "a name or a password stands in the address"),
        ("ftp://hooks.example.org", "a webhook has an https address"),
        ("file:///etc", "a webhook has an https address"),
        ("https://", "a webhook has an https address"),
        ("https://[::1", "it is malformed"),
        ("https://host:port", "it is malformed"),
    ],
)
def test_a_destination_that_is_none_is_an_error(room: Room, to: str | None, said: str) -> None:
    room, bundle = agreed(room)
    refused = room.refused("collab_delivery", bundle=bundle, to=to, send=True)
    assert said in refused
    assert "canary-word" not in refused


def test_a_host_that_the_package_may_not_reach_is_not_reached(room: Room) -> None:
    room, bundle = agreed(replace(room, network=("hooks.example.org",)))
    with webhook() as hook:
        said = room.refused("collab_delivery", bundle=bundle, to=hook.url, send=True)
        assert "permissions of the package do not name this host" in said
        assert not hook.received


@pytest.mark.parametrize(
    ("args", "effects"),
    [
        ({"to": "https://hooks.example.org"}, {"reads"}),
        ({"send": True, "to": "outbox"}, {"reads", "writes", "external"}),
        ({"send": True, "to": "https://h.example"}, {"reads", "writes", "external", "network"}),
        ({"send": True, "to": "${env:HOOK}"}, {"reads", "writes", "external", "network"}),
    ],
)
def test_what_a_delivery_does_is_said_before_it_is_done(args: dict[str, Any], effects: set[str]) -> None:
    found = part("collab_delivery").CollabDelivery().effects_of({"bundle": {}, **args})
    assert found == effects


RAISES = '''
"""A tool that quotes a cell when it breaks."""

from loom.kernel.errors import LoomError
from loom.tools.registry import Tool


class Say(Tool):
    name = "say"
    description = "Break."
    parameters = {"type": "object", "properties": {"word": {}}}
    effects = frozenset({"reads"})

    async def execute(self, args, ctx):
        raise LoomError(f"{args['word']} cannot be read", f"there is {args['word']} in it", "loom doctor")
'''
EXPERIMENT = "loom-cnry01"


class Chain:
    """Runs one after another in a home of their own, by the name of one experiment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        home = folder / "zqx-user-home"
        home.mkdir()
        self.environ = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("METAFLOW", "LOOM_"))
            },
            "HOME": str(home),
            "USER": "zqx-user",
            "LOGNAME": "zqx-user",
        }

    def run(self, package: str, confirm: str | None = None, **inputs: Any) -> Envelope:
        call = Call(
            package,
            {name.rstrip("_"): value for name, value in inputs.items()},
            experiment_id=EXPERIMENT,
            transport="local",
            workspace=self.folder,
            confirm=confirm,
            command=("loom", package),
        )
        return carry_out(call, environ=self.environ)

    def good(self, package: str, **inputs: Any) -> Mapping[str, Any]:
        answer = self.run(package, **inputs)
        assert answer.status == "ok", answer.error
        assert answer.summary is not None
        return answer.summary


def rows(count: int) -> list[tuple[Any, ...]]:
    """Customers; in every column there is a cell that nobody else has."""
    random = np.random.default_rng(5)
    months = random.integers(1, 60, count)
    churned = random.random(count) < 0.15 + 0.5 * (months < 15)
    found = [
        (
            f"zqx-id-{at}", f"zqx{at}@example.org", f"zqx-remark {at} says the customer", int(months[at]),
            float(np.round(random.normal(50, 9), 2)), ("monthly", "yearly")[at % 2], f"20{10 + at % 14}-03-{1 + at % 28:02d}",
            "yes" if churned[at] else "no",
        )
        for at in range(count)
    ]  # fmt: skip
    last = found[-1]
    return [*found[:-1], (*last[:4], 7351946.27, "zqx-level", "2024-11-29", last[7])]


def test_no_cell_name_or_place_of_a_real_chain_leaves(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    source = tmp_path / "zqx-shop.db"
    with sqlite3.connect(source) as database:
        database.execute(
            "create table zqx_table (customer_id, email, remark, months, paid, plan, joined, churned)"
        )
        database.executemany("insert into zqx_table values (?, ?, ?, ?, ?, ?, ?, ?)", rows(700))
    database.close()
    chain.good("connect", source=f"sqlite:///{source}", save="zqx-connection")
    first = chain.good("ingest", source="zqx-connection::zqx_table", name="zqx-name", target="churned")
    chain.good("eda", dataset=first["dataset_ref"])
    built = chain.good("features", dataset=first["dataset_ref"])
    package = write_package(
        tmp_path, "- {id: only, description: Break., run: {tool: say, args: {word: '${inputs.word}'}}}", last="only", tools=RAISES
    )  # fmt: skip
    broken = chain.run(str(package), word="zqx-cell")
    assert broken.status == "error"
    assert "zqx-cell" in str(broken.error)

    with webhook() as hook:
        asked = {"experiment": EXPERIMENT, "to": f"{hook.url}/zqx-hook"}
        shown = chain.good("collab", **asked)
        assert not hook.received
        with pytest.raises(NotApprovedError, match="no terminal"):
            chain.run("collab", **asked, send=True)
        with pytest.raises(NotApprovedError, match="names another plan"):
            chain.run("collab", **asked, send=True, confirm="0" * 16)
        sent = chain.run("collab", **asked, send=True, confirm=str(shown["digest"]))
    assert sent.verdict == "SENT", sent.error
    assert sent.summary is not None
    assert sent.summary["digest"] == shown["digest"]
    ((_, headers, body),) = hook.received

    assert built["dataset_ref"] in shown["runs"]
    assert len(shown["runs"]) == 4
    everything = bytes_of(shown) + bytes_of(sent.summary) + body + str(headers).encode()
    for canary in (b"zqx", b"7351946", b"2024-11-29", str(tmp_path).encode(), str(source).encode()):
        assert canary not in everything, canary
    for wanted in (b'"months"', b'"monthly"', b'"paid"', b"churned"):
        assert wanted in everything
