"""Addresses of the API in the documentation: they exist, and an example has what is printed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT, SEED
from tests.support.published import published_client
from tests.support.snippets import snippets

pytestmark = pytest.mark.anyio

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
REJECTED = {"/v1/changes", "/v1/search", "/v1/awards?regoin=cusco,loreto"}
"""Paths that need a parameter, and an example of a mistake."""
SLOW = ("/docs", "/openapi", "/v1/exports")
"""Addresses whose first response is generated for seconds; they have tests of their own."""


@pytest.fixture(scope="module")
async def published(archive_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with every setting that an address needs."""
    async with published_client(SEED, archive_file) as client:
        yield client


def addresses(document: Path) -> set[str]:
    """Addresses on a page: at the documented host, or paths of the API in code."""
    text = document.read_text("utf-8")
    end = r"[^\s`'\"<>()|]*[^\s`'\"<>()|.,;:]"
    found = re.findall(rf"{re.escape(DEFAULT_BASE_URL)}(/{end})", text)
    found += re.findall(rf"`(/v1{end})`", text)
    return {
        address
        for address in found
        if not re.search(r"[{}*\u2026]", address) and not address.startswith(SLOW)
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
async def test_documented_addresses_exist(published: httpx.AsyncClient, document: Path) -> None:
    """Each address on a page is one of the API, with parameters that it accepts."""
    statuses = {
        address: (await published.head(address)).status_code for address in addresses(document)
    }
    wrong = {address: status for address, status in statuses.items() if status != 200}
    assert wrong == dict.fromkeys(wrong.keys() & REJECTED, 422)


def test_addresses_are_found() -> None:
    """The addresses are found, so the test above does not pass for lack of them."""
    assert len(set().union(*map(addresses, DOCUMENTS))) > 20


async def test_the_example_of_a_change_is_in_the_record(client: httpx.AsyncClient) -> None:
    """The change that docs/releases.md shows is in the response to the request above it."""
    page = ROOT / "docs" / "releases.md"
    [address] = [path for path in addresses(page) if path.startswith("/v1/changes?")]
    [example] = [
        item.code for item in snippets(page) if (item.heading, item.language) == ("Changes", "json")
    ]
    assert json.loads(example) in (await client.get(address)).json()["data"]
