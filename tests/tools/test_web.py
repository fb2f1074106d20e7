"""Fetching over HTTP, from a real server on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from loom.tools.context import NotPermittedError, Permissions
from loom.tools.threads import GivenUpError, Stop
from loom.tools.web import Answer, FetchError, Request, check_address, fetch, reachable
from tests.tools.site import Site

HERE = Permissions(addresses="loopback")


def _fetch(site: Site, path: str, **more: Any) -> Answer:
    return fetch(Request(site.url(path), **more), HERE)


def test_a_page_comes_back_with_status_type_and_text(site: Site) -> None:
    answer = _fetch(site, "/article")
    assert (answer.status, answer.content_type, answer.truncated) == (200, "text/html", False)
    assert "A loom holds" in answer.text and answer.redirects == ()
    assert _fetch(site, "/missing").status == 404
    assert _fetch(site, "/latin").text == "café"


def test_no_more_is_read_than_was_asked_for(site: Site) -> None:
    answer = _fetch(site, "/large", max_bytes=1000)
    assert answer.truncated and len(answer.body) == 1000
    assert not _fetch(site, "/large", max_bytes=3_000_000).truncated


def test_packed_answers_are_unpacked_within_the_same_limit(site: Site) -> None:
    assert _fetch(site, "/packed").text.startswith("unpacked")
    bomb = _fetch(site, "/bomb", max_bytes=5000)
    assert bomb.truncated and len(bomb.body) == 5000


def test_redirects_are_followed_counted_and_can_be_left_alone(site: Site) -> None:
    answer = _fetch(site, "/once")
    assert answer.url == site.url("/article") and answer.redirects == (site.url("/once"),)
    assert _fetch(site, "/once", redirects=0).status == 302
    with pytest.raises(FetchError, match="redirects"):
        _fetch(site, "/circle")
    assert len(site.asked) == 9


@pytest.mark.parametrize("path", ["/never", "/drip"])
def test_a_server_that_does_not_come_to_an_end_is_left(site: Site, path: str) -> None:
    with pytest.raises(FetchError) as raised:
        _fetch(site, path, seconds=0.1)
    assert raised.value.kind == "timeout"


@pytest.mark.parametrize("path", ["/never", "/drip"])
def test_a_fetch_that_nobody_waits_for_ends(site: Site, path: str) -> None:
    stop = Stop()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises((GivenUpError, FetchError)):
        fetch(Request(site.url(path), seconds=20), HERE, stop)


def test_an_address_of_this_machine_is_refused_unless_allowed(site: Site) -> None:
    with pytest.raises(NotPermittedError, match="not a public address"):
        fetch(Request(site.url("/")), Permissions())
    with pytest.raises(NotPermittedError):
        fetch(Request(site.url("/").replace("127.0.0.1", "localhost")), Permissions())
    assert site.asked == []


def test_a_redirect_cannot_lead_where_a_fetch_may_not_go(site: Site) -> None:
    for target in ("http://169.254.169.254/latest", "file:///etc/passwd", "http://10.0.0.1/"):
        with pytest.raises(NotPermittedError):
            _fetch(site, f"/away?to={target}")


@pytest.mark.parametrize(
    ("address", "public", "loopback"),
    [
        ("93.184.215.14", True, True),
        ("2606:4700::1111", True, True),
        ("127.0.0.1", False, True),
        ("127.8.8.8", False, True),
        ("::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("10.1.2.3", False, False),
        ("172.16.0.1", False, False),
        ("192.168.1.1", False, False),
        ("169.254.169.254", False, False),
        ("100.64.0.1", False, False),
        ("0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("fe80::1%eth0", False, False),
        ("fc00::1", False, False),
        ("::ffff:10.0.0.1", False, False),
        ("64:ff9b::a00:1", False, False),
        ("2002:a00:1::", False, False),
        ("::", False, False),
    ],
)
def test_which_addresses_may_be_reached(address: str, public: bool, loopback: bool) -> None:
    assert reachable(address, Permissions()) is public
    assert reachable(address, HERE) is loopback
    assert reachable(address, Permissions(addresses="any"))


@pytest.mark.parametrize(
    ("hosts", "host", "allowed"),
    [
        (("*",), "example.org", True),
        ((), "example.org", False),
        (("example.org",), "EXAMPLE.org.", True),
        (("example.org",), "www.example.org", False),
        (("*.example.org",), "www.example.org", True),
        (("*.example.org",), "badexample.org", False),
        (("*.example.org",), "example.org", False),
    ],
)
def test_only_hosts_that_were_granted_are_reached(
    hosts: tuple[str, ...], host: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("93.184.215.14", 0))])
    if allowed:
        check_address(f"https://{host}/", Permissions(network=hosts))
    else:
        with pytest.raises(NotPermittedError, match="not among the hosts"):
            check_address(f"https://{host}/", Permissions(network=hosts))


def test_a_host_is_refused_if_only_one_of_its_addresses_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (address, 80)) for address in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(NotPermittedError):
        check_address("http://two-faced.example/", Permissions())


def test_the_address_that_was_checked_is_the_one_that_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that gives another answer the second time changes nothing."""
    port = int(site.address.rpartition(":")[2])
    answers = iter([[(0, 0, 0, "", ("127.0.0.1", port))]])
    monkeypatch.setattr(socket, "getaddrinfo", _first_only(answers, socket.getaddrinfo))
    assert fetch(Request(f"http://rebinding.example:{port}/article"), HERE).status == 200


def _first_only(answers: Any, real: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        # connecting to a number asks again, for that number
        return next(answers) if host == "rebinding.example" else real(host, *args, **kwargs)

    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:1",
        "example.org",
        "http://user:pw@example.org/",
        "//x/",
    ],
)
def test_other_schemes_and_addresses_with_credentials_are_refused(url: str) -> None:
    with pytest.raises(NotPermittedError):
        fetch(Request(url), HERE)


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a:99999/", "http://x/" + "y" * 9000])
def test_a_malformed_address_is_an_error(url: str) -> None:
    with pytest.raises(FetchError) as raised:
        fetch(Request(url), HERE)
    assert raised.value.kind == "contract"


def test_nobody_there_is_an_error_that_may_pass() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(FetchError, match="cannot be read") as raised:
            fetch(Request(f"http://127.0.0.1:{port}/"), HERE)
    assert raised.value.kind == "io"
    with pytest.raises(FetchError, match=r"no secure connection|cannot be read"):
        fetch(Request(f"https://127.0.0.1:{port}/"), HERE)


def test_a_server_that_speaks_no_tls_is_an_error(site: Site) -> None:
    with pytest.raises(FetchError, match="no secure connection"):
        fetch(Request(site.url("/").replace("http:", "https:")), HERE)
