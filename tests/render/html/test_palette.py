"""The colours of a page: what has to be read can be read, by day and by night."""

from __future__ import annotations

import re

import pytest

from loom.render.html.palette import DAY, NIGHT, TONES
from loom.render.html.style import sheet

THEMES = pytest.mark.parametrize("colours", [DAY, NIGHT], ids=["day", "night"])
GROUNDS = ("paper", "card", "well")
SHAPES = ("accent", "rest", "class-1", "class-2", "class-3", "class-4", "class-5", "class-6", "edge")


def luminance(colour: str) -> float:
    """How bright a colour is, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_it_is_meant() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@THEMES
@pytest.mark.parametrize("words", ["ink", "muted", *TONES])
def test_words_can_be_read_on_every_ground(words: str, colours: dict[str, str]) -> None:
    for ground in GROUNDS:
        assert contrast(colours[words], colours[ground]) >= 4.5


@THEMES
@pytest.mark.parametrize("tone", TONES)
def test_a_tag_can_be_read_on_its_tint(tone: str, colours: dict[str, str]) -> None:
    assert contrast(colours[tone], colours[f"{tone}-tint"]) >= 4.5
    assert contrast(colours["ink"], colours[f"{tone}-tint"]) >= 4.5


@THEMES
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_stand_out_from_their_card(shape: str, colours: dict[str, str]) -> None:
    assert contrast(colours[shape], colours["card"]) >= 3


@THEMES
def test_a_tip_can_be_read(colours: dict[str, str]) -> None:
    assert contrast(colours["paper"], colours["ink"]) >= 4.5


def test_both_themes_declare_every_colour_that_the_sheet_uses() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", sheet())) - {"tone", "tint", "n"}
    assert used <= set(DAY)
    assert set(DAY) == set(NIGHT)
