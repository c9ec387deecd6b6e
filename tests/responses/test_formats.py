"""One collection in every format: negotiated, streamed, and read by the programs people use."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import duckdb
import httpx
import pandas as pd  # type: ignore[import-untyped]
import pytest
from geojson_pydantic import FeatureCollection

from app.archive.checksum import write_checksum
from app.archive.release import build_if_stale
from benchmarks.corpus import write_corpus
from tests.conftest import SEED, Start, needs
from tests.support import csv_reader
from tests.support.oracle import RESOURCES, TYPES, Json, Oracle
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

JSON, CSV = "application/json", "text/csv; charset=utf-8; header=present"
NDJSON, GEOJSON = "application/x-ndjson", "application/geo+json"
FORMS = {"json": JSON, "csv": CSV, "ndjson": NDJSON, "geojson": GEOJSON}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a made-up record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 240)


@pytest.fixture(scope="module")
def oracle(corpus: Path) -> Oracle:
    """What the made-up record should answer."""
    return Oracle(corpus)


@pytest.fixture(scope="module")
async def made_up(corpus: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application on the made-up record."""
    async with client_for(corpus, corpus.with_name("archive.sqlite")) as opened:
        yield opened


@pytest.fixture(scope="module", params=[0, 80_000])
async def forgetful(
    corpus: Path, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose cache has no room for a whole collection."""
    archive = corpus.with_name("archive.sqlite")
    async with client_for(corpus, archive, cache_bytes=request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the CSV and the NDJSON of every collection of the made-up record."""
    folder = tmp_path_factory.mktemp("files")
    anyio.run(save_all, corpus, folder)
    return folder


async def save_all(seed: Path, folder: Path) -> None:
    """Save every collection as CSV and as NDJSON."""
    async with client_for(seed, seed.with_name("archive.sqlite")) as client:
        for name in TYPES:
            for form in ("csv", "ndjson"):
                response = await client.get(f"/v1/{name}", params={"format": form})
                (folder / f"{name}.{form}").write_bytes(response.content)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ("text/csv", CSV),
        ("text/*", CSV),
        ("text/csv;header=present", CSV),
        ("application/x-ndjson", NDJSON),
        ("application/json;q=0.1, text/csv;q=0.9", CSV),
        ("application/json;q=0.9, text/csv;q=0.1", JSON),
        ("text/csv;q=0.5, application/x-ndjson", NDJSON),
        ("text/csv, application/json", JSON),
        ("*/*;q=0.5, text/csv", CSV),
        ("text/csv;q=0.001", CSV),
        ("application/json;q=0, */*", CSV),
        ("application/*;q=0, */*;q=0.1", CSV),
        ("text/csv;q=0, application/*;q=0.2", JSON),
        ("*/*, text/csv;q=0.1", JSON),
        ("application/json ; q=0.2 , text/csv ; q=0.3", CSV),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("text/html, text/csv;q=0.1", CSV),
        ("application/geo+json, text/csv;q=0.2", CSV),
    ],
)
@pytest.mark.parametrize("collection", ["awards", "citations"])
async def test_accept_chooses(
    client: httpx.AsyncClient, collection: str, accept: str, chosen: str
) -> None:
    """The media type with the highest quality wins, and JSON among equals (RFC 9110, 12.5.1)."""
    response = await client.get(f"/v1/{collection}", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == chosen
    assert response.headers["vary"] == "Accept, Accept-Encoding"


async def test_repeated_accept_headers_are_one_list(client: httpx.AsyncClient) -> None:
    """Several `Accept` lines mean what one with commas means (RFC 9110, 5.3)."""
    headers = [("Accept", "application/json;q=0.1"), ("Accept", "text/csv")]
    response = await client.get("/v1/awards", headers=headers)
    assert response.headers["content-type"] == CSV


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/xml", "image/*", "application/json;q=0", "*/*;q=0",
     "application/geo+json", "text/csv;q=0.0, application/*;q=0", "nonsense", "text/csvx"],
)  # fmt: skip
async def test_nothing_acceptable_is_406(client: httpx.AsyncClient, accept: str) -> None:
    """406 only where none of the formats fits, and then the formats are listed."""
    problem = assert_problem(await client.get("/v1/awards", headers={"Accept": accept}), 406)
    assert all(one in problem["detail"] for one in ("application/json", "text/csv", NDJSON))
    head = await client.head("/v1/awards", headers={"Accept": accept})
    assert (head.status_code, head.content) == (406, b"")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0"])
