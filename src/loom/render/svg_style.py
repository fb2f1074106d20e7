"""The colours and marks of a drawn graph, by day and by night."""

from __future__ import annotations

from string import Template

_SHEET = Template("""\
.paper{fill:$paper}
.wave{fill:$stripe}
.card{fill:$card;stroke:$line;stroke-width:1}
.under{fill:$card;stroke:$line;stroke-width:1}
.rail{stroke:$line;stroke-width:1}
.critical .card,.critical .under{stroke:$critical;stroke-width:1.75}
.critical .rail{stroke:$critical}
.synthesis .card{fill:$tinted}
.id{fill:$ink}
.by,.label,.key{fill:$muted}
.gate{fill:$gate}
.star{fill:$model}
.arrow{fill:none;stroke:$arrow;stroke-width:1.4}
.gated{stroke:$gate;stroke-dasharray:5 4}
.tip{fill:$arrow}
.tip.gated{fill:$gate;stroke:none}
.tool .chip{fill:$tool;fill-opacity:.13}
.process .chip{fill:$process;fill-opacity:.13}
.model .chip{fill:$model;fill-opacity:.13}
.tool .sign{stroke:$tool}
.process .sign{stroke:$process}
.model .sign{fill:$model;stroke:none}
.pill{fill:$pill}
""")

_DAY = {
    "paper": "#fbfcfe",
    "stripe": "#f3f5f9",
    "card": "#ffffff",
    "tinted": "#f7f0ff",
    "line": "#d3d9e4",
    "ink": "#182033",
    "muted": "#626e83",
    "arrow": "#9aa6ba",
    "gate": "#b45f06",
    "critical": "#e0531f",
    "tool": "#0f766e",
    "process": "#3457d5",
    "model": "#8b35d6",
    "pill": "#e9edf4",
}
_NIGHT = {
    "paper": "#0e1219",
    "stripe": "#131924",
    "card": "#1a212d",
    "tinted": "#261d38",
    "line": "#354052",
    "ink": "#e9eef7",
    "muted": "#97a3b8",
    "arrow": "#66758c",
    "gate": "#f0b04a",
    "critical": "#ff8552",
    "tool": "#3fd0bd",
    "process": "#86a2ff",
    "model": "#c78bff",
    "pill": "#2b3443",
}
_FIXED = """\
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.by,.gate{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.name{font-size:17px;font-weight:650}
.id{font-weight:600}
.label{font-size:10px;font-weight:600;letter-spacing:.08em}
.key{font-size:11px}
.sign{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}
"""

SIGNS = {
    # a hexagonal nut, two nested sheets, a spark: told apart without colour
    "tool": '<path class="sign" d="M0-6L5.2-3V3L0 6L-5.2 3V-3Z"/><circle class="sign" r="2"/>',
    "process": '<path class="sign" d="M-2-2.2H5.4V5.2H-2Z"/><path class="sign" d="M-5.4 2V-5.4H2"/>',
    "model": '<path class="sign" d="M0-6.6Q.9-.9 6.6 0Q.9 .9 0 6.6Q-.9 .9-6.6 0Q-.9-.9 0-6.6Z"/>',
}


def style_sheet() -> str:
    """The whole style sheet; nothing in it is fetched from anywhere."""
    night = _SHEET.substitute(_NIGHT)
    return f"{_FIXED}{_SHEET.substitute(_DAY)}@media (prefers-color-scheme:dark){{\n{night}}}\n"
