"""The pages of a mirror in a real browser, without the application or any other host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import chromium, visit
from tests.support.mirrors import WEB_SERVERS, freeze
from tests.support.published import copy_archive

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.process, pytest.mark.web_server]


@pytest.fixture(scope="module")
def plain_mirror(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of the shipped record without `PUBLIC_URL`, so that its links stay on the server."""
    folder = tmp_path_factory.mktemp("mirror")
    freeze(folder / "record", "--archive", str(copy_archive(archive_file, folder)))
    return folder / "record"


@pytest.fixture(scope="module", params=WEB_SERVERS)
def address(
    request: pytest.FixtureRequest, plain_mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a real web server that serves the mirror."""
    work = tmp_path_factory.mktemp("served") / request.param
    with WEB_SERVERS[request.param](plain_mirror, work) as base:
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that reaches only the mirror and must report no errors."""
    with visit(browser, address) as opened_visit:
        yield opened_visit.page
        opened_visit.assert_clean()


def test_the_record_page_is_shown(page: Page) -> None:
    """`/` works without the application."""
    response = page.goto("/")
    assert response is not None
    assert response.ok
    body = page.locator("body")
    expect(body).to_contain_text("Child Protection Compact")


def test_the_documentation_works_on_the_mirror(page: Page) -> None:
    """`/docs` shows every operation, and "Try it" on an award shows the mirror's response."""
    page.goto("/docs")
    page.get_by_role("button", name="Try it: Get an award", exact=True).click()
    form = page.locator("form.try")
    form.get_by_role("textbox").fill("/v1/awards/peru-ilo")
    form.get_by_role("button", name="Send").click()
    result = form.locator(".result")
    expect(result).to_contain_text("200 OK")
    expect(result.locator("pre")).to_contain_text(
        "ILO program against child sex and labor trafficking"
    )
