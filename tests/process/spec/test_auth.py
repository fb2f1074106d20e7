"""`auth:` names credentials by provider, by reference or by id."""

from __future__ import annotations

import pytest

from loom.process.spec.auth import Auth, AuthResource
from tests.process.checking import spec_of


def test_no_credential_is_needed_by_default() -> None:
    assert Auth().required == ()
    resource = AuthResource()
    assert resource.source == "api"
    assert (resource.modes, resource.scopes, resource.required_env_keys) == ((), (), ())


@pytest.mark.parametrize(
    "entry",
    [
        "provider: notion",
        "resource_ref: 'mcp:notion'",
        "resource_ref: 'api_integration:notion'",
        "resource_ref: 'tool:publish'",
        "resource_id: r-17",
        "provider: notion, source: mcp, mcp_server: notion",
    ],
)
def test_a_resource_is_named_in_one_of_three_ways(entry: str) -> None:
    (resource,) = spec_of(f"auth: {{required: [{{{entry}}}]}}\n").auth.required
    assert resource.provider or resource.resource_ref or resource.resource_id


@pytest.mark.parametrize(
    "mode", ["api_key", "oauth2_pkce", "oauth2_device", "env_passthrough", "cli_passthrough"]
)
def test_every_mode_is_accepted(mode: str) -> None:
    (resource,) = spec_of(
        f"auth: {{required: [{{provider: a, modes: [{mode}], scopes: [read], required_env_keys: [A_KEY]}}]}}\n"
    ).auth.required
    assert resource.modes == (mode,)
    assert (resource.scopes, resource.required_env_keys) == (("read",), ("A_KEY",))
