"""The annotations hold every quote, and a position only where it is right."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import SEED, SeedCopy
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, published_client

pytestmark = pytest.mark.anyio

PATH = "/v1/exports/annotations.jsonld"
Json = dict[str, Any]


async def annotations_of(seed: SeedCopy, folder: Path) -> Any:
    """The annotations of another record."""
    async with published_client(seed.write(), folder / "archive.sqlite") as client:
        response = await client.get(PATH)
        assert response.status_code == 200, response.text
        return response.json()


async def test_every_quote_is_an_annotation(client: httpx.AsyncClient) -> None:
    """In both targets with its prefix and suffix, and with its position in the text only."""
    page = (await client.get(PATH)).json()
    annotations = {item["id"]: item for item in page["items"]}
    citations = (await client.get("/v1/citations")).json()["data"]
    [source] = (await client.get("/v1/sources")).json()["data"]
    quoted = [citation for citation in citations if citation["target"]]
    assert len(annotations) == len(page["items"]) == len(quoted) == page["partOf"]["total"]
    for citation in quoted:
        quote, position = citation["target"]["selector"]
        words = {name: value for name, value in quote.items() if value is not None}
        on_page, in_text = annotations[f"{PUBLIC_URL}{citation['links']['self']}"]["target"]
        assert on_page == {
            "type": "SpecificResource",
            "source": source["url"],
            "selector": words,
        }
        assert in_text["selector"] == [words, position]
        name, _, encoded = in_text["source"].rpartition(";")
        assert name == "ni:///sha-256"
        assert base64.urlsafe_b64decode(f"{encoded}=").hex() == source["sha256"]


async def test_bodies_have_the_value_the_basis_and_the_note(client: httpx.AsyncClient) -> None:
    """What a reader of the page wants to know about the words."""
    annotations = {item["id"]: item for item in (await client.get(PATH)).json()["items"]}
    for citation in (await client.get("/v1/citations")).json()["data"]:
        if citation["target"] is None:
            continue
        bodies = annotations[f"{PUBLIC_URL}{citation['links']['self']}"]["body"]
        assert all(body["type"] == "TextualBody" for body in bodies)
        texts = {body["purpose"]: body["value"] for body in bodies}
        resource = f"{citation['resource_type']} {citation['resource']}"
        assert texts["describing"].startswith(f"{resource}, {citation['field']}: ")
        assert texts["tagging"] == citation["basis"]
        assert texts.get("commenting") == citation["note"]
    [announced] = (
        item["body"][0]["value"]
        for item in annotations.values()
        if "award.peru-ilo.announced." in item["id"]
    )
    assert announced == "award peru-ilo, announced: 2017-10"


async def test_the_page_names_its_collection_and_release(client: httpx.AsyncClient) -> None:
    """A saved copy tells what it is of, by whom, under which terms."""
    response = await client.get(PATH)
    assert response.headers["content-type"] == (
        'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'
    )
    page, meta = response.json(), (await client.get("/v1/meta")).json()["data"]
    release = (await client.get("/v1/releases/latest")).json()["data"]
    assert page["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert (page["id"], page["type"]) == (f"{PUBLIC_URL}{PATH}", "AnnotationPage")
    collection = page["partOf"]
    assert collection["type"] == "AnnotationCollection"
    assert collection["label"].endswith(f", release {release['id']}")
    assert collection["modified"].startswith(release["date"])
    licenses = [meta["license"], meta["wording_license"]]
    assert collection["rights"] == [license_["url"] for license_ in licenses]


async def test_without_a_public_url_the_setting_is_named(own_archive: Path) -> None:
    """Ids must be absolute, and must not depend on the request."""
    async with published_client(SEED, own_archive, public_url=None) as client:
        problem = assert_problem(await client.get(PATH), 404)
        assert "PUBLIC_URL" in problem["detail"]
        names = [entry["name"] for entry in (await client.get("/v1/exports")).json()["data"]]
        assert "annotations.jsonld" not in names


async def test_a_source_without_a_url_is_named_by_the_api(seed: SeedCopy, tmp_path: Path) -> None:
    """The target is then the source in the API."""
    source = seed.data["sources"][0]
    source["url"], source["not_stated"] = None, [*source["not_stated"], "url"]
    del source["evidence"]["url"]
    page = await annotations_of(seed, tmp_path)
    sources = {item["target"][0]["source"] for item in page["items"]}
    assert sources == {f"{PUBLIC_URL}/v1/sources/{source['id']}"}


async def test_a_record_without_quotes_has_an_empty_page(seed: SeedCopy, tmp_path: Path) -> None:
    """It is valid JSON, with a total of none."""
    seed.clear()
    page = await annotations_of(seed, tmp_path)
    assert (page["items"], page["partOf"]["total"]) == ([], 0)


async def test_odd_words_are_kept(seed: SeedCopy, tmp_path: Path) -> None:
    """Quotation marks, line breaks and characters beyond the BMP come out as they are."""
    words = 'so "to say" \\ \U0001f600\u00a0x'
    seed.cite("/awards/0/title", "Another title", words)
    page = await annotations_of(seed, tmp_path)
    found = [item for item in page["items"] if item["target"][0]["selector"]["exact"] == words]
    assert len(found) == 1
    assert json.dumps(found)
