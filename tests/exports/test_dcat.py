"""The catalogue entry is one to harvesters of DCAT-US 1.1, and claims what is so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT4

from app.archive.release import build_if_stale
from app.exports.listing import EXPORTS
from benchmarks.corpus import write_corpus
from tests.conftest import SEED
from tests.support.packages import unpacked
from tests.support.published import PUBLIC_URL, PUBLISHED, copy_archive, published_client

pytestmark = [pytest.mark.anyio, pytest.mark.download]

Json = dict[str, Any]
_ONLY_AGENCIES = {"bureauCode", "programCode"}
"""Keys that the schema asks of agencies of the United States."""


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Draft4Validator:
    """The published schema, less what is asked of agencies alone."""
    files = unpacked("ckanext-datajson==0.1.29", tmp_path_factory.mktemp("dcat"))
    folder = files / "ckanext" / "datajson" / "pod_schema" / "federal-v1.1"
    schemas = {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    asked = schemas["dataset.json"]["required"]
    assert set(asked) >= _ONLY_AGENCIES
    schemas["dataset.json"]["required"] = [one for one in asked if one not in _ONLY_AGENCIES]
    base = schemas["catalog.json"]["id"].rpartition("/")[0]
    registry = Registry().with_resources(
        (f"{base}/{name}", DRAFT4.create_resource(one)) for name, one in schemas.items()
    )
    return Draft4Validator(
        schemas["catalog.json"], registry=registry, format_checker=FormatChecker()
    )


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, compiled, in a folder where its exports may be."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture
async def client(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose settings say who publishes."""
    async with published_client(SEED, own_archive) as opened:
        yield opened


@pytest.fixture
async def catalogue(client: httpx.AsyncClient) -> Json:
    """The catalogue as served."""
    served: Json = (await client.get("/data.json")).json()
    return served


def told(validator: Draft4Validator, catalogue: Json) -> list[str]:
    """What the schema has to say against a catalogue."""
    return [f"{one.json_path}: {one.message}" for one in validator.iter_errors(catalogue)]


async def test_the_schema_has_nothing_to_say(validator: Draft4Validator, catalogue: Json) -> None:
    """The entry is valid; one without a title would not be."""
    assert told(validator, catalogue) == []
    del catalogue["dataset"][0]["title"]
    assert told(validator, catalogue) != []


async def test_a_record_of_nulls_is_described_too(
    validator: Draft4Validator, tmp_path: Path
) -> None:
    """Where there are no outlines and dates of every precision, the entry is valid still."""
    write_corpus(tmp_path, 240)
    build_if_stale(tmp_path / "seed.json", tmp_path / "archive.sqlite")
    async with published_client(tmp_path / "seed.json", tmp_path / "archive.sqlite") as client:
        catalogue = (await client.get("/data.json")).json()
    assert told(validator, catalogue) == []
    assert "spatial" not in catalogue["dataset"][0]


async def test_only_what_is_set_is_claimed(catalogue: Json) -> None:
    """Publisher and contact are the settings'; nothing is that only an agency may say."""
    (dataset,) = catalogue["dataset"]
    assert not _ONLY_AGENCIES & set(dataset)
    assert dataset["publisher"] == {
        "@type": "org:Organization",
        "name": PUBLISHED["publisher_name"],
    }
    assert dataset["contactPoint"] == {
        "@type": "vcard:Contact",
        "fn": PUBLISHED["contact_name"],
        "hasEmail": f"mailto:{PUBLISHED['contact_email']}",
    }


async def test_what_the_record_says_is_taken_from_it(
    client: httpx.AsyncClient, catalogue: Json
) -> None:
    """Terms, time, place and pages are those of the record, no more precise than it is."""
    (dataset,) = catalogue["dataset"]
    meta = (await client.get("/v1/meta")).json()["data"]
    record = (await client.get("/v1/record")).json()["data"]
    shapes = (await client.get("/v1/regions?format=geojson")).json()
    assert dataset["license"] == meta["license"]["url"]
    assert dataset["rights"] == meta["license"]["title"]
    assert dataset["description"] == meta["archive_notice"]
    assert dataset["modified"] == meta["modified"]
    assert dataset["references"] == [one["url"] for one in record["sources"]]
    assert [float(one) for one in dataset["spatial"].split(",")] == shapes["bbox"]
    begins, ends = dataset["temporal"].split("/")
    assert begins == record["partnerships"][0]["signed"]
    assert ends == max(award["ends"] for award in record["awards"])


async def test_every_address_is_that_of_an_export(
    client: httpx.AsyncClient, catalogue: Json
) -> None:
    """Each distribution can be loaded and is of the type that it says."""
    (dataset,) = catalogue["dataset"]
    addresses = {one["downloadURL"]: one for one in dataset["distribution"]}
    assert set(addresses) == {
        f"{PUBLIC_URL}{one.path}" for one in EXPORTS.values() if one.path != "/data.json"
    }
    for address, one in addresses.items():
        response = await client.get(address.removeprefix(PUBLIC_URL))
        assert response.status_code == 200
        assert response.headers["content-type"] == one["mediaType"]
    for key in ("landingPage", "describedBy", "identifier"):
        assert (await client.get(dataset[key].removeprefix(PUBLIC_URL))).status_code == 200
    assert catalogue["@id"] == f"{PUBLIC_URL}/data.json"
