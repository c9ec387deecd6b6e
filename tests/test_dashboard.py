"""The example dashboard in Chromium, served from another origin than the API."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.conftest import SeedCopy, Start
from tests.support.browser_tools import violations
from tests.support.browsing import (
    CDN_URL,
    TIMEOUT_MS,
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
from tests.support.random_seeds import write_seed
from tests.support.serving import fetch

pytestmark = [pytest.mark.browser, pytest.mark.node]

WIDTHS = (390, 820, 1440)
COLOR_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
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
    def open_dashboard(query: str = "", at: str = api, **context: Any) -> Iterator[Visit]:
        with visit(browser, site, at, **context) as visited:
            route_cdn(visited.page)
            visited.page.goto(f"/?api={at}{query}")
            yield visited

    return open_dashboard


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Base URL of a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:  # the system accepts for it
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def corrected_api(serve_seed: ServeSeed, seed: SeedCopy) -> str:
    """Base URL of an API with another release of the record."""
    seed.put("/title", "Corrected record")
    amount = "up to 7 million euros (EUR)"
    seed.cite("/partnerships/0/investment_amount", 7_000_000, amount)
    seed.cite("/partnerships/0/investment_currency", "EUR", amount)
    seed.cite("/partnerships/0/investment_qualifier", "up_to", amount)
    return serve_seed(keep_one_region(seed).write())


def keep_one_region(seed: SeedCopy) -> SeedCopy:
    """Remove all regions but one, their outlines and the references to them."""
    kept = "cusco"
    seed.data["regions"] = [region for region in seed.data["regions"] if region["id"] == kept]
    for name in ("partnerships", "awards", "activities"):
        for resource in seed.data[name]:
            if resource["regions"] is not None:
                resource["regions"] = [kept]
    path = seed.path.with_name(seed.data["outlines"]["file"])
    outlines = json.loads(path.read_text("utf-8"))
    outlines["features"] = [item for item in outlines["features"] if item["id"] == kept]
    path.write_text(json.dumps(outlines), "utf-8")
    seed.data["outlines"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return seed


ServeSeed = Callable[[Path], str]


@pytest.fixture
def serve_seed(start_server: Start) -> ServeSeed:
    """Starts the API on another record and returns its URL."""

    def serve(seed: Path) -> str:
        archive = seed.with_name("archive.sqlite")
        return start_server(SEED_FILE=str(seed), ARCHIVE_FILE=str(archive))[0]

    return serve


def table_rows(page: Page, chart: str) -> list[str]:
    """Text of the rows of a chart's data table."""
    page.locator(f"#{chart} summary").click()
    rows = page.locator(f"#{chart} tbody tr").all()
    return [" ".join(row.locator("td").all_inner_texts()) for row in rows]


def test_charts_match_the_api(dashboard: OpenDashboard, api: str) -> None:
    """Charts show facets, outlines and dates, with requests to the API and the CDN only."""
    regions = fetch(f"{api}/v1/regions?format=geojson").json()["features"]
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
        assert table_rows(page, "awards") == [
            "ILO program against child sex and labor trafficking in Peru 5",
            "Centro Yanapanakusun program to prevent child trafficking in Cusco 3",
        ]
        label = page.locator("#time svg").get_attribute("aria-label") or ""
        assert "U.S.-Peru CPC Partnership: signed June 15, 2017, end not stated" in label
        assert "in Peru: announced October 2017, ends December 2020" in label
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "United States–Peru Child Protection Compact record"
        )
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
        assert fetch(json_url).json()["data"]["basis"] == "stated"
        assert json_url.startswith(api)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="evidence for: Signed")).to_be_focused()


def test_a_date_in_the_timeline_shows_its_evidence(dashboard: OpenDashboard) -> None:
    """The data table of the timeline has the evidence of each date."""
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        page.locator("#time summary").click()
        page.get_by_role("button", name="in Cusco, announced").click()
        expect(page.get_by_role("dialog").locator("blockquote")).to_have_text(["In October 2017"])


