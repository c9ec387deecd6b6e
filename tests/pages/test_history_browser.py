"""The page of the history in Chromium, with requests to other hosts blocked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Start
from tests.support import history
from tests.support.browser_tools import violations
from tests.support.browsing import chromium, horizontal_overflow, visit
from tests.support.history import SECOND

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.node]

PATH = "/history"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def server(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a server on the record that was corrected twice."""
    folder = tmp_path_factory.mktemp("corrected")
    seed = history.publish_shipped(folder)
    url, _ = start_server(SEED_FILE=str(seed), ARCHIVE_FILE=str(folder / "archive.sqlite"))
    return url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_page_fits_and_is_accessible(
    browser: Browser, server: str, width: int, scheme: str
) -> None:
    """No horizontal scrolling, no error, and no finding of axe-core, at every width."""
    viewport = {"width": width, "height": 900}
    with visit(browser, server, viewport=viewport, color_scheme=scheme, bypass_csp=True) as visited:
        visited.page.goto(PATH)
        assert horizontal_overflow(visited.page) == 0
        assert violations(visited.page, "target-size") == []
        visited.assert_clean()


def test_the_record_page_leads_to_what_changed(browser: Browser, server: str) -> None:
    """The link of the record page opens the history, without scripts, and there is a way back."""
    with visit(browser, server, java_script_enabled=False) as visited:
        visited.page.goto("/")
        visited.page.get_by_role("link", name="what changed").first.click()
        expect(visited.page).to_have_url(f"{server}{PATH}#{history.THIRD}")
        visited.page.get_by_role("navigation", name="Releases").get_by_text(
            SECOND, exact=True
        ).click()
        expect(
            visited.page.get_by_role("heading", name=f"Release {SECOND}", exact=True)
        ).to_be_in_viewport()
        visited.page.get_by_role("banner").get_by_role("link").first.click()
        expect(visited.page).to_have_url(f"{server}/")
        visited.assert_clean()
