"""The documentation in Chromium, with all other hosts blocked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.pages.guide.context import SECTIONS
from app.responses.problems import PROBLEMS
from tests.conftest import Start
from tests.support.browser_tools import lighthouse, violations
from tests.support.browsing import chromium, horizontal_overflow, tab_to, visit

pytestmark = [pytest.mark.browser, pytest.mark.node]

COLOR_SCHEMES = ("light", "dark")
WIDTHS = (320, 390, 820, 1440)
"""Viewport widths in pixels: two phones, a tablet and a desktop."""
WITHOUT_LANGUAGES = ("clients", "stability")
"""Sections that have no example in each language."""
TRY = "Try it: Get an award"
FIRST_RESULTS = {
    "award": ["/docs#/awards", "/docs#award-object"],
    "award fields": ["/docs#award-object"],
    "fields of award": ["/docs#award-object"],
    "amount": ["/docs#award.amount"],
    "sort": ["/docs#filtering"],
    "sort awards": ["/docs#listAwards.sort"],
    "410": ["/problems/gone"],
    "gone": ["/problems/gone"],
    "next page": ["/docs#paging"],
    "pagination": ["/docs#paging"],
    "how do I cite?": ["/docs#cite"],
    "bibtex": ["/docs#cite"],
    "citation": ["/docs#/citations", "/docs#evidence", "/docs#cite"],
    "not stated": ["/docs#start"],
    "grafana": ["/docs/dashboards#grafana"],
}
"""The first results of searches."""
DOCUMENTS = ("/docs/dashboards", "/docs/tools", "/docs/changelog")
"""Documents with pictures, wide tables and long lists."""


@pytest.fixture(scope="module")
def server(start_server: Start, archive_file: Path) -> str:
    """URL of a server without `PUBLIC_URL`."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file))
    return url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with chromium() as opened:
        yield opened


def operation(page: Page, name: str) -> Locator:
    """The section of an operation in the reference."""
    return page.locator(".operation", has=page.locator(f"[id='{name}']"))


def send(page: Page, name: str, label: str) -> Locator:
    """Open the form of an operation and send the example request; returns its response."""
    page.get_by_role("button", name=label, exact=True).click()
    page.get_by_role("button", name="Send").click()
    result = operation(page, name).locator(".result")
    expect(result.locator("pre")).to_be_visible()
    return result


def test_operations_can_be_tried(browser: Browser, server: str) -> None:
    """A request is sent from the page; status, headers that matter and body are shown."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        result = send(page, "/awards/getAward", TRY)
        expect(result).to_contain_text("200 OK")
        expect(result.locator("dt")).to_contain_text(["content-type", "etag"])
        expect(result.locator("dt", has_text="date")).to_have_count(0)
        shown = json.loads(result.locator("pre").inner_text())
        assert shown["data"]["id"] == "peru-centro-yanapanakusun"
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("button", name=TRY, exact=True)).to_be_focused()
        expect(operation(page, "/awards/getAward").locator(".entry")).to_have_count(0)
        visited.assert_clean()


def test_parameters_fill_in_the_request(browser: Browser, server: str) -> None:
    """Values that are written out are buttons, others have a box; both change the address."""
    with visit(browser, server, permissions=["clipboard-read", "clipboard-write"]) as visited:
        page = visited.page
        page.goto("/docs")
        listed = operation(page, "/awards/listAwards")
        listed.get_by_role("button", name="Try it: List awards").click()
        address = listed.locator("textarea")
        address.fill("/v1/awards")
        listed.get_by_role("button", name="cusco").click()
        listed.get_by_role("button", name="loreto").click()
        expect(listed.get_by_role("button", name="loreto")).to_have_attribute(
            "aria-pressed", "true"
        )
        listed.get_by_role("button", name="-title").click()
        listed.get_by_role("button", name="-ends").click()
        listed.get_by_label("announced__gte").fill("2017")
        expected = "/v1/awards?region=cusco&region=loreto&sort=-ends&announced__gte=2017"
        expect(address).to_have_value(expected)
        listed.get_by_role("button", name="loreto").click()
        expect(address).to_have_value(expected.replace("&region=loreto", ""))
        address.fill("/v1/awards?limit=1")
        expect(listed.get_by_label("limit")).to_have_value("1")
        expect(listed.get_by_role("button", name="cusco")).to_have_attribute(
            "aria-pressed", "false"
        )
        listed.get_by_role("button", name="Copy as curl").click()
        expect(page.get_by_role("status").first).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"curl -s '{server}/v1/awards?limit=1'"
        visited.assert_clean()


def test_errors_are_shown_when_trying(browser: Browser, server: str) -> None:
    """A mistyped parameter shows the problem document with its status."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        listed = operation(page, "/awards/listAwards")
        listed.get_by_role("button", name="Try it: List awards").click()
        listed.locator("textarea").fill("/v1/awards?regoin=cusco")
        listed.locator("textarea").press("Enter")
        expect(listed.locator(".status.failed")).to_contain_text("422")
        expect(listed.locator(".result pre")).to_contain_text('"did_you_mean": "region"')
        listed.locator("textarea").fill("https://record.example/")
        page.get_by_role("button", name="Send").click()
        expect(listed.locator(".status.failed")).to_contain_text("No response")


