"""The documentation in Chromium, with all other hosts blocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.responses.problems import PROBLEMS
from tests.conftest import Start
from tests.support.browser_tools import violations
from tests.support.browsing import WIDTHS, chromium, horizontal_overflow, tab_to, visit

pytestmark = [pytest.mark.browser, pytest.mark.node]

COLOR_SCHEMES = ("light", "dark")
SECTIONS = (
    "start",
    "filtering",
    "paging",
    "fields",
    "related",
    "formats",
    "evidence",
    "cite",
    "errors",
    "caching",
    "changes",
    "copy",
    "clients",
    "stability",
)
WITHOUT_LANGUAGES = ("clients", "stability")
"""Sections that have no example in each language."""
OPERATION = "#operations-awards-getAward"
RESPONSES = f"{OPERATION} .live-responses-table tbody"


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


def try_out(page: Page) -> None:
    """Request an award in the reference by mouse clicks."""
    operation = page.locator(OPERATION)
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("input[placeholder=id]").fill("peru-ilo")
    operation.get_by_role("button", name="Execute").click()


def expect_award_response(page: Page) -> None:
    """The reference shows the requested award."""
    body = page.locator(f"{RESPONSES} .response-col_description").first
    expect(body).to_contain_text("ILO program against child sex and labor trafficking")
    expect(page.locator(f"{RESPONSES} .response-col_status").first).to_have_text("200")


def test_operations_can_be_tried(browser: Browser, server: str) -> None:
    """Trying out an operation shows its response without errors or requests to other hosts."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.locator(OPERATION).wait_for()
        try_out(visited.page)
        expect_award_response(visited.page)
        visited.assert_clean()


def test_operations_can_be_tried_by_keyboard(browser: Browser, server: str) -> None:
    """An operation can be opened, filled in and executed with the keyboard alone."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        page.locator(OPERATION).wait_for()
        tab_to(page, f"{OPERATION} .opblock-summary-control")
        page.keyboard.press("Enter")
        tab_to(page, f"{OPERATION} .try-out__btn")
        page.keyboard.press("Enter")
        tab_to(page, f"{OPERATION} input[placeholder=id]")
        page.keyboard.type("peru-ilo")
        tab_to(page, f"{OPERATION} .execute")
        page.keyboard.press("Enter")
        expect_award_response(page)
        visited.assert_clean()


def test_first_tab_stop_is_the_skip_link(browser: Browser, server: str) -> None:
    """The first Tab stop is a visible link that skips the navigation."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.keyboard.press("Tab")
        link = visited.page.get_by_role("link", name="Skip to content")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()


def test_the_guide_needs_no_javascript(browser: Browser, server: str) -> None:
    """Without scripts, all sections, languages and paths are readable."""
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
        expect(page.locator("[id='/awards/getAward']")).to_contain_text("/v1/awards/{id}")
        expect(page.get_by_text("needs JavaScript")).to_be_visible()
        expect(page.locator("button")).to_have_count(0)
        visited.assert_clean()


def test_copied_examples_use_the_origin_of_the_page(browser: Browser, server: str) -> None:
    """The copy button copies an example with the origin of the page."""
    with visit(browser, server, permissions=["clipboard-read", "clipboard-write"]) as visited:
        page = visited.page
        page.goto("/docs")
        page.get_by_role("button", name="Copy: curl").first.click()
        expect(page.get_by_role("status")).to_have_text("Copied.")
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
        page.locator(OPERATION).wait_for()
        before = page.locator("h2#errors").bounding_box()
        page.locator("label", has_text="Python").click()
        expect(page.get_by_text("response.is_error").first).to_be_visible()
        after = page.locator("h2#errors").bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2


@pytest.mark.parametrize("section", [*SECTIONS, "reference"])
def test_sections_can_be_linked(browser: Browser, server: str, section: str) -> None:
    """A URL with a section fragment scrolls there, also after the reference has loaded."""
    with visit(browser, server) as visited:
        visited.page.goto(f"/docs#{section}")
        visited.page.locator(OPERATION).wait_for()
        expect(visited.page.locator(f"h2#{section}")).to_be_in_viewport()


def test_operations_can_be_linked(browser: Browser, server: str) -> None:
    """A URL with an operation fragment opens it, on load and from a link on the page."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#/awards/getAward")
        expect(page.locator(OPERATION).get_by_role("button", name="Try it out")).to_be_visible()
        expect(page.locator(OPERATION)).to_be_in_viewport()  # scrolled by the reference
        page.get_by_role("link", name="regions", exact=True).first.click()
        expect(page.locator("#operations-tag-regions")).to_be_in_viewport()
        visited.assert_clean()


@pytest.mark.parametrize("width", WIDTHS)
def test_there_is_no_horizontal_scrolling(browser: Browser, server: str, width: int) -> None:
    """The guide, an operation with a response and a problem page fit at every width."""
    with visit(browser, server, viewport={"width": width, "height": 800}) as visited:
        page = visited.page
        page.goto("/problems/invalid-parameters")
        assert horizontal_overflow(page) == 0
        page.goto("/docs")
        page.locator(OPERATION).wait_for()
        try_out(page)
        expect_award_response(page)
        for language in ("curl", "Python", "JavaScript"):
            page.get_by_role("radio", name=language, exact=True).check(force=True)
            assert horizontal_overflow(page) == 0


def test_pages_follow_the_system_color_scheme(browser: Browser, server: str) -> None:
    """The guide and the reference follow the system color scheme, also when it changes."""
    background = "getComputedStyle(document.querySelector('{}')).backgroundColor"
    with visit(browser, server, color_scheme="dark") as visited:
        page = visited.page
        page.goto("/docs")
        page.locator(OPERATION).wait_for()
        dark = [page.evaluate(background.format(selector)) for selector in ("body", ".swagger-ui")]
        assert dark == ["rgb(20, 24, 27)"] * 2
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).not_to_have_class("dark-mode")
        assert page.evaluate(background.format("body")) == "rgb(249, 247, 241)"


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
def test_docs_are_accessible(browser: Browser, server: str, scheme: str) -> None:
    """Axe finds no violations in the guide or in the reference in use."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        page = visited.page
        page.goto("/docs")
        page.locator(OPERATION).wait_for()
        try_out(page)
        expect_award_response(page)
        page.locator("#operations-search-search .opblock-summary-control").first.click()
        page.locator(".models-control").click()
        page.locator(".models .json-schema-2020-12-accordion").first.click()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", COLOR_SCHEMES)
@pytest.mark.parametrize("slug", ["", *(f"/{slug}" for slug in PROBLEMS)])
def test_problems_are_accessible(browser: Browser, server: str, slug: str, scheme: str) -> None:
    """Axe finds no violations in the problem pages, and they load no scripts."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        visited.page.goto(f"/problems{slug}")
        expect(visited.page.locator("h1")).to_be_visible()
        expect(visited.page.locator("script")).to_have_count(0)
        assert violations(visited.page) == []


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
