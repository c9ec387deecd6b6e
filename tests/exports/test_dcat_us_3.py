"""The DCAT-US 3.0 catalog is valid, has nothing unknown, and its claims are true."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from app.archive.release import build_if_stale
from app.exports.files import exports_directory
from app.exports.listing import CATALOG_NAMES
from benchmarks.corpus import write_corpus
from tests.conftest import SEED, SeedCopy
from tests.support.dcat_us_3 import CLOSED_CATALOG
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, PUBLISHED, copy_archive, published_client
from tests.support.random_seeds import SHAPES, write_seed
from tests.support.tools_table import check_outcome

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
PATH = "/data-3.0.json"
QUICK_RECORDS = ("shipped", "generated", "nothing at all", "one of each, all null", "any")
RECORDS = [
    *QUICK_RECORDS,
    *(pytest.param(name, marks=pytest.mark.slow) for name in SHAPES if name not in QUICK_RECORDS),
]


@pytest.fixture
async def catalog(client: httpx.AsyncClient) -> Json:
    """The catalog as served."""
    response = await client.get(PATH)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/ld+json")
    body: Json = response.json()
    return body


@pytest.fixture(scope="module")
def harvester() -> Draft202012Validator:
    """Validator with the schema that Data.gov harvests by, with unknown members as errors.

    `DCAT_US_SCHEMA` names a directory with the files of `schemas/dcatus3.0/definitions` in the
    repository `GSA/datagov-harvester`.
    """
    directory = os.environ.get("DCAT_US_SCHEMA") or pytest.skip("DCAT_US_SCHEMA is not set")
    schemas = [json.loads(path.read_text("utf-8")) for path in Path(directory).glob("*.json")]
    for schema in schemas:
        if "properties" in schema:
            schema["properties"].setdefault("@context", {})
            schema["additionalProperties"] = False
    resources = ((schema["$id"], DRAFT202012.create_resource(schema)) for schema in schemas)
    [catalog] = [schema for schema in schemas if schema["$id"].endswith("/definitions/catalog")]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft202012Validator(catalog, registry=registry, format_checker=FormatChecker())


def schema_errors(validator: Draft202012Validator, catalog: Json) -> list[str]:
    """Violations of a schema."""
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(catalog)]


def closed_errors(catalog: Json) -> list[str]:
    """Violations of the closed schema."""
    return schema_errors(Draft202012Validator(CLOSED_CATALOG), catalog)


async def get_catalog(name: str, folder: Path) -> Json:
    """The catalog of a record: the shipped one, a generated one or a random one."""
    seed = folder / "seed.json"
    if name == "shipped":
        SeedCopy(folder)
    elif name == "generated":
        write_corpus(folder, 240)
    else:
        write_seed(folder, name, 0)
    build_if_stale(seed, folder / "archive.sqlite")
    async with published_client(seed, folder / "archive.sqlite") as client:
        body: Json = (await client.get(PATH)).json()
        return body


@pytest.mark.parametrize("name", RECORDS)
async def test_the_catalog_has_no_unknown_member(tmp_path: Path, name: str) -> None:
    """It has every required member, and each member in its form, whatever the record is."""
    assert closed_errors(await get_catalog(name, tmp_path)) == []


@pytest.mark.parametrize("name", RECORDS)
async def test_the_catalog_is_valid(
    harvester: Draft202012Validator, tmp_path: Path, name: str
) -> None:
    """It is valid by the schema of the harvester of Data.gov."""
    assert schema_errors(harvester, await get_catalog(name, tmp_path)) == []
    if name == "shipped":
        done = "data-3.0.json validated, unknown members forbidden"
        check_outcome("aid", "GSA/datagov-harvester, schema", "e04f7de", done, "no error")


MISTAKES = {
    "a license of a dataset": ("dataset/0/license", "https://example.org/"),
    "a misspelt member": ("dataset/0/distribution/0/licence", "https://example.org/"),
    "a size as a number": ("dataset/0/distribution/0/byteSize", 5),
    "a type without its prefix": ("dataset/0/@type", "Dataset"),
    "a list of checksums": ("dataset/0/distribution/0/checksum", []),
    "a contact without a list": ("service/0/contactPoint", {"fn": "A", "hasEmail": "mailto:a@b.c"}),
    "a long language": ("dataset/0/language", ["en-US"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_detected(catalog: Json, mistake: str) -> None:
    """The check can fail: these are what other writers get wrong."""
    path, value = MISTAKES[mistake]
    *steps, last = path.split("/")
    holder: Any = catalog
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    holder[last] = value
    assert closed_errors(catalog) != []


async def test_every_distribution_is_an_export(client: httpx.AsyncClient, catalog: Json) -> None:
    """Each can be downloaded, with the declared media type, size and digest."""
    (dataset,) = catalog["dataset"]
    exports = {
        f"{PUBLIC_URL}{item['path']}"
        for item in (await client.get("/v1/exports")).json()["data"]
        if item["name"] not in CATALOG_NAMES
    }
    assert {item["downloadURL"] for item in dataset["distribution"]} == exports
    for distribution in dataset["distribution"]:
        response = await client.get(distribution["downloadURL"].removeprefix(PUBLIC_URL))
        media_type = response.headers["content-type"].partition(";")[0]
        assert media_type == distribution["mediaType"]
        assert str(len(response.content)) == distribution["byteSize"]
        digest = hashlib.sha256(response.content).hexdigest()
        assert distribution["checksum"]["checksumValue"] == digest


async def test_every_address_of_the_api_resolves(client: httpx.AsyncClient, catalog: Json) -> None:
    """Pages, the description of the API and the identifiers are served."""
    urls = set(strings(catalog)) - {PUBLIC_URL}
    paths = {url.removeprefix(PUBLIC_URL) for url in urls if url.startswith(PUBLIC_URL)}
    assert {"/", "/docs", "/openapi.json", "/v1", "/v1/record", PATH} <= paths
    for path in paths:
        assert (await client.get(path)).status_code == 200, path


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


async def test_both_catalogs_describe_the_same_dataset(
    client: httpx.AsyncClient, catalog: Json
) -> None:
    """Identifiers, dates, extent and distributions are the same in 1.1."""
    (newer,) = catalog["dataset"]
    (older,) = (await client.get("/data.json")).json()["dataset"]
    for name in ("@id", "identifier", "title", "keyword", "modified"):
        assert newer[name] == older[name]
    assert newer["relation"] == older["references"]
    (period,) = newer["temporal"]
    assert f"{period['startDate']}/{period['endDate']}" == older["temporal"]
    (place,) = newer["spatial"]
    west, south, east, north = map(float, older["spatial"].split(","))
    (ring,) = json.loads(place["bbox"])["coordinates"]
    assert ring == [[west, south], [east, south], [east, north], [west, north], [west, south]]
    assert [item["@id"] for item in newer["distribution"]] == [
        item["@id"] for item in older["distribution"]
    ]


async def test_the_metadata_comes_from_the_record(client: httpx.AsyncClient, catalog: Json) -> None:
    """Each distribution has the license of the facts, and in words that of the wording, too."""
    meta = (await client.get("/v1/meta")).json()["data"]
    (dataset,) = catalog["dataset"]
    assert dataset["version"] == meta["release_label"]
    assert dataset["provenance"] == [meta["archive_notice"]]
    for distribution in (*dataset["distribution"], *catalog["service"]):
        assert distribution["license"] == meta["license"]["url"]
        facts, words = distribution["rights"]
        assert facts.startswith(meta["license"]["title"])
        assert words.endswith(meta["wording_license"]["url"])


async def test_an_extent_across_the_antimeridian_is_cut(seed: SeedCopy) -> None:
    """Its box is two, as RFC 7946 recommends."""
    east, west = ([[x, 0], [x + 2, 0], [x + 2, 2], [x, 2], [x, 0]] for x in (178, -180))
    outlines = json.loads((seed.path.parent / "regions.geojson").read_text("utf-8"))
    for feature in outlines["features"]:
        feature["geometry"] = {"type": "MultiPolygon", "coordinates": [[east], [west]]}
        feature.pop("bbox", None)
    content = json.dumps(outlines).encode()
    (seed.path.parent / "regions.geojson").write_bytes(content)
    seed.data["outlines"]["sha256"] = hashlib.sha256(content).hexdigest()
    async with published_client(seed.write(), seed.path.with_name("archive.sqlite")) as client:
        (dataset,) = (await client.get(PATH)).json()["dataset"]
    box = json.loads(dataset["spatial"][0]["bbox"])
    assert box["type"] == "MultiPolygon"
    assert [polygon[0][0][0] for polygon in box["coordinates"]] == [178, -180]


@pytest.mark.parametrize("name", ["public_url", "publisher_name", "contact_name", "contact_email"])
async def test_a_missing_setting_is_named(own_archive: Path, name: str) -> None:
    """There is no catalog without a publisher, and none is listed."""
    async with published_client(SEED, own_archive, **{name: None}) as client:
        problem = assert_problem(await client.get(PATH), 404)
        assert name.upper() in problem["detail"]
        assert PATH not in (await client.get("/v1/exports")).text


async def test_without_files_it_is_unavailable(archive_file: Path, tmp_path: Path) -> None:
    """Sizes and digests are those of the files; without a place for them there are none."""
    archive = copy_archive(archive_file, tmp_path)
    exports_directory(archive).write_text("in the way")
    async with published_client(SEED, archive) as client:
        assert_problem(await client.get(PATH), 503)
        assert (await client.get("/data.json")).status_code == 200


async def test_the_api_catalog_links_to_both(client: httpx.AsyncClient, own_archive: Path) -> None:
    """By relation, media type and the profile that each follows (RFC 9727)."""
    linkset = (await client.get("/.well-known/api-catalog")).json()["linkset"]
    links = [link for context in linkset for link in context.get("describedby", ())]
    assert [(link["href"], link["type"]) for link in links] == [
        (f"{PUBLIC_URL}/data.json", "application/json"),
        (f"{PUBLIC_URL}{PATH}", "application/ld+json"),
    ]
    assert links[1]["profile"] == [{"value": "https://resources.data.gov/dcat-us/3.0.0"}]
    async with published_client(SEED, own_archive, publisher_name=None) as other:
        assert "describedby" not in (await other.get("/.well-known/api-catalog")).text


async def test_publisher_and_contact_come_from_the_settings(catalog: Json) -> None:
    """They are the same wherever the schema requires them."""
    (dataset,), (service,) = catalog["dataset"], catalog["service"]
    assert catalog["publisher"] == dataset["publisher"] == service["publisher"]
    assert dataset["publisher"]["name"] == PUBLISHED["publisher_name"]
    (contact,) = dataset["contactPoint"]
    assert contact["fn"] == PUBLISHED["contact_name"]
    assert contact["hasEmail"] == f"mailto:{PUBLISHED['contact_email']}"
    assert service["contactPoint"] == [contact]


async def test_it_is_described_as_json_ld_alone(client: httpx.AsyncClient) -> None:
    """No generator of clients takes it for plain JSON."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert list(paths[PATH]["get"]["responses"]["200"]["content"]) == ["application/ld+json"]
