"""What a check can do with a page, whichever engine loads it."""

from __future__ import annotations

from typing import Protocol


class BrowserError(Exception):
    """Why a step cannot be done: the page lacks what it needs, or does not load."""


class MissingEngineError(Exception):
    """Why there is no such engine on this machine."""


class Browser(Protocol):
    """One page at a time, and what it took to load it."""

    engine: str
    requests: list[dict[str, object]]
    problems: list[str]

    @property
    def url(self) -> str:
        """The address of the page."""

    @property
    def title(self) -> str:
        """What the page calls itself."""

    @property
    def text(self) -> str:
        """What a reader sees."""

    def goto(self, url: str) -> int:
        """Open an address, and answer with its status."""

    def count(self, selector: str) -> int:
        """How many elements there are."""

    def click(self, selector: str) -> None:
        """Follow a link, or press a button."""

    def fill(self, selector: str, value: str) -> None:
        """Put a value into a field."""

    def screenshot(self) -> bytes | None:
        """The page as a PNG; None where nothing is drawn."""
