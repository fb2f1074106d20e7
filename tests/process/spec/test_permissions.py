"""`permissions:` grants nothing that is not written."""

from __future__ import annotations

import pytest

from loom.process.spec.permissions import Permissions
from tests.process.checking import codes_in, spec_of


def test_nothing_is_granted_by_default() -> None:
    assert Permissions().model_dump() == {"sandbox": "none", "network": (), "env": (), "processes": False}


@pytest.mark.parametrize("sandbox", ["none", "restricted", "isolated"])
def test_every_isolation_is_accepted(sandbox: str) -> None:
    assert spec_of(f"permissions: {{sandbox: {sandbox}}}\n").permissions.sandbox == sandbox


def test_hosts_variables_and_programs_are_granted_by_name() -> None:
    permissions = spec_of(
        "permissions: {network: [api.example.org, '*'], env: [HOME], processes: true}\n"
    ).permissions
    assert permissions.network == ("api.example.org", "*")
    assert permissions.env == ("HOME",)
    assert permissions.processes is True


@pytest.mark.parametrize("written", ["yes", "'true'", "1", "[true]"])
def test_a_grant_is_true_or_false_and_nothing_like_it(written: str) -> None:
    assert codes_in(
        f"name: a\nschema_version: 2\npermissions: {{processes: {written}}}\nphases: [{{id: b, description: C.}}]\n"
    ) == ["LM203"]
