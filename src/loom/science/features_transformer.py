"""The transformer under its first address; `loom.science.features` is where it lives."""

from __future__ import annotations

from loom.science.features.transformer import Transformer

__all__ = ["Transformer"]
