"""The SQLite export in Datasette: the stable version, and the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.exports.tables import tables
from tests.conftest import ROOT
from tests.readers.page import PAGE
from tests.support.environments import install_environment
from tests.support.ports import free_port
from tests.support.programs import running
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

pytestmark = pytest.mark.process

READERS = ROOT / "tests" / "readers"
Json = dict[str, Any]

MATRIX = """
    SELECT awards.id, award_objectives.objective, regions.id AS region
    FROM awards
    JOIN award_objectives ON award_objectives.award = awards.id
    JOIN award_regions ON award_regions.award = awards.id
    JOIN regions ON regions.id = award_regions.region
"""
"""Awards by objectives by regions, as on the record page."""


@dataclass(frozen=True, slots=True)
class Datasette:
    """A running Datasette with the export.

    Attributes:
        client: A client of it.
        version: Its version.
    """

    client: httpx.Client
    version: str

    def rows(self, query: str) -> list[Json]:
        """Rows of a query, as objects."""
        parameters = {"sql": query, "_shape": "array"}
        rows: list[Json] = self.client.get("/record.json", params=parameters).json()
        return rows


@pytest.fixture(scope="module")
def database(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The downloaded database."""
    file = tmp_path_factory.mktemp("database") / "record.sqlite"
    file.write_bytes(fetch(f"{server}/v1/exports/record.sqlite").raise_for_status().content)
    return file


@pytest.fixture(scope="module", params=["requirements.txt", "others.txt"], ids=["stable", "next"])
def datasette(request: pytest.FixtureRequest, database: Path) -> Iterator[Datasette]:
    """Datasette with the export, in each version."""
    programs, port = install_environment(READERS, lock=request.param), free_port()
    command = [str(programs / "datasette"), "serve", "-i", str(database), "--port", str(port)]
    if request.param == "others.txt":
        command += label_options()
    with (
        running(command, port, database.with_name(f"{request.param}.log")) as url,
        httpx.Client(base_url=url, timeout=30, follow_redirects=True) as client,
    ):
        versions = client.get("/-/versions.json").json()
        yield Datasette(client, versions["datasette"]["version"])


def label_options() -> list[str]:
    """The options that docs/reading.md gives to Datasette 1.0 for labels of linked rows."""
    options = re.findall(r"-s databases\S+label_column \w+", PAGE.read_text("utf-8"))
    assert options
    return " ".join(options).split()


def test_every_table_is_shown(datasette: Datasette, record: dict[str, list[Json]]) -> None:
    """Each table has its name, its primary key and as many rows as the record has."""
    shown = {
        table["name"]: table for table in datasette.client.get("/record.json").json()["tables"]
    }
    assert set(shown) == {"about", "outlines", *(table.name for table in tables())}
    for collection, documents in record.items():
        assert shown[collection]["count"] == len(documents)
        assert shown[collection]["primary_keys"] == ["id"]


def test_foreign_keys_are_links(datasette: Datasette) -> None:
    """A foreign key is shown with the name of the referenced row, and links to it."""
    parameters = {"_shape": "objects", "_labels": "on", "id": "peru-ilo"}
    (award,) = datasette.client.get("/record/awards.json", params=parameters).json()["rows"]
    assert award["recipient"] == {"value": "ilo", "label": "International Labor Organization"}
    page = datasette.client.get("/record/awards")
    assert page.status_code == 200
    assert "/record/organizations/ilo" in page.text


def test_tables_are_joined(datasette: Datasette, record: dict[str, list[Json]]) -> None:
    """Joined tables match the API."""
    expected = [
        {"id": award["id"], "objective": objective, "region": region}
        for award in record["awards"]
        for objective in award["objectives"] or []
        for region in award["regions"] or []
    ]
    rows = datasette.rows(MATRIX)
    assert rows
    assert sorted(rows, key=str) == sorted(expected, key=str)
    outcome = f"{len(tables())} tables with their keys; a join of four as in the API"
    tool = "Datasette, alpha" if "a" in datasette.version else "Datasette"
    done = "serve `record.sqlite`"
    check_outcome("readers", tool, datasette.version, done, outcome)


def test_values_have_types(datasette: Datasette) -> None:
    """Days are days for SQLite, lists can be faceted as JSON, and a boolean is 1 or null."""
    (award,) = datasette.rows(
        "SELECT announced, date(announced_last, '+1 day') AS next, has_sub_recipients"
        " FROM awards WHERE id = 'peru-ilo'"
    )
    assert award == {"announced": "2017-10", "next": "2017-11-01", "has_sub_recipients": 1}
    parameters = {"_facet_array": "regions", "_extra": "facet_results"}
    shown = datasette.client.get("/record/awards.json", params=parameters).json()["facet_results"]
    facets = shown.get("results", shown)["regions"]["results"]
    assert {facet["value"]: facet["count"] for facet in facets} == {
        "cusco": 2,
        "loreto": 1,
        "metropolitan-lima": 1,
    }