def test_operations_can_be_tried_by_keyboard(browser: Browser, server: str) -> None:
    """An operation can be opened, filled in and sent with the keyboard alone."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#/awards/getAward")
        page.locator("[id='/awards/getAward'] a").focus()
        tab_to(page, f"[aria-label='{TRY}']")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Send")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("/v1/awards/peru-ilo")
        page.keyboard.press("Enter")
        result = operation(page, "/awards/getAward").locator(".result")
        expect(result).to_contain_text("ILO program")
        visited.assert_clean()


def test_first_tab_stop_is_the_skip_link(browser: Browser, server: str) -> None:
    """The first Tab stop is a visible link that skips the navigation."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.keyboard.press("Tab")
        link = visited.page.get_by_role("link", name="Skip to content")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()


def test_the_guide_and_the_reference_need_no_javascript(browser: Browser, server: str) -> None:
    """Without scripts, all sections, languages, fields and parameters are readable."""
    with visit(browser, server, java_script_enabled=False) as visited:
        page = visited.page
        page.goto("/docs")
        for section in SECTIONS:
            expect(page.locator(f"h2#{section}")).to_be_visible()
        for language in ("curl", "Python", "JavaScript"):
            page.get_by_role("radio", name=language, exact=True).check(force=True)
            shown = page.locator("figure.code[data-language]:visible figcaption")
            expect(shown).to_have_count(len(SECTIONS) - len(WITHOUT_LANGUAGES))
            assert all(caption.startswith(language) for caption in shown.all_inner_texts())
        expect(page.locator("[id='award.amount']")).to_be_visible()
        expect(page.locator("[id='listAwards.sort']")).to_contain_text("-amount")
        expect(page.locator("button")).to_have_count(0)
        page.goto("/docs#/awards/listAwards")
        expect(page.locator("[id='/awards/listAwards']")).to_be_in_viewport()
        visited.assert_clean()


def test_copied_examples_use_the_origin_of_the_page(browser: Browser, server: str) -> None:
    """The copy button copies an example with the origin of the page."""
    with visit(browser, server, permissions=["clipboard-read", "clipboard-write"]) as visited:
        page = visited.page
        page.goto("/docs")
        page.get_by_role("button", name="Copy: curl").first.click()
        expect(page.get_by_role("status").first).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"curl -s '{server}/v1/awards/peru-ilo'"
        assert "127.0.0.1:8000" not in page.locator("main").inner_text()
        visited.assert_clean()


def test_language_choice_is_remembered(browser: Browser, server: str) -> None:
    """The chosen language is still selected after a reload."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.locator("label", has_text="Python").click()
        visited.page.reload()
        expect(visited.page.get_by_role("radio", name="Python")).to_be_checked()
        expect(visited.page.get_by_text("import httpx").first).to_be_visible()


def test_changing_the_language_keeps_the_scroll_position(browser: Browser, server: str) -> None:
    """The current section stays in place although the examples above it change."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#errors")
        before = page.locator("h2#errors").bounding_box()
        page.locator("label", has_text="Python").click()
        expect(page.get_by_text("response.is_error").first).to_be_visible()
        after = page.locator("h2#errors").bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2


@pytest.mark.parametrize("width", WIDTHS[1:])
def test_fragments_lead_to_their_targets(browser: Browser, server: str, width: int) -> None:
    """Sections, tags, operations, fields and error types are at the top of the window."""
    fragments = ("errors", "problem-gone", "reference", "/awards", "/awards/listAwards")
    fields = ("award.amount", "listAwards.sort", "/releases/listChanges")
    with visit(browser, server, viewport={"width": width, "height": 800}) as visited:
        page = visited.page
        page.goto("/docs")
        for fragment in (*fragments, *fields):
            page.goto(f"/docs#{fragment}")
            box = page.locator(f"[id='{fragment}']").bounding_box()
            assert box
            assert 0 <= box["y"] < 200, f"{fragment} is at {box['y']}"


