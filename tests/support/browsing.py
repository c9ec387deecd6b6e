"""Headless Chromium on the pages: what it asks of others, and what it complains of, is noted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from tests.conftest import ROOT, needs
from tests.support.browser_tools import CHROMIUM_OPTIONS

DASHBOARD = ROOT / "examples" / "dashboard"
WIDTHS = (320, 390, 768, 1280, 1920)
"""From the narrowest phone to a wide screen."""


@dataclass
class Visit:
    """A page, and what went wrong on it.

    Attributes:
        page: The page.
        elsewhere: Addresses of hosts, other than the ones allowed, that it wanted to load from.
        wrong: Errors on the console, violations of its policy among them, and uncaught ones.
    """

    page: Page
    elsewhere: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Keep an error or a warning of the console."""
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def keep_to(self, *origins: str) -> None:
        """Let nothing be loaded from anywhere else."""
        allowed = {urlsplit(origin).netloc for origin in origins}

        def only_here(route: Route) -> None:
            if urlsplit(route.request.url).netloc in allowed:
                route.continue_()
            else:
                self.elsewhere.append(route.request.url)
                route.abort()

        self.page.route("**/*", only_here)

    def assert_clean(self) -> None:
        """Check that nobody else was asked and nothing went wrong."""
        assert self.elsewhere == []
        assert self.wrong == []


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    program = needs("chromium", "the pages are tried in a real browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*CHROMIUM_OPTIONS, *options]
        )
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, *origins: str, **context: Any) -> Iterator[Visit]:
    """A page in a fresh profile that can reach these origins and nothing else."""
    opened = browser.new_context(base_url=origins[0], **context)
    made = Visit(opened.new_page())
    made.page.on("console", made.note)
    made.page.on("pageerror", lambda error: made.wrong.append(str(error)))
    made.keep_to(*origins)
    yield made
    opened.close()


def chart_libraries() -> Path:
    """The example dashboard's locked libraries, installed where they are absent or outdated."""
    npm = needs("npm", "the dashboard's chart libraries come from it")
    modules, lock = DASHBOARD / "node_modules", DASHBOARD / "package-lock.json"
    stamp = modules / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        told = subprocess.run(
            install, cwd=DASHBOARD, capture_output=True, text=True, timeout=600, check=False
        )
        assert told.returncode == 0, told.stdout + told.stderr
        stamp.touch()
    return modules


def horizontal_overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(pixels, 0)


def tab_to(page: Page, selector: str, most: int = 300) -> None:
    """Press Tab until what a selector names has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(one) => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"{selector} is not reached by {most} tabs")
