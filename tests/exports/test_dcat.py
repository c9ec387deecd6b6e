"""The catalog is valid DCAT-US 1.1, and its claims are true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT4

from app.archive.release import build_if_stale
from app.exports.listing import CATALOG_NAMES, EXPORTS
from benchmarks.corpus import write_corpus
from tests.conftest import SEED
from tests.support.packages import unpacked
from tests.support.published import PUBLIC_URL, PUBLISHED, published_client

pytestmark = [pytest.mark.anyio, pytest.mark.download]

Json = dict[str, Any]
_AGENCY_KEYS = {"bureauCode", "programCode"}
"""Keys that only U.S. agencies may use, though the schema requires them of everyone."""


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Draft4Validator:
    """Validator with the published schema, which does not require the keys of agencies."""
    files = unpacked("ckanext-datajson==0.1.29", tmp_path_factory.mktemp("dcat"))
    directory = files / "ckanext" / "datajson" / "pod_schema" / "federal-v1.1"
    schemas = {path.name: json.loads(path.read_text("utf-8")) for path in directory.glob("*.json")}
    required = schemas["dataset.json"]["required"]
    assert set(required) >= _AGENCY_KEYS
    schemas["dataset.json"]["required"] = [key for key in required if key not in _AGENCY_KEYS]
    base = schemas["catalog.json"]["id"].rpartition("/")[0]
    registry = Registry().with_resources(
        (f"{base}/{name}", DRAFT4.create_resource(schema)) for name, schema in schemas.items()
    )
    return Draft4Validator(
        schemas["catalog.json"], registry=registry, format_checker=FormatChecker()
    )


@pytest.fixture
async def catalog(client: httpx.AsyncClient) -> Json:
    """The catalog as served."""
    body: Json = (await client.get("/data.json")).json()
    return body


def schema_errors(validator: Draft4Validator, catalog: Json) -> list[str]:
    """Violations of the schema."""
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(catalog)]


async def test_the_catalog_is_valid(validator: Draft4Validator, catalog: Json) -> None:
    """It conforms to the schema, which would detect a missing title."""
    assert schema_errors(validator, catalog) == []
    del catalog["dataset"][0]["title"]
    assert schema_errors(validator, catalog) != []


async def test_the_catalog_of_a_record_with_nulls_is_valid(
    validator: Draft4Validator, tmp_path: Path
) -> None:
    """Missing outlines and imprecise dates are left out or valid."""
    write_corpus(tmp_path, 240)
    build_if_stale(tmp_path / "seed.json", tmp_path / "archive.sqlite")
    async with published_client(tmp_path / "seed.json", tmp_path / "archive.sqlite") as client:
        catalog = (await client.get("/data.json")).json()
    assert schema_errors(validator, catalog) == []
    assert "spatial" not in catalog["dataset"][0]


async def test_publisher_and_contact_come_from_the_settings(catalog: Json) -> None:
    """Keys that only U.S. agencies may use are absent."""
    (dataset,) = catalog["dataset"]
    assert not _AGENCY_KEYS & set(dataset)
    assert dataset["publisher"] == {
        "@type": "org:Organization",
        "name": PUBLISHED["publisher_name"],
    }
    assert dataset["contactPoint"] == {
        "@type": "vcard:Contact",
        "fn": PUBLISHED["contact_name"],
        "hasEmail": f"mailto:{PUBLISHED['contact_email']}",
    }


async def test_the_metadata_comes_from_the_record(client: httpx.AsyncClient, catalog: Json) -> None:
    """License, dates, extent and pages are those of the record, with the same precision."""
    (dataset,) = catalog["dataset"]
    meta = (await client.get("/v1/meta")).json()["data"]
    record = (await client.get("/v1/record")).json()["data"]
    geojson = (await client.get("/v1/regions?format=geojson")).json()
    assert dataset["license"] == meta["license"]["url"]
    assert dataset["rights"].startswith(f"{meta['license']['title']}. Titles, summaries")
    assert dataset["title"] == meta["title"]
    assert dataset["description"] == f"{meta['description']} {meta['archive_notice']}"
    assert dataset["modified"] == meta["modified"]
    assert dataset["references"] == [source["url"] for source in record["sources"]]
    assert [float(edge) for edge in dataset["spatial"].split(",")] == geojson["bbox"]
    begins, ends = dataset["temporal"].split("/")
    assert begins == record["partnerships"][0]["signed"]
    assert ends == max(award["ends"] for award in record["awards"])


async def test_every_distribution_is_an_export(client: httpx.AsyncClient, catalog: Json) -> None:
    """Each can be downloaded and has the declared media type."""
    (dataset,) = catalog["dataset"]
    distributions = {item["downloadURL"]: item for item in dataset["distribution"]}
    assert set(distributions) == {
        f"{PUBLIC_URL}{export.path}"
        for export in EXPORTS.values()
        if export.name not in CATALOG_NAMES
    }
    for url, distribution in distributions.items():
        response = await client.get(url.removeprefix(PUBLIC_URL))
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == distribution["mediaType"]
    for key in ("landingPage", "describedBy", "identifier"):
        assert (await client.get(dataset[key].removeprefix(PUBLIC_URL))).status_code == 200
    assert catalog["@id"] == f"{PUBLIC_URL}/data.json"


async def test_dataset_and_distributions_have_identifiers(catalog: Json) -> None:
    """As RDF they are no blank nodes; a zip is called one, although it has CSV files."""
    (dataset,) = catalog["dataset"]
    assert dataset["@id"] == dataset["identifier"]
    ids = [distribution["@id"] for distribution in dataset["distribution"]]
    assert len(set(ids)) == len(ids)
    assert all(id_.startswith(f"{PUBLIC_URL}/v1/exports#") for id_ in ids)
    formats = {item["downloadURL"]: item["format"] for item in dataset["distribution"]}
    assert formats[f"{PUBLIC_URL}/v1/exports/tables.zip"] == "ZIP"


async def test_the_license_is_one_that_harvesters_know(catalog: Json) -> None:
    """It is the label of works of the U.S. government; the statute is in words."""
    (dataset,) = catalog["dataset"]
    assert dataset["license"] == "https://www.usa.gov/publicdomain/label/1.0/"
    assert "17 U.S.C. 105" in dataset["rights"]


async def test_every_email_address_that_can_be_set_is_valid(
    own_archive: Path, validator: Draft4Validator
) -> None:
    """The schema accepts each character that the setting does."""
    for email in ("data+record@example.org", "o'brien@example.org", "a_~!$&*=-.b@sub.example.org"):
        async with published_client(SEED, own_archive, contact_email=email) as client:
            document = (await client.get("/data.json")).json()
        validator.validate(document)
        assert document["dataset"][0]["contactPoint"]["hasEmail"] == f"mailto:{email}"
