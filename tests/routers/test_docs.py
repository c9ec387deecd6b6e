"""The documentation in a real browser, with every other host out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.responses.problems import PROBLEMS
from tests.conftest import Start
from tests.support.browser_tools import violations
from tests.support.browsing import WIDTHS, chromium, horizontal_overflow, tab_to, visit

SCHEMES = ("light", "dark")
SECTIONS = (
    "start",
    "filtering",
    "paging",
    "related",
    "formats",
    "evidence",
    "errors",
    "caching",
    "stability",
)
AWARD = "#operations-awards-getAward"
ANSWER = f"{AWARD} .live-responses-table tbody"


@pytest.fixture(scope="module")
def server(start_server: Start, archive_file: Path) -> str:
    """Address of a server that knows no public address of its own."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file))
    return url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with chromium() as opened:
        yield opened


def try_out(page: Page) -> None:
    """Ask for an award in the reference, as a person with a mouse would."""
    operation = page.locator(AWARD)
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("input[placeholder=id]").fill("peru-ilo")
    operation.get_by_role("button", name="Execute").click()


def expect_the_award(page: Page) -> None:
    """The reference shows the award that was asked for."""
    body = page.locator(f"{ANSWER} .response-col_description").first
    expect(body).to_contain_text("ILO programme against child sex and labor trafficking")
    expect(page.locator(f"{ANSWER} .response-col_status").first).to_have_text("200")


def test_docs_can_be_tried(browser: Browser, server: str) -> None:
    """Trying out an award shows its answer; no other host is asked, nothing complains."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.locator(AWARD).wait_for()
        try_out(visited.page)
        expect_the_award(visited.page)
        visited.assert_clean()


def test_docs_can_be_tried_by_keyboard_alone(browser: Browser, server: str) -> None:
    """Tab, Enter and letters are enough to open an operation, fill it in and ask."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        page.locator(AWARD).wait_for()
        tab_to(page, f"{AWARD} .opblock-summary-control")
        page.keyboard.press("Enter")
        tab_to(page, f"{AWARD} .try-out__btn")
        page.keyboard.press("Enter")
        tab_to(page, f"{AWARD} input[placeholder=id]")
        page.keyboard.type("peru-ilo")
        tab_to(page, f"{AWARD} .execute")
        page.keyboard.press("Enter")
        expect_the_award(page)
        visited.assert_clean()


def test_the_first_tab_skips_to_the_content(browser: Browser, server: str) -> None:
    """The first stop of the keyboard is seen and leads past the navigation."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.keyboard.press("Tab")
        link = visited.page.get_by_role("link", name="Skip to the content")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()


def test_the_guide_needs_no_javascript(browser: Browser, server: str) -> None:
    """Without scripts every section, every language and the list of all paths can be read."""
    with visit(browser, server, java_script_enabled=False) as visited:
        page = visited.page
        page.goto("/docs")
        for section in SECTIONS:
            expect(page.locator(f"h2#{section}")).to_be_visible()
        for language in ("curl", "Python", "JavaScript"):
            page.get_by_role("radio", name=language, exact=True).check(force=True)
            shown = page.locator("figure.code[data-language]:visible figcaption")
            expect(shown).to_have_count(len(SECTIONS) - 1)
            assert all(caption.startswith(language) for caption in shown.all_inner_texts())
        expect(page.locator("[id='/awards/getAward']")).to_contain_text("/v1/awards/{id}")
        expect(page.get_by_text("needs JavaScript")).to_be_visible()
        expect(page.locator("button")).to_have_count(0)
        visited.assert_clean()


def test_lines_are_copied_as_they_run_here(browser: Browser, server: str) -> None:
    """The button copies the lines, which name the origin that the page came from."""
    with visit(browser, server, permissions=["clipboard-read", "clipboard-write"]) as visited:
        page = visited.page
        page.goto("/docs")
        page.get_by_role("button", name="Copy: curl").first.click()
        expect(page.get_by_role("status")).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"curl -s '{server}/v1/awards/peru-ilo'"
        assert "127.0.0.1:8000" not in page.locator("main").inner_text()
        visited.assert_clean()


def test_a_chosen_language_is_remembered(browser: Browser, server: str) -> None:
    """Who chose Python once reads Python the next time."""
    with visit(browser, server) as visited:
        visited.page.goto("/docs")
        visited.page.locator("label", has_text="Python").click()
        visited.page.reload()
        expect(visited.page.get_by_role("radio", name="Python")).to_be_checked()
        expect(visited.page.get_by_text("import httpx").first).to_be_visible()


def test_a_change_of_language_keeps_the_place(browser: Browser, server: str) -> None:
    """The section that is read stays where it is, though the examples above it change."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#errors")
        page.locator(AWARD).wait_for()
        before = page.locator("h2#errors").bounding_box()
        page.locator("label", has_text="Python").click()
        expect(page.get_by_text("response.is_error").first).to_be_visible()
        after = page.locator("h2#errors").bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2


