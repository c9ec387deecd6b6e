"""The example dashboard in Chromium, served from another origin than the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import Start
from tests.support.browser_tools import violations
from tests.support.browsing import (
    CDN_URL,
    WIDTHS,
    Visit,
    chromium,
    horizontal_overflow,
    route_cdn,
    serve_dashboard,
    tab_to,
    visit,
    wait_for_charts,
)
from tests.support.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.node]

COLOR_SCHEMES = ("light", "dark")
OBJECTIVES = ("Prevention", "Protection", "Prosecution", "not stated")

OpenDashboard = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Base URL of a plain static file server with the dashboard."""
    with serve_dashboard() as url:
        yield url


@pytest.fixture(scope="module")
def api(start_server: Start, archive_file: Path) -> str:
    """Base URL of an API with `MAX_AGE=0`: responses may be stored but must be revalidated."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), MAX_AGE="0")
    return url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium that resolves no host names."""
    with chromium("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as launched:
        yield launched


@pytest.fixture
def dashboard(browser: Browser, site: str, api: str) -> OpenDashboard:
    """Opens the dashboard with the libraries at their CDN URLs and all other hosts blocked."""

    @contextmanager
    def open_dashboard(query: str = "", **context: Any) -> Iterator[Visit]:
        with visit(browser, site, api, **context) as visited:
            route_cdn(visited.page)
            visited.page.goto(f"/?api={api}{query}")
            yield visited

    return open_dashboard


def table_rows(page: Page, chart: str) -> list[str]:
    """Text of the rows of a chart's data table."""
    page.locator(f"#{chart} summary").click()
    rows = page.locator(f"#{chart} tbody tr").all()
    return [" ".join(row.locator("td").all_inner_texts()) for row in rows]


def test_charts_match_the_api(dashboard: OpenDashboard, api: str) -> None:
    """Charts show facets, outlines and dates, with requests to the API and the CDN only."""
    regions = httpx.get(f"{api}/v1/regions?format=geojson").json()["features"]
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        expect(page.locator("#map path[fill-opacity]")).to_have_count(len(regions))
        assert table_rows(page, "map") == [
            "Cusco 2",
            "Loreto 1",
            "Metropolitan Lima 1",
            "not stated 6",
        ]
        assert table_rows(page, "bars") == [
            f"{objective} {count}" for objective, count in zip(OBJECTIVES, "3321", strict=True)
        ]
        label = page.locator("#time svg").get_attribute("aria-label") or ""
        assert "signed June 15, 2017, end not stated" in label
        assert "ILO: announced October 2017, ends December 2020" in label
        expect(page.locator("#list li")).to_have_count(8)
        visited.assert_clean()


def test_missing_values_are_shown_as_not_stated(dashboard: OpenDashboard) -> None:
    """The end of the partnership and the amounts of the awards are shown as not stated."""
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        figures = page.locator("#figures")
        expect(figures).to_contain_text("$5,000,000")
        expect(figures.locator(".card", has_text="Ends").locator(".not-stated")).to_be_visible()
        expect(figures).to_contain_text("amount not stated for 2")
        expect(page.locator("#list")).to_contain_text("region not stated")


def test_a_value_shows_its_evidence(dashboard: OpenDashboard, api: str) -> None:
    """A dialog shows the quote, its basis and a link to the text on the archived page."""
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        page.get_by_role("button", name="evidence for: Signed").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.locator("blockquote")).to_have_text("June 15, 2017")
        expect(dialog.locator(".basis")).to_have_text("stated")
        link = (
            dialog.get_by_role("link", name="View on the archived page").get_attribute("href") or ""
        )
        assert link.endswith("#:~:text=June%2015%2C%202017")
        json_url = dialog.get_by_role("link", name="JSON").get_attribute("href") or ""
        assert httpx.get(json_url).json()["data"]["basis"] == "stated"
        assert json_url.startswith(api)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="evidence for: Signed")).to_be_focused()


def test_filters_work_with_the_keyboard(dashboard: OpenDashboard) -> None:
    """Space selects a facet value, updates the URL and keeps the focus; values are combined."""
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        tab_to(page, "[name=region][value=loreto]")
        page.keyboard.press("Space")
        expect(page.locator("#match-count")).to_have_text("1 activity")
        expect(page.locator("[name=region][value=loreto]")).to_be_focused()
        tab_to(page, "[name=region][value=cusco]", max_presses=30)
        page.keyboard.press("Space")
        expect(page.locator("#match-count")).to_have_text("2 activities")
        assert "region=cusco&region=loreto" in page.url
        visited.assert_clean()


def test_filters_are_read_from_the_url(dashboard: OpenDashboard) -> None:
    """A URL with filters and search text opens the filtered dashboard."""
    with dashboard("&objective=peru-prevention&q=communities%20alli") as visited:
        expect(visited.page.locator("#match-count")).to_have_text("1 activity")
        expect(visited.page.locator("#q")).to_have_value("communities alli")


def test_no_matches_are_reported(dashboard: OpenDashboard) -> None:
    """Without matches there is a message and a button that clears the filters."""
    with dashboard("&region=nowhere") as visited:
        page = visited.page
        expect(page.locator("#list")).to_contain_text("No activities match these filters.")
        expect(page.locator("#bars")).to_contain_text("No data.")
        page.get_by_role("button", name="Show all activities").click()
        expect(page.locator("#list li")).to_have_count(8)


