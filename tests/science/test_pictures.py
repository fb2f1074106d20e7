"""Pictures: two themes from one chart, the same bytes every time, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from loom.kernel.errors import LoomError
from loom.science.charts.chart import framed
from loom.science.charts.drawing import bars, heat, line_at
from loom.science.pictures import png, standalone, svg


def chart(**more: Any) -> dict[str, Any]:
    rows = [
        {"name": "@ink", "value": 0.75, "label": "75 %", "said": "@ink: 75 %"},
        {"name": "other", "value": 0.25, "label": "25 %", "said": "other: 25 %"},
    ]
    drawing = bars(rows, most=0.75)
    return framed("one", "A title of the page", "Bars of two.", "here", drawing | more, note="share").spec


def test_a_file_carries_its_title_and_concrete_colours() -> None:
    picture = svg(chart())
    assert "A title of the page" in picture and "share" in picture
    assert "#2f6db3" in picture and "var(" not in picture
    assert "#ffffff" in picture


def test_a_card_has_the_colours_of_its_page_and_leaves_it_the_title() -> None:
    picture = svg(chart(), theme="card")
    assert "var(--accent)" in picture and "var(--muted)" in picture
    assert "A title of the page" not in re.sub(r'aria-label="[^"]*"', "", picture)
    assert ">share<" in picture
    assert not re.search(r'(?:fill|stroke)="#', picture)
    assert 'fill="white"' not in picture


def test_words_that_look_like_roles_stay_words() -> None:
    for theme in ("card", "light"):
        assert ">@ink<" in svg(chart(), theme=theme)


def test_a_picture_fills_its_place_and_is_whole_xml() -> None:
    tall = heat(
        [{"a": "p", "b": "q", "value": 0.4, "kind": "k", "label": "", "said": "s"}],
        ["p"],
        ["q"],
        {"k": "@bad"},
    )
    for spec in (chart(), framed("two", "T", "Words.", "here", tall).spec):
        root = ElementTree.fromstring(svg(spec, theme="card"))
        assert root.get("width") == "100%" and root.get("height") is None
        assert len((root.get("viewBox") or "").split()) == 4
        assert "font-family" in (root.get("style") or "")


def test_marks_say_what_they_stand_for() -> None:
    assert 'aria-label="other: 25 %"' in svg(chart(), theme="card")


def test_ids_of_two_pictures_on_one_page_never_meet() -> None:
    clipped = {"view": {"stroke": None}, "mark": {"type": "bar", "clip": True}}
    specs = [
        {"data": {"values": [{"x": value}]}, "encoding": {"x": {"field": "x", "type": "quantitative"}}}
        | clipped
        for value in (1, 2)
    ]
    first, second = (set(re.findall(r'\bid="([^"]+)"', svg(spec))) for spec in specs)
    assert first and second and not first & second
    picture = svg(specs[0])
    assert picture == svg(specs[0])
    assert set(re.findall(r"url\(#([^)]+)\)", picture)) <= first


def test_a_png_is_the_same_every_time_and_as_large_as_it_was_asked_for() -> None:
    once, larger = png(chart()), png(chart(), 3)
    assert once == png(chart())
    width, height = struct.unpack(">II", once[16:24])
    wide, high = struct.unpack(">II", larger[16:24])
    assert width == 840
    assert (wide / width, high / height) == (pytest.approx(1.5, abs=0.01), pytest.approx(1.5, abs=0.02))


def test_a_standalone_chart_needs_no_roles() -> None:
    told = json.dumps(
        {key: value for key, value in standalone(chart()).items() if key not in ("data", "title")}
    )
    assert "@" not in told.replace("@v", "")


@pytest.mark.parametrize(
    "data",
    [
        {"url": "http://127.0.0.1:1/data.json"},
        {"url": "file:///etc/hostname", "format": {"type": "csv"}},
        {"url": "relative.csv"},
    ],
)
def test_nothing_is_fetched(data: dict[str, Any]) -> None:
    with pytest.raises(LoomError, match="cannot be drawn"):
        svg({"data": data, "mark": "bar", "encoding": {}})
    with pytest.raises(LoomError, match="cannot be drawn"):
        png({"layer": [{"data": data, "mark": "bar"}]})


def test_a_chart_that_is_none_is_an_error_in_three_lines() -> None:
    with pytest.raises(LoomError) as refused:
        svg({"mark": "nothing of the kind", "data": {"values": []}})
    assert refused.value.fix and "\n" not in refused.value.why


def test_a_line_lies_on_the_scale_of_the_rest() -> None:
    reach = {"field": "value", "type": "quantitative", "axis": None, "scale": {"domain": [0, 2]}}
    layers = line_at(reach, 1.0, "threshold")
    spec = framed("three", "T", "Words.", "here", {"height": 50, "layer": layers}).spec
    assert ">threshold<" in svg(spec)


def test_what_draws_is_loaded_when_something_is_drawn() -> None:
    code = "import sys, loom.science.pictures; print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
