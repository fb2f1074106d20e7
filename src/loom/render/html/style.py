"""How a page looks: one sheet for screens by day and by night, for paper, and for narrow windows."""

from __future__ import annotations

from string import Template

from loom.render.html.palette import DAY, NIGHT, declared

_SHEET = Template("""\
:root{$day;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{$night}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:64px}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:break-word}
header,main,footer{max-width:1220px;margin:0 auto;padding:0 32px}
header p,footer p,figure,dl,dd,ol,ul{margin:0;padding:0}
code,pre{font:.92em/1.5 ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,monospace}
a{color:var(--calm);text-decoration-thickness:1px;text-underline-offset:3px}
:focus-visible{outline:2px solid var(--calm);outline-offset:2px;border-radius:4px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:16px;top:-60px;background:var(--card);padding:8px 14px;border-radius:8px;z-index:9}
.skip:focus{top:12px}
.fine{--tone:var(--fine);--tint:var(--fine-tint)}.wary{--tone:var(--wary);--tint:var(--wary-tint)}
.bad{--tone:var(--bad);--tint:var(--bad-tint)}.calm{--tone:var(--calm);--tint:var(--calm-tint)}

header{display:flex;flex-wrap:wrap;gap:2px 20px;justify-content:space-between;padding-top:22px;color:var(--muted);font-size:14px}
header b{color:var(--ink);font-weight:650}
header p,footer{min-width:0;overflow-wrap:anywhere}
header .run{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px}
.verdict{display:flex;align-items:center;gap:20px;margin:34px 0 0}
.badge{flex:none;display:grid;place-items:center;width:60px;height:60px;border-radius:17px;background:var(--tint);color:var(--tone)}
.badge svg{width:30px;height:30px}
h1{margin:0;font-size:clamp(28px,5vw,38px);line-height:1.15;letter-spacing:-.022em;font-weight:680;overflow-wrap:anywhere}
.verdict p{margin:3px 0 0;color:var(--muted);font-size:16px}
.reasons{list-style:none;margin-top:26px;background:var(--card);border:1px solid var(--line);border-radius:14px}
.reasons li{display:flex;gap:12px;align-items:flex-start;padding:12px 18px}
.reasons li+li{border-top:1px solid var(--line)}
.reasons .sign{flex:none;width:18px;height:18px;margin-top:3px;color:var(--tone)}
.what{flex:1;min-width:0;overflow-wrap:anywhere}
.what a{color:inherit;text-decoration-color:var(--edge)}
.what a:hover{color:var(--calm)}
.what code,.facts code,.note code,td code,th code{background:var(--well);border-radius:5px;padding:1px 4px}
.seen{flex:none;max-width:45%;color:var(--muted);font-size:14px;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.seen b{color:var(--ink);font-weight:620}
.trouble{margin-top:26px;background:var(--card);border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:14px;padding:14px 20px}
.trouble p{margin:3px 0;overflow-wrap:anywhere}
.numbers{display:grid;grid-template-columns:repeat(var(--n),minmax(0,1fr));margin-top:20px;background:var(--card);border:1px solid var(--line);border-radius:14px;overflow:hidden}
.numbers div{padding:14px 18px 13px;min-width:0;box-shadow:1px 1px 0 var(--line)}
.numbers dt{color:var(--muted);font-size:13px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.numbers dt::first-letter{text-transform:uppercase}
.numbers dd{margin-top:3px;font-size:25px;line-height:34px;font-weight:640;letter-spacing:-.018em;font-variant-numeric:tabular-nums;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.numbers .medium{font-size:18px;letter-spacing:-.01em}
.numbers .small{font-size:13.5px;line-height:17px;font-weight:560;letter-spacing:0;white-space:normal;overflow-wrap:anywhere;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2}
.numbers .note{margin:2px 0 0;max-width:none;font-size:12.5px;line-height:17px;font-weight:400;letter-spacing:0;color:var(--muted);white-space:normal;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2}
[data-tone=fine] dt+dd{color:var(--fine)}[data-tone=wary] dt+dd{color:var(--wary)}[data-tone=bad] dt+dd{color:var(--bad)}

h2{margin:46px 0 14px;font-size:20px;line-height:1.3;font-weight:650;letter-spacing:-.012em}
h2::first-letter,summary::first-letter{text-transform:uppercase}
.next h2{margin:30px 0 10px;font-size:15px;letter-spacing:0}
.next ol{list-style:none;display:grid;grid-template-columns:minmax(0,1fr);gap:8px}
.next li{display:flex;align-items:center;gap:10px;background:var(--card);border:1px solid var(--line);border-radius:11px;padding:7px 8px 7px 16px}
.next li::before{content:"$$";color:var(--muted);font:13.5px ui-monospace,Menlo,Consolas,monospace}
.next code{flex:1;min-width:0;white-space:pre-wrap;overflow-wrap:anywhere;padding:3px 2px}
button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}
.next button{flex:none;min-width:70px;padding:4px 12px;font-size:13px;border:1px solid var(--line);border-radius:8px;background:var(--well)}
.next button:hover{border-color:var(--edge)}

nav{position:sticky;top:0;z-index:5;display:flex;gap:24px;margin:40px 0 0;padding:12px 0;overflow-x:auto;background:var(--paper);border-bottom:1px solid var(--line);scrollbar-width:none}
nav a{flex:none;color:var(--muted);font-size:14px;text-decoration:none}
nav a:hover{color:var(--ink)}
nav~section:first-of-type h2,nav+section h2{margin-top:30px}
.note,.more,.none,.source{color:var(--muted);font-size:14px;margin:0 0 14px;max-width:78ch}
.more{margin:10px 0 0}
.filter{display:flex;align-items:center;gap:14px;margin:0 0 12px;color:var(--muted);font-size:13.5px}
.filter input{flex:0 1 280px;min-width:0;font:inherit;font-size:14px;color:var(--ink);background:var(--card);border:1px solid var(--edge);border-radius:9px;padding:6px 12px}
.filter input::placeholder{color:var(--muted);opacity:1}

.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:14px}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:14px;line-height:1.45}
th,td{padding:7px 13px;text-align:left;vertical-align:middle}
tbody tr>*{border-top:1px solid var(--line)}
thead th{padding:9px 13px;color:var(--muted);font-size:12.5px;font-weight:600;white-space:nowrap;background:var(--card)}
tbody th{font-weight:560;min-width:110px;max-width:260px;background:inherit}
tbody tr{background:var(--card)}
tbody tr:hover{background:var(--well)}
tbody tr:target{background:var(--calm-tint);box-shadow:inset 3px 0 var(--calm)}
th:first-child{position:sticky;left:0;z-index:1}
tbody td,tbody th{height:42px}
td{max-width:340px}
.words{min-width:150px}
.right{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.right>span:last-child:not(:only-child){display:inline-block;min-width:3.9em}
.nil{color:var(--muted)}
.long{min-width:230px}
.long span{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden}
.meter{display:inline-block;vertical-align:middle;width:48px;height:6px;border-radius:3px;background:var(--well);margin-right:8px;overflow:hidden}
tr:hover .meter,tr:target .meter{background:var(--line)}
.meter i{display:block;height:100%;border-radius:3px;background:var(--accent)}
thead button{position:relative;font-weight:600;border-radius:4px}
thead button:hover{color:var(--ink)}
thead button::after{content:"";position:absolute;right:-11px;top:calc(50% - 2px);width:0;border:4px solid transparent;border-top-color:currentColor;border-bottom-width:0;opacity:0}
thead button:hover::after{opacity:.35}
[aria-sort] button::after{opacity:1}[aria-sort] button{color:var(--ink)}
[aria-sort=ascending] button::after{border-width:0 4px 4px;border-color:transparent transparent currentColor}
.tag{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12.5px;font-weight:560;white-space:nowrap;color:var(--tone);background:var(--tint)}
.tags{min-width:110px}.tags .tag{margin:1px 0}.tags .more{font-size:12.5px;margin:0}
.why{margin:4px 0 0;color:var(--muted);font-size:13.5px}
.phases .meter{width:clamp(60px,16vw,180px)}
.drawn{padding-top:3px;padding-bottom:3px;min-width:158px;max-width:220px}
.spark{display:block;overflow:visible}
.spark .area{fill:var(--accent);fill-opacity:.18;stroke:var(--accent);stroke-width:1.2;stroke-linejoin:round}
.spark .rule{fill:none;stroke:var(--edge);stroke-width:1}
.spark .half{fill:none;stroke:var(--accent);stroke-width:3;stroke-linecap:round}
.spark .middle{fill:var(--card);stroke:var(--ink);stroke-width:1.6}
.spark .level{fill:var(--accent)}.spark .rest{fill:var(--line)}

.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,470px),1fr));gap:18px}
.figures.one{grid-template-columns:minmax(0,720px)}
figure{display:flex;flex-direction:column;min-width:0;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px 20px 14px}
figure h3{margin:0 0 10px;font-size:15px;font-weight:620;line-height:1.4}
.plot{overflow-x:auto;overflow-y:hidden}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text{font-family:"Liberation Sans",Arial,Helvetica,sans-serif}
.mark.on{stroke:var(--ink);stroke-width:1.5}
figcaption{margin-top:auto;padding-top:10px;color:var(--muted);font-size:13px;line-height:1.5}
.source{margin:0;font-size:12.5px}
details{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:0 20px;margin-top:10px}
summary{cursor:pointer;padding:12px 0;font-weight:560}
details[open]{padding-bottom:18px}
.under{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:0 18px;margin-top:8px}
figure details{border:0;padding:0;margin:0;font-size:13px}
figure details[open]{flex-basis:100%;min-width:0;padding-bottom:6px}
figure summary{padding:3px 0;color:var(--muted);font-weight:500;width:max-content}
figure details .scroll{max-height:300px;border-radius:9px}
.facts{display:grid;grid-template-columns:minmax(130px,max-content) minmax(0,1fr);gap:6px 26px;font-size:14px}
.facts dt{color:var(--muted)}
.facts dd{overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
pre{margin:0;padding:14px 16px;max-height:560px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--well);border-radius:9px;font-size:12.5px}
footer{margin-top:56px;padding-top:18px;padding-bottom:40px;color:var(--muted);font-size:13px}
.tip{position:fixed;z-index:10;pointer-events:none;max-width:min(320px,calc(100vw - 16px));padding:7px 11px;border-radius:9px;background:var(--ink);color:var(--paper);font-size:12.5px;line-height:1.45;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tip[hidden]{display:none}

@media (max-width:900px){.numbers{grid-template-columns:repeat(min(var(--n),4),minmax(0,1fr))}}
@media (max-width:640px){
header,main,footer{padding-left:16px;padding-right:16px}
.verdict{margin-top:24px;gap:14px}.badge{width:50px;height:50px;border-radius:14px}
.reasons li{flex-wrap:wrap;padding:11px 14px;gap:6px 10px}.what{flex-basis:calc(100% - 40px)}.seen{max-width:100%;padding-left:28px}
.numbers{grid-template-columns:repeat(2,minmax(0,1fr))}.numbers div{padding:12px 14px 11px}.numbers dd{font-size:22px}
.numbers div:last-child:nth-child(odd){grid-column:1/-1}
nav{margin-left:-16px;margin-right:-16px;padding-left:16px;padding-right:16px}
th,td{padding-left:12px;padding-right:12px}tbody th{min-width:96px;max-width:160px}thead th:first-child{max-width:150px}
th:first-child{box-shadow:1px 0 var(--line)}
figure{padding:14px 14px 10px}
.facts{grid-template-columns:minmax(0,1fr);gap:0}.facts dd{margin-bottom:8px}
}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media (forced-colors:active){.meter i,.tag{border:1px solid}}
@media print{
:root{$day}
body{background:#fff;font-size:11pt}
nav,.next button,.filter,.skip,.tip,thead button::after{display:none!important}
main,header,footer{max-width:none;padding:0}
.scroll,.plot,pre{overflow:visible;max-height:none}
table{font-size:9pt}th,td{padding-left:6px;padding-right:6px}.chart{min-width:0!important}
section,figure,tr{break-inside:auto}figure,tr,.reasons li{break-inside:avoid}h2{break-after:avoid}
details:not(.print){display:none}
}
""")


def sheet() -> str:
    """The style of a page, complete."""
    return _SHEET.substitute(day=declared(DAY), night=declared(NIGHT))
