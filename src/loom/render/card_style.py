"""How a card looks: one sheet for screens by day and by night, for paper, and for narrow windows."""

from __future__ import annotations

from string import Template

_SHEET = Template("""\
:root{$day}
@media (prefers-color-scheme:dark){:root{$night}}
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header>div,footer{max-width:1060px;margin:0 auto;padding:0 28px}
header{background:var(--tint);border-bottom:1px solid var(--line)}
header>div{padding-top:34px;padding-bottom:30px}
.about{display:flex;flex-wrap:wrap;gap:4px 14px;align-items:baseline;color:var(--muted);font-size:14px}
.about b{color:var(--ink);font-weight:650}
h1{display:flex;align-items:center;gap:16px;margin:10px 0 0;color:var(--tone);font-size:clamp(32px,6vw,50px);line-height:1.1;letter-spacing:-.02em}
h1 svg{flex:none;width:.88em;height:.88em}
.lead{margin:10px 0 0;max-width:70ch;font-size:17px}
h2{margin:40px 0 12px;font-size:13px;font-weight:650;letter-spacing:.08em;text-transform:uppercase;color:var(--muted)}
ul.reasons{list-style:none;margin:20px 0 0;padding:0;display:grid;gap:8px}
ul.reasons li{display:flex;gap:12px;align-items:baseline;padding:10px 14px;background:var(--card);border:1px solid var(--line);border-left:4px solid var(--mark);border-radius:8px}
.error{--mark:var(--bad)}.warning{--mark:var(--wary)}.info{--mark:var(--calm)}
.reasons .code,.pill{flex:none;font-size:11.5px;font-weight:650;letter-spacing:.03em;color:var(--mark)}
.reasons .seen{margin-left:auto;flex:none;color:var(--muted);font-variant-numeric:tabular-nums}
.more{color:var(--muted);font-size:14px;margin:8px 0 0}
.numbers{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:1px;margin-top:28px;background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.numbers div{padding:14px 16px 12px;min-width:0;box-shadow:1px 1px 0 var(--line)}
.numbers dt{color:var(--muted);font-size:12.5px}
.numbers dd{margin:2px 0 0;font-size:23px;font-weight:620;letter-spacing:-.01em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere;line-height:1.25}
.numbers dd.text{font-size:15px;font-weight:550;line-height:1.4;letter-spacing:0}
dl{margin:0}
ol.next{list-style:none;margin:0;padding:0;display:grid;gap:8px}
ol.next li,pre{background:var(--well);border-radius:8px;padding:10px 14px;overflow-x:auto}
ol.next li{display:flex;gap:12px;align-items:center}
code,pre,.mono{font:13.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
ol.next code{white-space:pre;flex:1;overflow-x:auto}
ol.next li::before{content:"$$";color:var(--muted);font:13.5px ui-monospace,Menlo,monospace}
button{flex:none;border:1px solid var(--line);background:var(--card);color:var(--muted);border-radius:6px;padding:2px 10px;font:12.5px system-ui,sans-serif;cursor:pointer}
button:hover{color:var(--ink)}
.trouble{border:1px solid var(--bad);border-radius:10px;padding:14px 18px;background:var(--card);margin-top:20px}
.trouble p{margin:2px 0}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:7px 14px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);max-width:44ch;overflow-wrap:anywhere}
th{color:var(--muted);font-weight:600;font-size:12.5px;white-space:nowrap;background:var(--well)}
tr:last-child td{border-bottom:0}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
h3{margin:22px 0 8px;font-size:15px;font-weight:620}
h3:first-letter{text-transform:uppercase}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;font-size:14px}
dl.facts dt{color:var(--muted)}
dl.facts dd{margin:0;overflow-wrap:anywhere}
.pill{display:inline-block;padding:1px 9px;border-radius:99px;border:1px solid currentColor}
.good{--mark:var(--fine)}.poor{--mark:var(--bad)}.idle{--mark:var(--calm)}
td.bar{width:34%;min-width:120px;vertical-align:middle}
td.bar i{display:block;height:8px;border-radius:4px;background:var(--mark);opacity:.75;min-width:3px}
tr.why td{padding-top:0;color:var(--muted);font-size:13.5px}
tr.has-why td{border-bottom:0}
details{border:1px solid var(--line);border-radius:10px;background:var(--card);margin-top:10px;padding:0 16px}
summary{cursor:pointer;padding:10px 0;font-weight:550}
details[open]{padding-bottom:14px}
pre{margin:0;max-height:540px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12.5px}
footer{margin-top:48px;padding-top:16px;padding-bottom:36px;color:var(--muted);font-size:13px;border-top:1px solid var(--line)}
@media (max-width:640px){main,header>div,footer{padding-left:16px;padding-right:16px}ul.reasons li{flex-wrap:wrap}.reasons .seen{margin-left:0}}
@media print{button{display:none}body{background:#fff}details{break-inside:avoid}}
""")

_DAY = {
    "paper": "#f8f9fb",
    "card": "#ffffff",
    "well": "#f1f3f7",
    "line": "#dde2ea",
    "ink": "#171d2b",
    "muted": "#5c677a",
    "fine": "#0b7a53",
    "wary": "#a35a00",
    "bad": "#c02a26",
    "calm": "#3457d5",
}
_NIGHT = {
    "paper": "#0e1219",
    "card": "#171d28",
    "well": "#1d2431",
    "line": "#2f394a",
    "ink": "#e8edf6",
    "muted": "#98a4b8",
    "fine": "#4fd39c",
    "wary": "#f2b457",
    "bad": "#ff7d74",
    "calm": "#8aa8ff",
}


def sheet() -> str:
    """The style of a card, complete."""
    return _SHEET.substitute(day=_declared(_DAY), night=_declared(_NIGHT))


def _declared(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
