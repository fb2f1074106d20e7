"""What a page does beyond standing still: copy, sort, filter, tell the value below the pointer. All of it is optional:
without it the page shows everything, and no control that would do nothing."""

from __future__ import annotations

import base64
import hashlib

SCRIPT = """
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const make = (tag, about) => Object.assign(document.createElement(tag), about);

  all(".next li code").forEach(code => {
    const button = make("button", {type: "button", textContent: "Copy"});
    button.setAttribute("aria-label", "Copy: " + code.textContent);
    button.onclick = async () => {
      let done = true;
      try { await navigator.clipboard.writeText(code.textContent); }
      catch { getSelection().selectAllChildren(code); done = document.execCommand("copy"); }
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    };
    code.after(button);
  });

  const value = (row, at) => {
    const cell = row.cells[at];
    return "v" in cell.dataset ? +cell.dataset.v : cell.textContent.trim() || null;
  };
  const compare = (a, b) => typeof a == "number" && typeof b == "number" ? a - b
    : String(a).localeCompare(String(b), undefined, {numeric: true});
  all("main section > .scroll > table").forEach(table => {
    const body = table.tBodies[0], before = [...body.rows];
    if (before.length < 3) return;
    all("thead th", table).forEach((head, at) => {
      if (head.dataset.kind == "spark") return;
      const button = make("button", {type: "button"});
      button.append(...head.childNodes);
      head.append(button);
      button.onclick = () => {
        const first = head.classList.contains("right") ? "descending" : "ascending";
        const then = first == "ascending" ? "descending" : "ascending";
        const was = head.getAttribute("aria-sort");
        const now = was == first ? then : was == then ? null : first;
        all("thead th", table).forEach(each => each.removeAttribute("aria-sort"));
        if (now) head.setAttribute("aria-sort", now);
        const sign = now == "descending" ? -1 : 1;
        const keyed = before.map(row => [value(row, at), row]);
        if (now) keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * compare(a, b));
        body.append(...keyed.map(([, row]) => row));
      };
    });
  });

  all("[data-filter]").forEach(scroll => {
    const rows = all("tbody tr", scroll), words = rows.map(row => row.textContent.toLowerCase());
    const label = make("label", {className: "filter"}), field = make("input", {type: "search"});
    const count = make("span", {textContent: rows.length + " rows"});
    count.setAttribute("role", "status");
    field.placeholder = "Filter rows";
    field.setAttribute("aria-label", "Filter rows of " + scroll.getAttribute("aria-label"));
    field.oninput = () => {
      const wanted = field.value.trim().toLowerCase();
      let left = 0;
      rows.forEach((row, at) => { left += !(row.hidden = !words[at].includes(wanted)); });
      count.textContent = wanted ? left + " of " + rows.length + " rows" : rows.length + " rows";
    };
    label.append(field, count);
    scroll.before(label);
    addEventListener("hashchange", () => {
      const row = scroll.querySelector(":target");
      if (row && row.hidden) { field.value = ""; field.oninput(); row.scrollIntoView({block: "center"}); }
    });
  });

  const tip = make("div", {className: "tip", hidden: true});
  tip.setAttribute("role", "status");
  document.body.append(tip);
  let shown = null;
  const hide = () => { tip.hidden = true; shown?.classList.remove("on"); shown = null; };
  const show = (mark, x, y) => {
    hide();
    shown = mark;
    mark.classList.add("on");
    tip.replaceChildren(...mark.getAttribute("aria-label").split("; ").map(line => make("div", {textContent: line})));
    tip.hidden = false;
    const box = tip.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    tip.style.left = Math.max(8, Math.min(x + 14, wide - box.width - 8)) + "px";
    tip.style.top = (y - box.height - 12 < 8 ? y + 16 : y - box.height - 12) + "px";
  };
  document.addEventListener("pointermove", event => {
    const mark = event.target.closest?.(".mark, .spark");
    if (mark) show(mark, event.clientX, event.clientY); else if (shown) hide();
  });
  addEventListener("scroll", hide, {passive: true});
  all("svg.chart").forEach(chart => {
    const marks = all(".mark", chart);
    if (!marks.length) return;
    let at = -1;
    chart.tabIndex = 0;
    chart.setAttribute("aria-description", "The arrow keys go from mark to mark.");
    chart.onblur = hide;
    chart.onkeydown = event => {
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      if (event.key == "Escape") hide();
      if (!step) return;
      event.preventDefault();
      at = (at + step + marks.length) % marks.length;
      const box = marks[at].getBoundingClientRect();
      show(marks[at], box.x + box.width / 2, box.y);
    };
  });

  addEventListener("beforeprint", () => all("details.print").forEach(each => { each.open = true; }));
})();
"""

_DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
)
"""What a browser may do with a page: run this script and no other, and fetch nothing."""
