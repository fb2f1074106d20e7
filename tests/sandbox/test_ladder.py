"""The ladder is climbed by running a program on each rung, and says what is missing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.sandbox import bubblewrap, ladder, landlock, seccomp
from loom.sandbox.ladder import Probe, Rung, probe, require, try_rung
from loom.sandbox.policy import LEVELS, Level
from tests.sandbox.here import SOURCE, at_most, need

CHECKS = {"files", "network", "environment", "survivors"}


@pytest.fixture(autouse=True)
def outer_limit() -> Iterator[None]:
    with at_most(60):
        yield


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was found before, and what is found now afterwards."""
    monkeypatch.setattr(ladder, "_found", {})


@pytest.mark.parametrize("level", [name for name in LEVELS if name != "none"])
def test_a_rung_holds_only_when_every_check_does(level: Level) -> None:
    need(level)
    rung = try_rung(level)
    assert rung == Rung(level, True, "", dict.fromkeys(CHECKS, True))


def test_the_bottom_rung_says_what_it_does_not_hold() -> None:
    rung = try_rung("none")
    assert not rung.held
    assert not rung.checks["files"]
    assert "files that it was not given" in rung.why


@pytest.mark.usefixtures("fresh")
def test_the_machine_is_tried_once_in_the_life_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Level] = []

    def fake(level: Level) -> Rung:
        tried.append(level)
        return Rung(level, level == "restricted", "" if level == "restricted" else "it does not hold")

    monkeypatch.setattr(ladder, "try_rung", fake)
    assert probe() is probe()
    assert tried == ["isolated", "restricted"]
    assert probe().level == "restricted"
    assert probe().why == "isolated: it does not hold"
    assert [rung.level for rung in probe().details] == ["isolated", "restricted"]


@pytest.mark.usefixtures("fresh")
def test_a_machine_without_either_is_at_none_and_says_why_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find", lambda: None)
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    found = probe()
    assert found.level == "none"
    assert "bubblewrap is not installed" in found.why
    assert "no Landlock" in found.why
    assert require("none") == "none"
    for minimum, command in (("isolated", "apt-get install bubblewrap"), ("restricted", "landlock")):
        with pytest.raises(LoomError) as refused:
            require(minimum)  # type: ignore[arg-type]
        assert f"{minimum} is needed" in refused.value.what
        assert command in refused.value.fix


@pytest.mark.usefixtures("fresh")
def test_a_processor_without_a_filter_does_not_reach_restricted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find", lambda: None)
    monkeypatch.setattr(landlock, "abi", lambda: 7)
    monkeypatch.setattr(seccomp, "available", lambda: False)
    assert probe().level == "none"


@pytest.mark.usefixtures("fresh")
def test_what_is_stronger_than_the_minimum_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "_found", {os.geteuid(): Probe("isolated", "", ())})
    assert require("restricted") == "isolated"


@pytest.mark.usefixtures("fresh")
def test_a_bubblewrap_that_may_not_make_namespaces_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "bwrap: No permissions to create new namespace, likely because the kernel does not allow them."
    fake = tmp_path / "bwrap"
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "bubblewrap 0.8.0" && exit\necho "{said}" >&2\nexit 1\n'
    )
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    rung = try_rung("isolated")
    assert (rung.held, rung.why) == (False, said)
    with pytest.raises(LoomError) as refused:
        require("isolated")
    assert refused.value.why == said
    assert "namespaces" in refused.value.fix or "sysctl" in refused.value.fix


@pytest.mark.skipif(bubblewrap.find() is None, reason="NOT TESTED: bubblewrap is not installed")
@pytest.mark.skipif(not seccomp.available(), reason="NOT TESTED: there is no filter for this processor")
def test_without_namespaces_the_next_rung_is_taken() -> None:
    """Namespaces are refused for real: by a filter on the process that looks."""
    code = """
import json, sys
sys.path.insert(0, sys.argv[1])
from loom.sandbox import ladder, landlock, seccomp
seccomp.install(network=True, processes=True, level="isolated", guard_truncate=False, ask=False)
found = ladder.probe()
print(json.dumps([found.level, found.details[0].why, landlock.abi() > 0]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(SOURCE)], capture_output=True, text=True, timeout=60, check=True
    )
    level, why, has_landlock = json.loads(done.stdout)
    assert level == ("restricted" if has_landlock else "none")
    assert "bwrap" in why or "namespace" in why.lower()
