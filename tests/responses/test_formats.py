"""Response formats: negotiation, streaming, and reading by common programs."""

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
from tests.support.serving import TIMEOUT_SECONDS, client_for, fetch

pytestmark = pytest.mark.anyio

JSON, CSV = "application/json", "text/csv; charset=utf-8; header=present"
NDJSON, GEOJSON = "application/x-ndjson", "application/geo+json"
CONTENT_TYPES = {"json": JSON, "csv": CSV, "ndjson": NDJSON, "geojson": GEOJSON}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a generated record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 240)


@pytest.fixture(scope="module")
def oracle(corpus: Path) -> Oracle:
    """Expected results for the generated record."""
    return Oracle(corpus)


@pytest.fixture(scope="module")
async def corpus_client(corpus: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on the generated record."""
    async with client_for(corpus, corpus.with_name("archive.sqlite")) as client:
        yield client


@pytest.fixture(scope="module", params=[0, 80_000])
async def uncached_client(
    corpus: Path, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose cache is too small for a whole collection."""
    archive = corpus.with_name("archive.sqlite")
    async with client_for(corpus, archive, cache_bytes=request.param) as client:
        yield client


@pytest.fixture(scope="module")
def files(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with every collection of the generated record as CSV and NDJSON."""
    folder = tmp_path_factory.mktemp("files")
    anyio.run(save_all, corpus, folder)
    return folder


async def save_all(seed: Path, folder: Path) -> None:
    """Save every collection as CSV and as NDJSON."""
    async with client_for(seed, seed.with_name("archive.sqlite")) as client:
        for collection in TYPES:
            for format_ in ("csv", "ndjson"):
                response = await client.get(f"/v1/{collection}", params={"format": format_})
                (folder / f"{collection}.{format_}").write_bytes(response.content)


@pytest.mark.parametrize(
    ("accept", "content_type"),
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
async def test_accept_selects_the_format(
    client: httpx.AsyncClient, collection: str, accept: str, content_type: str
) -> None:
    """The format with the highest quality is selected; JSON is preferred (RFC 9110, 12.5.1)."""
    response = await client.get(f"/v1/{collection}", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert response.headers["vary"] == "Accept, Accept-Encoding"


async def test_repeated_accept_headers_are_joined(client: httpx.AsyncClient) -> None:
    """Several `Accept` lines are equivalent to one comma-separated line (RFC 9110, 5.3)."""
    headers = [("Accept", "application/json;q=0.1"), ("Accept", "text/csv")]
    response = await client.get("/v1/awards", headers=headers)
    assert response.headers["content-type"] == CSV


@pytest.mark.parametrize(
    "accept",
    ["application/xml", "image/*", "application/json;q=0", "*/*;q=0",
     "application/geo+json", "text/csv;q=0.0, application/*;q=0", "nonsense", "text/csvx"],
)  # fmt: skip
async def test_no_acceptable_format_is_406(client: httpx.AsyncClient, accept: str) -> None:
    """If no format is acceptable, the response is 406 and lists the formats."""
    problem = assert_problem(await client.get("/v1/awards", headers={"Accept": accept}), 406)
    assert all(name in problem["detail"] for name in ("application/json", "text/csv", NDJSON))
    head = await client.head("/v1/awards", headers={"Accept": accept})
    assert (head.status_code, head.content) == (406, b"")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0"])
async def test_only_collections_negotiate(client: httpx.AsyncClient, accept: str) -> None:
    """Paths with a single format ignore `Accept`."""
    for path in ("/v1", "/v1/meta", "/v1/awards/peru-ilo", "/v1/search?q=peru", "/v1/record"):
        response = await client.get(path, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, JSON)


@pytest.mark.parametrize("accept", ["", "text/csv", "text/html", "application/json;q=0", "*/*;q=0"])
@pytest.mark.parametrize("format_", ["json", "csv", "ndjson"])
@pytest.mark.parametrize("collection", TYPES)
async def test_format_overrides_accept(
    client: httpx.AsyncClient, collection: str, format_: str, accept: str
) -> None:
    """`format` overrides `Accept`; the body is the one that `Accept` alone would select."""
    path = f"/v1/{collection}"
    response = await client.get(path, params={"format": format_}, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, CONTENT_TYPES[format_])
    negotiated = await client.get(
        path, headers={"Accept": CONTENT_TYPES[format_].partition(";")[0]}
    )
    if format_ != "json":
        assert negotiated.content == response.content
    else:
        assert negotiated.json()["data"] == response.json()["data"]


@pytest.mark.parametrize("parameter", ["include", "facet"])
@pytest.mark.parametrize("format_", ["csv", "ndjson", "geojson"])
async def test_include_and_facet_require_json(
    client: httpx.AsyncClient, format_: str, parameter: str
) -> None:
    """Formats other than JSON reject `include` and `facet`, however the format is requested."""
    collection = "regions" if format_ == "geojson" else "awards"
    value = {"include": "citations", "facet": "country" if format_ == "geojson" else "region"}
    params = {parameter: value[parameter]}
    path, accept = f"/v1/{collection}", {"Accept": CONTENT_TYPES[format_].partition(";")[0]}
    for response in (
        await client.get(path, params={**params, "format": format_}),
        await client.get(path, params=params, headers=accept),
    ):
        problem = assert_problem(response, 422)
        assert [error["parameter"] for error in problem["errors"]] == [parameter]
        assert "json" in problem["detail"]
    json_response = await client.get(path, params={**params, "format": "json"}, headers=accept)
    assert json_response.status_code == 200


@pytest.mark.parametrize(
    "collection", [collection for collection in TYPES if collection != "regions"]
)
async def test_geojson_is_for_regions(client: httpx.AsyncClient, collection: str) -> None:
    """Only regions are available as GeoJSON."""
    problem = assert_problem(await client.get(f"/v1/{collection}?format=geojson"), 422)
    assert problem["errors"][0]["allowed"] == ["json", "csv", "ndjson"]


@pytest.mark.parametrize("collection", TYPES)
async def test_ndjson_and_csv_contain_every_row(
    corpus_client: httpx.AsyncClient, oracle: Oracle, collection: str
) -> None:
    """NDJSON and CSV contain every row in the order of the list, without a default `limit`."""
    expected = oracle.select(collection, {})
    ndjson = await corpus_client.get(f"/v1/{collection}?format=ndjson")
    assert ndjson.content.endswith(b"\n")
    assert [json.loads(line) for line in ndjson.content.decode().split("\n")[:-1]] == expected
    table = await corpus_client.get(f"/v1/{collection}?format=csv")
    assert csv_reader.documents(collection, table.content) == expected


@pytest.mark.parametrize("collection", TYPES)
async def test_csv_conforms_to_rfc_4180(
    corpus_client: httpx.AsyncClient, client: httpx.AsyncClient, collection: str
) -> None:
    """CRLF after every record, quotes doubled, the same number of fields, UTF-8 without a BOM."""
    content = (await corpus_client.get(f"/v1/{collection}?format=csv")).content.decode()
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
    """The columns depend only on the collection; without rows, the header remains."""
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
    complete = await client.get(f"/v1/{collection}?format=csv")
    empty = await client.get(f"/v1/{collection}", params={"format": "csv", name: value})
    assert empty.status_code == 200
    assert empty.content == complete.content.partition(b"\r\n")[0] + b"\r\n"
    assert empty.headers["content-type"] == CSV


async def test_citations_are_flat_in_csv(client: httpx.AsyncClient) -> None:
    """Nested values of a citation have their own columns."""
    response = await client.get("/v1/citations?format=csv&limit=1")
    assert csv_reader.rows(response.content)[0] == [
        "id", "resource_type", "resource", "field", "basis", "note",
        "reference_title", "reference_url", "reference_license",
        "target_source", "target_exact", "target_start", "target_end",
        "target_prefix", "target_suffix",
    ]  # fmt: skip


UNUSUAL_TEXTS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\nx", "=cmd|' /C calc'!A0", "'", "'x", '"', '""', '"x',
    'x"', 'a"b', "a,b", "a;b", "a\tb", "a\nb", "a\n", "\n\n", " a ", "a|b", "a\\b", "a\\|b", "|",
    "\\", "\\\\", "|\\|", "null", "NULL", "NA", "true", "1", "01", "1e5", "2017-06", "1/2", "#N/A",
    "\u202bשלם", "🇵🇪", "e\u0301", "\u2028", "\u2029", "\x85", "\xa0", "\ufeffx", "\U0010ffff",
    "a\rb", "a\vb", "a\fb", "\x1c", "\x1d", "\x1e", "a\u2028b\x85\u2029", "\x7f", "\\u2028",
]  # fmt: skip


@pytest.fixture
async def unusual_client(corpus: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the generated record, with unusual text in the documents of its activities."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(corpus, archive)
    with closing(sqlite3.connect(archive)) as connection, connection:
        query = "SELECT id, CAST(document AS TEXT) FROM activities ORDER BY position, id"
        rows = connection.execute(query).fetchall()
        assert len(rows) >= len(UNUSUAL_TEXTS)
        for text, (activity_id, document) in zip(UNUSUAL_TEXTS, rows, strict=False):
            texts = {"title": text, "summary": text, "stakeholders": [text, "and", text * 2]}
            changed = json.dumps({**json.loads(document), **texts}, ensure_ascii=False)
            connection.execute(
                "UPDATE activities SET document = ? WHERE id = ?", (changed, activity_id)
            )
    write_checksum(archive)
    async with client_for(corpus, archive) as client:
        yield client


async def test_unusual_text_is_preserved(unusual_client: httpx.AsyncClient) -> None:
    """Quotes, separators, line feeds, formulas and every script are read back unchanged."""
    table = await unusual_client.get("/v1/activities?format=csv")
    ndjson = await unusual_client.get("/v1/activities?format=ndjson")
    page = (await unusual_client.get("/v1/activities")).json()["data"]
    assert [json.loads(line) for line in ndjson.content.split(b"\n")[:-1]] == page
    assert csv_reader.documents("activities", table.content) == page
    for text, activity in zip(UNUSUAL_TEXTS, page, strict=False):
        assert (activity["title"], activity["summary"]) == (text, text)
        assert activity["stakeholders"] == [text, "and", text * 2]
    for record in csv_reader.rows(table.content)[1:]:
        for cell in record:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell


async def test_ndjson_is_read_line_by_line(unusual_client: httpx.AsyncClient) -> None:
    """No text breaks a line, however a client splits lines; the values are unchanged."""
    unbroken = "".join(map(chr, range(0x110000)))
    line_breaks = {line[-1] for line in unbroken.splitlines(keepends=True)[:-1]}
    assert {"\x85", "\u2028", "\u2029"} < line_breaks
    assert line_breaks <= set("".join(UNUSUAL_TEXTS))
    page = (await unusual_client.get("/v1/activities")).json()["data"]
    async with unusual_client.stream("GET", "/v1/activities?format=ndjson") as response:
        streamed = [json.loads(line) async for line in response.aiter_lines()]
    assert streamed == page
    text = (await unusual_client.get("/v1/activities?format=ndjson")).text
    assert [json.loads(line) for line in text.splitlines()] == page
    assert [json.loads(line) for line in text.encode().splitlines()] == page


async def test_list_members_are_joined_in_csv(
    unusual_client: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    """List members are joined by `|`; `|` and backslashes in a member are escaped."""
    content = (await unusual_client.get("/v1/activities?format=csv")).text
    rows = {row["title"]: row for row in csv.DictReader(io.StringIO(content, newline=""))}
    assert rows["a|b"]["stakeholders"] == r"a\|b|and|a\|ba\|b"
    assert rows["a\\b"]["stakeholders"] == r"a\\b|and|a\\ba\\b"
    assert rows["'=1+1"]["stakeholders"] == "'=1+1|and|=1+1=1+1"
    partnerships = (await client.get("/v1/partnerships?format=csv")).text
    row = next(csv.DictReader(io.StringIO(partnerships, newline="")))
    assert [json.loads(member) for member in row["precedence"].split("|")] == [
        {"scope": "americas", "ordinal": 1},
        {"scope": "world", "ordinal": 3},
    ]


STREAMS = ["citations?format=csv", "citations?format=ndjson", "activities?format=csv&sort=-title"]


@pytest.mark.parametrize("path", [*STREAMS, "regions?format=geojson", "awards?format=csv&limit=2"])
async def test_cached_streams_have_etags(client: httpx.AsyncClient, path: str) -> None:
    """HEAD, `ETag` and 304 work for cached streams as for other responses."""
    await assert_conditional_requests(client, f"/v1/{path}")


@pytest.mark.parametrize("path", [*STREAMS, "record"])
async def test_uncached_streams_have_etags(
    uncached_client: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that is too large to cache has a strong ETag, 304 and HEAD; nothing is logged."""
    with caplog.at_level(logging.WARNING):
        await assert_conditional_requests(uncached_client, f"/v1/{path}")
    assert caplog.records == []


async def assert_conditional_requests(client: httpx.AsyncClient, path: str) -> None:
    """Check that HEAD has the headers of GET, the ETag is strong and stable, and 304 works."""
    response = await client.get(path)
    etag = response.headers["etag"]
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', etag)
    assert response.headers["cache-control"].startswith("public, max-age=3600, ")
    repeated = await client.get(path)
    assert (repeated.content, repeated.headers) == (response.content, response.headers)
    for method in ("GET", "HEAD"):
        not_modified = await client.request(method, path, headers={"If-None-Match": f'"x", {etag}'})
        assert (not_modified.status_code, not_modified.content) == (304, b"")
        assert not_modified.headers["etag"] == etag
        modified = await client.request(method, path, headers={"If-None-Match": '"x"'})
        assert modified.status_code == 200
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == response.headers
    identity = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert identity.content == response.content


async def test_different_streams_have_different_etags(uncached_client: httpx.AsyncClient) -> None:
    """Streams with other formats, filters, encodings or pages have other ETags."""
    requests: list[tuple[str, dict[str, str]]] = [
        ("?format=csv", {}),
        ("?format=ndjson", {}),
        ("?format=csv&sort=-id", {}),
        ("?format=csv&basis=stated&basis=derived", {}),
        ("?format=csv", {"Accept-Encoding": "identity"}),
        ("?format=csv", {"Accept-Encoding": "gzip"}),
        ("?limit=3", {"Accept": "text/csv"}),
    ]
    etags = [
        (await uncached_client.get(f"/v1/citations{query}", headers=headers)).headers["etag"]
        for query, headers in requests
    ]
    assert len(set(etags)) == len(etags)


async def test_the_etag_depends_on_the_release(
    uncached_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Another release has another ETag, also for streams that are not cached."""
    other = write_corpus(tmp_path, 240, 2)
    async with client_for(other, tmp_path / "archive.sqlite", cache_bytes=0) as client:
        for path in STREAMS:
            first = await uncached_client.get(f"/v1/{path}")
            second = await client.get(f"/v1/{path}")
            assert first.headers["etag"] != second.headers["etag"]
            assert first.headers["x-data-release"] != second.headers["x-data-release"]


def test_uncached_streams_keep_the_connection_alive(start_server: Start, corpus: Path) -> None:
    """After HEAD and 304 for an uncached stream, the connection serves the next request."""
    archive = corpus.with_name("archive.sqlite")
    url, _ = start_server(SEED_FILE=str(corpus), ARCHIVE_FILE=str(archive), CACHE_BYTES="0")
    with httpx.Client(timeout=TIMEOUT_SECONDS, base_url=url) as client:
        complete = client.get("/v1/citations?format=csv")
        for _ in range(3):
            head = client.head("/v1/citations?format=csv")
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["etag"] == complete.headers["etag"]
            headers = {"If-None-Match": complete.headers["etag"]}
            assert client.get("/v1/citations?format=csv", headers=headers).status_code == 304
        assert client.get("/v1/citations?format=csv").content == complete.content


NUMBERS = csv_reader.INTEGERS - {"target_start", "target_end"}


@pytest.mark.parametrize("collection", TYPES)
def test_pandas_reads_csv(files: Path, oracle: Oracle, collection: str) -> None:
    """Pandas reads every CSV row with default settings and infers numbers and text."""
    frame = pd.read_csv(files / f"{collection}.csv", dtype_backend="numpy_nullable")
    rows = oracle.select(collection, {})
    assert list(frame["id"]) == [row["id"] for row in rows]
    for column in frame.columns:
        assert_same(column, frame[column].tolist(), rows)
        if column in csv_reader.INTEGERS and frame[column].notna().any():
            assert str(frame[column].dtype) == "Int64"
        if column in csv_reader.BOOLEANS:
            assert str(frame[column].dtype) == "boolean"


def assert_same(column: str, values: list[Any], rows: list[Json]) -> None:
    """Check that the values that a program read from a column are those of the rows."""
    for value, row in zip(values, rows, strict=True):
        if column not in row or column == "not_stated":
            continue
        cell = None if value is None or pd.isna(value) else value
        if isinstance(cell, str):
            parsed = csv_reader.value(column, cell)
            assert parsed
            assert parsed == row[column]
        else:
            assert cell == row[column]


@pytest.mark.parametrize("collection", TYPES)
def test_pandas_reads_ndjson(files: Path, oracle: Oracle, collection: str) -> None:
    """Pandas reads every NDJSON line; lists stay lists and text is unchanged."""
    frame = pd.read_json(files / f"{collection}.ndjson", lines=True, dtype=False)
    rows = oracle.select(collection, {})
    assert len(frame) == len(rows)
    assert set(frame.columns) == set(rows[0])
    for column in frame.columns:
        values = [None if _is_missing(value) else value for value in frame[column]]
        assert values == [row[column] for row in rows]


def _is_missing(value: Any) -> bool:
    return not isinstance(value, list | dict) and bool(pd.isna(value))


@pytest.mark.parametrize("collection", TYPES)
def test_duckdb_reads_csv(files: Path, oracle: Oracle, collection: str) -> None:
    """DuckDB detects the dialect and the types and reads every row."""
    table = duckdb.from_csv_auto(str(files / f"{collection}.csv"))
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    rows = oracle.select(collection, {})
    records = table.fetchall()
    assert [record[0] for record in records] == [row["id"] for row in rows]
    for index, column in enumerate(table.columns):
        values = [record[index] for record in records]
        assert_same(column, values, rows)
        if any(value is not None for value in values):
            expected = "BIGINT" if column in csv_reader.INTEGERS else "VARCHAR"
            assert types[column] == ("BOOLEAN" if column in csv_reader.BOOLEANS else expected)


@pytest.mark.parametrize("collection", TYPES)
def test_duckdb_reads_ndjson(files: Path, oracle: Oracle, collection: str) -> None:
    """DuckDB reads every NDJSON line, with lists as lists and objects as structs."""
    table = duckdb.read_json(str(files / f"{collection}.ndjson"))
    rows = oracle.select(collection, {})
    records = [dict(zip(table.columns, values, strict=True)) for values in table.fetchall()]
    assert [_without_nulls(record) for record in records] == [_without_nulls(row) for row in rows]
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    for column in NUMBERS & set(types):
        if any(row[column] is not None for row in rows):
            assert types[column] == "BIGINT"


def _without_nulls(value: Any) -> Any:
    """A value without nulls in objects, because DuckDB adds all keys to every selector."""
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


@pytest.mark.parametrize("collection", TYPES)
def test_pandas_reads_from_a_server(server: str, collection: str) -> None:
    """Pandas reads CSV and NDJSON directly from their URLs."""
    total = fetch(f"{server}/v1/{collection}").json()["meta"]["total"]
    table = pd.read_csv(f"{server}/v1/{collection}?format=csv")
    ndjson = pd.read_json(f"{server}/v1/{collection}?format=ndjson", lines=True)
    assert len(table) == len(ndjson) == total > 0
    assert list(table["id"]) == list(ndjson["id"])


IMPORT_OPTIONS = "CSV:44,34,76,1"
"""LibreOffice filter options: comma, double quote, UTF-8, from line 1; otherwise the defaults."""
EXPORT_OPTIONS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"


def text_import_options(source: Path) -> str:
    """The import options with every non-numeric column imported as text (2).

    By default a spreadsheet guesses types in any CSV: `08` becomes a number, `$5` an amount.
    """
    header = csv_reader.rows(source.read_bytes())[0]
    guessed = csv_reader.INTEGERS | csv_reader.BOOLEANS
    columns = [f"{number}/{1 if name in guessed else 2}" for number, name in enumerate(header, 1)]
    return f"{IMPORT_OPTIONS},{'/'.join(columns)}"


def convert(source: Path, target: str, folder: Path, options: str) -> Path:
    """Open a CSV file in LibreOffice and save it in another format."""
    program = needs("soffice", "LibreOffice opens the CSV files")
    subprocess.run(
        [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
         f"--infilter={options}", "--convert-to", target, "--outdir", folder, source],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return folder / f"{source.stem}.{target.partition(':')[0]}"


@pytest.mark.office
@pytest.mark.parametrize("collection", TYPES)
def test_libreoffice_opens_csv(files: Path, tmp_path: Path, collection: str) -> None:
    """LibreOffice shows every cell as in the CSV, in every script; no cell is a formula."""
    source = files / f"{collection}.csv"
    saved = convert(source, EXPORT_OPTIONS, tmp_path, text_import_options(source))
    shown, sent = csv_reader.rows(saved.read_bytes()), csv_reader.rows(source.read_bytes())
    assert shown[0] == sent[0]
    assert len(shown) == len(sent)
    for shown_row, sent_row in zip(shown[1:], sent[1:], strict=True):
        for column, cell, original in zip(sent[0], shown_row, sent_row, strict=True):
            assert cell == (original.upper() if column in csv_reader.BOOLEANS else original)


@pytest.mark.office
@pytest.mark.parametrize("collection", ["awards", "activities", "organizations"])
def test_libreoffice_evaluates_no_formula(files: Path, tmp_path: Path, collection: str) -> None:
    """In a workbook saved from the CSV no cell is a formula; escaped formulas are text."""
    source = files / f"{collection}.csv"
    saved = convert(source, "xlsx", tmp_path, IMPORT_OPTIONS)
    with zipfile.ZipFile(saved) as workbook:
        sheet = ET.fromstring(workbook.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - made by this test
        strings = workbook.read("xl/sharedStrings.xml").decode()
    namespace = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert len(list(sheet.iter(f"{namespace}row"))) == len(csv_reader.rows(source.read_bytes()))
    assert list(sheet.iter(f"{namespace}f")) == []
    assert "'=1+1" in strings.replace("&apos;", "'")
    assert "защита" in strings


@pytest.mark.office
async def test_libreoffice_opens_the_shipped_record(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """LibreOffice shows the tables of the shipped record unchanged."""
    for collection in ("regions", "organizations", "awards"):
        source = tmp_path / f"{collection}.csv"
        source.write_bytes((await client.get(f"/v1/{collection}?format=csv")).content)
        folder = tmp_path / collection
        saved = convert(source, EXPORT_OPTIONS, folder, text_import_options(source))
        shown = csv_reader.rows(saved.read_bytes())
        sent = csv_reader.rows(source.read_bytes())
        booleans = {name: name.upper() for name in ("true", "false")}
        assert shown == [[booleans.get(cell, cell) for cell in row] for row in sent]


Ring = list[tuple[float, float]]
"""Points as longitude and latitude."""


def signed_area(ring: Ring) -> float:
    """Twice the area of a ring, positive if it is counterclockwise."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))


def polygons(geometry: Json) -> list[list[Ring]]:
    """The polygons of a Polygon or MultiPolygon, each a list of rings."""
    coordinates: Any = geometry["coordinates"]
    result: list[list[Ring]] = [coordinates] if geometry["type"] == "Polygon" else coordinates
    return result


async def test_fields_select_the_properties_of_geojson(client: httpx.AsyncClient) -> None:
    """With `fields`, features have only these properties; all else is the same."""
    whole = (await client.get("/v1/regions?format=geojson")).json()
    for feature in whole["features"]:
        names = ("id", "name")
        feature["properties"] = {name: feature["properties"][name] for name in names}
    assert (await client.get("/v1/regions?format=geojson&fields=name")).json() == whole


@pytest.mark.parametrize("params", [{"format": "geojson"}, {}])
async def test_regions_are_valid_geojson(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    """RFC 7946: right-hand rule, closed rings, longitude first, and bounding boxes."""
    accept = {} if params else {"Accept": "application/geo+json"}
    response = await client.get("/v1/regions", params=params, headers=accept)
    assert response.headers["content-type"] == GEOJSON
    geojson = response.json()
    FeatureCollection.model_validate(geojson, strict=False)
    regions = (await client.get("/v1/regions")).json()["data"]
    assert [feature["properties"] for feature in geojson["features"]] == regions
    assert [feature["id"] for feature in geojson["features"]] == [
        region["id"] for region in regions
    ]
    points = []
    for feature in geojson["features"]:
        rings = [ring for polygon in polygons(feature["geometry"]) for ring in polygon]
        feature_points = [point for ring in rings for point in ring]
        assert feature["bbox"] == bounding_box(feature_points)
        points += feature_points
        for exterior, *holes in polygons(feature["geometry"]):
            assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in (exterior, *holes))
            assert signed_area(exterior) > 0
            assert all(signed_area(hole) < 0 for hole in holes)
    assert geojson["bbox"] == bounding_box(points)
    west, south, east, north = geojson["bbox"]
    assert -82 < west < east < -68, "the regions are in Peru"
    assert -19 < south < north < 1, "the regions are in Peru"


def bounding_box(points: Ring) -> list[float]:
    """West, south, east and north of points (RFC 7946, 5)."""
    longitudes, latitudes = zip(*points, strict=True)
    return [min(longitudes), min(latitudes), max(longitudes), max(latitudes)]


async def test_outlines_are_attributed(client: httpx.AsyncClient) -> None:
    """The GeoJSON attributes its outlines to their source and describes their accuracy."""
    geojson = (await client.get("/v1/regions?format=geojson")).json()
    shipped = json.loads(SEED.read_text("utf-8"))["outlines"]
    assert geojson["attribution"]["reference"] == shipped["reference"]
    assert set(shipped["reference"]) == {"title", "url", "license"}
    assert geojson["attribution"]["note"]


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
    """GeoJSON has the same rows and order as other formats; an empty collection is valid."""
    response = await client.get(f"/v1/regions?format=geojson&{query}")
    geojson = response.json()
    FeatureCollection.model_validate(geojson, strict=False)
    assert [feature["id"] for feature in geojson["features"]] == ids
    assert ("bbox" in geojson) == bool(ids)
    assert ("next" in response.links) == ("limit" in query)


async def test_a_region_without_an_outline(
    corpus_client: httpx.AsyncClient, oracle: Oracle
) -> None:
    """A region without an outline is a feature with a null geometry (RFC 7946, 3.2)."""
    geojson = (await corpus_client.get("/v1/regions?format=geojson")).json()
    FeatureCollection.model_validate(geojson, strict=False)
    assert "bbox" not in geojson
    features = geojson["features"]
    assert [feature["properties"] for feature in features] == oracle.select("regions", {})
    assert all(feature["geometry"] is None and "bbox" not in feature for feature in features)


@pytest.mark.parametrize("collection", RESOURCES)
async def test_json_is_the_default(client: httpx.AsyncClient, collection: str) -> None:
    """Without `format` and `Accept`, the response is a page of JSON."""
    plain = await client.get(f"/v1/{collection}")
    assert plain.headers["content-type"] == JSON
    assert set(plain.json()) == {"data", "meta", "links", "included", "facets"}