async def test_only_collections_negotiate(client: httpx.AsyncClient, accept: str) -> None:
    """What comes in one format is not refused to anyone."""
    for path in ("/v1", "/v1/meta", "/v1/awards/peru-ilo", "/v1/search?q=peru", "/v1/record"):
        response = await client.get(path, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, JSON)


@pytest.mark.parametrize("accept", ["", "text/csv", "text/html", "application/json;q=0", "*/*;q=0"])
@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
@pytest.mark.parametrize("collection", TYPES)
async def test_format_overrides_accept(
    client: httpx.AsyncClient, collection: str, form: str, accept: str
) -> None:
    """`format` decides, whatever `Accept` says, and the body is the one `Accept` would give."""
    path = f"/v1/{collection}"
    response = await client.get(path, params={"format": form}, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, FORMS[form])
    accepted = await client.get(path, headers={"Accept": FORMS[form].partition(";")[0]})
    if form != "json":
        assert accepted.content == response.content
    else:
        assert accepted.json()["data"] == response.json()["data"]


@pytest.mark.parametrize("parameter", ["include", "facet"])
@pytest.mark.parametrize("form", ["csv", "ndjson", "geojson"])
async def test_the_envelope_is_json_only(
    client: httpx.AsyncClient, form: str, parameter: str
) -> None:
    """`include` and `facet` are refused where there is no place for them, however asked for."""
    collection = "regions" if form == "geojson" else "awards"
    value = {"include": "citations", "facet": "country" if form == "geojson" else "region"}
    asked = {parameter: value[parameter]}
    path, accept = f"/v1/{collection}", {"Accept": FORMS[form].partition(";")[0]}
    for response in (
        await client.get(path, params={**asked, "format": form}),
        await client.get(path, params=asked, headers=accept),
    ):
        problem = assert_problem(response, 422)
        assert [error["parameter"] for error in problem["errors"]] == [parameter]
        assert "json" in problem["detail"]
    json_ = await client.get(path, params={**asked, "format": "json"}, headers=accept)
    assert json_.status_code == 200


@pytest.mark.parametrize("collection", [name for name in TYPES if name != "regions"])
async def test_geojson_is_for_regions(client: httpx.AsyncClient, collection: str) -> None:
    """Only regions have an outline."""
    problem = assert_problem(await client.get(f"/v1/{collection}?format=geojson"), 422)
    assert problem["errors"][0]["allowed"] == ["json", "csv", "ndjson"]


@pytest.mark.parametrize("collection", TYPES)
async def test_every_row_in_every_format(
    made_up: httpx.AsyncClient, oracle: Oracle, collection: str
) -> None:
    """NDJSON and CSV hold every row, in the order of the list; no `limit` bounds them."""
    expected = oracle.select(collection, {})
    lines = await made_up.get(f"/v1/{collection}?format=ndjson")
    assert lines.content.endswith(b"\n")
    assert [json.loads(line) for line in lines.content.decode().split("\n")[:-1]] == expected
    table = await made_up.get(f"/v1/{collection}?format=csv")
    assert csv_reader.documents(collection, table.content) == expected


@pytest.mark.parametrize("collection", TYPES)
async def test_csv_follows_the_rfc(
    made_up: httpx.AsyncClient, client: httpx.AsyncClient, collection: str
) -> None:
    """RFC 4180: CRLF after every record, quotes doubled, as many fields in each, UTF-8, no mark."""
    content = (await made_up.get(f"/v1/{collection}?format=csv")).content.decode()
    assert not content.startswith("\ufeff")
    assert content.endswith("\r\n")
    unquoted = re.sub(r'"(?:[^"]|"")*"', "", content)
    assert '"' not in unquoted
    assert unquoted.count("\n") == unquoted.count("\r") == unquoted.count("\r\n")
    header, *records = csv_reader.rows(content.encode())
    assert {len(record) for record in records} == {len(header)}
    assert len(set(header)) == len(header)
    shipped = (await client.get(f"/v1/{collection}?format=csv")).content.decode()
    assert shipped.partition("\r\n")[0] == content.partition("\r\n")[0]


