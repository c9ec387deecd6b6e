"""The record page in Chromium, with requests to other hosts blocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from benchmarks.corpus import write_corpus
from tests.conftest import Start
from tests.support.browser_tools import lighthouse, violations
from tests.support.browsing import TIMEOUT_MS, chromium, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.node]

WIDTHS = [320, 360, 480, 600, 768, 992, 1280, 1920]
PHONE: ViewportSize = {"width": 390, "height": 844}
TABLET: ViewportSize = {"width": 820, "height": 1180}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
DEVICES = pytest.mark.parametrize(
    "viewport", [PHONE, TABLET, DESKTOP], ids=["phone", "tablet", "desktop"]
)
MAX_HEIGHTS = {390: 15_000, 820: 11_000, 1440: 10_000}
"""Height of the page in pixels by its width; with all notes open, it is about twice as high."""
_IN_PLACE = """id => new Promise(resolve => {
  const target = document.getElementById(id);
  const margin = parseFloat(getComputedStyle(target).scrollMarginTop);
  let frames = 0;
  const check = () => {
    const { top, bottom } = target.getBoundingClientRect();
    const atEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
    const inPlace = Math.abs(top - margin) < 2 || (atEnd && top > margin && bottom <= innerHeight);
    frames = inPlace ? frames + 1 : 0;
    if (frames === 10) resolve(true); else requestAnimationFrame(check);
  };
  check();
})"""
"""Waits until an element is below its scroll margin at the top of the viewport, for ten frames.

At the end of the page, which cannot be scrolled further, it must be in the viewport.
"""


class MonitoredPage:
    """A page that can load from its own origin only, and what it requested and reported.

    Attributes:
        page: The page.
        blocked_urls: URLs of other hosts that it tried to load.
        errors: Console messages and uncaught errors.
        loaded_paths: Paths that it loaded.
    """

    def __init__(self, browser: Browser, origin: str, **options: object) -> None:
        self.context = browser.new_context(base_url=origin, **options)  # type: ignore[arg-type]
        self.context.set_default_timeout(TIMEOUT_MS)
        self.page: Page = self.context.new_page()
        self.origin = origin
        self.blocked_urls: list[str] = []
        self.errors: list[str] = []
        self.loaded_paths: list[str] = []
        self.page.route("**/*", self._block_other_hosts)
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _block_other_hosts(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(self.origin).netloc:
            self.loaded_paths.append(urlsplit(route.request.url).path)
            route.continue_()
        else:
            self.blocked_urls.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def large(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Base URL of a server with a large generated record."""
    folder = tmp_path_factory.mktemp("large")
    seed = write_corpus(folder, 500)
    url, _ = start_server(SEED_FILE=str(seed), ARCHIVE_FILE=str(folder / "archive.sqlite"))
    return url


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_page_is_self_contained(browser: Browser, server: str, scripts: bool) -> None:
    """With or without JavaScript the page loads completely from one request, without errors."""
    monitored = MonitoredPage(browser, server, java_script_enabled=scripts)
    monitored.page.goto("/")
    assert monitored.page.get_by_role("heading", level=1).is_visible()
    assert monitored.page.get_by_role("img").count() >= 3
    assert monitored.page.locator(".footnotes > li").count() > 100
    assert monitored.blocked_urls == []
    assert monitored.errors == []
    assert [path for path in monitored.loaded_paths if not path.startswith("/favicon")] == ["/"]
    monitored.context.close()


