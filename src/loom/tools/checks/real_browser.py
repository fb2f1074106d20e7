"""A real browser, where Playwright is installed."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

from loom.tools.checks.browser import BrowserError, MissingEngineError
from loom.tools.context import NotPermittedError, Permissions
from loom.tools.web import FetchError, check_address

STEP_MS = 10_000
_OWN_SCHEMES = ("data:", "blob:", "about:")


def is_installed() -> bool:
    """Whether Playwright can be imported; its browser may still be missing."""
    return importlib.util.find_spec("playwright") is not None


class RealBrowser:
    """A page in Chromium. What it may reach is checked for every request it makes."""

    engine = "playwright"

    def __init__(self, page: Any, permissions: Permissions, errors: tuple[type[Exception], ...]) -> None:
        self._page, self._permissions, self._errors = page, permissions, errors
        self.requests: list[dict[str, object]] = []
        self.problems: list[str] = []
        page.set_default_timeout(STEP_MS)
        page.route("**/*", self._route)
        page.on("response", self._note)
        page.on("requestfailed", lambda request: self.problems.append(f"{request.url} could not be loaded"))
        page.on("pageerror", lambda error: self.problems.append(f"script error: {str(error)[:300]}"))
        page.on("console", self._console)

    @property
    def url(self) -> str:
        """The address of the page."""
        return str(self._page.url)

    @property
    def title(self) -> str:
        """What the page calls itself."""
        return str(self._do("the title", self._page.title))

    @property
    def text(self) -> str:
        """What a reader sees."""
        body = self._page.locator("body")
        return str(self._do("the text", body.inner_text)) if self.count("body") else ""

    def goto(self, url: str) -> int:
        """Open an address, and answer with its status."""
        try:
            answer = self._page.goto(urljoin(self.url, url), wait_until="load")
        except self._errors as error:
            raise BrowserError(f"{url}: {_first_line(error)}") from None
        return int(answer.status) if answer is not None else 0

    def count(self, selector: str) -> int:
        """How many elements there are."""
        return int(self._do(selector, self._page.locator(selector).count))

    def click(self, selector: str) -> None:
        """Click, and wait until what it loads is there."""
        self._do(selector, lambda: self._page.locator(selector).first.click())
        self._do(selector, lambda: self._page.wait_for_load_state("load"))

    def fill(self, selector: str, value: str) -> None:
        """Put a value into a field."""
        self._do(selector, lambda: self._page.locator(selector).first.fill(value))

    def screenshot(self) -> bytes | None:
        """The page as a PNG."""
        return bytes(self._do("the picture", lambda: self._page.screenshot(full_page=True)))

    def _do(self, what: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except self._errors as error:
            raise BrowserError(f"{what}: {_first_line(error)}") from None

    def _route(self, route: Any) -> None:
        url = route.request.url
        try:
            if not url.startswith(_OWN_SCHEMES):
                check_address(url, self._permissions)
        except (NotPermittedError, FetchError) as error:
            self.problems.append(f"{url} was not loaded: {error}")
            route.abort()
        else:
            route.continue_()

    def _note(self, answer: Any) -> None:
        self.requests.append({"method": answer.request.method, "url": answer.url, "status": answer.status})

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text[:300]}")


@contextmanager
def real_browser(permissions: Permissions) -> Iterator[RealBrowser]:
    """A page in a browser of its own that is closed with the block; MissingEngineError where there is none."""
    if not is_installed():
        raise MissingEngineError(
            "Playwright is not installed; `loom doctor --require-addon browser` says more"
        )
    api = importlib.import_module("playwright.sync_api")
    errors = (api.Error,)
    with api.sync_playwright() as playwright:
        browser = _launch(playwright.chromium, errors)
        try:
            yield RealBrowser(browser.new_page(), permissions, errors)
        finally:
            browser.close()


def _launch(engine: Any, errors: tuple[type[Exception], ...]) -> Any:
    """Playwright's own browser, or the one of the machine."""
    try:
        return engine.launch()
    except errors as error:
        why = _first_line(error)
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            try:
                return engine.launch(executable_path=found)
            except errors as error:
                why = _first_line(error)
    raise MissingEngineError(f"the browser does not start: {why}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
