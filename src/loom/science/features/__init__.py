"""What a model is fed: `build` makes features of a training part, a `Transformer` makes them of any other."""

from __future__ import annotations

from loom.science.features.building import BlockedError, Built, build
from loom.science.features.transformer import Transformer

__all__ = ["BlockedError", "Built", "Transformer", "build"]
