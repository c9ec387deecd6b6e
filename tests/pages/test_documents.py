"""The project's documents are pages of the server."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import httpx
import pytest
from lxml import html

from app.pages.guide.documents import document_slugs, read_document
from tests.conftest import ROOT

pytestmark = pytest.mark.anyio

FILES = {"changelog": ROOT / "CHANGELOG.md"}
"""Documents that are not in `docs/`."""


def test_every_document_is_served() -> None:
    """Each file in `docs/` is a page, and each page is the file itself."""
    files = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert files | set(FILES) == set(document_slugs())
    linked = ROOT / "app" / "pages" / "guide" / "documents"
    for slug in document_slugs():
        file = FILES.get(slug, ROOT / "docs" / f"{slug}.md")
        assert (linked / f"{slug}.md").resolve() == file.resolve()


@pytest.mark.parametrize("slug", document_slugs())
async def test_a_document_is_complete(client: httpx.AsyncClient, slug: str) -> None:
    """It has every heading, every block of code and every table of its file, and no markup."""
    response = await client.get(f"/docs/{slug}")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    main = html.document_fromstring(response.text).get_element_by_id("content")
    source = FILES.get(slug, ROOT / "docs" / f"{slug}.md").read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", source, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#{1,3} (.+)$", prose, re.MULTILINE)
    assert [each.text_content() for each in main.iter("h1", "h2", "h3")] == [
        re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "") for heading in headings
    ]
    assert len(main.xpath(".//figure")) == len(re.findall(r"^ *```\w*$", source, re.MULTILINE)) / 2
    assert len(main.xpath(".//table")) == len(re.findall(r"^\| ---", prose, re.MULTILINE))
    assert "<!--" not in response.text
    for link in main.xpath(".//a"):
        assert link.text_content().strip()


async def test_links_between_documents_hold(client: httpx.AsyncClient) -> None:
    """Links lead to pages and sections of the server or to other sites, and pictures load."""
    pages = {
        f"/docs/{slug}": html.document_fromstring((await client.get(f"/docs/{slug}")).text)
        for slug in document_slugs()
    }
    found = 0
    for path, page in pages.items():
        for href in page.xpath("//main//a/@href"):
            target, _, fragment = href.partition("#")
            if "://" in target:
                continue
            found += 1
            assert not fragment or fragment in pages[target or path].xpath("//@id"), href
            assert (await client.get(target or path)).status_code == 200
        for source in page.xpath("//img/@src"):
            picture = await client.get(source)
            assert picture.headers["content-type"] == "image/png"
            name = PurePosixPath(source).name
            assert picture.content == (ROOT / "docs" / "images" / name).read_bytes()
    assert found > 15


async def test_the_guide_links_to_every_document(client: httpx.AsyncClient) -> None:
    """Dashboards, exports, the mirror and the others are reachable from the guide."""
    page = html.document_fromstring((await client.get("/docs")).text)
    links = page.xpath("//main//a/@href")
    assert {f"/docs/{slug}" for slug in document_slugs()} <= set(links)


def test_code_in_documents_is_unchanged() -> None:
    """A block of code has the same text as in the file."""
    source = (ROOT / "docs" / "dashboards.md").read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", source, flags=re.DOTALL | re.MULTILINE)
    shown = html.fragment_fromstring(read_document("dashboards").html, create_parent="div")
    assert [code.text_content() for code in shown.xpath(".//pre/code")] == [
        block.rstrip("\n") for block in blocks
    ]


async def test_unknown_documents_are_not_found(client: httpx.AsyncClient) -> None:
    """The 404 lists what there is; no other file can be read."""
    response = await client.get("/docs/nope")
    assert response.status_code == 404
    assert "dashboards" in response.json()["detail"]
    for path in ("/docs/images/seed.json", "/docs/images/..%2Freading.md", "/docs/..%2Fcontext.py"):
        assert (await client.get(path)).status_code == 404
