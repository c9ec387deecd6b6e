"""`Link` headers for machines: FAIR Signposting of the record page, downloads and items."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.archive.archive import COLLECTIONS
from tests.conftest import SEED
from tests.support.link_headers import parse_links, targets
from tests.support.published import published_client

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html"}
LONGEST_ORIGIN = f"https://{'a' * 63}.{'b' * 63}.example.org"
PROXY_BUFFER_BYTES = 4_096
"""Space for all headers of a response in nginx as a proxy, by default, on most platforms."""


@pytest.mark.parametrize("headers", [{}, HTML])
async def test_the_record_page_links_to_what_it_describes(
    archive_file: Path, headers: dict[str, str]
) -> None:
    """`/` links to the exports and to descriptions of the record, each with its media type."""
    async with published_client(SEED, archive_file) as client:
        header = (await client.get("/", headers=headers)).headers["link"]
        exports = (await client.get("/v1/exports")).json()["data"]
        for link in parse_links(header):
            if link.type and link.target != "/.well-known/api-catalog":
                response = await client.get(link.target)
                assert response.status_code == 200
                assert response.headers["content-type"].partition(";")[0] == link.type
        for path in targets(header, "describedby"):
            assert targets((await client.get(path)).headers["link"], "describes") == ["/"]
    assert targets(header, "type") == ["https://schema.org/AboutPage", "https://schema.org/Dataset"]
    described = targets(header, "describedby")
    assert described[0] == "/dataset.jsonld"
    assert {"/data.json", "/data-3.0.json", "/v1/cite/citation.json"} <= set(described)
    items, paths = set(targets(header, "item")), {export["path"] for export in exports}
    assert items | set(described) < paths | set(described)
    assert {"/v1/record", "/v1/exports/tables.zip", "/v1/exports/regions.geojson"} <= items
    left_out = {path.rpartition("/")[2].partition(".")[0] for path in paths - items}
    assert left_out <= {*COLLECTIONS, "csv-metadata", "data", "data-3"}


async def test_links_fit_into_the_buffer_of_a_proxy(archive_file: Path) -> None:
    """With every setting and a long host name, the headers of `/` fit into a small buffer."""
    async with published_client(SEED, archive_file, public_url=LONGEST_ORIGIN) as client:
        response = await client.get("/", headers=HTML)
    size = sum(len(name) + len(value) + 4 for name, value in response.headers.raw)
    assert LONGEST_ORIGIN in response.headers["link"]
    assert size < PROXY_BUFFER_BYTES - 300  # for what the server and the proxy add


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("/v1/record", "/"),
        ("/v1/exports/tables.zip", "/"),
        ("/v1/exports/iati.xml", "/"),
        *((f"/v1/{name}", f"/v1/{name}") for name in COLLECTIONS),
    ],
)
async def test_downloads_and_items_link_to_their_collection(
    archive_file: Path, path: str, collection: str
) -> None:
    """A download belongs to the record page and an item to its list; 304 and HEAD say the same."""
    async with published_client(SEED, archive_file) as client:
        if path == collection:
            path = (await client.get(path)).json()["data"][0]["links"]["self"]
        response = await client.get(path)
        matching = {"If-None-Match": response.headers["etag"]}
        not_modified = await client.get(path, headers=matching)
        head = await client.head(path)
        license_url = (await client.get("/v1/meta")).json()["data"]["license"]["url"]
    header = response.headers["link"]
    assert [link.relation for link in parse_links(header)] == [
        "cite-as", "collection", "type", "describedby", "license",
    ]  # fmt: skip
    assert targets(header, "collection") == [collection]
    assert targets(header, "describedby") == ["/dataset.jsonld"]
    assert targets(header, "license") == [license_url]
    assert targets(header, "type")[0].startswith(("https://schema.org/", "http://www.w3.org/ns/"))
    assert not_modified.status_code == 304
    assert not_modified.headers["link"] == head.headers["link"] == header


@pytest.mark.parametrize("path", ["/v1/meta", "/v1/awards", "/v1/search?q=children", "/docs"])
async def test_other_responses_have_no_signposts(client: httpx.AsyncClient, path: str) -> None:
    """Lists have at most the link to their next page."""
    header = (await client.get(path)).headers.get("link", "")
    assert {link.relation for link in parse_links(header)} <= {"next"}
