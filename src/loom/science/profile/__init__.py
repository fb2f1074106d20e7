"""What a table is like: `profile` looks at every column once, and at how they go together."""

from __future__ import annotations

from loom.science.profile.profiling import Column, Profile, profile

__all__ = ["Column", "Profile", "profile"]
