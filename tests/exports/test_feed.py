"""The feed of releases: valid, the same each time, and read alike by three feed readers."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import feedparser
import httpx
import pytest
from lxml import etree, html

from tests.conftest import ROOT, needs
from tests.support import history
from tests.support.history import LABELS, NOTES
from tests.support.npm import install_packages
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, published_client
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

FEED = "/v1/releases.atom"
ATOM = "{http://www.w3.org/2005/Atom}"
READERS = ROOT / "tests" / "feeds"
ENTRIES = [
    (
        f"Release {label}",
        f"{PUBLIC_URL}/history#{label}",
        f"{label[:10]}T00:00:00Z",
        note,
    )
    for label, note in zip(LABELS[::-1], NOTES[::-1], strict=True)
]
"""Title, link, date and reason of each release, the newest first."""


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed of the record that was corrected twice."""
    return history.publish_shipped(tmp_path_factory.mktemp("corrected"))


@pytest.fixture(scope="module")
async def client(seed: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that record at a public URL."""
    async with published_client(seed, seed.with_name("archive.sqlite")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def feed(client: httpx.AsyncClient) -> bytes:
    """The feed."""
    response = await client.get(FEED)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/atom+xml"
    assert response.headers["vary"] == "Accept-Encoding"
    return response.content


async def test_the_feed_is_the_same_each_time(feed: bytes, seed: Path, tmp_path: Path) -> None:
    """Another process and another compilation give the same bytes; a draft is no release."""
    other = tmp_path / "archive.sqlite"
    async with published_client(seed, other) as client:
        assert (await client.get(FEED)).content == feed
    shutil.copytree(seed.parent, tmp_path / "draft")
    draft = tmp_path / "draft" / "seed.json"
    content = json.loads(draft.read_bytes())
    content["keywords"].append("a keyword that was not released")
    draft.write_text(json.dumps(content), "utf-8")
    async with published_client(draft, other) as client:
        assert (await client.get("/v1/meta")).json()["data"]["release_label"] == "draft"
        assert (await client.get(FEED)).content == feed


async def test_the_feed_is_valid_atom(feed: bytes) -> None:
    """Required elements, unique ids, absolute addresses, no tombstones, an author (RFC 4287)."""
    root = etree.fromstring(feed)
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == len(LABELS)
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
    ids = [element.findtext(f"{ATOM}id") for element in (root, *entries)]
    assert len(set(ids)) == len(ids)
    assert root.findtext(f"{ATOM}updated") == ENTRIES[0][2]
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    links = root.findall(f".//{ATOM}link")
    assert all(link.get("href").startswith(f"{PUBLIC_URL}/") for link in links)
    assert {element.tag for element in root.iter()} <= {
        ATOM + name
        for name in (
            "feed", "entry", "id", "title", "updated", "published", "author", "name", "rights",
            "link", "summary",
        )
    }  # fmt: skip
    for entry in entries:
        first = entry.find(f"{ATOM}link")
        assert (first.get("rel"), first.get("type")) == ("alternate", "text/html")
        assert entry.findtext(f"{ATOM}published") == entry.findtext(f"{ATOM}updated")


async def test_addresses_of_the_feed_exist(feed: bytes, client: httpx.AsyncClient) -> None:
    """Each address is served, and those of pages name a place on them."""
    for link in etree.fromstring(feed).findall(f".//{ATOM}link"):
        url = httpx.URL(link.get("href"))
        response = await client.get(url.path)
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == link.get("type")
        if url.fragment:
            assert html.fromstring(response.text).xpath("//*[@id=$id]", id=url.fragment)


async def test_feedparser_reads_the_feed(feed: bytes) -> None:
    """Title, link and date of every entry, without a complaint."""
    parsed = feedparser.parse(feed)
    assert not parsed.bozo
    assert parsed.version == "atom10"
    assert [
        (entry.title, entry.link, entry.published, entry.summary) for entry in parsed.entries
    ] == ENTRIES
    assert [entry.updated for entry in parsed.entries] == [date for _, _, date, _ in ENTRIES]


@pytest.mark.node
async def test_readers_of_node_read_the_feed(feed: bytes) -> None:
    """rss-parser and feedsmith show the same title, link, date and reason."""
    install_packages(READERS, "feed readers are tested")
    command = [needs("node", "feed readers are tested"), str(READERS / "read_feed.mjs")]
    result = await anyio.run_process(command, input=feed)
    found: dict[str, Json] = json.loads(result.stdout)
    expected = [
        [title, link, date.replace("Z", ".000Z"), note] for title, link, date, note in ENTRIES
    ]
    assert found["rss-parser"]["entries"] == expected
    assert found["feedsmith"]["entries"] == expected
    assert found["feedsmith"]["format"] == "atom"
    assert found["feedsmith"]["title"] == found["rss-parser"]["title"]


@pytest.mark.parametrize("path", ["/", "/docs", "/history"])
async def test_pages_link_to_the_feed(client: httpx.AsyncClient, path: str) -> None:
    """Browsers and feed readers find it in the head of each page."""
    page = await client.get(path, headers={"accept": "text/html"})
    links = html.fromstring(page.content).xpath("//head/link[@type='application/atom+xml']")
    assert [(link.get("rel"), link.get("href")) for link in links] == [("alternate", FEED)]


async def test_the_index_links_to_the_feed(client: httpx.AsyncClient) -> None:
    """`/v1` names it."""
    assert (await client.get("/v1")).json()["links"]["feed"] == FEED


async def test_there_is_no_feed_without_a_public_url(seed: Path, tmp_path: Path) -> None:
    """It is not found, and nothing links to it."""
    async with client_for(seed, tmp_path / "archive.sqlite") as client:
        problem = assert_problem(await client.get(FEED), 404)
        assert "PUBLIC_URL" in problem["detail"]
        assert "feed" not in (await client.get("/v1")).json()["links"]
        for path in ("/", "/docs", "/history"):
            page = await client.get(path, headers={"accept": "text/html"})
            assert b'href="/v1/releases.atom"' not in page.content


async def test_the_feed_takes_no_parameters(client: httpx.AsyncClient) -> None:
    """As other documents without parameters."""
    assert_problem(await client.get(f"{FEED}?limit=1"), 422)
