"""The SQLite export works in Datasette and DuckDB."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.exports.tables import tables
from tests.conftest import ROOT
from tests.support.environments import install_environment
from tests.support.ports import free_port

READERS = ROOT / "tests" / "readers"

MATRIX = """
    SELECT awards.id, award_objectives.objective, regions.id
    FROM awards
    JOIN award_objectives ON award_objectives.award = awards.id
    JOIN award_regions ON award_regions.award = awards.id
    JOIN regions ON regions.id = award_regions.region
"""
"""Awards by objectives by regions, as on the record page."""


@pytest.fixture(scope="module")
def programs() -> Path:
    """Directory of the locked programs."""
    return install_environment(READERS)


@pytest.fixture(scope="module")
def database(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The downloaded database."""
    file = tmp_path_factory.mktemp("database") / "record.sqlite"
    file.write_bytes(httpx.get(f"{server}/v1/exports/record.sqlite").raise_for_status().content)
    return file


@pytest.fixture(scope="module")
def datasette(programs: Path, database: Path) -> Iterator[httpx.Client]:
    """A client of Datasette with the export."""
    port = free_port()
    command = [str(programs / "datasette"), "serve", "-i", str(database), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_ready(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server responds."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client.get("/-/versions.json")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("Datasette does not respond")


@pytest.fixture(scope="module")
def record(server: str) -> dict[str, Any]:
    """The whole record as the API returns it."""
    data: dict[str, Any] = httpx.get(f"{server}/v1/record").json()["data"]
    return data


def expected_matrix(record: dict[str, Any]) -> list[list[str]]:
    """The matrix according to the API's awards."""
    rows = [
        [award["id"], objective, region]
        for award in record["awards"]
        for objective in award["objectives"] or []
        for region in award["regions"] or []
    ]
    assert rows
    return sorted(rows)


def test_datasette_shows_every_table(datasette: httpx.Client, record: dict[str, Any]) -> None:
    """Each table has its name, its primary key and as many rows as the record has."""
    shown = {table["name"]: table for table in datasette.get("/record.json").json()["tables"]}
    assert set(shown) == {"about", "outlines", *(table.name for table in tables())}
    for collection, documents in record.items():
        assert shown[collection]["count"] == len(documents)
        assert shown[collection]["primary_keys"] == ["id"]


def test_datasette_links_foreign_keys(datasette: httpx.Client) -> None:
    """A foreign key is shown with the name of the referenced row, and links to it."""
    parameters = {"_shape": "objects", "_labels": "on", "id": "peru-ilo"}
    (award,) = datasette.get("/record/awards.json", params=parameters).json()["rows"]
    assert award["recipient"] == {"value": "ilo", "label": "International Labor Organization"}
    page = datasette.get("/record/awards")
    assert page.status_code == 200
    assert "/record/organizations/ilo" in page.text


def test_datasette_can_join_the_tables(datasette: httpx.Client, record: dict[str, Any]) -> None:
    """Tables joined in Datasette match the API."""
    result = datasette.get("/record.json", params={"sql": MATRIX, "_shape": "arrays"}).json()
    assert sorted(result["rows"]) == expected_matrix(record)


def test_duckdb_can_join_the_tables(programs: Path, database: Path, record: dict[str, Any]) -> None:
    """Tables joined in DuckDB match the API."""
    command = [str(programs / "python"), str(READERS / "ask_duckdb.py"), str(database), MATRIX]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert sorted(json.loads(result.stdout)) == expected_matrix(record)


def test_duckdb_reads_every_table(programs: Path, database: Path) -> None:
    """All columns of all tables can be read with their types."""
    for table in tables():
        query = f"SELECT count(*) FROM (SELECT * FROM {table.name})"  # noqa: S608 - a name from the models
        command = [
            str(programs / "python"),
            str(READERS / "ask_duckdb.py"),
            str(database),
            query,
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(result.stdout)[0][0] > 0
