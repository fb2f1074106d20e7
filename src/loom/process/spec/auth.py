"""`auth:` — credentials the process needs, resolved before anything runs."""

from __future__ import annotations

from typing import Literal

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Seq, Text

Mode = Literal["api_key", "oauth2_pkce", "oauth2_device", "env_passthrough", "cli_passthrough"]


class AuthResource(SpecModel):
    """One resource that needs a credential. Name it by provider, by reference, or by id."""

    provider: Text | None = None
    """The provider key of an auth profile, such as `notion`. Optional when a reference or id is given."""

    source: Literal["api", "mcp"] = "api"
    """Whether the resource is reached as an API or through an MCP server."""

    resource_ref: Text | None = None
    """A stable selector: `mcp:<alias>`, `api_integration:<name>` or `tool:<name>`."""

    resource_id: Text | None = None
    """The immutable id of a resource in one workspace."""

    modes: Seq[Mode] = ()
    """Credential modes that are acceptable; empty accepts any."""

    scopes: Seq[Text] = ()
    """Scopes the credential must carry."""

    required_env_keys: Seq[Text] = ()
    """Environment variables the selected profile must provide."""

    mcp_server: Text | None = None
    """The MCP server alias this resource must come from. Only with `source: mcp`."""


class Auth(SpecModel):
    """Credentials to resolve before the first phase, so that a run fails early or not at all."""

    required: Seq[AuthResource] = ()
    """Every authenticated resource the process touches."""