def test_filters_work_with_the_keyboard(dashboard: OpenDashboard) -> None:
    """Space selects a facet value, updates the URL and keeps the focus; values are combined."""
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        tab_to(page, "[name=region][value=loreto]")
        page.keyboard.press("Space")
        expect(page.locator("#match-count")).to_have_text("1 of 8 activities. Region: Loreto")
        expect(page.locator("[name=region][value=loreto]")).to_be_focused()
        tab_to(page, "[name=region][value=cusco]", max_presses=30)
        page.keyboard.press("Space")
        expect(page.locator("#match-count")).to_contain_text("2 of 8 activities. Region: Cusco or")
        assert "region=cusco&region=loreto" in page.url
        visited.assert_clean()


def test_the_back_button_restores_the_filters(dashboard: OpenDashboard) -> None:
    """Each choice of filters is a step of the browser's history, typed text is not."""
    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        page.get_by_role("checkbox", name="Cusco").first.check()
        expect(page.locator("#match-count")).to_contain_text("2 of 8")
        page.get_by_role("checkbox", name="Prevention").check()
        expect(page.locator("#match-count")).to_contain_text("1 of 8")
        page.go_back()
        expect(page.locator("#match-count")).to_contain_text("2 of 8")
        expect(page.get_by_role("checkbox", name="Prevention")).not_to_be_checked()
        page.get_by_role("button", name="Clear filters").click()
        expect(page.locator("#match-count")).to_have_text("8 activities")
        entries = page.evaluate("history.length")
        page.locator("#q").fill("communities")
        expect(page.locator("#match-count")).to_contain_text("text: communities")
        assert page.url.endswith("&q=communities")
        assert page.evaluate("history.length") == entries


def test_each_facet_has_its_own_scale(dashboard: OpenDashboard) -> None:
    """The most frequent value of each facet has the longest bar."""
    with dashboard() as visited:
        wait_for_charts(visited.page)
        shares = visited.page.locator("fieldset").evaluate_all(
            """fieldsets => fieldsets.map((fieldset) => Math.max(...[...fieldset.querySelectorAll(
              "label")].map((label) => Number(label.style.getPropertyValue("--share")))))"""
        )
        assert shares == [1, 1, 1]


def test_filters_are_read_from_the_url(dashboard: OpenDashboard) -> None:
    """A URL with filters and search text opens the filtered dashboard."""
    with dashboard("&objective=peru-prevention&q=communities%20alli") as visited:
        expect(visited.page.locator("#match-count")).to_have_text(
            "1 of 8 activities. Objective: Prevention; text: communities alli"
        )
        expect(visited.page.locator("#q")).to_have_value("communities alli")


def test_no_matches_are_reported(dashboard: OpenDashboard) -> None:
    """Without matches there is a message and a button that clears the filters."""
    with dashboard("&region=nowhere") as visited:
        page = visited.page
        expect(page.locator("#list")).to_contain_text("No activities match these filters.")
        expect(page.locator("#bars")).to_contain_text("No data.")
        page.get_by_role("button", name="Clear filters").click()
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
        page.goto("/?api=javascript:alert(1)")
        expect(page.get_by_role("alert")).to_contain_text("Not an API URL")


def test_other_json_is_reported(dashboard: OpenDashboard, api: str) -> None:
    """An API that is another one is no error of the dashboard; `/v1` may be part of its URL."""
    with dashboard() as visited:
        page = visited.page
        page.goto(f"/?api={api}/v1/")
        wait_for_charts(page)
        page.route(f"{api}/v1/meta", lambda route: route.fulfill(json={"status": "up"}))
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("/v1/meta returns other JSON")


def test_a_silent_api_is_reported(browser: Browser, site: str, silent_server: str) -> None:
    """While an API does not respond the page says what it waits for, then that it gave up."""
    with visit(browser, site, silent_server) as visited:
        page = visited.page
        page.clock.install()
        page.goto(f"/?api={silent_server}")
        expect(page.locator("#progress")).to_have_text(f"Loading the record from {silent_server} …")
        expect(page.get_by_role("alert")).to_be_empty()
        page.clock.fast_forward("00:15")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f"{silent_server} has not responded within 15 seconds.")
        expect(page.locator("#progress")).to_be_hidden()
        expect(alert.get_by_role("button", name="Try again")).to_be_visible()