@pytest.mark.parametrize("section", [*SECTIONS, "reference"])
def test_sections_can_be_linked(browser: Browser, server: str, section: str) -> None:
    """An address with a section's name leads there, also once the reference has loaded."""
    with visit(browser, server) as visited:
        visited.page.goto(f"/docs#{section}")
        visited.page.locator(AWARD).wait_for()
        expect(visited.page.locator(f"h2#{section}")).to_be_in_viewport()


def test_operations_can_be_linked(browser: Browser, server: str) -> None:
    """An address with an operation's name opens it, at first or from a link on the page."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#/awards/getAward")
        expect(page.locator(AWARD).get_by_role("button", name="Try it out")).to_be_visible()
        expect(page.locator(AWARD)).to_be_in_viewport()  # the reference has led there
        page.get_by_role("link", name="regions", exact=True).first.click()
        expect(page.locator("#operations-tag-regions")).to_be_in_viewport()
        visited.assert_clean()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(browser: Browser, server: str, width: int) -> None:
    """At every width the guide, an opened operation with its answer and a problem fit."""
    with visit(browser, server, viewport={"width": width, "height": 800}) as visited:
        page = visited.page
        page.goto("/problems/invalid-parameters")
        assert horizontal_overflow(page) == 0
        page.goto("/docs")
        page.locator(AWARD).wait_for()
        try_out(page)
        expect_the_award(page)
        for language in ("curl", "Python", "JavaScript"):
            page.get_by_role("radio", name=language, exact=True).check(force=True)
            assert horizontal_overflow(page) == 0


def test_pages_are_dark_where_the_system_is(browser: Browser, server: str) -> None:
    """The guide, the reference and a problem follow the system, also when it changes."""
    seen = "getComputedStyle(document.querySelector('{}')).backgroundColor"
    with visit(browser, server, color_scheme="dark") as visited:
        page = visited.page
        page.goto("/docs")
        page.locator(AWARD).wait_for()
        dark = [page.evaluate(seen.format(one)) for one in ("body", ".swagger-ui")]
        assert dark == ["rgb(20, 24, 27)"] * 2
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).not_to_have_class("dark-mode")
        assert page.evaluate(seen.format("body")) == "rgb(249, 247, 241)"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_docs_are_accessible(browser: Browser, server: str, scheme: str) -> None:
    """Axe finds nothing wrong with the guide, nor with the reference while it is used."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        page = visited.page
        page.goto("/docs")
        page.locator(AWARD).wait_for()
        try_out(page)
        expect_the_award(page)
        page.locator("#operations-search-search .opblock-summary-control").first.click()
        page.locator(".models-control").click()
        page.locator(".models .json-schema-2020-12-accordion").first.click()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("slug", ["", *(f"/{slug}" for slug in PROBLEMS)])
def test_problems_are_accessible(browser: Browser, server: str, slug: str, scheme: str) -> None:
    """Axe finds nothing wrong with the pages that explain errors, and they load no script."""
    with visit(browser, server, color_scheme=scheme, bypass_csp=True) as visited:
        visited.page.goto(f"/problems{slug}")
        expect(visited.page.locator("h1")).to_be_visible()
        expect(visited.page.locator("script")).to_have_count(0)
        assert violations(visited.page) == []


def test_a_problem_is_reached_from_the_guide(browser: Browser, server: str) -> None:
    """The guide's list of errors leads to what each means, in words, and back."""
    with visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs#errors")
        page.get_by_role("link", name="/problems/not-found").click()
        expect(page.locator("h1")).to_have_text("Nothing is found at this path")
        page.get_by_role("link", name="how to handle errors").click()
        expect(page.locator("h2#errors")).to_be_in_viewport()
        visited.assert_clean()
