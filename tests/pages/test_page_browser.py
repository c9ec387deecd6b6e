"""The record page in a real browser, with every other host out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from benchmarks.corpus import write_corpus
from tests.conftest import Start, needs
from tests.support.browser_tools import CHROMIUM_OPTIONS, lighthouse, violations

WIDTHS = [320, 360, 480, 600, 768, 992, 1280, 1920]
_SHOW_ALL = "section { content-visibility: visible !important }"


class Watched:
    """A page that can reach its own origin alone, and what went wrong on it.

    Attributes:
        page: The page.
        elsewhere: Addresses of other hosts that it tried to load from.
        wrong: Errors that the console told.
        loaded: Addresses that it loaded.
    """

    def __init__(self, browser: Browser, origin: str, **options: object) -> None:
        self.context = browser.new_context(base_url=origin, **options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.origin = origin
        self.elsewhere: list[str] = []
        self.wrong: list[str] = []
        self.loaded: list[str] = []
        self.page.route("**/*", self._only_here)
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _only_here(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(self.origin).netloc:
            self.loaded.append(urlsplit(route.request.url).path)
            route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    chromium = needs("chromium", "the pages are tried in a real browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def large(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a server on a large made-up record."""
    folder = tmp_path_factory.mktemp("large")
    seed = write_corpus(folder, 500)
    url, _ = start_server(SEED_FILE=str(seed), ARCHIVE_FILE=str(folder / "archive.sqlite"))
    return url


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_page_is_complete_in_itself(browser: Browser, server: str, scripts: bool) -> None:
    """With JavaScript or without: all is there, from here, in one request that blocks, no error."""
    watched = Watched(browser, server, java_script_enabled=scripts)
    watched.page.goto("/")
    assert watched.page.get_by_role("heading", level=1).is_visible()
    assert watched.page.get_by_role("img").count() >= 3
    assert watched.page.locator(".footnotes > li").count() > 100
    assert watched.elsewhere == []
    assert watched.wrong == []
    assert [path for path in watched.loaded if not path.startswith("/favicon")] == ["/"]
    watched.context.close()


def test_the_keyboard_is_enough(browser: Browser, server: str) -> None:
    """Skip link, footnote and back, each reached by Tab, each visibly focused."""
    watched = Watched(browser, server)
    page = watched.page
    page.goto("/")

    def focused() -> tuple[str, str]:
        told: list[str] = page.evaluate(
            "() => [document.activeElement.id || document.activeElement.textContent.trim(),"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        return told[0], told[1]

    page.keyboard.press("Tab")
    assert focused() == ("Skip to the record", "solid")
    page.keyboard.press("Enter")
    assert focused()[0] == "record"
    page.keyboard.press("Tab")
    assert focused() == ("r1-1", "solid")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#n1")
    assert focused()[0] == "n1"
    page.keyboard.press("Tab")
    assert focused()[1] == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#r1-1")
    assert focused()[0] == "r1-1"
    watched.context.close()


def test_everything_that_can_be_used_is_in_the_order_of_the_page(
    browser: Browser, server: str
) -> None:
    """No element jumps the queue, and every link has a name."""
    watched = Watched(browser, server)
    watched.page.goto("/")
    assert watched.page.locator("[tabindex]:not([tabindex='-1']):not([tabindex='0'])").count() == 0
    names = watched.page.evaluate(
        "() => [...document.links].map(a => a.getAttribute('aria-label') || a.textContent.trim())"
    )
    assert len(names) > 300
    assert all(names)
    watched.context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("record", ["server", "large"])
def test_no_width_needs_sideways_scrolling(
    browser: Browser, request: pytest.FixtureRequest, record: str, width: int
) -> None:
    """From a small phone to a wide screen, with short names and with long."""
    url: str = request.getfixturevalue(record)
    watched = Watched(browser, url, viewport={"width": width, "height": 800})
    watched.page.goto("/")
    widest = watched.page.evaluate(
        "() => Math.max(document.documentElement.scrollWidth,"
        " ...[...document.querySelectorAll('main *')]"
        ".filter(e => !e.closest('.scroll') && !e.closest('.hidden'))"
        ".map(e => e.getBoundingClientRect().right))"
    )
    assert widest <= width + 0.5
    watched.context.close()


def test_dark_is_dark(browser: Browser, server: str) -> None:
    """The page follows the colour scheme of its reader."""
    shades = {}
    for scheme in ("light", "dark"):
        watched = Watched(browser, server, color_scheme=scheme)
        watched.page.goto("/")
        told: str = watched.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(map(int, told.removeprefix("rgb(").removesuffix(")").split(",")))
        watched.context.close()
    assert shades["dark"] < 150
    assert shades["light"] > 650


@pytest.mark.parametrize(
    ("record", "width", "scheme"),
    [
        ("server", 1280, "light"),
        ("server", 1280, "dark"),
        ("server", 360, "light"),
        ("server", 360, "dark"),
        ("large", 360, "light"),
    ],
)
def test_nothing_keeps_people_from_using_the_page(
    browser: Browser, request: pytest.FixtureRequest, record: str, width: int, scheme: str
) -> None:
    """axe-core finds no violation, in both colour schemes, on a phone and on a screen."""
    watched = Watched(
        browser,
        request.getfixturevalue(record),
        bypass_csp=True,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    watched.page.goto("/")
    watched.page.add_style_tag(content=_SHOW_ALL)
    assert violations(watched.page) == []
    watched.context.close()


def test_the_page_prints(browser: Browser, server: str, tmp_path: Path) -> None:
    """On paper there is all of it but what only a screen needs."""
    watched = Watched(browser, server)
    watched.page.goto("/")
    watched.page.emulate_media(media="print")
    assert not watched.page.get_by_role("navigation", name="On this page").is_visible()
    assert watched.page.locator("#n1").is_visible()
    assert watched.page.locator(".map svg").is_visible()
    watched.page.pdf(path=tmp_path / "record.pdf", format="A4")
    printed = (tmp_path / "record.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") > 5
    watched.context.close()


def test_search_engines_and_people_are_content(start_server: Start, archive_file: Path) -> None:
    """Lighthouse gives accessibility, best practices and SEO at least 98 of 100."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file))
    scores = lighthouse(f"{url}/", "accessibility", "best-practices", "seo")
    assert set(scores) == {"accessibility", "best-practices", "seo"}
    assert min(scores.values()) >= 98, scores
