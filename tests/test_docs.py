"""The documentation in a real browser, with every other host out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from tests.conftest import needs

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def elsewhere() -> list[str]:
    """Addresses of other hosts that the browser was told to load from."""
    return []


@pytest.fixture(scope="module")
def page(server: str, elsewhere: list[str]) -> Iterator[Page]:
    """A page of headless Chromium that can reach the server and nothing else."""
    chromium = needs("chromium", "the pages are tried in a real browser")

    def only_here(route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(server).netloc:
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        opened = browser.new_page(base_url=server)
        opened.route("**/*", only_here)
        yield opened
        browser.close()


def test_docs_render_and_can_be_tried(page: Page, elsewhere: list[str]) -> None:
    """`/docs` shows every operation, and "Try it out" on an award shows its answer."""
    wrong: list[str] = []
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/docs")
    operation = page.locator("#operations-awards-getAward")
    operation.wait_for()
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("input[placeholder=id]").fill("peru-ilo")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tbody .response-col_description")
    expect(answer.first).to_contain_text("ILO programme against child sex and labor trafficking")
    assert (
        operation.locator(".live-responses-table tbody .response-col_status").first.inner_text()
        == "200"
    )
    assert elsewhere == []
    assert wrong == []