def test_the_current_section_is_marked(browser: Browser, server: str) -> None:
    """While reading, the contents mark the section; in the reference, the operation too."""
    with visit(browser, server, viewport={"width": 1440, "height": 900}) as visited:
        page = visited.page
        page.goto("/docs#paging")
        current = page.locator(".contents [aria-current]")
        expect(current).to_have_text("Next page")
        page.goto("/docs#100%")  # not a valid encoding
        expect(page.locator("h2#paging")).to_be_in_viewport()
        page.goto("/docs#/awards/listAwards")
        expect(current).to_have_text("List awards")
        site = page.get_by_role("navigation", name="Site").locator("[aria-current]")
        expect(site).to_have_text("Reference")
        expect(current).to_be_in_viewport()
        expect(page.locator("header.site")).to_be_in_viewport()
        page.evaluate("document.getElementById('/regions').scrollIntoView()")
        expect(current).to_have_text("Regions")
        page.set_viewport_size({"width": 1440, "height": 1200})  # the next heading is close below
        page.locator(".contents").get_by_role("link", name="Awards", exact=True).click()
        expect(current).to_have_text("Awards")
        visited.assert_clean()


def test_prose_and_code_are_side_by_side(browser: Browser, server: str) -> None:
    """On a wide screen an example stands beside its text, and stays while parameters are read."""
    with visit(browser, server, viewport={"width": 1440, "height": 900}) as visited:
        page = visited.page
        page.goto("/docs")
        for row in ("section[aria-labelledby=start] .row", ".operation"):
            prose = page.locator(f"{row} > .prose").first.bounding_box()
            side = page.locator(f"{row} > .side").first.bounding_box()
            assert prose
            assert side
            assert side["x"] > prose["x"] + prose["width"]
        page.goto("/docs#listAwards.sort")
        request = operation(page, "/awards/listAwards").locator("figure.request")
        expect(request).to_be_in_viewport(ratio=1)


def test_search_finds_what_is_asked(browser: Browser, server: str) -> None:
    """Objects, fields, parameters, errors, sections and documents are the first results."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        page.keyboard.press("/")
        results = page.locator("dialog li a")
        for query, expected in FIRST_RESULTS.items():
            page.get_by_role("searchbox").fill(query)
            for place, found in enumerate(expected):
                expect(results.nth(place), query).to_have_attribute("href", found)
        page.get_by_role("searchbox").fill("amount in units")
        expect(results.first).to_contain_text("Amount, in units of currency")
        visited.assert_clean()


def test_search_says_how_to_go_on_without_results(browser: Browser, server: str) -> None:
    """Words that occur nowhere give advice instead of an empty list."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        page.keyboard.press("/")
        page.keyboard.type("zebra")
        advice = "No results for “zebra”. Try fewer words"
        expect(page.locator("dialog").get_by_role("status")).to_contain_text(advice)
        expect(page.locator("dialog li")).to_have_count(0)
        page.locator("dialog").get_by_role("button", name="Close").click()
        expect(page.locator("dialog")).not_to_be_visible()
        visited.assert_clean()


def test_a_result_is_marked_in_the_contents(browser: Browser, server: str) -> None:
    """After a jump from the guide into the reference, contents and header name the new place."""
    with visit(browser, server, viewport={"width": 1440, "height": 900}) as visited:
        page = visited.page
        page.goto("/docs")
        site = page.get_by_role("navigation", name="Site").locator("[aria-current]")
        expect(site).to_have_text("Guide")
        page.keyboard.press("/")
        page.keyboard.type("sort awards")
        expect(page.locator("dialog li a").first).to_have_attribute("href", "/docs#listAwards.sort")
        page.keyboard.press("Enter")
        current = page.locator(".contents [aria-current]")
        expect(current).to_have_text("List awards")
        expect(current).to_be_in_viewport()
        expect(site).to_have_text("Reference")
        target = page.locator("[id='listAwards.sort']").bounding_box()
        header = page.locator("header.site").bounding_box()
        assert target
        assert header
        assert target["y"] > header["y"] + header["height"]
        visited.assert_clean()


