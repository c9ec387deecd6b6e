"""The Parquet files have the rows of the record, with types that do not depend on them."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from io import BytesIO
from pathlib import Path
from struct import unpack_from
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.archive.archive import COLLECTIONS, Archive
from app.archive.release import build_if_stale
from app.exports.files import build_exports, exports_directory, find_exports
from app.exports.geoparquet import Geometry
from app.exports.listing import COLLECTIONS_PARQUET, PARQUET_NAMES
from app.exports.parquet import pyarrow_version
from app.models.dates import first_day, last_day
from benchmarks.corpus import write_corpus
from tests.conftest import SEED
from tests.support.problem import assert_problem
from tests.support.published import copy_archive, published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a generated record with all scripts and nulls, compiled."""
    directory = tmp_path_factory.mktemp("generated")
    write_corpus(directory, 480)
    build_if_stale(directory / "seed.json", directory / "archive.sqlite")
    return directory


async def read_table(client: httpx.AsyncClient, collection: str) -> pa.Table:
    """The downloaded file of a collection."""
    response = await client.get(COLLECTIONS_PARQUET[collection].path)
    assert response.status_code == 200, response.text
    return parquet.read_table(BytesIO(response.content))


def expected_row(document: Json) -> Json:
    """A document of the API as a row: without links, dates with their days, a citation flat."""
    row: Json = {}
    for name, value in document.items():
        if name in ("signed", "announced", "ends", "archived_from", "archived_to"):
            row[name] = value
            row[f"{name}_first"] = value and first_day(value)
            row[f"{name}_last"] = value and last_day(value)
        elif name == "captured":
            row[name] = value and datetime.fromisoformat(value)
        elif name == "target":
            row |= _quote_columns(value)
        elif name == "reference":
            members = ("title", "url", "license")
            row |= {f"reference_{member}": value and value[member] for member in members}
        elif name != "links":
            row[name] = value
    return row


def _quote_columns(target: Json | None) -> Json:
    if target is None:
        ends = ("", "_start", "_end", "_prefix", "_suffix")
        return {"source": None, **dict.fromkeys((f"quote{end}" for end in ends), None)}
    quote, position = target["selector"]
    return {
        "source": target["source"].rpartition("/")[2],
        "quote": quote["exact"],
        "quote_start": position["start"],
        "quote_end": position["end"],
        "quote_prefix": quote["prefix"],
        "quote_suffix": quote["suffix"],
    }


@pytest.mark.parametrize("record_name", ["shipped", "generated"])
async def test_the_rows_are_those_of_the_api(
    own_archive: Path, generated: Path, record_name: str
) -> None:
    """Every value of every item is there, in its type; dates have their first and last day."""
    seed, archive = SEED, own_archive
    if record_name == "generated":
        seed, archive = generated / "seed.json", generated / "archive.sqlite"
    async with published_client(seed, archive) as client:
        record = (await client.get("/v1/record")).json()["data"]
        for collection in COLLECTIONS:
            table = await read_table(client, collection)
            if collection == "regions":
                table = table.drop_columns(["geometry", "bbox"])
            rows = sorted(table.to_pylist(), key=lambda row: row["id"])
            assert rows == [expected_row(document) for document in record[collection]]


async def test_the_schema_does_not_depend_on_the_rows(
    client: httpx.AsyncClient, generated: Path
) -> None:
    """A column without any value has the type that it has in another record."""
    async with published_client(generated / "seed.json", generated / "archive.sqlite") as other:
        for collection in COLLECTIONS:
            table = await read_table(client, collection)
            assert table.schema.equals((await read_table(other, collection)).schema)


async def test_the_types_are_those_of_the_values(client: httpx.AsyncClient) -> None:
    """Amounts are integers, lists are lists, codes are text; what is always there is required."""
    strings = pa.list_(pa.field("element", pa.string(), nullable=False))
    awards = await read_table(client, "awards")
    assert awards["amount"].null_count == len(awards)
    for field in (
        pa.field("id", pa.string(), nullable=False),
        pa.field("recipient", pa.string()),
        pa.field("announced", pa.string()),
        pa.field("announced_first", pa.date32()),
        pa.field("announced_last", pa.date32()),
        pa.field("amount", pa.int64()),
        pa.field("regions", strings),
        pa.field("has_sub_recipients", pa.bool_()),
        pa.field("not_stated", strings, nullable=False),
    ):
        assert awards.schema.field(field.name).equals(field), field.name
    regions = await read_table(client, "regions")
    assert regions.schema.field("inei_ubigeo").type == pa.string()
    assert "08" in regions["inei_ubigeo"].to_pylist()
    sources = await read_table(client, "sources")
    assert sources.schema.field("captured").type == pa.timestamp("ms", tz="UTC")


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_a_file_describes_itself(client: httpx.AsyncClient, collection: str) -> None:
    """It states release, date and license, and nothing about the program that wrote it."""
    meta = (await client.get("/v1/meta")).json()["data"]
    metadata = (await read_table(client, collection)).schema.metadata
    text = {name.decode(): value.decode() for name, value in metadata.items()}
    assert text["release"] == meta["release"]
    assert text["release_label"] == meta["release_label"]
    assert text["created"] == meta["modified"]
    assert text["license_url"] == meta["license"]["url"]
    assert text["wording_license"] == meta["wording_license"]["title"]
    assert not {"ARROW:schema", "pandas"} & text.keys()
    assert ("geo" in text) == (collection == "regions")