def test_a_failed_load_can_be_tried_again(dashboard: OpenDashboard, api: str) -> None:
    """If a response is lost, *Try again* loads the dashboard with the same filters."""
    with dashboard("&region=cusco") as visited:
        page = visited.page
        wait_for_charts(page)
        page.route(f"{api}/v1/meta", lambda route: route.abort())
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("The API is not reachable")
        page.unroute(f"{api}/v1/meta")
        page.get_by_role("button", name="Try again").click()
        wait_for_charts(page)
        expect(page.get_by_role("alert")).to_be_empty()
        expect(page.locator("#match-count")).to_contain_text("2 of 8 activities")


def test_a_correction_meanwhile_is_shown(
    dashboard: OpenDashboard, api: str, corrected_api: str
) -> None:
    """If a response is of another release, all that is shown is read again.

    The other release has one region, and an amount that is a ceiling in another currency.
    """

    def send_corrected(route: Route) -> None:
        url = route.request.url.replace(api, corrected_api)
        route.fulfill(response=route.fetch(url=url))

    with dashboard() as visited:
        page = visited.page
        wait_for_charts(page)
        page.route(f"{api}/**", send_corrected)
        page.get_by_role("checkbox", name="Prevention").check()
        expect(page.get_by_role("heading", level=1)).to_have_text("Corrected record")
        expect(page.locator("#match-count")).to_contain_text("3 of 8")
        expect(page.locator("#figures")).to_contain_text("up to €7,000,000")
        expect(page.locator("#map path[fill-opacity]")).to_have_count(1)
        visited.assert_clean()


def test_an_empty_record_is_shown(
    dashboard: OpenDashboard, serve_seed: ServeSeed, tmp_path: Path
) -> None:
    """A record without resources has no charts, and each of them says so."""
    with dashboard(at=serve_seed(write_seed(tmp_path, "nothing at all", 0))) as visited:
        page = visited.page
        expect(page.locator("#match-count")).to_have_text("0 activities")
        expect(page.locator("#map, #bars, #awards, #time, #list")).to_contain_text(["No data."] * 5)
        visited.assert_clean()


def test_another_record_is_shown(
    dashboard: OpenDashboard, serve_seed: ServeSeed, tmp_path: Path
) -> None:
    """A record with many resources: equal names are told apart, and lists are read in pages."""
    with dashboard(at=serve_seed(write_seed(tmp_path, "many", 0))) as visited:
        page = visited.page
        wait_for_charts(page)
        names = page.locator("fieldset", has_text="Award").locator("label").all_inner_texts()
        assert len(names) == len(set(names)) > 6
        expect(page.locator("#list li")).to_have_count(24)
        page.get_by_role("button", name="Show more").click()
        expect(page.locator("#list li")).to_have_count(48)
        page.get_by_role("button", name="Show more").click()
        expect(page.locator("#list li")).to_have_count(60)
        expect(page.get_by_role("button", name="Show more")).to_be_hidden()
        assert horizontal_overflow(page) == 0
        visited.assert_clean()


def load_statuses(context: BrowserContext, url: str, api: str) -> list[int]:
    """Open the dashboard in a new tab and return the status of each API response."""
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
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
    assert first == [200] * 6
    assert second == [304] * 6


def test_it_works_without_the_cdn(browser: Browser, site: str, api: str) -> None:
    """Without the CDN the libraries in `node_modules` are loaded, with the same digests."""
    with visit(browser, site, api) as visited:
        visited.page.goto(f"/?api={api}")
        wait_for_charts(visited.page)
        assert visited.blocked_urls
        assert all(url.startswith(CDN_URL) for url in visited.blocked_urls)


def test_a_cdn_that_hangs_does_not_hold_the_page(
    browser: Browser, site: str, api: str, silent_server: str
) -> None:
    """Tables are shown while the CDN is silent; then charts, with the local copies."""
    proxy = {"server": silent_server, "bypass": "127.0.0.1"}
    with visit(browser, site, api, CDN_URL, proxy=proxy) as visited:
        page = visited.page
        page.clock.install()
        page.goto(f"/?api={api}")
        expect(page.locator("#notice")).to_contain_text("archived web page")
        page.clock.fast_forward("00:01")
        expect(page.locator("#map td", has_text="Cusco")).to_be_visible()
        expect(page.locator("#no-charts")).to_have_text(
            "The charts are still loading. The tables have the same numbers."
        )
        page.clock.fast_forward("00:02")
        wait_for_charts(page)
        expect(page.locator("#no-charts")).to_have_count(0)
        expect(page.locator("#map td", has_text="Cusco")).to_be_hidden()