@pytest.mark.parametrize("collection", TYPES)
async def test_the_csv_header_is_fixed(client: httpx.AsyncClient, collection: str) -> None:
    """The columns are the type's, whatever the rows: with none, there is the header alone."""
    name, value = {
        "regions": ("country", "ZZ"),
        "organizations": ("q", "nothing has this word"),
        "partnerships": ("country", "ZZ"),
        "citations": ("resource", "none"),
        "objectives": ("partnership", "none"),
        "awards": ("region", "none"),
        "activities": ("award", "none"),
        "sources": ("publisher", "none"),
    }[collection]
    whole = await client.get(f"/v1/{collection}?format=csv")
    empty = await client.get(f"/v1/{collection}", params={"format": "csv", name: value})
    assert empty.status_code == 200
    assert empty.content == whole.content.partition(b"\r\n")[0] + b"\r\n"
    assert empty.headers["content-type"] == CSV


async def test_citations_are_flat_in_csv(client: httpx.AsyncClient) -> None:
    """What is nested in a citation has columns of its own."""
    response = await client.get("/v1/citations?format=csv&limit=1")
    assert csv_reader.rows(response.content)[0] == [
        "id", "resource_type", "resource", "field", "basis", "note",
        "reference_title", "reference_url", "reference_license",
        "target_source", "target_exact", "target_start", "target_end",
    ]  # fmt: skip


AWKWARD = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\nx", "=cmd|' /C calc'!A0", "'", "'x", '"', '""', '"x',
    'x"', 'a"b', "a,b", "a;b", "a\tb", "a\nb", "a\n", "\n\n", " a ", "a|b", "a\\b", "a\\|b", "|",
    "\\", "\\\\", "|\\|", "null", "NULL", "NA", "true", "1", "01", "1e5", "2017-06", "1/2", "#N/A",
    "\u202bשלם", "🇵🇪", "e\u0301", "\u2028", "\u2029", "\x85", "\xa0", "\ufeffx", "\U0010ffff",
]  # fmt: skip