def decode_polygon(wkb: bytes) -> list[list[list[float]]]:
    """The rings of a polygon in little-endian well-known binary."""
    order, type_, rings = unpack_from("<BII", wkb)
    assert (order, type_) == (1, 3)
    offset, polygon = 9, []
    for _ in range(rings):
        (points,) = unpack_from("<I", wkb, offset)
        numbers = unpack_from(f"<{2 * points}d", wkb, offset + 4)
        polygon.append([[*pair] for pair in zip(numbers[::2], numbers[1::2], strict=True)])
        offset += 4 + 16 * points
    assert offset == len(wkb)
    return polygon


async def test_the_regions_have_their_outlines(client: httpx.AsyncClient) -> None:
    """The outlines are those of the GeoJSON, described as GeoParquet 1.1."""
    collection = (await client.get("/v1/exports/regions.geojson")).json()
    features = {feature["id"]: feature for feature in collection["features"]}
    table = await read_table(client, "regions")
    for row in table.to_pylist():
        feature = features.pop(row["id"])
        assert decode_polygon(row["geometry"]) == feature["geometry"]["coordinates"]
        assert [*row["bbox"].values()] == feature["bbox"]
    assert not features
    geo = json.loads(table.schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert "crs" not in column
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Polygon"])
    assert column["bbox"] == collection["bbox"]
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]


async def test_regions_without_outlines_have_no_geometry(seed: Any, tmp_path: Path) -> None:
    """The file is still GeoParquet, and a box is null where there is no geometry."""
    seed.put("/outlines", None)
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        table = await read_table(client, "regions")
    assert table["geometry"].null_count == table["bbox"].null_count == len(table) > 0
    column = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]
    assert column["geometry_types"] == []
    assert "bbox" not in column


def test_a_box_across_the_antimeridian_covers_all_longitudes() -> None:
    """A reader that skips rows by their box, as numbers, does not lose the outline."""
    covering = Geometry("Polygon", b"", (177, -19, -178, -12)).covering
    assert covering == {"xmin": -180, "ymin": -19, "xmax": 180, "ymax": -12}


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without pyarrow."""
    for module in ("files", "catalog"):
        monkeypatch.setattr(f"app.exports.{module}.pyarrow_version", lambda: None)


async def list_names(client: httpx.AsyncClient) -> set[str]:
    """Names of the exports in the list."""
    return {entry["name"] for entry in (await client.get("/v1/exports")).json()["data"]}


@pytest.mark.usefixtures("without_pyarrow")
async def test_without_pyarrow_there_is_no_parquet(archive_file: Path, tmp_path: Path) -> None:
    """The list and the catalog leave it out, before and after the files are built; 404 says why."""
    async with published_client(SEED, copy_archive(archive_file, tmp_path)) as client:
        before = (await client.get("/data.json")).text
        assert not PARQUET_NAMES & await list_names(client)
        assert (await client.get("/data.json")).text == before
        assert "parquet" not in before
        problem = assert_problem(await client.get("/v1/exports/awards.parquet"), 404)
        assert "requirements-parquet.txt" in problem["detail"]


async def test_a_server_without_pyarrow_serves_what_was_built_with_it(
    archive_file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """So an image needs no pyarrow, if its exports were built where it is installed."""
    archive = copy_archive(archive_file, tmp_path)
    async with published_client(SEED, archive) as client:
        built = (await client.get("/v1/exports/awards.parquet")).content
        listed = await list_names(client)
    (directory,) = exports_directory(archive).iterdir()
    request.getfixturevalue("without_pyarrow")
    async with published_client(SEED, archive) as client:
        assert await list_names(client) == listed
        assert (await client.get("/v1/exports/awards.parquet")).content == built
    (directory / "awards.parquet").unlink()
    async with published_client(SEED, archive) as client:
        assert not PARQUET_NAMES & await list_names(client)
    assert not directory.exists()


async def test_an_upgrade_of_pyarrow_makes_the_files_stale(
    archive_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files with the output of another version are not used: their bytes may differ."""
    file = copy_archive(archive_file, tmp_path)
    with closing(Archive.open(file)) as archive:
        built = await build_exports(archive, file, SEED)
        assert f"{pyarrow_version()}" in built.directory.name
        assert find_exports(file, archive.release) == built
        monkeypatch.setattr("app.exports.files.pyarrow_version", lambda: "0")
        assert find_exports(file, archive.release) is None


async def test_parquet_is_built_once_pyarrow_is_installed(
    archive_file: Path, tmp_path: Path
) -> None:
    """Files of an installation without it are not enough."""
    file = copy_archive(archive_file, tmp_path)
    with pytest.MonkeyPatch.context() as patched, closing(Archive.open(file)) as archive:
        patched.setattr("app.exports.files.pyarrow_version", lambda: None)
        assert not PARQUET_NAMES & (await build_exports(archive, file, SEED)).digests.keys()
    async with published_client(SEED, file) as client:
        assert await list_names(client) >= PARQUET_NAMES
