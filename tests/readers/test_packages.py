"""The CSV files load with the programs that were made for their descriptions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from app.exports.tables import tables
from tests.conftest import ROOT
from tests.support.environments import install_environment, locked_version
from tests.support.programs import run
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

pytestmark = pytest.mark.process

Json = dict[str, Any]
AREA = "readers"
PACKAGES = ROOT / "tests" / "packages"


@pytest.fixture(scope="module")
def programs() -> Path:
    """Directory of the locked programs."""
    return install_environment(PACKAGES)


@pytest.fixture(scope="module")
def package(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the files of the downloaded package."""
    directory = tmp_path_factory.mktemp("package")
    downloaded = fetch(f"{server}/v1/exports/tables.zip").raise_for_status()
    with ZipFile(BytesIO(downloaded.content)) as opened:
        opened.extractall(directory)
    return directory


def check_database(path: Path, record: dict[str, list[Json]]) -> str:
    """Compare a loaded database with the API; returns how many rows there are, in words."""
    with closing(sqlite3.connect(path)) as connection:
        counts = {
            table.name: connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608 - a name from the models
            for table in tables()
        }
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        dates = connection.execute("SELECT id, announced, announced_last, amount FROM awards")
        assert dates.fetchall() == [
            ("peru-ilo", "2017-10", "2017-10-31", None),
            ("peru-centro-yanapanakusun", "2017-10", "2017-10-31", None),
        ]
    assert {name: counts[name] for name in record} == {
        name: len(documents) for name, documents in record.items()
    }
    return f"{len(counts)} tables, {sum(counts.values())} rows, all foreign keys right"


def test_frictionless_publishes_the_package(
    programs: Path, package: Path, record: dict[str, list[Json]], tmp_path: Path
) -> None:
    """Null is allowed in the checks that it makes of constraints."""
    database = tmp_path / "published.db"
    run(programs / "python", PACKAGES / "publish.py", package / "datapackage.json", database)
    outcome = check_database(database, record)
    version = locked_version(PACKAGES, "frictionless")
    check_outcome(AREA, "frictionless", version, "`tables.zip` published to SQLite", outcome)


def test_datapackage_to_datasette_takes_the_package(
    programs: Path, package: Path, record: dict[str, list[Json]], tmp_path: Path
) -> None:
    """It makes the database, and the metadata of title, license and source for Datasette."""
    database, metadata = tmp_path / "package.db", tmp_path / "metadata.json"
    command = programs / "datapackage-to-datasette"
    run(command, database, package / "datapackage.json", metadata)
    outcome = check_database(database, record)
    descriptor = json.loads((package / "datapackage.json").read_bytes())
    (described,) = json.loads(metadata.read_bytes())["databases"].values()
    assert described["title"] == descriptor["title"]
    assert described["license_url"] == descriptor["licenses"][0]["path"]
    version = locked_version(PACKAGES, "datapackage-to-datasette")
    check_outcome(AREA, command.name, version, "`tables.zip` with metadata for Datasette", outcome)


def read_csvw(programs: Path, description: str | Path) -> Json:
    """What the csvw package reads by a description."""
    printed: Json = json.loads(run(programs / "python", PACKAGES / "read_csvw.py", description))
    return printed


def typed_rows(record: dict[str, list[Json]]) -> Iterator[tuple[str, Json]]:
    """Each award and region of the API, as typed values."""
    for collection in ("awards", "regions"):
        for document in record[collection]:
            yield collection, {key: value for key, value in document.items() if key != "links"}


def test_csvw_reads_the_package(
    programs: Path, package: Path, record: dict[str, list[Json]]
) -> None:
    """Values have their types, keys and references are right."""
    read = read_csvw(programs, package / "csv-metadata.json")
    assert read["valid"]
    assert set(read["tables"]) == {f"{table.name}.csv" for table in tables()}
    rows = {
        (name.removesuffix(".csv"), row["id"]): row
        for name, members in read["tables"].items()
        for row in members
        if "id" in row
    }
    for collection, document in typed_rows(record):
        row = rows[collection, document["id"]]
        assert {key: row[key] for key in document} == document
    count = sum(map(len, read["tables"].values()))
    outcome = f"{len(read['tables'])} tables valid, {count} rows with their types"
    version = locked_version(PACKAGES, "csvw")
    check_outcome(AREA, "csvw", version, "`tables.zip` read by its CSVW", outcome)


def test_csvw_finds_the_description_of_a_file(programs: Path, server: str) -> None:
    """From the address of one CSV file, its `Link` header leads to the types of all."""
    read = read_csvw(programs, f"{server}/v1/exports/regions.csv")
    assert read["valid"]
    (region,) = (row for row in read["tables"]["regions.csv"] if row["id"] == "cusco")
    assert (region["inei_ubigeo"], region["aliases"]) == ("08", ["Cuzco"])
    done, outcome = "`regions.csv` by address", "finds the types of the columns, `08` is text"
    check_outcome(AREA, "csvw", locked_version(PACKAGES, "csvw"), done, outcome)
