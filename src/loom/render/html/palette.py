"""The colours of a page, by day and by night: every text on every ground it stands on reads at 4.5 to 1 or better."""

from __future__ import annotations

# the last ones are for shapes: they stand out at 3 to 1, and `pictures` draws plots with them by these names
TONES = ("fine", "wary", "bad", "calm")

_DAY = {
    "paper": "#f6f7f9",
    "card": "#ffffff",
    "well": "#f0f2f6",
    "line": "#e1e5ec",
    "edge": "#868fa0",
    "ink": "#131926",
    "muted": "#566072",
    "fine": "#0b6b4a",
    "wary": "#8a4b00",
    "bad": "#b3261e",
    "calm": "#2c4cc4",
    "accent": "#3f63d8",
    "rest": "#8b94a3",
    "class-1": "#3f63d8",
    "class-2": "#c8611a",
    "class-3": "#12846a",
    "class-4": "#9a4fa3",
    "class-5": "#97751a",
    "class-6": "#3287b8",
}
_NIGHT = {
    "paper": "#0c1017",
    "card": "#131923",
    "well": "#1a2230",
    "line": "#2a3444",
    "edge": "#66738a",
    "ink": "#e7ecf5",
    "muted": "#9ca8bc",
    "fine": "#4cd29b",
    "wary": "#f0b25a",
    "bad": "#ff857c",
    "calm": "#93aeff",
    "accent": "#7f9dff",
    "rest": "#77839a",
    "class-1": "#7f9dff",
    "class-2": "#f0975a",
    "class-3": "#45c3a0",
    "class-4": "#cf8fd8",
    "class-5": "#d6b24a",
    "class-6": "#6cbfe8",
}
_TINT = {"day": 0.08, "night": 0.14}


def _mixed(colour: str, ground: str, share: float) -> str:
    parts = zip(_channels(colour), _channels(ground), strict=True)
    return "#" + "".join(f"{round(share * one + (1 - share) * other):02x}" for one, other in parts)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _with_tints(colours: dict[str, str], share: float) -> dict[str, str]:
    """The colours, and per tone the faint ground that its words may stand on."""
    tints = {f"{tone}-tint": _mixed(colours[tone], colours["card"], share) for tone in TONES}
    return {**colours, **tints}


DAY = _with_tints(_DAY, _TINT["day"])
NIGHT = _with_tints(_NIGHT, _TINT["night"])


def declared(colours: dict[str, str]) -> str:
    """The colours as custom properties of a style sheet."""
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
