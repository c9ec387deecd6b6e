"""The Data Package is valid, and contains the record."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import duckdb
import httpx
import pytest

from app.archive.release import build_if_stale
from app.exports.tables import tables
from app.models.citation import CITATION_ID_PATTERN
from benchmarks.corpus import write_corpus
from tests.support.published import published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
async def package(client: httpx.AsyncClient, tmp_path: Path) -> Path:
    """The downloaded package."""
    file = tmp_path / "tables.zip"
    file.write_bytes((await client.get("/v1/exports/tables.zip")).content)
    return file


def read_descriptor(package: Path) -> Json:
    """Content of `datapackage.json`."""
    with ZipFile(package) as opened:
        descriptor: Json = json.loads(opened.read("datapackage.json"))
    return descriptor


def validate(package: Path) -> Json:
    """Report of frictionless on a package."""
    command = [sys.executable, "-m", "frictionless", "validate", str(package), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    report: Json = json.loads(result.stdout)
    return report


def error_types(report: Json) -> set[str]:
    """Types of the errors in a report."""
    return {error["type"] for task in report["tasks"] for error in task["errors"]} | {
        error["type"] for error in report["errors"]
    }


def replace_in_package(package: Path, target: Path, name: str, old: bytes, new: bytes) -> Path:
    """A copy of a package with some bytes of one file replaced."""
    with ZipFile(package) as opened, ZipFile(target, "w") as copy:
        for entry in opened.namelist():
            content = opened.read(entry)
            if entry == name:
                assert content.count(old) > 0
                content = content.replace(old, new, 1)
            copy.writestr(entry, content)
    return target


@pytest.mark.process
async def test_the_package_is_valid(package: Path) -> None:
    """Types, constraints, keys, sizes and digests are right in every row of every table."""
    report = validate(package)
    assert report["valid"], error_types(report)
    assert report["stats"]["tasks"] == len(tables())


@pytest.mark.process
async def test_the_package_of_a_generated_record_is_valid(tmp_path: Path) -> None:
    """Text in all scripts, text that looks like a formula, and nulls are valid."""
    write_corpus(tmp_path, 240)
    build_if_stale(tmp_path / "seed.json", tmp_path / "archive.sqlite")
    async with published_client(tmp_path / "seed.json", tmp_path / "archive.sqlite") as client:
        package = tmp_path / "tables.zip"
        package.write_bytes((await client.get("/v1/exports/tables.zip")).content)
    report = validate(package)
    assert report["valid"], error_types(report)


CHANGES = {
    "a byte": ("awards.csv", b"Cusco", b"Cuzco", "hash-count"),
    "a row": ("regions.csv", b"\r\n", b"\r\n\r\n", "byte-count"),
    "a reference": ("award_regions.csv", b"loreto", b"lorett", "foreign-key"),
    "a type": ("activities.csv", b",1,", b",x,", "type-error"),
}


@pytest.mark.process
@pytest.mark.parametrize("change", CHANGES)
async def test_a_modified_file_is_detected(package: Path, tmp_path: Path, change: str) -> None:
    """Digests, sizes, foreign keys and types reveal a modified package."""
    name, old, new, expected = CHANGES[change]
    report = validate(replace_in_package(package, tmp_path / "changed.zip", name, old, new))
    assert not report["valid"]
    assert expected in error_types(report)


async def test_the_descriptor_describes_every_file(package: Path) -> None:
    """Size, digest and columns in the descriptor are those of the file, and no file is missing."""
    descriptor = read_descriptor(package)
    with ZipFile(package) as opened:
        assert opened.testzip() is None
        resources = {resource["path"]: resource for resource in descriptor["resources"]}
        descriptions = {"datapackage.json", "csv-metadata.json"}
        assert {*resources, *descriptions} == set(opened.namelist())
        for path, resource in resources.items():
            content = opened.read(path)
            assert resource["bytes"] == len(content)
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            header = next(csv.reader(io.StringIO(content.decode(), newline="")))
            assert header == [field["name"] for field in resource["schema"]["fields"]]


async def test_the_descriptor_names_license_and_sources(
    client: httpx.AsyncClient, package: Path
) -> None:
    """It contains the license, the archived page, and the reference of every enriched value."""
    record = (await client.get("/v1/record")).json()["data"]
    meta = (await client.get("/v1/meta")).json()["data"]
    descriptor = read_descriptor(package)
    urls = {source["path"] for source in descriptor["sources"] if "path" in source}
    references = [citation["reference"] for citation in record["citations"]]
    expected = {reference["url"] for reference in references if reference}
    assert urls == expected | {source["url"] for source in record["sources"]}
    assert descriptor["licenses"] == [
        {"title": terms["title"], "path": terms["url"]}
        for terms in (meta["license"], meta["wording_license"])
    ]
    assert descriptor["version"] == meta["release"]
    assert descriptor["release_label"] == meta["release_label"]
    assert descriptor["created"] == f"{meta['modified']}T00:00:00Z"
    assert descriptor["title"] == meta["title"]
    assert descriptor["description"] == f"{meta['description']} {meta['archive_notice']}"


async def test_the_zip_is_reproducible(package: Path) -> None:
    """It contains no times and nothing specific to the platform."""
    with ZipFile(package) as opened:
        for entry in opened.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.create_system, entry.external_attr) == (3, 0o644 << 16)


async def test_the_tables_can_be_joined(client: httpx.AsyncClient, package: Path) -> None:
    """Awards by objectives by regions, joined in DuckDB, match the awards of the API."""
    awards = (await client.get("/v1/awards")).json()["data"]
    expected = sorted(
        (award["id"], objective, region)
        for award in awards
        for objective in award["objectives"] or []
        for region in award["regions"] or []
    )
    assert expected
    directory = package.with_suffix("")
    with ZipFile(package) as opened:
        opened.extractall(directory)
    joined = duckdb.connect().execute(f"""
        SELECT awards.id, objectives.id, regions.id
        FROM '{directory}/awards.csv' AS awards
        JOIN '{directory}/award_objectives.csv' AS aims ON aims.award = awards.id
        JOIN '{directory}/objectives.csv' AS objectives ON objectives.id = aims.objective
        JOIN '{directory}/award_regions.csv' AS places ON places.award = awards.id
        JOIN '{directory}/regions.csv' AS regions ON regions.id = places.region
    """)  # noqa: S608 - the test's own directory
    assert sorted(joined.fetchall()) == expected


async def test_the_descriptor_constrains_values(package: Path) -> None:
    """Patterns and closed sets of values are those of the API; null never meets a pattern."""
    schemas = {
        resource["name"]: resource["schema"] for resource in read_descriptor(package)["resources"]
    }
    fields = {field["name"]: field for field in schemas["citations"]["fields"]}
    assert fields["id"]["constraints"]["pattern"] == CITATION_ID_PATTERN
    for field in (field for schema in schemas.values() for field in schema["fields"]):
        constraints = field.get("constraints", {})
        assert "pattern" not in constraints or constraints["required"], field["name"]
    assert fields["basis"]["constraints"]["enum"] == [
        "stated",
        "derived",
        "editorial",
        "enriched",
    ]
