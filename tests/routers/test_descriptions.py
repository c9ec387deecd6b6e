"""`/dataset.jsonld` and `/llms.txt`: descriptions for search engines and language models."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from app.pages.guide.documents import document_slugs
from tests.conftest import SEED, SeedCopy
from tests.routers.test_discovery import dataset_in
from tests.support.link_headers import parse_links
from tests.support.published import PUBLIC_URL, published_client
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

LINK_LINE = re.compile(r"- \[([^\]]+)\]\(([^)\s]+)\): (\S.*)")
"""A line of a section (llmstxt.org): a list item with a link, then a remark."""


async def test_the_dataset_is_that_of_the_page(archive_file: Path) -> None:
    """`/dataset.jsonld` is the JSON-LD of the record page, and says what it describes."""
    async with published_client(SEED, archive_file) as client:
        page = (await client.get("/", headers={"Accept": "text/html"})).text
        response = await client.get("/dataset.jsonld")
    assert response.headers["content-type"] == "application/ld+json"
    assert response.json() == dataset_in(page)
    links = {link.relation: link.target for link in parse_links(response.headers["link"])}
    assert links["describes"] == "/"
    assert links["license"] in response.json()["license"]


def sections(text: str) -> dict[str, list[str]]:
    """Lines of each section of the overview, which has nothing else."""
    parts = re.split(r"^## (.+)\n\n", text, flags=re.MULTILINE)
    return {
        title: body.strip().splitlines()
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


async def test_the_overview_has_the_form_of_llmstxt_org(archive_file: Path) -> None:
    """Title, summary as a block quote, notes, then sections of links with one line each."""
    async with published_client(SEED, archive_file) as client:
        response = await client.get("/llms.txt")
        meta = (await client.get("/v1/meta")).json()["data"]
    lines = response.text.splitlines()
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert lines[0] == f"# {meta['title']}"
    assert lines[2].startswith(f"> {meta['description']}")
    assert meta["archive_notice"] in lines[2]
    assert all(line.startswith("- ") for line in response.text.split("\n\n")[2].splitlines())
    assert list(sections(response.text))[-1] == "Optional"
    for body in sections(response.text).values():
        assert body
        assert all(LINK_LINE.fullmatch(line) for line in body), body


async def test_the_overview_links_to_every_list_and_each_link_works(archive_file: Path) -> None:
    """Links are absolute with `PUBLIC_URL`; those that need a parameter have an example."""
    async with published_client(SEED, archive_file) as client:
        text = (await client.get("/llms.txt")).text
        index = (await client.get("/v1")).json()["links"]
        exports = (await client.get("/v1/exports")).json()["data"]
        urls = [url for _, url, _ in LINK_LINE.findall(text)]
        assert {f"{PUBLIC_URL}/docs/{slug}" for slug in document_slugs()} <= {*urls}
        for url in urls:
            assert url.startswith(f"{PUBLIC_URL}/")
            assert (await client.get(url.removeprefix(PUBLIC_URL))).status_code == 200, url
    paths = [url.removeprefix(PUBLIC_URL).partition("?")[0] for url in urls]
    assert len(paths) == len(set(paths))
    assert set(index.values()) <= {*paths}
    assert {"/data.json", "/v1/exports/tables.zip", "/v1/exports/iati.xml"} <= {*paths}
    assert {export["path"] for export in exports} >= {
        path for path in paths if path.startswith("/v1/exports/")
    }


async def test_without_public_url_the_overview_has_paths(client: httpx.AsyncClient) -> None:
    """What is not available is not listed."""
    urls = [url for _, url, _ in LINK_LINE.findall((await client.get("/llms.txt")).text)]
    assert all(url.startswith("/") for url in urls)
    for url in urls:
        assert (await client.get(url)).status_code == 200, url


async def test_an_odd_title_stays_on_its_line(seed: SeedCopy, tmp_path: Path) -> None:
    """White space in the record's own texts cannot break the structure."""
    seed.data["description"] = "First line.\n\n## Not a section\n\n" + seed.data["description"]
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        text = (await client.get("/llms.txt")).text
    assert "Not a section" in text.splitlines()[2]
    assert "Not a section" not in sections(text)


async def test_an_empty_record_has_an_overview(seed: SeedCopy, tmp_path: Path) -> None:
    """Without resources there are no examples, and each link still works."""
    seed.clear()
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        text = (await client.get("/llms.txt")).text
        for _, url, _ in LINK_LINE.findall(text):
            assert (await client.get(url)).status_code == 200, url
    assert "Items: 0." in text
