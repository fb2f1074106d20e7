"""A browser without scripts and without a screen: it fetches, follows links and sends forms."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from loom.tools.checks.browser import BrowserError
from loom.tools.context import Permissions
from loom.tools.page import Node, Page, parse_page
from loom.tools.selectors import select
from loom.tools.threads import Stop
from loom.tools.web import FetchError, Request, fetch

MAX_REDIRECTS = 5
_PRESSED = ("submit", "image")


class StaticBrowser:
    """Loads pages as they are sent. Scripts do not run, so a page that builds itself stays empty."""

    engine = "static"

    def __init__(self, permissions: Permissions, stop: Stop) -> None:
        self._permissions, self._stop = permissions, stop
        self._page = parse_page("")
        self._cookies: dict[str, dict[str, str]] = {}
        self._filled: dict[int, str] = {}
        self.requests: list[dict[str, object]] = []
        self.problems: list[str] = []

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._page.url

    @property
    def title(self) -> str:
        """What the page calls itself."""
        return self._page.title

    @property
    def text(self) -> str:
        """What a reader sees."""
        return self._page.text

    def goto(self, url: str) -> int:
        """Open an address, and answer with its status."""
        return self._load("GET", urljoin(self.url, url), None)

    def count(self, selector: str) -> int:
        """How many elements there are."""
        return len(select(self._page.root, selector))

    def click(self, selector: str) -> None:
        """Follow the link, or send the form of the button."""
        node = self._one(selector)
        link = _ancestor(node, "a")
        if link is not None and link.attributes.get("href"):
            self._load("GET", urljoin(self.url, link.attributes["href"]), None)
            return
        form = _ancestor(node, "form")
        button = _ancestor(node, "button") or node
        kind = button.attributes.get("type", "submit" if button.tag == "button" else "").lower()
        if form is None or kind not in _PRESSED:
            raise BrowserError(
                f"{selector} is neither a link nor a button that sends a form; scripts do not run here"
            )
        self._send(form, button)

    def fill(self, selector: str, value: str) -> None:
        """Put a value into a field, to be sent with its form."""
        node = self._one(selector)
        if node.tag not in ("input", "textarea", "select"):
            raise BrowserError(f"{selector} is no field")
        self._filled[id(node)] = value

    def screenshot(self) -> bytes | None:
        """Nothing: no page is drawn."""
        return None

    def _one(self, selector: str) -> Node:
        found = select(self._page.root, selector, limit=1)
        if not found:
            raise BrowserError(f"nothing matches {selector}")
        return found[0]

    def _send(self, form: Node, button: Node) -> None:
        fields = [*_fields(form, self._filled)]
        if button.attributes.get("name"):
            fields.append((button.attributes["name"], button.attributes.get("value", "")))
        target = urljoin(self.url, form.attributes.get("action") or self.url)
        if form.attributes.get("method", "get").lower() == "post":
            self._load("POST", target, urlencode(fields).encode())
        else:
            self._load("GET", f"{target.partition('?')[0]}?{urlencode(fields)}", None)

    def _load(self, method: str, url: str, body: bytes | None) -> int:
        """Fetch hop by hop, so that cookies set on the way are sent on the next."""
        for _ in range(MAX_REDIRECTS + 1):
            url = url.partition("#")[0]
            host = urlsplit(url).hostname or ""
            headers = {"Accept": "text/html,*/*"}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            if jar := self._cookies.get(host):
                headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
            try:
                answer = fetch(
                    Request(url, method, headers, body, redirects=0), self._permissions, self._stop
                )
            except FetchError as error:
                self.requests.append({"method": method, "url": url, "status": None})
                raise BrowserError(f"{url}: {error}") from None
            self.requests.append({"method": method, "url": url, "status": answer.status})
            self._keep(host, answer.headers.get("set-cookie", ""))
            target = answer.headers.get("location")
            if not (300 <= answer.status < 400 and target):
                self._show(answer.url, answer.text if "html" in answer.content_type else "", answer.text)
                if answer.status >= 400:
                    self.problems.append(f"{url} answered {answer.status}")
                return answer.status
            url = urljoin(url, target)
            if answer.status != 307 and answer.status != 308:
                method, body = "GET", None
        raise BrowserError(f"more than {MAX_REDIRECTS} redirects")

    def _show(self, url: str, html: str, plain: str) -> None:
        page = parse_page(html, url, self._stop)
        if not html and plain:
            page.root.children.append(plain)
        self._page = Page(url, page.root)
        self._filled = {}

    def _keep(self, host: str, header: str) -> None:
        try:
            for name, morsel in SimpleCookie(header).items():
                self._cookies.setdefault(host, {})[name] = morsel.value
        except CookieError:
            self.problems.append(f"{host} sets a cookie that cannot be read")


def _ancestor(node: Node, tag: str) -> Node | None:
    """The element itself or the nearest one around it with that tag."""
    here: Node | None = node
    while here is not None and here.tag != tag:
        here = here.parent
    return here


def _fields(form: Node, filled: dict[int, str]) -> list[tuple[str, str]]:
    """The fields of a form as they would be sent."""
    fields = []
    for node in form.elements():
        name = node.attributes.get("name")
        if not name or "disabled" in node.attributes:
            continue
        if node.tag == "textarea":
            fields.append((name, filled.get(id(node), node.text())))
        elif node.tag == "select":
            fields.append((name, filled.get(id(node), _chosen(node))))
        elif node.tag == "input":
            kind = node.attributes.get("type", "text").lower()
            ticked = kind not in ("checkbox", "radio") or "checked" in node.attributes or id(node) in filled
            if ticked and kind not in ("submit", "button", "image", "reset", "file"):
                default = "on" if kind in ("checkbox", "radio") else ""
                fields.append((name, filled.get(id(node), node.attributes.get("value", default))))
    return fields


def _chosen(node: Node) -> str:
    options = [each for each in node.elements() if each.tag == "option"]
    chosen = next(
        (each for each in options if "selected" in each.attributes), options[0] if options else None
    )
    return chosen.attributes.get("value", chosen.text()) if chosen is not None else ""
