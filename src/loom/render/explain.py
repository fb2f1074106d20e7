"""One value of a package: what every layer says, which one wins, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from loom.kernel.diagnostics import KeyPath, Span, dotted, suggest
from loom.kernel.errors import LoomError
from loom.process.floors import FIELDS
from loom.process.resolve import Policy, ResolvedProcess, Sourced
from loom.process.spec.model import SpecModel
from loom.render.labels import word

HelpOf = Callable[[KeyPath], str]
CONTRACT = "validity_contract"
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def explain_text(resolved: ResolvedProcess, path: str, help_of: HelpOf) -> str:
    """The explanation for reading."""
    return "\n\n".join(_as_text(item) for item in _explain(resolved, path, help_of))


def explain_json(resolved: ResolvedProcess, path: str, help_of: HelpOf) -> dict[str, Any]:
    """The explanation for machines: one entry per value below the path."""
    return {"schema_version": 1, "name": resolved.name, "values": _explain(resolved, path, help_of)}


def _explain(resolved: ResolvedProcess, path: str, help_of: HelpOf) -> list[dict[str, Any]]:
    parts = _parse(path)
    if CONTRACT in parts and parts[0] in (CONTRACT, "phases"):
        return _policy(resolved, path, parts, help_of)
    return [_plain(resolved, parts, help_of)]


def _parse(path: str) -> list[str | int]:
    parts: list[str | int] = [name or int(index) for name, index in _PART.findall(path)]
    if not parts or dotted(tuple(parts)) != path:
        why = "a key path is names joined by dots, with list indexes in brackets"
        raise LoomError(f"{path!r} is not a key path", why, "write it like phases.profile.model_tier")
    return parts


def _policy(
    resolved: ResolvedProcess, path: str, parts: list[str | int], help_of: HelpOf
) -> list[dict[str, Any]]:
    at = parts.index(CONTRACT)
    policy: Policy = resolved.policy
    base: KeyPath = (CONTRACT,)
    if at:
        index = _phase_index(resolved, parts[1])
        policy, base = resolved.policy_of(index), ("phases", index, CONTRACT)
    wanted = ".".join(str(part) for part in parts[at + 1 :])
    fields = [name for name in FIELDS if not wanted or name == wanted or name.startswith(f"{wanted}.")]
    if not fields:
        raise _unknown(resolved, path, wanted, list(FIELDS), dotted(tuple(parts[: at + 1])))
    prefix = dotted(tuple(parts[: at + 1]))
    return [
        _settled(resolved, f"{prefix}.{name}", policy[name], help_of((*base, *name.split("."))))
        for name in fields
    ]


def _settled(resolved: ResolvedProcess, path: str, sourced: Sourced, text: str) -> dict[str, Any]:
    layers = []
    for layer in sourced.layers:
        name = f"floor ({resolved.risk} risk)" if layer.name == "floor" else layer.name
        layers.append(
            {
                "layer": name,
                "value": _value(layer.value),
                "where": _where(resolved, resolved.span_of(layer)),
                "wins": layer.name == sourced.winner,
            }
        )
    return {"path": path, "value": _value(sourced.value), "help": text, "layers": layers}


def _plain(resolved: ResolvedProcess, parts: list[str | int], help_of: HelpOf) -> dict[str, Any]:
    """A value of the declaration: written, or the default."""
    node: Any = resolved.package.spec
    place: list[str | int] = []
    written = True
    for part in parts:
        node, key, is_written = _child(resolved, node, part, tuple(place))
        written = written and is_written
        place.append(key)
    span = resolved.package.value_at(tuple(place)) if written else None
    layer = {
        "layer": "process" if written else "default",
        "value": _value(node),
        "where": _where(resolved, span),
        "wins": True,
    }
    return {
        "path": dotted(tuple(parts)),
        "value": _value(node),
        "help": help_of(tuple(place)),
        "layers": [layer],
    }


def _child(
    resolved: ResolvedProcess, node: Any, part: str | int, place: KeyPath
) -> tuple[Any, str | int, bool]:
    path = dotted((*place, part))
    if isinstance(node, SpecModel):
        names = {info.alias or name: name for name, info in type(node).model_fields.items()}
        if part in names:
            name = names[str(part)]
            return getattr(node, name), part, node.written(name)
        raise _unknown(resolved, path, str(part), list(names), dotted(place))
    if isinstance(node, tuple):
        index = part if isinstance(part, int) else _named(node, part)
        if index is not None and index < len(node):
            return node[index], index, True
        named = [str(getattr(item, "id", getattr(item, "name", ""))) for item in node]
        raise _unknown(resolved, path, str(part), [name for name in named if name], dotted(place))
    if isinstance(node, dict) and part in node:
        return node[part], part, True
    raise _unknown(
        resolved, path, str(part), [str(key) for key in node] if isinstance(node, dict) else [], dotted(place)
    )


def _named(items: tuple[Any, ...], name: str) -> int | None:
    found = (
        at
        for at, item in enumerate(items)
        if name in (getattr(item, "id", None), getattr(item, "name", None))
    )
    return next(found, None)


def _phase_index(resolved: ResolvedProcess, part: str | int) -> int:
    index = part if isinstance(part, int) else _named(resolved.phases, part)
    if index is None or index >= len(resolved.phases):
        raise _unknown(
            resolved, f"phases.{part}", str(part), [phase.id for phase in resolved.phases], "phases"
        )
    return index


def _unknown(resolved: ResolvedProcess, path: str, part: str, known: list[str], parent: str) -> LoomError:
    meant = suggest(part, known)
    shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    why = f"{parent or 'a process'} has {shown}" if known else f"{parent} has nothing below it"
    nearest = f"{parent}.{meant}" if parent and meant else meant or parent or "phases"
    return LoomError(f"there is no {path}", why, f"loom process explain {resolved.name} {nearest}")


def _where(resolved: ResolvedProcess, span: Span | None) -> str | None:
    return f"{resolved.package.source.name}:{span.line}:{span.column}" if span else None


def _value(value: Any) -> Any:
    if isinstance(value, SpecModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return [_value(item) for item in value] if isinstance(value, tuple) else value


def _as_text(item: dict[str, Any]) -> str:
    lines = [f"{item['path']} = {_short(item['value'])}"]
    width = max(len(layer["layer"]) for layer in item["layers"])
    values = [_short(layer["value"]) for layer in item["layers"]]
    value_width = max(len(value) for value in values)
    for layer, value in zip(item["layers"], values, strict=True):
        mark = "→" if layer["wins"] else " "
        where = layer["where"] or ("set by Loom" if layer["layer"] != "default" else "not written")
        lines.append(f"  {mark} {layer['layer']:<{width}}  {value:<{value_width}}  {where}")
    if item["help"]:
        lines.append(f"  {' '.join(item['help'].split())}")
    return "\n".join(lines)


def _short(value: Any) -> str:
    text = word(value) if not isinstance(value, dict) else "{" + ", ".join(map(str, value)) + "}"
    flat = " ".join(text.split())
    return flat if len(flat) <= 70 else f"{flat[:69]}…"
