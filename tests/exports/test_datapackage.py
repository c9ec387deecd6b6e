"""The Data Package is one to those who read such packages, and what it holds is the record."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator
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
from tests.conftest import SEED
from tests.support.published import copy_archive, published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, compiled, in a folder where its exports may be."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture
async def client(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server on the shipped record."""
    async with published_client(SEED, own_archive) as opened:
        yield opened


@pytest.fixture
async def package(client: httpx.AsyncClient, tmp_path: Path) -> Path:
    """The package, in a file."""
    file = tmp_path / "tables.zip"
    file.write_bytes((await client.get("/v1/exports/tables.zip")).content)
    return file


def descriptor(package: Path) -> Json:
    """What the package says of itself."""
    with ZipFile(package) as opened:
        described: Json = json.loads(opened.read("datapackage.json"))
    return described


def validated(package: Path) -> Json:
    """What frictionless finds in a package."""
    command = [sys.executable, "-m", "frictionless", "validate", str(package), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    report: Json = json.loads(said.stdout)
    return report


def faults(report: Json) -> set[str]:
    """The kinds of faults that were found."""
    return {one["type"] for task in report["tasks"] for one in task["errors"]} | {
        one["type"] for one in report["errors"]
    }


def rewritten(package: Path, target: Path, name: str, old: bytes, new: bytes) -> Path:
    """A copy of a package with one stretch of one file replaced."""
    with ZipFile(package) as opened, ZipFile(target, "w") as copied:
        for entry in opened.namelist():
            content = opened.read(entry)
            if entry == name:
                assert content.count(old) > 0
                content = content.replace(old, new, 1)
            copied.writestr(entry, content)
    return target


@pytest.mark.process
async def test_frictionless_finds_nothing_wrong(package: Path) -> None:
    """Types, constraints, keys, lengths and digests hold, for every row of every table."""
    report = validated(package)
    assert report["valid"], faults(report)
    assert report["stats"]["tasks"] == len(tables())


@pytest.mark.process
async def test_frictionless_finds_nothing_wrong_in_an_awkward_record(tmp_path: Path) -> None:
    """Nor where text is of every script and looks like formulas, and values are null."""
    write_corpus(tmp_path, 240)
    build_if_stale(tmp_path / "seed.json", tmp_path / "archive.sqlite")
    async with published_client(tmp_path / "seed.json", tmp_path / "archive.sqlite") as client:
        package = tmp_path / "tables.zip"
        package.write_bytes((await client.get("/v1/exports/tables.zip")).content)
    report = validated(package)
    assert report["valid"], faults(report)


CHANGED = {
    "a byte": ("awards.csv", b"Cusco", b"Cuzco", "hash-count"),
    "a row": ("regions.csv", b"\r\n", b"\r\n\r\n", "byte-count"),
    "a reference": ("award_regions.csv", b"loreto", b"lorett", "foreign-key"),
    "a type": ("activities.csv", b",1,", b",x,", "type-error"),
}


@pytest.mark.process
@pytest.mark.parametrize("change", CHANGED)
async def test_a_changed_file_is_caught(package: Path, tmp_path: Path, change: str) -> None:
    """A package that is not as it was made is told by its digests, its keys and its types."""
    name, old, new, told = CHANGED[change]
    report = validated(rewritten(package, tmp_path / "changed.zip", name, old, new))
    assert not report["valid"]
    assert told in faults(report)


async def test_each_file_is_described_as_it_is(package: Path) -> None:
    """Length, digest and columns of the descriptor are those of the file, and no file is left."""
    described = descriptor(package)
    with ZipFile(package) as opened:
        assert opened.testzip() is None
        resources = {one["path"]: one for one in described["resources"]}
        assert {*resources, "datapackage.json"} == set(opened.namelist())
        for path, one in resources.items():
            content = opened.read(path)
            assert one["bytes"] == len(content)
            assert one["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            header = next(csv.reader(io.StringIO(content.decode(), newline="")))
            assert header == [field["name"] for field in one["schema"]["fields"]]


async def test_terms_and_sources_go_with_the_package(
    client: httpx.AsyncClient, package: Path
) -> None:
    """The license, the page, and every reference that a value was enriched from are named."""
    record = (await client.get("/v1/record")).json()["data"]
    meta = (await client.get("/v1/meta")).json()["data"]
    described = descriptor(package)
    named = {one["path"] for one in described["sources"] if "path" in one}
    referred = {one["reference"]["url"] for one in record["citations"] if one["reference"]}
    assert named == referred | {one["url"] for one in record["sources"]}
    assert described["licenses"] == [
        {"title": meta["license"]["title"], "path": meta["license"]["url"]}
    ]
    assert described["version"] == meta["release"]
    assert described["description"] == meta["archive_notice"]


async def test_the_zip_holds_no_time_and_no_machine(package: Path) -> None:
    """What differs between machines is not in it."""
    with ZipFile(package) as opened:
        for entry in opened.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.create_system, entry.external_attr) == (3, 0o644 << 16)


async def test_the_tables_joined_give_the_matrix(client: httpx.AsyncClient, package: Path) -> None:
    """In DuckDB, awards by objectives by regions are those that the API's awards name."""
    awards = (await client.get("/v1/awards")).json()["data"]
    expected = sorted(
        (award["id"], objective, region)
        for award in awards
        for objective in award["objectives"] or []
        for region in award["regions"] or []
    )
    assert expected
    folder = package.with_suffix("")
    with ZipFile(package) as opened:
        opened.extractall(folder)
    joined = duckdb.connect().execute(f"""
        SELECT awards.id, objectives.id, regions.id
        FROM '{folder}/awards.csv' AS awards
        JOIN '{folder}/award_objectives.csv' AS served ON served.award = awards.id
        JOIN '{folder}/objectives.csv' AS objectives ON objectives.id = served.objective
        JOIN '{folder}/award_regions.csv' AS placed ON placed.award = awards.id
        JOIN '{folder}/regions.csv' AS regions ON regions.id = placed.region
    """)  # noqa: S608 - the test's own folder
    assert sorted(joined.fetchall()) == expected


async def test_identifiers_keep_their_shape(package: Path) -> None:
    """The codes of the descriptor are the patterns of the API."""
    schemas = {one["name"]: one["schema"] for one in descriptor(package)["resources"]}
    fields = {one["name"]: one for one in schemas["citations"]["fields"]}
    assert fields["id"]["constraints"]["pattern"] == CITATION_ID_PATTERN
    assert fields["basis"]["constraints"]["enum"] == [
        "stated",
        "derived",
        "editorial",
        "enriched",
    ]