@pytest.mark.parametrize(
    ("width", "scripts"),
    [(WIDTHS[0], False), (WIDTHS[-1], True)],
    ids=["narrow, without scripts", "wide, with scripts"],
)
def test_the_citation_can_be_copied(
    browser: Browser, server: str, width: int, scripts: bool
) -> None:
    """The whole citation is visible in a field, and selected there with the keyboard."""
    viewport: ViewportSize = {"width": width, "height": 900}
    monitored = MonitoredPage(browser, server, java_script_enabled=scripts, viewport=viewport)
    page = monitored.page
    page.goto("/")
    field = page.get_by_label("Citation of the record")
    field.focus()
    page.keyboard.press("Control+a")
    selected, hidden_pixels = field.evaluate(
        "field => [field.value.slice(field.selectionStart, field.selectionEnd),"
        " field.scrollHeight - field.clientHeight]"
    )
    assert selected == page.request.get("/v1/cite?format=text").text().strip()
    assert hidden_pixels <= 0
    page.keyboard.press("x")
    assert field.input_value() == selected
    monitored.context.close()


def test_footnotes_work_with_the_keyboard(browser: Browser, server: str) -> None:
    """Skip link, footnote and link back are reached with Tab, each with a visible focus."""
    monitored = MonitoredPage(browser, server)
    page = monitored.page
    page.goto("/")

    def focused() -> tuple[str, str]:
        focus: list[str] = page.evaluate(
            "() => [document.activeElement.id || document.activeElement.textContent.trim(),"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        return focus[0], focus[1]

    page.keyboard.press("Tab")
    assert focused() == ("Skip to the record", "solid")
    page.keyboard.press("Enter")
    assert focused()[0] == "record"
    page.keyboard.press("Tab")
    assert focused() == ("r1-1", "solid")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#n1")
    assert focused()[0] == "n1"
    tab_to(page, "#n1 .back a", max_presses=3)
    assert focused()[1] == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#r1-1")
    assert focused()[0] == "r1-1"
    monitored.context.close()


def assert_in_place(page: Page, element_id: str) -> None:
    """Check that the page scrolls to an element, and that the element is the target."""
    try:
        page.wait_for_function(_IN_PLACE, arg=element_id)
    except PlaywrightTimeoutError:
        top = page.locator(f"[id='{element_id}']").evaluate("e => e.getBoundingClientRect().top")
        pytest.fail(f"#{element_id} is {top:.0f} px below the top of the viewport")
    assert page.evaluate("document.querySelector(':target').id") == element_id


def assert_highlighted(page: Page, element_id: str) -> None:
    """Check that an element has a background of its own."""
    color = page.locator(f"[id='{element_id}']").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert color != "rgba(0, 0, 0, 0)"


def marked_notes(page: Page) -> list[tuple[str, str]]:
    """Some markers from all over the page, each with the footnote that it leads to."""
    links: list[tuple[str, str]] = page.locator(".marker a").evaluate_all(
        "links => links.map(link => [link.id, link.hash.slice(1)])"
    )
    assert len(links) > 100
    return [*links[:: len(links) // 5], links[-1]]


def open_page(browser: Browser, server: str, viewport: ViewportSize) -> MonitoredPage:
    """The record page, with touch at the width of a phone."""
    monitored = MonitoredPage(browser, server, viewport=viewport, has_touch=viewport is PHONE)
    monitored.page.goto("/")
    return monitored


@DEVICES
def test_a_footnote_opens_in_the_viewport(
    browser: Browser, server: str, viewport: ViewportSize
) -> None:
    """A click or tap on a number opens the folded note at the top of the viewport, highlighted.

    So does its way back. Motion is at its default: the page scrolls smoothly.
    """
    monitored = open_page(browser, server, viewport)
    page = monitored.page
    for marker, note in marked_notes(page):
        link = page.locator(f"#{marker}")
        if viewport is PHONE:
            link.tap()
        else:
            link.click()
        assert_in_place(page, note)
        assert_highlighted(page, note)
        page.locator(f"#{note} .back a[href='#{marker}']").click()
        assert_in_place(page, marker)
        assert_highlighted(page, marker)
    monitored.context.close()


@DEVICES
def test_a_shared_link_opens_at_its_footnote(
    browser: Browser, server: str, viewport: ViewportSize
) -> None:
    """A URL with a fragment opens at the footnote, award or region that it names."""
    monitored = open_page(browser, server, viewport)
    page = monitored.page
    (_, first), *_, (_, last) = marked_notes(page)
    for fragment in (first, last, "n44", "r44-1", "award-peru-ilo", "region-cusco"):
        page.goto("about:blank")
        page.goto(f"{server}/#{fragment}")
        assert_in_place(page, fragment)
        assert_highlighted(page, fragment)
    monitored.context.close()


def test_a_folded_note_is_found_in_the_page(browser: Browser, server: str) -> None:
    """The browser's own search finds the words of a folded note and opens it."""
    monitored = open_page(browser, server, DESKTOP)
    words = "facilitated a TIP Office investment"
    note = monitored.page.locator(".footnotes > li", has_text=words)
    assert not note.is_visible()
    monitored.page.goto(f"{server}/#:~:text={quote(words)}")
    note.wait_for(state="visible")
    monitored.context.close()


@DEVICES
def test_section_links_scroll_to_their_headings(
    browser: Browser, server: str, viewport: ViewportSize
) -> None:
    """Every link of the table of contents leads to its heading."""
    monitored = MonitoredPage(browser, server, viewport=viewport)
    page = monitored.page
    page.goto("/")
    links = page.get_by_role("navigation", name="On this page").get_by_role("link")
    assert links.count() == 8
    for link in links.all():
        link.click()
        assert_in_place(page, str(link.get_attribute("href")).removeprefix("#"))
    monitored.context.close()


@DEVICES
def test_the_height_of_the_page_is_constant(
    browser: Browser, server: str, viewport: ViewportSize
) -> None:
    """The page is short, and the scroll bar does not jump: scrolling does not change its height."""
    monitored = MonitoredPage(browser, server, viewport=viewport)
    page = monitored.page
    page.goto("/")
    heights = page.evaluate(
        """async () => {
          const heights = new Set();
          const end = () => document.documentElement.scrollHeight;
          for (let y = 0; y < end(); y += innerHeight / 2) {
            scrollTo({ top: y, behavior: "instant" });
            await new Promise(requestAnimationFrame);
            heights.add(end());
          }
          return [...heights];
        }"""
    )
    assert len(heights) == 1
    assert heights[0] < MAX_HEIGHTS[viewport["width"]]
    monitored.context.close()


def test_smooth_scrolling_respects_reduced_motion(browser: Browser, server: str) -> None:
    """Links scroll smoothly, unless the reader prefers reduced motion."""
    for preference, behavior in (("no-preference", "smooth"), ("reduce", "auto")):
        monitored = MonitoredPage(browser, server, reduced_motion=preference)
        monitored.page.goto("/")
        style = "getComputedStyle(document.documentElement).scrollBehavior"
        assert monitored.page.evaluate(style) == behavior
        monitored.context.close()


def test_tab_order_follows_the_page(browser: Browser, server: str) -> None:
    """No element has a positive tabindex, and every link has an accessible name."""
    monitored = MonitoredPage(browser, server)
    monitored.page.goto("/")
    assert (
        monitored.page.locator("[tabindex]:not([tabindex='-1']):not([tabindex='0'])").count() == 0
    )
    names = monitored.page.evaluate(
        "() => [...document.links].map(a => a.getAttribute('aria-label') || a.textContent.trim())"
    )
    assert len(names) > 300
    assert all(names)
    monitored.context.close()


@pytest.mark.parametrize("record", ["server", "large"])
def test_no_horizontal_scrolling(
    browser: Browser, request: pytest.FixtureRequest, record: str
) -> None:
    """The page fits every width, with short names and with long ones, folded and open."""
    url: str = request.getfixturevalue(record)
    monitored = MonitoredPage(browser, url)
    for width in WIDTHS:
        monitored.page.set_viewport_size({"width": width, "height": 800})
        monitored.page.goto("/")
        if width in WIDTHS[::2]:
            open_notes(monitored.page)
        widest = monitored.page.evaluate(
            "() => Math.max(document.documentElement.scrollWidth,"
            " ...[...document.querySelectorAll('main *')]"
            ".filter(e => !e.closest('.scroll') && !e.closest('.hidden'))"
            ".map(e => e.getBoundingClientRect().right))"
        )
        assert widest <= width + 0.5, width
    monitored.context.close()


def open_notes(page: Page) -> None:
    """Open every list of notes."""
    page.locator("details").evaluate_all("all => all.forEach(details => { details.open = true })")


@pytest.mark.parametrize("record", ["server", "large"])
@DEVICES
def test_the_columns_of_regions_are_even(
    browser: Browser, request: pytest.FixtureRequest, record: str, viewport: ViewportSize
) -> None:
    """In the table of objectives, each region has the same width, whatever its name."""
    monitored = open_page(browser, request.getfixturevalue(record), viewport)
    tables = monitored.page.locator(".matrix thead tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.getBoundingClientRect().width))"
    )
    assert any(len(columns) > 2 for columns in tables)
    for _, *columns in tables:
        assert max(columns) - min(columns) < 1
    monitored.context.close()


def test_color_scheme_is_applied(browser: Browser, server: str) -> None:
    """The page follows the reader's color scheme."""
    brightness = {}
    for scheme in ("light", "dark"):
        monitored = MonitoredPage(browser, server, color_scheme=scheme)
        monitored.page.goto("/")
        color: str = monitored.page.evaluate(
            "() => getComputedStyle(document.body).backgroundColor"
        )
        brightness[scheme] = sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))
        monitored.context.close()
    assert brightness["dark"] < 150
    assert brightness["light"] > 650


@pytest.mark.parametrize(
    ("record", "width", "scheme"),
    [
        ("server", 1280, "light"),
        ("server", 1280, "dark"),
        ("server", 390, "light"),
        ("server", 320, "dark"),
        ("large", 360, "light"),
    ],
)
def test_the_page_is_accessible(
    browser: Browser, request: pytest.FixtureRequest, record: str, width: int, scheme: str
) -> None:
    """axe-core finds no violation in both color schemes, with the notes open, and on errors.

    Links of the shipped record are 24 pixels high or have as much room (WCAG 2.2, 2.5.8), which is
    not required of those in a text of several lines.
    """
    monitored = MonitoredPage(
        browser,
        request.getfixturevalue(record),
        bypass_csp=True,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    monitored.page.goto("/")
    further_rules = ["target-size"] if record == "server" else []
    assert violations(monitored.page, *further_rules) == []
    open_notes(monitored.page)
    assert violations(monitored.page) == []
    for url in ("/v1/awards?regoin=cusco&sort=titel", "/v1/award/peru-ilo"):
        monitored.page.goto(url)
        assert violations(monitored.page, "target-size") == []
    monitored.context.close()


def test_the_page_prints(browser: Browser, server: str, tmp_path: Path) -> None:
    """The printed page has all content but no navigation."""
    monitored = MonitoredPage(browser, server)
    monitored.page.goto("/")
    monitored.page.emulate_media(media="print")
    assert not monitored.page.get_by_role("navigation", name="On this page").is_visible()
    for note in monitored.page.locator(".footnotes > li").all():
        assert note.is_visible()
    assert monitored.page.locator(".map > svg").is_visible()
    monitored.page.pdf(path=tmp_path / "record.pdf", format="A4")
    printed = (tmp_path / "record.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") > 5
    monitored.context.close()


def test_lighthouse_scores_are_high(start_server: Start, archive_file: Path) -> None:
    """Lighthouse scores at least 98 of 100 for accessibility, best practices and SEO."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file))
    scores = lighthouse(f"{url}/", "accessibility", "best-practices", "seo")
    assert set(scores) == {"accessibility", "best-practices", "seo"}
    assert min(scores.values()) >= 98, scores
