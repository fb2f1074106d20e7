"""Which model reads which part of a document."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from loom.kernel.diagnostics import KeyPath
from loom.process.spec.model import SpecModel
from loom.process.spec.process import ProcessSpec


def model_at(path: KeyPath, data: Any) -> type[SpecModel] | None:
    """The model that reads the mapping at a key path, so that its keys can be named."""
    model: type[SpecModel] | None = ProcessSpec
    node = data
    annotation: Any = None
    for part in path:
        node = child(node, part)
        if isinstance(part, str) and get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        elif isinstance(part, str) and model is not None:
            info = next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)
            annotation = info.annotation if info else None
        model = _model_in(annotation, node)
    return model


def _model_in(annotation: Any, node: Any) -> type[SpecModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        return annotation
    if get_origin(annotation) is dict:
        return None  # its keys are names of the author's choice
    members = [m for m in (_model_in(arg, node) for arg in getattr(annotation, "__args__", ())) if m]
    if len(members) > 1 and isinstance(node, dict):
        kind = node.get("type")
        members = [m for m in members if kind in getattr(m.model_fields["type"].annotation, "__args__", ())]
    return members[0] if members else None


def keys_of(model: type[SpecModel]) -> list[str]:
    """The keys a model knows, as they are written."""
    return [info.alias or name for name, info in model.model_fields.items()]


def child(node: Any, part: str | int) -> Any:
    """The value below a node, or nothing."""
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None
