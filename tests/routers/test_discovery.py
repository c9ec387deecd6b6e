"""For machines that find things: the catalogue, the dataset, the site map, icons, previews."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from lxml import etree, html

from app.pages.record.dataset import Publication, dataset_json_ld
from tests.conftest import SEED
from tests.support.browser_tools import MODULES, typescript_bin
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, published_client

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html"}
ENTRIES = {"service-desc", "service-doc", "api-catalog", "license"}

_TARGET = {
    "type": "object",
    "required": ["href"],
    "properties": {
        "href": {"type": "string", "pattern": "^https?://"},
        "type": {"type": "string", "pattern": "^[a-z]+/[a-z0-9.+-]+$"},
        "title": {"type": "string"},
        "media": {"type": "string"},
        "hreflang": {"type": "array", "items": {"type": "string"}},
    },
}
LINKSET = {
    "type": "object",
    "required": ["linkset"],
    "additionalProperties": False,
    "properties": {
        "linkset": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "minProperties": 2,
                "required": ["anchor"],
                "properties": {"anchor": {"type": "string", "pattern": "^https?://"}},
                "propertyNames": {"pattern": "^[a-z][a-z0-9.-]*$"},
                "additionalProperties": {"type": "array", "minItems": 1, "items": _TARGET},
            },
        }
    },
}
"""A set of links in JSON (RFC 9264, 4.2): contexts, and under each relation its targets."""
CHANGED = json.loads(SEED.read_bytes())["modified"]
"""The day on which the record was last changed."""


def linked(header: str) -> dict[str, str]:
    """The target of each relation in a `Link` header."""
    return {
        relation: target for target, relation in re.findall(r'<([^>]+)>; rel="([^"]+)"', header)
    }


def described(page: str) -> dict[str, Any]:
    """The dataset that a page describes."""
    (script,) = html.document_fromstring(page).xpath("//script[@type='application/ld+json']")
    found: dict[str, Any] = json.loads(script.text)
    return found


async def test_the_catalogue_is_a_set_of_links(archive_file: Path) -> None:
    """`/.well-known/api-catalog` is a link set (RFC 9727) whose targets here all answer."""
    async with published_client(SEED, archive_file) as client:
        response = await client.get("/.well-known/api-catalog")
        head = await client.head("/.well-known/api-catalog")
        catalogue = response.json()
        jsonschema.validate(catalogue, LINKSET)
        targets = {
            one["href"]
            for context in catalogue["linkset"]
            for links in (links for name, links in context.items() if name != "anchor")
            for one in links
        }
        for target in targets:
            if target.startswith(PUBLIC_URL):
                answer = await client.get(target.removeprefix(PUBLIC_URL))
                assert answer.status_code == 200, target
    media_type, _, profile = response.headers["content-type"].partition(";")
    assert media_type == "application/linkset+json"
    assert "https://www.rfc-editor.org/info/rfc9727" in profile
    assert {**head.headers} == {**response.headers}
    assert linked(head.headers["link"])["api-catalog"] == "/.well-known/api-catalog"
    contexts = {one["anchor"]: set(one) for one in catalogue["linkset"]}
    assert {"service-desc", "service-doc"} <= contexts[f"{PUBLIC_URL}/v1"]


@pytest.mark.parametrize("path", ["/.well-known/api-catalog", "/sitemap.xml"])
async def test_what_needs_the_address_says_so(client: httpx.AsyncClient, path: str) -> None:
    """Where full addresses are needed and none is set, the problem names the setting."""
    assert "PUBLIC_URL" in assert_problem(await client.get(path), 404)["detail"]


@pytest.mark.parametrize(("path", "headers"), [("/", {}), ("/", HTML), ("/v1", {})])
async def test_entry_points_link_to_the_rest(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    """The `Link` header leads to description, documentation, catalogue and terms."""
    response = await client.get(path, headers=headers)
    links = linked(response.headers["link"])
    assert set(links) == ENTRIES
    for relation in ("service-desc", "service-doc"):
        assert (await client.get(links[relation])).status_code == 200
    assert links["license"] == (await client.get("/v1/meta")).json()["data"]["license"]["url"]


async def test_the_site_map_names_pages_that_answer(archive_file: Path) -> None:
    """`/sitemap.xml` lists full addresses of pages, with the day of the last change."""
    async with published_client(SEED, archive_file) as client:
        response = await client.get("/sitemap.xml")
        tree = etree.fromstring(response.content)
        space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
        places = [str(one.text) for one in tree.findall("s:url/s:loc", space)]
        for place in places:
            assert place.startswith(f"{PUBLIC_URL}/")
            answer = await client.get(place.removeprefix(PUBLIC_URL), headers=HTML)
            assert answer.headers["content-type"].startswith("text/html")
        robots = (await client.get("/robots.txt")).text
    assert tree.tag == f"{{{space['s']}}}urlset"
    assert {one.text for one in tree.findall("s:url/s:lastmod", space)} == {CHANGED}
    assert f"{PUBLIC_URL}/" in places
    assert f"Sitemap: {PUBLIC_URL}/sitemap.xml" in robots.splitlines()


async def test_robots_may_read_without_an_address(client: httpx.AsyncClient) -> None:
    """`/robots.txt` is there at all times; only the site map's line needs an address."""
    response = await client.get("/robots.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text.startswith("User-agent: *\nAllow: /\n")
    assert "Sitemap" not in response.text


async def test_the_dataset_has_full_addresses_where_one_is_set(archive_file: Path) -> None:
    """The description names every export at its public address, the publisher, the day."""
    async with published_client(SEED, archive_file) as client:
        page = (await client.get("/", headers=HTML)).text
        exports = (await client.get("/v1/exports")).json()["data"]
    found = described(page)
    assert found["url"] == f"{PUBLIC_URL}/"
    assert {one["contentUrl"] for one in found["distribution"]} == {
        f"{PUBLIC_URL}{one['path']}" for one in exports if one["name"] != "data.json"
    }
    assert found["publisher"]["name"] == "An Archive & Co"
    assert found["dateModified"] == CHANGED


async def test_the_dataset_claims_no_address_where_none_is_set(client: httpx.AsyncClient) -> None:
    """What is required of a dataset is there; what needs an address or a publisher is not."""
    page = await client.get("/", headers=HTML)
    found = described(page.text)
    assert 50 <= len(found["description"]) <= 5_000
    assert found["name"]
    assert found["license"].startswith("https://")
    assert found["temporalCoverage"] == "2017-06-15/2020-12"
    assert found["version"] == page.headers["x-data-release"]
    assert found["dateModified"] == CHANGED
    assert not {"@id", "url", "identifier", "distribution", "publisher"} & set(found)
    south, west, north, east = map(float, found["spatialCoverage"]["geo"]["box"].split())
    assert -90 <= south < north <= 90
    assert -180 <= west < east <= 180


async def test_the_dataset_is_in_the_words_of_schema_org(
    archive_file: Path, tmp_path: Path
) -> None:
    """Each property is one that schema.org gives its type, with a value that it allows."""
    async with published_client(SEED, archive_file) as client:
        found = described((await client.get("/", headers=HTML)).text)

    def compiled(value: dict[str, Any]) -> str:
        program = (
            'import type { Dataset, WithContext } from "schema-dts";\n'
            f"export const found: WithContext<Dataset> = {json.dumps(value)};\n"
        )
        (tmp_path / "found.ts").write_text(program, "utf-8")
        command = [str(compiler / "tsc"), "--strict", "--noEmit", "--skipLibCheck", "found.ts"]
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return told.stdout

    compiler = typescript_bin()
    (tmp_path / "node_modules").symlink_to(MODULES)
    assert compiled(found) == ""
    assert "misspelt" in compiled({**found, "misspelt": "x"})


async def test_text_of_the_record_ends_no_element(archive: Any) -> None:
    """A name that looks like markup cannot leave the script element that it stands in."""
    publication = Publication("https://record.example", "</script><b>&")
    text = str(dataset_json_ld(archive, publication, archive.connection))
    assert not set("<>&") & set(text)
    assert json.loads(text)["publisher"]["name"] == "</script><b>&"


async def test_a_link_is_shown_with_a_picture(
    archive_file: Path, client: httpx.AsyncClient
) -> None:
    """Preview tags carry title, text and, where an address is set, a picture of the told size."""

    def tags(page: str) -> dict[str, str]:
        found = html.document_fromstring(page).xpath("//meta[@property or @name]")
        return {one.get("property") or one.get("name"): one.get("content") for one in found}

    async with published_client(SEED, archive_file) as opened:
        told = tags((await opened.get("/", headers=HTML)).text)
        picture = await opened.get(told["og:image"].removeprefix(PUBLIC_URL))
    width, height = struct.unpack(">II", picture.content[16:24])
    assert picture.headers["content-type"] == "image/png"
    assert [str(width), str(height)] == [told["og:image:width"], told["og:image:height"]]
    assert told["og:url"] == f"{PUBLIC_URL}/"
    assert told["twitter:card"] == "summary_large_image"
    without = tags((await client.get("/", headers=HTML)).text)
    assert not {"og:image", "og:url"} & set(without)
    for name in ("og:title", "og:description", "og:type"):
        assert without[name] == told[name]


@pytest.mark.parametrize(
    ("path", "media_type", "opening"),
    [
        ("/favicon.svg", "image/svg+xml", b"<svg"),
        ("/favicon.ico", "image/x-icon", b"\x00\x00\x01\x00\x01\x00"),
        ("/preview.png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ],
)
async def test_icons_are_what_they_say(
    client: httpx.AsyncClient, path: str, media_type: str, opening: bytes
) -> None:
    """Icons and the preview come with their media type, and can be kept."""
    response = await client.get(path)
    assert response.headers["content-type"] == media_type
    assert response.content.startswith(opening)
    assert response.headers["cache-control"].startswith("public")
