"""Headless Chromium that blocks requests to other hosts and records errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect, sync_playwright

from tests.conftest import ROOT, needs
from tests.support.browser_tools import CHROMIUM_OPTIONS
from tests.support.npm import install_packages

DASHBOARD = ROOT / "examples" / "dashboard"
CDN_URL = "https://cdn.jsdelivr.net/npm/"
"""Where the example dashboard loads its chart libraries from."""
WIDTHS = (320, 390, 768, 1280, 1920)
"""Viewport widths in pixels, from a narrow phone to a wide screen."""
TIMEOUT_MS = 120_000
"""Longest wait for what a page is expected to do; generous, because the machine may be busy."""

expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class Visit:
    """A page with the requests that were blocked and the errors that it reported.

    Attributes:
        page: The page.
        blocked_urls: URLs of hosts that are not allowed.
        errors: Console errors and warnings, such as policy violations, and uncaught errors.
    """

    page: Page
    blocked_urls: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def record_console(self, message: ConsoleMessage) -> None:
        """Record a console message if it is an error or a warning."""
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def allow_only(self, *origins: str) -> None:
        """Block requests to every other origin."""
        allowed = {urlsplit(origin).netloc for origin in origins}

        def block_other_origins(route: Route) -> None:
            if urlsplit(route.request.url).netloc in allowed:
                route.continue_()
            else:
                self.blocked_urls.append(route.request.url)
                route.abort()

        self.page.route("**/*", block_other_origins)

    def assert_clean(self) -> None:
        """Check that no request was blocked and no error reported."""
        assert self.blocked_urls == []
        assert self.errors == []


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """The system's Chromium, headless."""
    executable = needs("chromium", "the pages are tested in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*CHROMIUM_OPTIONS, *options]
        )
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, *origins: str, **context: Any) -> Iterator[Visit]:
    """A page in a new browser context that can load from these origins only."""
    browser_context = browser.new_context(base_url=origins[0], **context)
    browser_context.set_default_timeout(TIMEOUT_MS)
    opened_visit = Visit(browser_context.new_page())
    opened_visit.page.on("console", opened_visit.record_console)
    opened_visit.page.on("pageerror", lambda error: opened_visit.errors.append(str(error)))
    opened_visit.allow_only(*origins)
    yield opened_visit
    browser_context.close()


def chart_libraries() -> Path:
    """The example dashboard's `node_modules`."""
    return install_packages(DASHBOARD, "the dashboard's chart libraries come from it")


@contextmanager
def serve_dashboard() -> Iterator[str]:
    """Base URL of a plain static file server with the example dashboard and its libraries."""
    with serve_directory(chart_libraries().parent) as url:
        yield url


@contextmanager
def serve_directory(directory: Path) -> Iterator[str]:
    """Base URL of a plain static file server with a directory."""
    handler = partial(_SilentHandler, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as file_server:
        thread = threading.Thread(target=file_server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{file_server.server_port}"
        finally:
            file_server.shutdown()
            thread.join()


class _SilentHandler(SimpleHTTPRequestHandler):
    """Serves files without logging."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


def route_cdn(page: Page) -> None:
    """Give a page the chart libraries at their CDN URLs, from `node_modules`."""
    libraries = chart_libraries()

    def fulfill_from_cdn(route: Route) -> None:
        package_and_version, slash_dist, path = route.request.url.removeprefix(CDN_URL).partition(
            "/dist/"
        )
        for package in ("d3", "@observablehq/plot"):
            if package_and_version.startswith(f"{package}@"):
                route.fulfill(
                    path=libraries / package / f"{slash_dist}{path}".lstrip("/"),
                    headers={"Access-Control-Allow-Origin": "*"},
                )

    page.route(f"{CDN_URL}**", fulfill_from_cdn)


def wait_for_charts(page: Page) -> None:
    """Wait until every chart of the example dashboard is drawn."""
    for chart in ("map", "bars", "time"):
        expect(page.locator(f"#{chart} svg")).to_be_visible()


def horizontal_overflow(page: Page) -> int:
    """Pixels by which the page is wider than its viewport."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(pixels, 0)


def tab_to(page: Page, selector: str, max_presses: int = 300) -> None:
    """Press Tab until the element that matches the selector has the focus."""
    for _ in range(max_presses):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached with {max_presses} Tab presses")
