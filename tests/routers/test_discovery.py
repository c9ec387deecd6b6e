"""Discovery: API catalog, dataset description, sitemap, robots.txt, icons and link previews."""

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

from app.exports.listing import CATALOG_NAMES
from app.pages.guide.documents import document_slugs
from app.pages.record.dataset import Publication, dataset_json_ld
from tests.conftest import SEED
from tests.support.browser_tools import MODULES, typescript_bin
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, published_client

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html"}
ENTRY_RELATIONS = {"service-desc", "service-doc", "license"}

_LINK_TARGET = {
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
LINKSET_SCHEMA = {
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
                "additionalProperties": {"type": "array", "minItems": 1, "items": _LINK_TARGET},
            },
        }
    },
}
"""JSON Schema of a linkset (RFC 9264, 4.2): link contexts with targets by relation."""
MODIFIED = json.loads(SEED.read_bytes())["modified"]
"""Date of the last change to the record."""


def link_targets(header: str) -> dict[str, str]:
    """Link targets in a `Link` header, by relation."""
    return {
        relation: target for target, relation in re.findall(r'<([^>]+)>; rel="([^"]+)"', header)
    }


def dataset_in(page: str) -> dict[str, Any]:
    """The JSON-LD dataset description in a page."""
    (script,) = html.document_fromstring(page).xpath("//script[@type='application/ld+json']")
    description: dict[str, Any] = json.loads(script.text)
    return description


async def test_api_catalog_is_a_linkset(archive_file: Path) -> None:
    """`/.well-known/api-catalog` is a linkset (RFC 9727), and its targets on this server exist."""
    async with published_client(SEED, archive_file) as client:
        response = await client.get("/.well-known/api-catalog")
        head = await client.head("/.well-known/api-catalog")
        catalog = response.json()
        jsonschema.validate(catalog, LINKSET_SCHEMA)
        targets = {
            link["href"]
            for context in catalog["linkset"]
            for links in (links for name, links in context.items() if name != "anchor")
            for link in links
        }
        for target in targets:
            if target.startswith(PUBLIC_URL):
                target_response = await client.get(target.removeprefix(PUBLIC_URL))
                assert target_response.status_code == 200, target
    media_type, _, profile = response.headers["content-type"].partition(";")
    assert media_type == "application/linkset+json"
    assert "https://www.rfc-editor.org/info/rfc9727" in profile
    assert {**head.headers} == {**response.headers}
    assert link_targets(head.headers["link"])["api-catalog"] == "/.well-known/api-catalog"
    contexts = {context["anchor"]: set(context) for context in catalog["linkset"]}
    assert {"service-desc", "service-doc"} <= contexts[f"{PUBLIC_URL}/v1"]


@pytest.mark.parametrize("path", ["/.well-known/api-catalog", "/sitemap.xml"])
async def test_missing_public_url_is_reported(client: httpx.AsyncClient, path: str) -> None:
    """If absolute URLs are needed and `PUBLIC_URL` is not set, the problem names the setting."""
    assert "PUBLIC_URL" in assert_problem(await client.get(path), 404)["detail"]


@pytest.mark.parametrize(("path", "headers"), [("/", {}), ("/", HTML), ("/v1", {})])
async def test_entry_points_have_a_link_header(
    client: httpx.AsyncClient, archive_file: Path, path: str, headers: dict[str, str]
) -> None:
    """It refers to OpenAPI document, documentation and license; with a URL, to the API catalog."""
    async with published_client(SEED, archive_file) as published:
        for opened, expected in (
            (client, ENTRY_RELATIONS),
            (published, ENTRY_RELATIONS | {"api-catalog"}),
        ):
            links = link_targets((await opened.get(path, headers=headers)).headers["link"])
            assert set(links) == expected if path == "/v1" else set(links) > expected
            for relation in expected - {"license"}:
                assert (await opened.get(links[relation])).status_code == 200
            meta = (await opened.get("/v1/meta")).json()["data"]
            assert links["license"] == meta["license"]["url"]


async def test_sitemap_lists_existing_pages(archive_file: Path) -> None:
    """`/sitemap.xml` lists absolute URLs of HTML pages with the date of the last change."""
    async with published_client(SEED, archive_file) as client:
        response = await client.get("/sitemap.xml")
        tree = etree.fromstring(response.content)
        namespaces = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
        urls = [str(loc.text) for loc in tree.findall("s:url/s:loc", namespaces)]
        for url in urls:
            assert url.startswith(f"{PUBLIC_URL}/")
            page = await client.get(url.removeprefix(PUBLIC_URL), headers=HTML)
            assert page.headers["content-type"].startswith("text/html")
        robots = (await client.get("/robots.txt")).text
    assert tree.tag == f"{{{namespaces['s']}}}urlset"
    assert {lastmod.text for lastmod in tree.findall("s:url/s:lastmod", namespaces)} == {MODIFIED}
    assert f"{PUBLIC_URL}/" in urls
    assert {f"{PUBLIC_URL}/docs/{slug}" for slug in document_slugs()} <= {*urls}
    assert f"Sitemap: {PUBLIC_URL}/sitemap.xml" in robots.splitlines()


