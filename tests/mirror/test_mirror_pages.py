"""The pages of a mirror in a real browser: no application runs, no other host is reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from tests.conftest import needs, run_cli
from tests.support.browser_tools import CHROMIUM_OPTIONS
from tests.support.mirrors import SERVERS
from tests.support.published import copy_archive


@pytest.fixture(scope="module", params=SERVERS)
def address(
    request: pytest.FixtureRequest, archive_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a web server on a mirror of the shipped record."""
    folder = tmp_path_factory.mktemp("mirror")
    archive = copy_archive(archive_file, folder)
    said = run_cli("freeze", str(folder / "record"), "--archive", str(archive))
    assert said.returncode == 0, said.stderr
    with SERVERS[request.param](folder / "record", folder / "work") as base:
        yield base


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """A page of headless Chromium that can reach the mirror and nothing else, without complaint."""
    chromium = needs("chromium", "the pages are tried in a real browser")
    wrong: list[str] = []

    def only_here(route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(address).netloc:
            route.continue_()
        else:
            wrong.append(route.request.url)
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        opened = browser.new_page(base_url=address)
        opened.route("**/*", only_here)
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        yield opened
        browser.close()
    assert wrong == []


def test_the_record_is_shown(page: Page) -> None:
    """`/` works without the application."""
    answer = page.goto("/")
    assert answer is not None
    assert answer.ok
    expect(page.locator("body")).to_contain_text("Child Protection Compact")


def test_the_documentation_is_shown_and_can_be_tried(page: Page) -> None:
    """`/docs` shows every operation, and "Try it out" on an award shows the mirror's answer."""
    page.goto("/docs")
    operation = page.locator("#operations-awards-getAward")
    operation.wait_for()
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("input[placeholder=id]").fill("peru-ilo")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tbody")
    expect(answer.locator(".response-col_status").first).to_contain_text("200")
    expect(answer.locator(".response-col_description").first).to_contain_text(
        "ILO programme against child sex and labor trafficking"
    )