def test_search_works_with_the_keyboard(browser: Browser, server: str) -> None:
    """Arrows move through the results, Enter opens one, and Escape closes the search."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs/exports")
        page.keyboard.press("Control+K")
        page.keyboard.type("has_sub_recipients")
        results = page.locator("dialog li a")
        expect(results.first).to_contain_text("has_sub_recipients")
        page.keyboard.press("ArrowDown")
        expect(results.first).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("[id='award.has_sub_recipients']")).to_be_in_viewport()
        page.keyboard.press("/")
        page.keyboard.type("amount")
        expect(results.first).to_contain_text("amount")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).not_to_be_visible()
        visited.assert_clean()


@pytest.mark.parametrize("width", WIDTHS)
def test_there_is_no_horizontal_scrolling(browser: Browser, server: str, width: int) -> None:
    """The guide, an operation with a response, documents and problems fit at every width."""
    with visit(browser, server, viewport={"width": width, "height": 800}) as visited:
        page = visited.page
        for path in ("/problems", "/problems/invalid-parameters", *DOCUMENTS):
            page.goto(path)
            assert horizontal_overflow(page) == 0
        page.goto("/docs")
        send(page, "/awards/getAward", TRY)
        for language in ("curl", "Python", "JavaScript"):
            page.get_by_role("radio", name=language, exact=True).check(force=True)
            assert horizontal_overflow(page) == 0


def test_pages_follow_the_system_color_scheme(browser: Browser, server: str) -> None:
    """The documentation follows the system color scheme, also when it changes."""
    background = "getComputedStyle(document.body).backgroundColor"
    with visit(browser, server, color_scheme="dark") as visited:
        page = visited.page
        page.goto("/docs")
        assert page.evaluate(background) == "rgb(20, 24, 27)"
        page.emulate_media(color_scheme="light")
        assert page.evaluate(background) == "rgb(249, 247, 241)"


def test_print_has_the_whole_reference(browser: Browser, server: str) -> None:
    """Printed, every example is whole, and what only helps on a screen is left out."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        page.emulate_media(media="print")
        for hidden in (".contents", ".languages", ".find"):
            expect(page.locator(hidden)).not_to_be_visible()
        expect(page.locator("[id='award.amount']")).to_be_visible()
        cut = page.evaluate(
            "[...document.querySelectorAll('pre')].filter((pre) => pre.checkVisibility() &&"
            " pre.scrollHeight > pre.clientHeight + 1).length"
        )
        assert cut == 0


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
def test_docs_are_accessible(browser: Browser, server: str, scheme: str) -> None:
    """Axe finds no violations in the guide and in the reference in use."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        page = visited.page
        page.goto("/docs")
        send(page, "/awards/getAward", TRY)
        page.get_by_role("button", name="Try it: List awards", exact=True).click()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
def test_documents_are_accessible(browser: Browser, server: str, scheme: str) -> None:
    """Axe finds no violations in the documents and in the search."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        page = visited.page
        for path in DOCUMENTS:
            page.goto(path)
            assert violations(page) == []
        page.keyboard.press("Control+K")
        page.keyboard.type("amount")
        expect(page.locator("dialog li").first).to_be_visible()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
def test_problems_are_accessible(browser: Browser, server: str, scheme: str) -> None:
    """Axe finds no violations in the problem pages, which have the search of the guide."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        for slug in ("", *(f"/{slug}" for slug in PROBLEMS)):
            visited.page.goto(f"/problems{slug}")
            expect(visited.page.get_by_role("button", name="Search")).to_be_visible()
            assert violations(visited.page) == []
        visited.assert_clean()


@pytest.mark.parametrize("path", ["/docs", "/problems"])
def test_lighthouse_finds_nothing_to_improve(server: str, path: str) -> None:
    """Lighthouse gives full marks, except for performance, which depends on the machine."""
    scores = lighthouse(f"{server}{path}", "accessibility", "best-practices", "seo")
    assert min(scores.values()) >= 98, scores


def test_guide_links_to_problem_pages(browser: Browser, server: str) -> None:
    """The guide links to the explanation of each problem, which links back."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#errors")
        page.get_by_role("link", name="/problems/not-found").click()
        expect(page.locator("h1")).to_have_text("Not found")
        page.get_by_role("link", name="how to handle errors").click()
        expect(page.locator("h2#errors")).to_be_in_viewport()
        visited.assert_clean()