def test_without_scripts_the_page_says_so(browser: Browser, site: str) -> None:
    """Without JavaScript there is a message with the address of a page that needs none."""
    with visit(browser, site, java_script_enabled=False) as visited:
        visited.page.goto("/")
        expect(visited.page.locator("noscript p")).to_be_visible()


def test_it_prints_charts_without_controls(dashboard: OpenDashboard) -> None:
    """On paper there are the charts and the filters in words, in light colors."""
    with dashboard("&region=cusco", color_scheme="dark") as visited:
        page = visited.page
        wait_for_charts(page)
        page.emulate_media(media="print")
        expect(page.locator("#match-count")).to_have_text("2 of 8 activities. Region: Cusco")
        for hidden in (page.locator("button"), page.locator("input"), page.locator("summary")):
            assert not any(control.is_visible() for control in hidden.all())
        wait_for_charts(page)
        ink = page.locator("h1").evaluate("(element) => getComputedStyle(element).color")
        assert ink == "rgb(27, 29, 31)"


def test_without_chart_libraries_the_tables_are_shown(
    browser: Browser, site: str, api: str
) -> None:
    """Without the libraries there is a message, and tables replace charts and legends."""
    with visit(browser, site, api) as visited:
        visited.page.route("**/node_modules/**", lambda route: route.abort())
        visited.page.goto(f"/?api={api}")
        expect(visited.page.locator("#map td", has_text="Cusco")).to_be_visible()
        expect(visited.page.locator("#time td", has_text="October 2017")).to_have_count(2)
        expect(visited.page.locator("#no-charts")).to_contain_text("The charts are not available")
        expect(visited.page.locator("main")).not_to_contain_text("Lighter ends")
        expect(visited.page.locator("main")).not_to_contain_text("Outlines:")
        expect(visited.page.locator("#map")).to_contain_text("region not stated")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_the_width(dashboard: OpenDashboard, width: int) -> None:
    """No label of a chart is cut off, and nothing scrolls sideways, also with a dialog open."""
    with dashboard(viewport={"width": width, "height": 800}) as visited:
        page = visited.page
        wait_for_charts(page)
        clipped = page.evaluate(
            """() => [...document.querySelectorAll("#bars text, #awards text, #time text")]
              .filter((text) => {
                const { left, right } = text.getBoundingClientRect();
                const svg = text.ownerSVGElement.getBoundingClientRect();
                return left < svg.left || right > svg.right;
              }).map((text) => text.textContent)"""
        )
        assert clipped == []
        assert horizontal_overflow(page) == 0
        page.locator(".evidence").first.click()
        expect(page.locator("dialog blockquote")).to_be_visible()
        assert horizontal_overflow(page) == 0


def violations_in_each_scheme(page: Page) -> dict[str, list[str]]:
    """Accessibility violations in light and in dark colors."""
    found: dict[str, list[str]] = {}
    for scheme in COLOR_SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found[scheme] = violations(page)
    return found


NO_VIOLATIONS: dict[str, list[str]] = {scheme: [] for scheme in COLOR_SCHEMES}


def test_it_is_accessible(dashboard: OpenDashboard) -> None:
    """axe-core finds no violation in the filtered dashboard and the evidence dialog."""
    with dashboard("&region=cusco") as visited:
        page = visited.page
        wait_for_charts(page)
        page.locator("#map summary").click()
        assert violations_in_each_scheme(page) == NO_VIOLATIONS
        page.locator(".evidence").first.click()
        expect(page.locator("dialog blockquote")).to_be_visible()
        assert violations_in_each_scheme(page) == NO_VIOLATIONS


def test_messages_are_accessible(dashboard: OpenDashboard) -> None:
    """axe-core finds no violation in an error message and in an empty result."""
    with dashboard("&region=No%20Slug") as visited:
        expect(visited.page.get_by_role("alert")).to_contain_text("Invalid")
        assert violations_in_each_scheme(visited.page) == NO_VIOLATIONS
    with dashboard("&region=nowhere") as visited:
        expect(visited.page.locator("#list")).to_contain_text("No activities")
        assert violations_in_each_scheme(visited.page) == NO_VIOLATIONS
