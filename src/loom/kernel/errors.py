"""A setup or usage failure: what happened, why, and the one thing to do next."""

from __future__ import annotations


class LoomError(Exception):
    """A failure the user can act on; printed as three lines, never as a traceback."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(what, why, fix)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        return f"error: {self.what}\n  why: {self.why}\n  fix: {self.fix}"