async def test_robots_txt_does_not_need_a_public_url(client: httpx.AsyncClient) -> None:
    """`/robots.txt` always exists; only its `Sitemap` line needs `PUBLIC_URL`."""
    response = await client.get("/robots.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text.startswith("User-agent: *\nAllow: /\n")
    assert "Sitemap" not in response.text


async def test_dataset_has_absolute_urls_if_public_url_is_set(archive_file: Path) -> None:
    """The dataset lists absolute URLs of all exports, the publisher and the date."""
    async with published_client(SEED, archive_file) as client:
        page = (await client.get("/", headers=HTML)).text
        exports = (await client.get("/v1/exports")).json()["data"]
    description = dataset_in(page)
    assert description["url"] == f"{PUBLIC_URL}/"
    assert {distribution["contentUrl"] for distribution in description["distribution"]} == {
        f"{PUBLIC_URL}{export['path']}" for export in exports if export["name"] not in CATALOG_NAMES
    }
    assert description["publisher"]["name"] == "An Archive & Co"
    assert description["creator"]["url"] == f"{PUBLIC_URL}/"
    assert description["dateModified"] == MODIFIED


async def test_dataset_has_no_urls_if_public_url_is_not_set(client: httpx.AsyncClient) -> None:
    """Required properties are present; those that need a URL or a publisher are omitted."""
    page = await client.get("/", headers=HTML)
    description = dataset_in(page.text)
    assert 50 <= len(description["description"]) <= 5_000
    assert description["name"]
    assert all(url.startswith("https://") for url in description["license"])
    assert description["temporalCoverage"] == "2017-06-15/2020-12"
    (work,) = (await client.get("/v1/cite")).json()
    assert description["version"] == work["version"]
    assert [description["creator"]["name"]] == [author["literal"] for author in work["author"]]
    assert "url" not in description["creator"]
    (year, month, day) = work["issued"]["date-parts"][0]
    assert description["datePublished"] == f"{year}-{month:02}-{day:02}"
    assert description["dateModified"] == MODIFIED
    assert not {"@id", "url", "identifier", "distribution", "publisher"} & set(description)
    south, west, north, east = map(float, description["spatialCoverage"]["geo"]["box"].split())
    assert -90 <= south < north <= 90
    assert -180 <= west < east <= 180


@pytest.mark.node
async def test_dataset_conforms_to_schema_org(archive_file: Path, tmp_path: Path) -> None:
    """Each property is defined by schema.org for its type and has an allowed value."""
    async with published_client(SEED, archive_file) as client:
        description = dataset_in((await client.get("/", headers=HTML)).text)

    def compile_errors(value: dict[str, Any]) -> str:
        program = (
            'import type { Dataset, WithContext } from "schema-dts";\n'
            f"export const dataset: WithContext<Dataset> = {json.dumps(value)};\n"
        )
        (tmp_path / "dataset.ts").write_text(program, "utf-8")
        command = [str(compiler / "tsc"), "--strict", "--noEmit", "--skipLibCheck", "dataset.ts"]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return result.stdout

    compiler = typescript_bin()
    (tmp_path / "node_modules").symlink_to(MODULES)
    assert compile_errors(description) == ""
    assert "misspelled" in compile_errors({**description, "misspelled": "x"})


async def test_dataset_text_is_escaped(archive: Any) -> None:
    """A name that looks like markup cannot end the enclosing script element."""
    publication = Publication("https://record.example", "</script><b>&")
    text = str(dataset_json_ld(archive, publication, archive.connection))
    assert not set("<>&") & set(text)
    assert json.loads(text)["publisher"]["name"] == "</script><b>&"


async def test_link_previews_have_an_image(archive_file: Path, client: httpx.AsyncClient) -> None:
    """Open Graph tags have title and text, and with `PUBLIC_URL` an image of the declared size."""

    def tags(page: str) -> dict[str, str]:
        elements = html.document_fromstring(page).xpath("//meta[@property or @name]")
        return {
            element.get("property") or element.get("name"): element.get("content")
            for element in elements
        }

    async with published_client(SEED, archive_file) as published:
        with_url = tags((await published.get("/", headers=HTML)).text)
        image = await published.get(with_url["og:image"].removeprefix(PUBLIC_URL))
    width, height = struct.unpack(">II", image.content[16:24])
    assert image.headers["content-type"] == "image/png"
    assert [str(width), str(height)] == [with_url["og:image:width"], with_url["og:image:height"]]
    assert with_url["og:url"] == f"{PUBLIC_URL}/"
    assert with_url["twitter:card"] == "summary_large_image"
    without_url = tags((await client.get("/", headers=HTML)).text)
    assert not {"og:image", "og:url"} & set(without_url)
    for name in ("og:title", "og:description", "og:type"):
        assert without_url[name] == with_url[name]


@pytest.mark.parametrize(
    ("path", "media_type", "signature"),
    [
        ("/favicon.svg", "image/svg+xml", b"<svg"),
        ("/favicon.ico", "image/x-icon", b"\x00\x00\x01\x00\x01\x00"),
        ("/preview.png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ],
)
async def test_images_have_the_right_media_type(
    client: httpx.AsyncClient, path: str, media_type: str, signature: bytes
) -> None:
    """Icons and the preview image have the right media type and are cacheable."""
    response = await client.get(path)
    assert response.headers["content-type"] == media_type
    assert response.content.startswith(signature)
    assert response.headers["cache-control"].startswith("public")
