"""From a chart to a picture: the colours of a theme, then SVG or PNG, without a network or a browser."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from loom.kernel.errors import LoomError

Theme = Literal["card", "light"]
Spec = Mapping[str, Any]

VEGA_LITE = "5.20"
_LAID_OUT = "Liberation Sans"
_SHOWN = "system-ui,-apple-system,'Segoe UI','Liberation Sans',Arial,sans-serif"
_LIGHT = {
    "@ink": "#1c2126",
    "@muted": "#5b6670",
    "@line": "#dde2e7",
    "@paper": "#ffffff",
    "@accent": "#2f6db3",
    "@bad": "#c2410c",
    "@wary": "#b7800b",
    "@fine": "#1d7f68",
    "@rest": "#9aa3ab",
    "@class-1": "#3a78b5",
    "@class-2": "#e0742c",
    "@class-3": "#2a9d84",
    "@class-4": "#a95aa1",
    "@class-5": "#c7a02a",
    "@class-6": "#5aa9dd",
}
_OF_THE_PAGE = ("ink", "muted", "line", "accent", "bad", "wary", "fine")
# whoever has no such variable sees the colours of the light theme
_CARD = {
    role: f"var(--{role[1:]})" if role[1:] in _OF_THE_PAGE else f"var(--{role[1:]}, {colour})"
    for role, colour in _LIGHT.items()
}
_THEMES: dict[Theme, dict[str, str]] = {"card": _CARD, "light": _LIGHT}
# what holds data or words may look like a role, and is none
_WORDS = frozenset({"data", "datasets", "values", "domain", "title", "description", "sort", "text"})
_HOUSE: dict[str, Any] = {
    "background": "transparent",
    "padding": {"left": 4, "top": 4, "right": 8, "bottom": 4},
    "font": _LAID_OUT,
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "color": "@ink",
        "fontSize": 14,
        "fontWeight": 600,
        "lineHeight": 18,
        "offset": 12,
        "subtitleColor": "@muted",
        "subtitleFontSize": 11.5,
        "subtitleFontWeight": 400,
        "subtitleLineHeight": 15,
        "subtitlePadding": 4,
    },
    "axis": {
        "labelColor": "@muted",
        "labelFontSize": 11,
        "labelLimit": 170,
        "labelPadding": 7,
        "titleColor": "@muted",
        "titleFontSize": 11,
        "titleFontWeight": 400,
        "titlePadding": 8,
        "gridColor": "@line",
        "domainColor": "@line",
        "tickColor": "@line",
        "domain": False,
        "ticks": False,
        "tickCount": 5,
    },
    "axisDiscrete": {"grid": False, "labelColor": "@ink"},
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelColor": "@ink",
        "labelFontSize": 11.5,
        "labelLimit": 130,
        "symbolSize": 70,
        "symbolStrokeWidth": 0,
        "symbolOpacity": 1,
        "offset": 6,
        "padding": 0,
        "columnPadding": 14,
    },
    "bar": {"color": "@accent", "cornerRadiusEnd": 2},
    "rect": {"color": "@accent"},
    "rule": {"color": "@muted"},
    "point": {"color": "@accent", "filled": True, "size": 55, "opacity": 1},
    "line": {"color": "@accent", "strokeWidth": 2},
    "area": {"color": "@accent"},
    "text": {"color": "@muted", "fontSize": 11},
    "scale": {"bandPaddingInner": 0.28, "bandPaddingOuter": 0.14},
}


def svg(spec: Spec, *, theme: Theme = "light") -> str:
    """The chart as SVG: for a page (`card`: its CSS variables, without the title, which the page says) or a file.

    It has no size of its own beyond a greatest width: it fills the place it is put in, down to its proportions.
    """
    drawn = _drawn(spec, theme)
    if theme == "card":
        _leave_title_to_page(drawn)
    else:
        drawn["background"] = _LIGHT["@paper"]
    picture: str = _converted("vegalite_to_svg", drawn)
    return _for_any_page(picture, drawn)


def png(spec: Spec, scale: float = 2) -> bytes:
    """The chart as PNG on white, so many device pixels for each of its own; the same bytes every time."""
    drawn = standalone(spec)
    picture: bytes = _converted("vegalite_to_png", drawn, scale=scale)
    return picture


def standalone(spec: Spec) -> dict[str, Any]:
    """The chart as Vega-Lite that any other program draws alike: colours and house style are in it."""
    drawn = _drawn(spec, "light")
    drawn["background"] = _LIGHT["@paper"]
    return drawn


def _drawn(spec: Spec, theme: Theme) -> dict[str, Any]:
    """The chart with the house style beneath it, in the colours of a theme; only what holds its data is drawn."""
    _refuse_addresses(spec)
    config = _above(_HOUSE, spec.get("config", {}))
    drawn: dict[str, Any] = _coloured({**spec, "config": config}, _THEMES[theme])
    return drawn


def _above(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = (
            _above(known, value) if isinstance(known, dict) and isinstance(value, Mapping) else value
        )
    return merged


def _coloured(part: Any, colours: Mapping[str, str]) -> Any:
    if isinstance(part, Mapping):
        # the title of the house style holds colours, that of a chart words
        return {
            key: value
            if key in _WORDS
            and not (key in ("title", "text") and isinstance(value, Mapping) and "text" not in value)
            else _coloured(value, colours)
            for key, value in part.items()
        }
    if isinstance(part, list | tuple):
        return [_coloured(each, colours) for each in part]
    return colours.get(part, part) if isinstance(part, str) else part


def _refuse_addresses(part: Any) -> None:
    pending = [part]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            if "url" in item or item.get("mark") == "image":
                raise LoomError(
                    "a chart cannot be drawn",
                    "it names data or pictures elsewhere; what is drawn has to be inside it",
                    "loom doctor",
                )
            pending += item.values()
        elif isinstance(item, list | tuple):
            pending += item


def _leave_title_to_page(drawn: dict[str, Any]) -> None:
    """What is measured stays with the picture; the title is text of the page."""
    title = drawn.pop("title", None)
    note = title.get("subtitle") if isinstance(title, dict) else None
    if note:
        drawn["title"] = {"text": note, "fontSize": 11.5, "fontWeight": 400, "lineHeight": 15}
        drawn["title"] |= {"color": _CARD["@muted"], "offset": 8}


def _converted(how: str, drawn: Mapping[str, Any], **options: Any) -> Any:
    try:
        # it carries a JavaScript engine: only who draws pays for it
        convert = getattr(importlib.import_module("vl_convert"), how)
    except ImportError as error:
        raise LoomError(
            "pictures cannot be drawn",
            f"vl-convert-python is not there: {error}",
            "pip install vl-convert-python",
        ) from None
    try:
        return convert(
            json.dumps(drawn, allow_nan=False), vl_version=VEGA_LITE, allowed_base_urls=[], **options
        )
    except ValueError as error:
        first = next((line.strip() for line in str(error).splitlines()[1:] if line.strip()), str(error))
        raise LoomError("a chart cannot be drawn", first[:200], "loom doctor") from None


_SIZE = re.compile(r' width="([\d.]+)" height="[\d.]+" viewBox="')
_ID = re.compile(r'\bid="([^"]+)"|url\(#([^)]+)\)')


def _for_any_page(picture: str, drawn: Mapping[str, Any]) -> str:
    """SVG that keeps its proportions in any width, and whose ids no other picture on the page has."""
    mark = hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()[:8]
    # the engine numbers on from picture to picture; here each begins anew
    places: dict[str, int] = {}

    def renamed(at: re.Match[str]) -> str:
        name = f"p{mark}-{places.setdefault(at[1] or at[2], len(places))}"
        return f'id="{name}"' if at[1] else f"url(#{name})"

    picture = _ID.sub(renamed, picture)
    size = _SIZE.search(picture)
    width = size[1] if size else "420"
    style = f"max-width:{width}px;height:auto;display:block;font-family:{_SHOWN}"
    picture = _SIZE.sub(f' width="100%" style="{style}" viewBox="', picture, count=1)
    # one font for all of it, said once
    return picture.replace(f' font-family="{_LAID_OUT}"', "")
