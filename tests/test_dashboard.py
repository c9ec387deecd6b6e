"""The example dashboard, served from another port, draws the record in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.conftest import Start, free_port
from tests.support.browser_tools import violations
from tests.support.browsing import (
    WIDTHS,
    Visit,
    chart_libraries,
    chromium,
    horizontal_overflow,
    tab_to,
    visit,
)

CDN = "https://cdn.jsdelivr.net/npm/"
SCHEMES = ("light", "dark")
ENDS = ("Prevention", "Protection", "Prosecution", "not stated")

Open = Callable[..., AbstractContextManager[Visit]]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and does not say so."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture(scope="module")
def libraries() -> Path:
    """The locked chart libraries, beside the page."""
    return chart_libraries()


@pytest.fixture(scope="module")
def site(libraries: Path) -> Iterator[str]:
    """Address of a plain server of static files, as anyone's."""
    handler = partial(Quiet, directory=str(libraries.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        thread = threading.Thread(target=files.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{files.server_port}"
        files.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def api(start_server: Start, archive_file: Path) -> str:
    """Address of a server that lets its answers be kept, but has each asked for again."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), MAX_AGE="0")
    return url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium that finds no host by its name."""
    with chromium("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as opened:
        yield opened


@pytest.fixture
def dashboard(browser: Browser, site: str, api: str, libraries: Path) -> Open:
    """Opens the dashboard, with the libraries from where it names them and no other host."""

    def from_cdn(route: Route) -> None:
        name = route.request.url.removeprefix(CDN)
        for package in ("d3", "@observablehq/plot"):
            before, version, path = name.partition("/dist/")
            if before.startswith(f"{package}@"):
                route.fulfill(
                    path=libraries / package / f"{version}{path}".lstrip("/"),
                    headers={"Access-Control-Allow-Origin": "*"},
                )

    @contextmanager
    def opened(query: str = "", **context: Any) -> Iterator[Visit]:
        with visit(browser, site, api, **context) as visited:
            visited.page.route(f"{CDN}**", from_cdn)
            visited.page.goto(f"/?api={api}{query}")
            yield visited

    return opened


def drawn(page: Page) -> None:
    """Wait until everything is drawn."""
    for place in ("map", "bars", "time"):
        expect(page.locator(f"#{place} svg")).to_be_visible()


def counts(page: Page, place: str) -> list[str]:
    """The rows of the table beside a chart."""
    page.locator(f"#{place} summary").click()
    rows = page.locator(f"#{place} tbody tr").all()
    return [" ".join(row.locator("td").all_inner_texts()) for row in rows]


def test_it_draws_what_the_api_counts(dashboard: Open, api: str) -> None:
    """Charts show the facets, the outlines and the dates; nobody but API and libraries is asked."""
    regions = httpx.get(f"{api}/v1/regions?format=geojson").json()["features"]
    with dashboard() as visited:
        page = visited.page
        drawn(page)
        expect(page.locator("#map path[fill-opacity]")).to_have_count(len(regions))
        assert counts(page, "map") == ["Cusco 2", "Loreto 1", "Metropolitan Lima 1", "not stated 6"]
        assert counts(page, "bars") == [f"{end} {n}" for end, n in zip(ENDS, "3321", strict=True)]
        said = page.locator("#time svg").get_attribute("aria-label") or ""
        assert "signed 15 June 2017, end not stated" in said
        assert "ILO: announced October 2017, ends December 2020" in said
        expect(page.locator("#list li")).to_have_count(8)
        visited.assert_clean()


def test_it_says_what_is_not_stated(dashboard: Open) -> None:
    """The end of the partnership and the split of the money are shown as not stated."""
    with dashboard() as visited:
        page = visited.page
        drawn(page)
        figures = page.locator("#figures")
        expect(figures).to_contain_text("$5,000,000")
        expect(figures.locator(".card", has_text="Ends").locator(".unsaid")).to_be_visible()
        expect(figures).to_contain_text("amount not stated for 2")
        expect(page.locator("#list")).to_contain_text("region not stated")


def test_a_value_shows_what_it_rests_on(dashboard: Open, api: str) -> None:
    """The quoted fragment, its basis and a link into the archived page come on demand."""
    with dashboard() as visited:
        page = visited.page
        drawn(page)
        page.get_by_role("button", name="basis of: Signed").click()
        shown = page.get_by_role("dialog")
        expect(shown.locator("blockquote")).to_have_text("June 15, 2017")
        expect(shown.locator(".basis")).to_have_text("stated")
        link = shown.get_by_role("link", name="On the archived page").get_attribute("href") or ""
        assert link.endswith("#:~:text=June%2015%2C%202017")
        named = shown.get_by_role("link", name="JSON").get_attribute("href") or ""
        assert httpx.get(named).json()["data"]["basis"] == "stated"
        assert named.startswith(api)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="basis of: Signed")).to_be_focused()


def test_it_is_filtered_by_keyboard(dashboard: Open) -> None:
    """Space on a facet filters; the address keeps it, the focus stays, and a second one adds."""
    with dashboard() as visited:
        page = visited.page
        drawn(page)
        tab_to(page, "[name=region][value=loreto]")
        page.keyboard.press("Space")
        expect(page.locator("#found")).to_have_text("1 activity")
        expect(page.locator("[name=region][value=loreto]")).to_be_focused()
        tab_to(page, "[name=region][value=cusco]", max_presses=30)
        page.keyboard.press("Space")
        expect(page.locator("#found")).to_have_text("2 activities")
        assert "region=cusco&region=loreto" in page.url
        visited.assert_clean()


def test_an_address_with_filters_opens_filtered(dashboard: Open) -> None:
    """What was filtered can be sent to somebody else; words are searched in the text."""
    with dashboard("&objective=peru-prevention&q=communities%20alli") as visited:
        expect(visited.page.locator("#found")).to_have_text("1 activity")
        expect(visited.page.locator("#q")).to_have_value("communities alli")


def test_nothing_found_is_said(dashboard: Open) -> None:
    """No match is a sentence and a way back, not an empty page."""
    with dashboard("&region=nowhere") as visited:
        page = visited.page
        expect(page.locator("#list")).to_contain_text("No activity under these filters.")
        expect(page.locator("#bars")).to_contain_text("Nothing to draw.")
        page.get_by_role("button", name="Show all of them").click()
        expect(page.locator("#list li")).to_have_count(8)


def test_an_error_of_the_api_is_shown(dashboard: Open, api: str) -> None:
    """A problem document's title and detail are shown, with a link to what its type means."""
    with dashboard("&region=No%20Slug") as visited:
        fault = visited.page.get_by_role("alert")
        expect(fault).to_contain_text("Query parameters are not valid")
        expect(fault).to_contain_text("expected an id")
        link = fault.get_by_role("link").get_attribute("href")
        assert link == f"{api}/problems/invalid-parameters"
        fault.get_by_role("button", name="Clear filters").click()
        drawn(visited.page)
        expect(fault).to_be_empty()


def test_an_api_that_is_away_is_named(dashboard: Open, site: str) -> None:
    """Where nothing answers, or something else does, the address is named and can be changed."""
    nobody = f"http://127.0.0.1:{free_port()}"
    with dashboard() as visited:
        page = visited.page
        drawn(page)
        visited.page.unroute_all()
        page.goto(f"/?api={nobody}")
        expect(page.get_by_role("alert")).to_contain_text(f"answers at {nobody}")
        page.goto(f"/?api={site}")
        expect(page.get_by_role("alert")).to_contain_text("This is not the record")
        expect(page.get_by_label("API at")).to_have_value(site)


def load(context: BrowserContext, address: str, api: str) -> list[int]:
    """Open the dashboard in a new tab; the statuses that the API answered with on the wire."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    asked: dict[str, str] = {}
    answered: dict[str, int] = {}
    session.on(
        "Network.requestWillBeSent",
        lambda event: asked.update({event["requestId"]: event["request"]["url"]}),
    )
    session.on(
        "Network.responseReceivedExtraInfo",
        lambda event: answered.update({event["requestId"]: event["statusCode"]}),
    )
    session.send("Network.enable")
    page.goto(address)
    drawn(page)
    page.wait_for_load_state("networkidle")
    page.close()
    return [status for one, status in answered.items() if asked.get(one, "").startswith(api)]


def test_the_second_load_is_all_304(browser: Browser, site: str, api: str) -> None:
    """Loaded again, every answer of the API is revalidated: 304s, and not one body."""
    context = browser.new_context()  # without interception, which would turn the cache off
    first = load(context, f"{site}/?api={api}", api)
    second = load(context, f"{site}/?api={api}", api)
    context.close()
    assert first == [200] * 10
    assert second == [304] * 10


def test_it_works_where_the_cdn_is_out_of_reach(browser: Browser, site: str, api: str) -> None:
    """Offline the libraries beside the page are taken instead, under the same digests."""
    with visit(browser, site, api) as visited:
        visited.page.goto(f"/?api={api}")
        drawn(visited.page)
        assert visited.blocked_urls
        assert all(url.startswith(CDN) for url in visited.blocked_urls)


def test_without_libraries_the_tables_are_shown(browser: Browser, site: str, api: str) -> None:
    """Where no chart can be drawn that is said, its legend is not, and its numbers are there."""
    with visit(browser, site, api) as visited:
        visited.page.route("**/node_modules/**", lambda route: route.abort())
        visited.page.goto(f"/?api={api}")
        expect(visited.page.locator("#map td", has_text="Cusco")).to_be_visible()
        expect(visited.page.locator("#time td", has_text="announced October 2017")).to_have_count(2)
        expect(visited.page.locator("#chartless")).to_contain_text("The charts are missing")
        expect(visited.page.locator("main")).not_to_contain_text("Lighter ends")
        expect(visited.page.locator("main")).not_to_contain_text("Outlines:")
        expect(visited.page.locator("#map")).to_contain_text("region not stated")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_label_of_the_timeline_is_whole(dashboard: Open, width: int) -> None:
    """No letter lies outside of the drawing, which would cut it off."""
    with dashboard(viewport={"width": width, "height": 800}) as visited:
        drawn(visited.page)
        expect(visited.page.locator("#chartless")).to_be_hidden()
        cut = visited.page.evaluate(
            """() => {
              const svg = document.querySelector("#time svg").getBoundingClientRect();
              return [...document.querySelectorAll("#time svg text")].filter((one) => {
                const { left, right } = one.getBoundingClientRect();
                return left < svg.left || right > svg.right;
              }).map((one) => one.textContent);
            }"""
        )
        assert cut == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(dashboard: Open, width: int) -> None:
    """From phone to wide screen everything fits, with a basis opened too."""
    with dashboard(viewport={"width": width, "height": 800}) as visited:
        drawn(visited.page)
        assert horizontal_overflow(visited.page) == 0
        visited.page.locator(".why").first.click()
        expect(visited.page.locator("dialog blockquote")).to_be_visible()
        assert horizontal_overflow(visited.page) == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_is_accessible(dashboard: Open, scheme: str) -> None:
    """Axe finds nothing wrong with the dashboard, filtered, nor with what a value rests on."""
    with dashboard("&region=cusco", color_scheme=scheme) as visited:
        page = visited.page
        drawn(page)
        page.locator("#map summary").click()
        assert violations(page) == []
        page.locator(".why").first.click()
        expect(page.locator("dialog blockquote")).to_be_visible()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_error_is_accessible(dashboard: Open, scheme: str) -> None:
    """Axe finds nothing wrong with an error, nor with an empty board."""
    with dashboard("&region=No%20Slug", color_scheme=scheme) as visited:
        expect(visited.page.get_by_role("alert")).to_contain_text("not valid")
        assert violations(visited.page) == []
    with dashboard("&region=nowhere", color_scheme=scheme) as visited:
        expect(visited.page.locator("#list")).to_contain_text("No activity")
        assert violations(visited.page) == []