def test_api_errors_are_shown(dashboard: OpenDashboard, api: str) -> None:
    """A problem document's title and detail are shown, with a link to its type."""
    with dashboard("&region=No%20Slug") as visited:
        alert = visited.page.get_by_role("alert")
        expect(alert).to_contain_text("Invalid query parameters")
        expect(alert).to_contain_text("expected an id")
        link = alert.get_by_role("link").get_attribute("href")
        assert link == f"{api}/problems/invalid-parameters"
        alert.get_by_role("button", name="Clear filters").click()
        wait_for_charts(visited.page)
        expect(alert).to_be_empty()


def test_an_unreachable_api_is_reported(dashboard: OpenDashboard, site: str) -> None:
    """If the URL is unreachable or not an API, it is shown in the message and can be changed."""
    unused_url = f"http://127.0.0.1:{free_port()}"
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        visited.page.unroute_all()
        page.goto(f"/?api={unused_url}")
        expect(page.get_by_role("alert")).to_contain_text(f"no response from {unused_url}")
        page.goto(f"/?api={site}")
        expect(page.get_by_role("alert")).to_contain_text("Not a record API")
        expect(page.get_by_label("API URL")).to_have_value(site)


def load_statuses(context: BrowserContext, url: str, api: str) -> list[int]:
    """Open the dashboard in a new tab and return the status of each API response."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    urls: dict[str, str] = {}
    statuses: dict[str, int] = {}
    session.on(
        "Network.requestWillBeSent",
        lambda event: urls.update({event["requestId"]: event["request"]["url"]}),
    )
    session.on(
        "Network.responseReceivedExtraInfo",
        lambda event: statuses.update({event["requestId"]: event["statusCode"]}),
    )
    session.send("Network.enable")
    page.goto(url)
    wait_for_charts(page)
    page.wait_for_load_state("networkidle")
    page.close()
    return [
        status
        for request_id, status in statuses.items()
        if urls.get(request_id, "").startswith(api)
    ]


def test_a_second_load_is_revalidated(browser: Browser, site: str, api: str) -> None:
    """On a second load every API response is a 304 without a body."""
    context = browser.new_context()  # no request interception, which disables the cache
    first = load_statuses(context, f"{site}/?api={api}", api)
    second = load_statuses(context, f"{site}/?api={api}", api)
    context.close()
    assert first == [200] * 10
    assert second == [304] * 10


def test_it_works_without_the_cdn(browser: Browser, site: str, api: str) -> None:
    """Without the CDN the libraries in `node_modules` are loaded, with the same digests."""
    with visit(browser, site, api) as visited:
        visited.page.goto(f"/?api={api}")
        wait_for_charts(visited.page)
        assert visited.blocked_urls
        assert all(url.startswith(CDN_URL) for url in visited.blocked_urls)


def test_without_chart_libraries_the_tables_are_shown(
    browser: Browser, site: str, api: str
) -> None:
    """Without the libraries there is a message, and tables replace charts and legends."""
    with visit(browser, site, api) as visited:
        visited.page.route("**/node_modules/**", lambda route: route.abort())
        visited.page.goto(f"/?api={api}")
        expect(visited.page.locator("#map td", has_text="Cusco")).to_be_visible()
        expect(visited.page.locator("#time td", has_text="announced October 2017")).to_have_count(2)
        expect(visited.page.locator("#no-charts")).to_contain_text("The charts are not available")
        expect(visited.page.locator("main")).not_to_contain_text("Lighter ends")
        expect(visited.page.locator("main")).not_to_contain_text("Outlines:")
        expect(visited.page.locator("#map")).to_contain_text("region not stated")


@pytest.mark.parametrize("width", WIDTHS)
def test_timeline_labels_are_not_cut_off(dashboard: OpenDashboard, width: int) -> None:
    """Every label lies inside the SVG, which clips its content."""
    with dashboard(viewport={"width": width, "height": 800}) as visited:
        wait_for_charts(visited.page)
        expect(visited.page.locator("#no-charts")).to_be_hidden()
        clipped = visited.page.evaluate(
            """() => {
              const svg = document.querySelector("#time svg").getBoundingClientRect();
              return [...document.querySelectorAll("#time svg text")].filter((text) => {
                const { left, right } = text.getBoundingClientRect();
                return left < svg.left || right > svg.right;
              }).map((text) => text.textContent);
            }"""
        )
        assert clipped == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_horizontal_scrolling(dashboard: OpenDashboard, width: int) -> None:
    """The dashboard fits every width, also with the evidence dialog open."""
    with dashboard(viewport={"width": width, "height": 800}) as visited:
        wait_for_charts(visited.page)
        assert horizontal_overflow(visited.page) == 0
        visited.page.locator(".evidence").first.click()
        expect(visited.page.locator("dialog blockquote")).to_be_visible()
        assert horizontal_overflow(visited.page) == 0


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
def test_it_is_accessible(dashboard: OpenDashboard, scheme: str) -> None:
    """axe-core finds no violation in the filtered dashboard and the evidence dialog."""
    with dashboard("&region=cusco", color_scheme=scheme) as visited:
        page = visited.page
        wait_for_charts(page)
        page.locator("#map summary").click()
        assert violations(page) == []
        page.locator(".evidence").first.click()
        expect(page.locator("dialog blockquote")).to_be_visible()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
def test_messages_are_accessible(dashboard: OpenDashboard, scheme: str) -> None:
    """axe-core finds no violation in an error message and in an empty result."""
    with dashboard("&region=No%20Slug", color_scheme=scheme) as visited:
        expect(visited.page.get_by_role("alert")).to_contain_text("Invalid")
        assert violations(visited.page) == []
    with dashboard("&region=nowhere", color_scheme=scheme) as visited:
        expect(visited.page.locator("#list")).to_contain_text("No activities")
        assert violations(visited.page) == []
