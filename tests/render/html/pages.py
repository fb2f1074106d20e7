"""Pages taken apart: what a browser would make of one, as far as a test wants to know."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

REASON = {"code": "leak", "severity": "error", "what": "knows the answer", "value": 0.998, "threshold": 0.9}
ANSWER: dict[str, Any] = {
    "schema_version": 1,
    "verb": "eda",
    "status": "ok",
    "VERDICT": "FLAGGED",
    "pathspec": "EdaFlow/7",
    "card_path": None,
    "summary": {
        "n_rows": 1_048_576,
        "target": {"name": "churned", "balance": 0.183},
        "leakage_flags": [{"column": "cancel_date", "score": 0.998}],
        "leakage_suspects": ["account_age"],
        "warnings": [],
    },
    "gate": {"tier": "read-only"},
    "reasons": [{**REASON, "column": "cancel_date"}],
    "next": ["loom features --dataset IngestDataset/3 --from EdaFlow/7"],
    "error": None,
    "run": "run-1",
}
PHASES: list[dict[str, Any]] = [
    {"phase": "profile", "status": "accepted", "seconds": 3.0, "attempts": 1, "reasons": []},
    {
        "phase": "leakage",
        "status": "rejected",
        "seconds": 130.0,
        "attempts": 2,
        "reasons": [{"what": "too slow"}],
    },
    {
        "phase": "each",
        "status": "skipped",
        "seconds": 0,
        "attempts": 0,
        "items": [],
        "data_objects": ["sha256:ab"],
    },
]


class Page(HTMLParser):
    """The tags, texts, ids and attributes of a page; every tag that opens is closed in order, every id is there once."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.headings: list[int] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        assert len(set(self.ids)) == len(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open[-1:]):
            self.text += data + " "

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.names |= set(told)
        self.elements.append((tag, told))
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told["href"]] if "href" in told else []
        self.headings += [int(tag[1])] if tag in ("h1", "h2", "h3") else []

    @property
    def words(self) -> str:
        """The text, its blanks made one."""
        return " ".join(self.text.split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [
            told
            for name, told in self.elements
            if name == tag and all(told.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]


def shown(html: str) -> Page:
    """A piece of a page by itself."""
    return Page(html)
