"""What every model of the declaration shares: strict, frozen, and closed to unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SpecModel(BaseModel):
    """A mapping with a fixed set of keys; any other key is a mistake."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    def written(self, key: str) -> bool:
        """Whether the author wrote this key; a default is never taken for a decision."""
        return key in self.model_fields_set


class OpenModel(SpecModel):
    """A mapping with known keys that also keeps keys of the author's own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", allow_inf_nan=False)
