"""A folder to work in, and a site to fetch from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loom.tools.registry import Permissions, ToolContext
from tests.tools.site import Site, open_site


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace."""
    folder = tmp_path / "ws"
    folder.mkdir()
    return folder


@pytest.fixture
def ctx(workspace: Path) -> ToolContext:
    """The context of a call in that workspace, which may reach this machine."""
    return ToolContext(workspace=workspace, permissions=Permissions(addresses="loopback"))


@pytest.fixture
def site() -> Iterator[Site]:
    """A web site on this machine."""
    with open_site() as opened:
        yield opened