@pytest.fixture
async def awkward(corpus: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the made-up record with awkward text in the documents of its activities."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(corpus, archive)
    with closing(sqlite3.connect(archive)) as connection, connection:
        query = "SELECT id, CAST(document AS TEXT) FROM activities ORDER BY position, id"
        rows = connection.execute(query).fetchall()
        assert len(rows) >= len(AWKWARD)
        for text, (name, document) in zip(AWKWARD, rows, strict=False):
            texts = {"title": text, "summary": text, "stakeholders": [text, "and", text * 2]}
            changed = json.dumps({**json.loads(document), **texts}, ensure_ascii=False)
            connection.execute("UPDATE activities SET document = ? WHERE id = ?", (changed, name))
    write_checksum(archive)
    async with client_for(corpus, archive) as opened:
        yield opened


async def test_awkward_text_comes_through(awkward: httpx.AsyncClient) -> None:
    """Quotes, separators, line feeds, formulas and every script are read back as they were."""
    table = await awkward.get("/v1/activities?format=csv")
    lines = await awkward.get("/v1/activities?format=ndjson")
    page = (await awkward.get("/v1/activities")).json()["data"]
    assert [json.loads(line) for line in lines.content.split(b"\n")[:-1]] == page
    assert csv_reader.documents("activities", table.content) == page
    for text, one in zip(AWKWARD, page, strict=False):
        assert (one["title"], one["summary"]) == (text, text)
        assert one["stakeholders"] == [text, "and", text * 2]
    for record in csv_reader.rows(table.content)[1:]:
        for cell in record:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell


async def test_lists_are_joined_as_documented(
    awkward: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    """Members are joined by `|`; one within a member, and a backslash, have a backslash before."""
    content = (await awkward.get("/v1/activities?format=csv")).text
    rows = {one["title"]: one for one in csv.DictReader(io.StringIO(content, newline=""))}
    assert rows["a|b"]["stakeholders"] == r"a\|b|and|a\|ba\|b"
    assert rows["a\\b"]["stakeholders"] == r"a\\b|and|a\\ba\\b"
    assert rows["'=1+1"]["stakeholders"] == "'=1+1|and|=1+1=1+1"
    first = (await client.get("/v1/partnerships?format=csv")).text
    precedence = next(csv.DictReader(io.StringIO(first, newline="")))["precedence"]
    assert [json.loads(one) for one in precedence.split("|")] == [
        {"scope": "americas", "ordinal": 1},
        {"scope": "world", "ordinal": 3},
    ]


STREAMS = ["citations?format=csv", "citations?format=ndjson", "activities?format=csv&sort=-title"]


@pytest.mark.parametrize("path", [*STREAMS, "regions?format=geojson", "awards?format=csv&limit=2"])
async def test_streams_have_tags(client: httpx.AsyncClient, path: str) -> None:
    """HEAD, the tag and 304 work on a kept stream as on any answer."""
    await assert_tagged(client, f"/v1/{path}")


@pytest.mark.parametrize("path", [*STREAMS, "record"])
async def test_large_streams_have_tags(
    forgetful: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream too large to keep has a strong tag, 304 and HEAD too, and nothing is logged."""
    with caplog.at_level(logging.WARNING):
        await assert_tagged(forgetful, f"/v1/{path}")
    assert caplog.records == []


async def assert_tagged(client: httpx.AsyncClient, path: str) -> None:
    """HEAD has GET's headers, the tag is strong and steady, and 304 answers who has it."""
    response = await client.get(path)
    tag = response.headers["etag"]
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', tag)
    assert response.headers["cache-control"] == "public, max-age=3600"
    again = await client.get(path)
    assert (again.content, again.headers) == (response.content, response.headers)
    for method in ("GET", "HEAD"):
        unchanged = await client.request(method, path, headers={"If-None-Match": f'"x", {tag}'})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == tag
        changed = await client.request(method, path, headers={"If-None-Match": '"x"'})
        assert changed.status_code == 200
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == response.headers
    narrow = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert narrow.content == response.content


async def test_each_stream_has_its_own_tag(forgetful: httpx.AsyncClient) -> None:
    """Formats, filters, codings and pages that differ have tags that differ."""
    asked: list[tuple[str, dict[str, str]]] = [
        ("?format=csv", {}),
        ("?format=ndjson", {}),
        ("?format=csv&sort=-id", {}),
        ("?format=csv&basis=stated&basis=derived", {}),
        ("?format=csv", {"Accept-Encoding": "identity"}),
        ("?format=csv", {"Accept-Encoding": "gzip"}),
        ("?limit=3", {"Accept": "text/csv"}),
    ]
    tags = [(await forgetful.get(f"/v1/citations{one}", headers=h)).headers["etag"]
            for one, h in asked]  # fmt: skip
    assert len(set(tags)) == len(tags)


async def test_the_release_is_part_of_the_tag(forgetful: httpx.AsyncClient, tmp_path: Path) -> None:
    """Another release has another tag, even for a stream that is not kept."""
    other = write_corpus(tmp_path, 240, 2)
    async with client_for(other, tmp_path / "archive.sqlite", cache_bytes=0) as client:
        for path in STREAMS:
            ours, theirs = await forgetful.get(f"/v1/{path}"), await client.get(f"/v1/{path}")
            assert ours.headers["etag"] != theirs.headers["etag"]
            assert theirs.headers["x-data-release"] != ours.headers["x-data-release"]


def test_large_streams_over_a_real_server(start_server: Start, corpus: Path) -> None:
    """HEAD and 304 on a stream that is not kept leave the connection fit for the next request."""
    archive = corpus.with_name("archive.sqlite")
    url, _ = start_server(SEED_FILE=str(corpus), ARCHIVE_FILE=str(archive), CACHE_BYTES="0")
    with httpx.Client(base_url=url) as client:
        whole = client.get("/v1/citations?format=csv")
        for _ in range(3):
            head = client.head("/v1/citations?format=csv")
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["etag"] == whole.headers["etag"]
            known = {"If-None-Match": whole.headers["etag"]}
            assert client.get("/v1/citations?format=csv", headers=known).status_code == 304
        assert client.get("/v1/citations?format=csv").content == whole.content


NUMBERS = csv_reader.INTEGERS - {"target_start", "target_end"}


@pytest.mark.parametrize("collection", TYPES)
def test_pandas_reads_csv(files: Path, oracle: Oracle, collection: str) -> None:
    """Pandas reads every row of the CSV with its defaults: numbers are numbers, text is text."""
    frame = pd.read_csv(files / f"{collection}.csv", dtype_backend="numpy_nullable")
    rows = oracle.select(collection, {})
    assert list(frame["id"]) == [row["id"] for row in rows]
    for column in frame.columns:
        assert_same(column, frame[column].tolist(), rows)
        if column in csv_reader.INTEGERS and frame[column].notna().any():
            assert str(frame[column].dtype) == "Int64"
        if column in csv_reader.BOOLEANS:
            assert str(frame[column].dtype) == "boolean"


def assert_same(column: str, found: list[Any], rows: list[Json]) -> None:
    """What a reader took a column's cells for is what the rows hold."""
    for value, row in zip(found, rows, strict=True):
        if column not in row or column == "not_stated":
            continue
        absent = value is None or pd.isna(value)
        read = None if absent else value
        assert csv_reader.value(column, read) if isinstance(read, str) else read == row[column]
        if isinstance(read, str):
            assert csv_reader.value(column, read) == row[column]


@pytest.mark.parametrize("collection", TYPES)
def test_pandas_reads_ndjson(files: Path, oracle: Oracle, collection: str) -> None:
    """Pandas reads every line of the NDJSON; lists are lists and text is as it was."""
    frame = pd.read_json(files / f"{collection}.ndjson", lines=True, dtype=False)
    rows = oracle.select(collection, {})
    assert len(frame) == len(rows)
    assert set(frame.columns) == set(rows[0])
    for column in frame.columns:
        values = [None if _missing(one) else one for one in frame[column]]
        assert values == [row[column] for row in rows]


def _missing(value: Any) -> bool:
    return not isinstance(value, list | dict) and bool(pd.isna(value))


@pytest.mark.parametrize("collection", TYPES)
def test_duckdb_reads_csv(files: Path, oracle: Oracle, collection: str) -> None:
    """DuckDB finds out the dialect and the types by itself, and reads every row."""
    table = duckdb.from_csv_auto(str(files / f"{collection}.csv"))
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    rows = oracle.select(collection, {})
    found = table.fetchall()
    assert [one[0] for one in found] == [row["id"] for row in rows]
    for place, column in enumerate(table.columns):
        values = [one[place] for one in found]
        assert_same(column, values, rows)
        if any(value is not None for value in values):
            expected = "BIGINT" if column in csv_reader.INTEGERS else "VARCHAR"
            assert types[column] == ("BOOLEAN" if column in csv_reader.BOOLEANS else expected)


@pytest.mark.parametrize("collection", TYPES)
def test_duckdb_reads_ndjson(files: Path, oracle: Oracle, collection: str) -> None:
    """DuckDB reads every line of the NDJSON, lists as lists and objects as structs."""
    table = duckdb.read_json(str(files / f"{collection}.ndjson"))
    rows = oracle.select(collection, {})
    found = [dict(zip(table.columns, one, strict=True)) for one in table.fetchall()]
    assert [_pruned(one) for one in found] == [_pruned(one) for one in rows]
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    for column in NUMBERS & set(types):
        if any(row[column] is not None for row in rows):
            assert types[column] == "BIGINT"


def _pruned(value: Any) -> Any:
    """A value without the nulls within its objects: DuckDB gives all selectors every key."""
    if isinstance(value, list):
        return [_pruned(one) for one in value]
    if isinstance(value, dict):
        return {key: _pruned(one) for key, one in value.items() if one is not None}
    return value


@pytest.mark.parametrize("collection", TYPES)
def test_people_read_it_from_a_server(server: str, collection: str) -> None:
    """Pandas reads CSV and NDJSON by their address, as a person would type it."""
    total = httpx.get(f"{server}/v1/{collection}").json()["meta"]["total"]
    table = pd.read_csv(f"{server}/v1/{collection}?format=csv")
    lines = pd.read_json(f"{server}/v1/{collection}?format=ndjson", lines=True)
    assert len(table) == len(lines) == total > 0
    assert list(table["id"]) == list(lines["id"])


IMPORT = "CSV:44,34,76,1"
"""LibreOffice's filter options: comma, double quote, UTF-8, from line 1; the rest by default."""
EXPORT = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"


def as_text(source: Path) -> str:
    """The same options, with every column that holds no number imported as text (2), not by guess.

    By default a spreadsheet takes `08` for a number and `$5` for an amount, in any CSV.
    """
    header = csv_reader.rows(source.read_bytes())[0]
    guessed = csv_reader.INTEGERS | csv_reader.BOOLEANS
    columns = [f"{place}/{1 if name in guessed else 2}" for place, name in enumerate(header, 1)]
    return f"{IMPORT},{'/'.join(columns)}"


def convert(source: Path, target: str, folder: Path, options: str) -> Path:
    """Open a CSV file in LibreOffice and save it as something else."""
    program = needs("soffice", "LibreOffice opens the CSV as people do")
    subprocess.run(
        [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
         f"--infilter={options}", "--convert-to", target, "--outdir", folder, source],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return folder / f"{source.stem}.{target.partition(':')[0]}"


@pytest.mark.parametrize("collection", TYPES)
def test_libreoffice_opens_csv(files: Path, tmp_path: Path, collection: str) -> None:
    """LibreOffice shows every cell as the CSV has it, in every script; nothing is a formula."""
    source = files / f"{collection}.csv"
    saved = convert(source, EXPORT, tmp_path, as_text(source))
    shown, sent = csv_reader.rows(saved.read_bytes()), csv_reader.rows(source.read_bytes())
    assert shown[0] == sent[0]
    assert len(shown) == len(sent)
    for found, expected in zip(shown[1:], sent[1:], strict=True):
        for column, cell, original in zip(sent[0], found, expected, strict=True):
            assert cell == (original.upper() if column in csv_reader.BOOLEANS else original)


@pytest.mark.parametrize("collection", ["awards", "activities", "organizations"])
def test_libreoffice_runs_nothing(files: Path, tmp_path: Path, collection: str) -> None:
    """Saved as a workbook, no cell is a formula and every defused one is text."""
    source = files / f"{collection}.csv"
    saved = convert(source, "xlsx", tmp_path, IMPORT)
    with zipfile.ZipFile(saved) as workbook:
        sheet = ET.fromstring(workbook.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own
        strings = workbook.read("xl/sharedStrings.xml").decode()
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert len(list(sheet.iter(f"{space}row"))) == len(csv_reader.rows(source.read_bytes()))
    assert list(sheet.iter(f"{space}f")) == []
    assert "'=1+1" in strings.replace("&apos;", "'")
    assert "защита" in strings


async def test_libreoffice_opens_the_shipped_record(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The shipped record's tables come through LibreOffice as they are."""
    for collection in ("regions", "organizations", "awards"):
        source = tmp_path / f"{collection}.csv"
        source.write_bytes((await client.get(f"/v1/{collection}?format=csv")).content)
        folder = tmp_path / collection
        saved = convert(source, EXPORT, folder, as_text(source))
        shown = csv_reader.rows(saved.read_bytes())
        sent = csv_reader.rows(source.read_bytes())
        booleans = {name: name.upper() for name in ("true", "false")}
        assert shown == [[booleans.get(cell, cell) for cell in row] for row in sent]


Ring = list[tuple[float, float]]


def signed_area(ring: Ring) -> float:
    """Twice the area a ring encloses, positive where it runs counter-clockwise."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))


def polygons(geometry: Json) -> list[list[Ring]]:
    """The polygons of a Polygon or MultiPolygon, each a list of rings."""
    one = geometry["type"] == "Polygon"
    found: list[list[Ring]] = [geometry["coordinates"]] if one else geometry["coordinates"]
    return found


@pytest.mark.parametrize("asked", [{"format": "geojson"}, {}])
async def test_regions_are_valid_geojson(client: httpx.AsyncClient, asked: dict[str, str]) -> None:
    """RFC 7946: right-hand rule, closed rings, longitude first, and a box around everything."""
    accept = {} if asked else {"Accept": "application/geo+json"}
    response = await client.get("/v1/regions", params=asked, headers=accept)
    assert response.headers["content-type"] == GEOJSON
    found = response.json()
    FeatureCollection.model_validate(found, strict=False)
    regions = (await client.get("/v1/regions")).json()["data"]
    assert [one["properties"] for one in found["features"]] == regions
    assert [one["id"] for one in found["features"]] == [one["id"] for one in regions]
    points = []
    for one in found["features"]:
        inside = [point for polygon in polygons(one["geometry"]) for ring in polygon
                  for point in ring]  # fmt: skip
        assert one["bbox"] == box(inside)
        points += inside
        for exterior, *holes in polygons(one["geometry"]):
            assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in (exterior, *holes))
            assert signed_area(exterior) > 0
            assert all(signed_area(hole) < 0 for hole in holes)
    assert found["bbox"] == box(points)
    west, south, east, north = found["bbox"]
    assert -82 < west < east < -68, "all of it is in Peru"
    assert -19 < south < north < 1, "all of it is in Peru"


def box(points: Ring) -> list[float]:
    """The bounding box of points, in the order of RFC 7946, 5."""
    longitudes, latitudes = zip(*points, strict=True)
    return [min(longitudes), min(latitudes), max(longitudes), max(latitudes)]


async def test_outlines_say_where_they_come_from(client: httpx.AsyncClient) -> None:
    """The outlines are an enrichment, attributed in the collection, with how far to trust them."""
    found = (await client.get("/v1/regions?format=geojson")).json()
    shipped = json.loads(SEED.read_text("utf-8"))["outlines"]
    assert found["attribution"]["reference"] == shipped["reference"]
    assert set(shipped["reference"]) == {"title", "url", "license"}
    assert found["attribution"]["note"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("country=ZZ", []),
        ("limit=1", ["cusco"]),
        ("q=cuzco", ["cusco"]),
        ("sort=-name", ["metropolitan-lima", "loreto", "cusco"]),
        ("limit=2&sort=-name", ["metropolitan-lima", "loreto"]),
    ],
)
async def test_geojson_is_filtered_and_sorted(
    client: httpx.AsyncClient, query: str, ids: list[str]
) -> None:
    """The same rows in the same order as in every other format; none is a valid collection."""
    response = await client.get(f"/v1/regions?format=geojson&{query}")
    found = response.json()
    FeatureCollection.model_validate(found, strict=False)
    assert [one["id"] for one in found["features"]] == ids
    assert ("bbox" in found) == bool(ids)
    assert ("next" in response.links) == ("limit" in query)


async def test_a_region_without_an_outline(made_up: httpx.AsyncClient, oracle: Oracle) -> None:
    """A region whose outline nobody knows is a feature without geometry (RFC 7946, 3.2)."""
    found = (await made_up.get("/v1/regions?format=geojson")).json()
    FeatureCollection.model_validate(found, strict=False)
    assert "bbox" not in found
    assert [one["properties"] for one in found["features"]] == oracle.select("regions", {})
    assert all(one["geometry"] is None and "bbox" not in one for one in found["features"])


@pytest.mark.parametrize("collection", RESOURCES)
async def test_json_stays_the_default(client: httpx.AsyncClient, collection: str) -> None:
    """Without a wish, or with any, the answer is a page of JSON."""
    plain = await client.get(f"/v1/{collection}")
    assert plain.headers["content-type"] == JSON
    assert set(plain.json()) == {"data", "meta", "links", "included", "facets"}
