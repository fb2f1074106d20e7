"""A drawn plot as a part of a page: only what draws is kept, nothing that links, loads or acts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from xml.etree import ElementTree

from loom.kernel.diagnostic_formats import clean

_TAGS = frozenset(
    {
        "svg",
        "g",
        "path",
        "line",
        "rect",
        "circle",
        "text",
        "tspan",
        "defs",
        "clipPath",
        "linearGradient",
        "stop",
    }
)
_KEPT = frozenset(
    {
        *("d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "dx", "dy", "width", "height", "viewBox"),
        *("transform", "fill", "stroke", "opacity", "fill-opacity", "stroke-opacity", "stroke-width"),
        *("stroke-dasharray", "stroke-linecap", "stroke-linejoin", "text-anchor", "font-size", "font-weight"),
        *(
            "font-style",
            "clip-path",
            "id",
            "offset",
            "stop-color",
            "stop-opacity",
            "gradientUnits",
            "display",
        ),
        *("aria-hidden", "dominant-baseline"),
    }
)
_NEEDLESS = {"opacity": "1", "stroke-width": "0", "font-weight": "normal", "font-style": "normal"}
# drawn smaller than this, words become too small to read; a narrow window scrolls the plot instead
_LEAST, _MOST = 0.8, 1.15
_BOX = re.compile(r"0(?:\.0+)? 0(?:\.0+)? (?P<wide>\d{1,5}(?:\.\d+)?) (?P<high>\d{1,5}(?:\.\d+)?)")
_FRACTION = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_WITHIN = re.compile(r"url\(#([\w.-]+)\)")
_NOTHING = re.compile(r"(?:M0,0h0v0h0Z)?")


def drawing_of(svg: str, name: str, told: str) -> str:
    """The SVG for use inside a page; `told` says what it shows. A ValueError where it is no SVG."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"no drawing: {error}") from None
    box = _BOX.fullmatch(root.get("viewBox", ""))
    if _tag(root) != "svg" or box is None:
        raise ValueError("no drawing")
    inner = "".join("".join(_written(child, name, marks=False)) for child in root)
    wide, high = float(box["wide"]), float(box["high"])
    return (
        f'<svg class="chart" viewBox="0 0 {wide:.5g} {high:.5g}" '
        f'style="min-width:{_LEAST * wide:.0f}px;max-width:{_MOST * wide:.0f}px" role="img" '
        f'aria-label="{escape(told)}">{inner}</svg>'
    )


def _written(element: ElementTree.Element, name: str, *, marks: bool) -> Iterator[str]:
    tag = _tag(element)
    if tag not in _TAGS or (tag == "path" and _NOTHING.fullmatch(element.get("d", ""))):
        return
    marks = marks or "role-mark" in element.get("class", "").split()
    attributes = {key: value for key, value in element.attrib.items() if key in _KEPT}
    attributes = {key: value for key, value in attributes.items() if _NEEDLESS.get(key) != value}
    told = element.get("aria-label")
    if told and marks and tag != "g":
        attributes |= {"class": "mark", "role": "img", "aria-label": told}
    written = "".join(f' {key}="{_value(key, value, name)}"' for key, value in attributes.items())
    inner = "".join("".join(_written(child, name, marks=marks)) for child in element)
    said = escape(clean(element.text)) if element.text and tag in ("text", "tspan") else ""
    if tag == "g" and not inner:
        return
    yield inner if tag == "g" and not written else f"<{tag}{written}>{said}{inner}</{tag}>"


def _value(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{escape(value)}"
    # what is named within one drawing must not be found in another
    value = _WITHIN.sub(rf"url(#{name}-\1)", value)
    if "url(" in _WITHIN.sub("", value):
        return "none"
    if key in ("d", "transform", "viewBox"):
        value = _FRACTION.sub(lambda found: f"{float(found[0]):.5g}", value)
    return escape(clean(value))


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
