"""The exports contain the whole record, and match what the API returns."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from app.archive.archive import COLLECTIONS, Archive, archive_code_digest
from app.archive.release import build_if_stale
from app.exports import files as export_files
from app.exports.files import build_exports, exports_directory, find_exports
from app.exports.listing import EXPORTS, FILES
from app.exports.tables import tables
from app.models.dates import first_day, last_day
from benchmarks.corpus import write_corpus
from tests.conftest import ROOT, SEED, run_cli
from tests.support.problem import assert_problem
from tests.support.published import ENVIRONMENT, PUBLISHED, copy_archive, published_client
from tests.support.releases import ReleasedSeed

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
SAMPLES = [*{export.media_type: name for name, export in FILES.items()}.values()]
"""A file of each type."""
UNCONFIGURED = [name for name in FILES if name not in ("iati.xml", "annotations.jsonld")]
"""Files that require no settings."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a generated record with all scripts and nulls, compiled."""
    directory = tmp_path_factory.mktemp("generated")
    write_corpus(directory, 480)
    build_if_stale(directory / "seed.json", directory / "archive.sqlite")
    return directory


async def list_exports(client: httpx.AsyncClient) -> dict[str, Json]:
    """Entries of the list of exports, by name."""
    entries = (await client.get("/v1/exports")).json()["data"]
    return {entry["name"]: entry for entry in entries}


async def test_the_list_describes_every_export(client: httpx.AsyncClient) -> None:
    """Size, digest and media type in the list are those of the response at each path."""
    entries = await list_exports(client)
    assert list(entries) == list(EXPORTS)
    for entry in entries.values():
        response = await client.get(entry["path"])
        assert response.status_code == 200
        assert len(response.content) == entry["bytes"]
        assert hashlib.sha256(response.content).hexdigest() == entry["sha256"]
        assert response.headers["content-type"] == entry["media_type"]


async def test_the_api_index_links_to_the_exports(client: httpx.AsyncClient) -> None:
    """A client can discover the exports."""
    links = (await client.get("/v1")).json()["links"]
    assert (await client.get(links["exports"])).json()["links"]["self"] == links["exports"]


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_file_has_a_strong_etag_and_a_digest(client: httpx.AsyncClient, name: str) -> None:
    """A file is sent without content coding, so that its digest is that of the body."""
    response = await client.get(f"/v1/exports/{name}", headers={"accept-encoding": "gzip, br"})
    digest = hashlib.sha256(response.content)
    assert response.headers["repr-digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"
    assert response.headers["etag"] == f'"{digest.hexdigest()}"'
    assert response.headers["cache-control"].startswith("public")
    assert response.headers["access-control-allow-origin"] == "*"
    assert int(response.headers["content-length"]) == len(response.content)
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("name", SAMPLES)
async def test_an_unchanged_file_is_not_sent_again(client: httpx.AsyncClient, name: str) -> None:
    """`If-None-Match` is compared weakly and yields 304 with the same ETag, on GET and HEAD."""
    path = f"/v1/exports/{name}"
    etag = (await client.get(path)).headers["etag"]
    for method in ("GET", "HEAD"):
        for etags in (etag, f'"other", W/{etag}', "*"):
            again = await client.request(method, path, headers={"if-none-match": etags})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize("name", SAMPLES)
async def test_head_returns_the_headers_of_get(client: httpx.AsyncClient, name: str) -> None:
    """A client can learn the size and digest of a file without downloading it."""
    head = await client.head(f"/v1/exports/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == (await client.get(f"/v1/exports/{name}")).headers


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_download_can_be_resumed(client: httpx.AsyncClient, name: str) -> None:
    """Concatenated ranges are the file; the digest is that of the whole file."""
    path = f"/v1/exports/{name}"
    whole = await client.get(path)
    parts = []
    for byte_range in ("bytes=0-99", "bytes=100-"):
        part = await client.get(
            path, headers={"range": byte_range, "if-range": whole.headers["etag"]}
        )
        assert part.status_code == 206
        assert part.headers["repr-digest"] == whole.headers["repr-digest"]
        parts.append(part.content)
    assert b"".join(parts) == whole.content
    tail = await client.get(path, headers={"range": "bytes=-7"})
    assert tail.content == whole.content[-7:]
    assert tail.headers["content-range"].endswith(f"/{len(whole.content)}")


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "byte_range",
    ["bytes=99999999999-", "bytes=-0", "bytes=99999999-300000000", f"bytes={'9' * 3_000}-"],
)
async def test_a_range_beyond_the_end_is_not_satisfiable(
    client: httpx.AsyncClient, name: str, byte_range: str
) -> None:
    """It is 416 with the size of the file, so that a client knows its download is complete."""
    length = int((await client.head(f"/v1/exports/{name}")).headers["content-length"])
    response = await client.get(f"/v1/exports/{name}", headers={"range": byte_range})
    assert response.status_code == 416
    assert response.json()["type"] == "/problems/range-not-satisfiable"
    assert response.headers["content-range"] == f"bytes */{length}"
    assert "repr-digest" not in response.headers


async def test_a_range_may_start_at_the_last_byte(client: httpx.AsyncClient) -> None:
    """A range from the last byte is satisfiable; one from the byte after it is not."""
    whole = await client.get("/v1/exports/tables.zip")
    length = len(whole.content)
    last = await client.get("/v1/exports/tables.zip", headers={"range": f"bytes={length - 1}-"})
    assert (last.status_code, last.content) == (206, whole.content[-1:])
    after = await client.get("/v1/exports/tables.zip", headers={"range": f"bytes={length}-"})
    assert after.status_code == 416


@pytest.mark.parametrize(
    "byte_range",
    [
        "bytes=9-3",
        "bytes=-",
        "bytes=a-b",
        "lines=0-1",
        "nonsense",
        "bytes=0-1,3-4",
        "bytes=99999999999-,-0",
        f"bytes={'9' * 5_000}-",
    ],
)
async def test_an_invalid_or_multiple_range_returns_the_whole_file(
    client: httpx.AsyncClient, byte_range: str
) -> None:
    """Anything but a single valid range is ignored."""
    whole = await client.get("/v1/exports/record.sqlite")
    response = await client.get("/v1/exports/record.sqlite", headers={"range": byte_range})
    assert response.status_code == 200
    assert response.content == whole.content


@pytest.mark.parametrize("name", SAMPLES)
async def test_no_response_depends_on_modification_times(
    client: httpx.AsyncClient, name: str
) -> None:
    """Replicas write the same file at different times, so `Last-Modified` is never sent."""
    path = f"/v1/exports/{name}"
    later = {"if-modified-since": "Fri, 01 Jan 2038 00:00:00 GMT"}
    whole = await client.get(path, headers=later)
    assert whole.status_code == 200
    part = await client.get(path, headers={"range": "bytes=0-9"})
    assert part.status_code == 206
    for response in (whole, part):
        assert "last-modified" not in response.headers


@pytest.mark.parametrize("byte_range", ["bytes=0-9", "bytes=99999999999-"])
async def test_only_get_supports_ranges(client: httpx.AsyncClient, byte_range: str) -> None:
    """HEAD ignores `Range`."""
    head = await client.head("/v1/exports/tables.zip", headers={"range": byte_range})
    assert head.status_code == 200
    assert head.headers == (await client.head("/v1/exports/tables.zip")).headers


@pytest.mark.parametrize("byte_range", ["bytes=0-9", "bytes=99999999999-"])
async def test_if_none_match_precedes_a_range(client: httpx.AsyncClient, byte_range: str) -> None:
    """A client that has the file receives 304, whatever `Range` it sends."""
    etag = (await client.head("/v1/exports/tables.zip")).headers["etag"]
    headers = {"range": byte_range, "if-none-match": etag}
    assert (await client.get("/v1/exports/tables.zip", headers=headers)).status_code == 304


@pytest.mark.parametrize("byte_range", ["bytes=0-9", "bytes=99999999999-"])
@pytest.mark.parametrize("validator", [f'W/"{"0" * 64}"', "Thu, 01 Jan 1970 00:00:00 GMT", "?"])
async def test_if_range_of_another_file_returns_the_whole_file(
    client: httpx.AsyncClient, byte_range: str, validator: str
) -> None:
    """`Range` is ignored if `If-Range` does not match, even beyond the end of the file."""
    headers = {"range": byte_range, "if-range": validator}
    response = await client.get("/v1/exports/tables.zip", headers=headers)
    assert response.status_code == 200
    assert response.content == (await client.get("/v1/exports/tables.zip")).content


async def test_a_range_of_another_release_returns_the_whole_file(client: httpx.AsyncClient) -> None:
    """A download that began before a new release is not completed with parts of it."""
    headers = {"range": "bytes=100-", "if-range": f'"{"0" * 64}"'}
    assert (await client.get("/v1/exports/tables.zip", headers=headers)).status_code == 200


async def test_a_download_is_named_by_its_release(client: httpx.AsyncClient) -> None:
    """Files of two releases have two names in one directory; each states its release inside."""
    meta = (await client.get("/v1/meta")).json()["data"]
    label = meta["release_label"]
    for name in FILES:
        response = await client.head(f"/v1/exports/{name}")
        stem, _, suffix = name.partition(".")
        expected = f'attachment; filename="{stem}-{label}.{suffix}"'
        assert response.headers["content-disposition"] == expected
    for path in ("/v1/record", f"/v1/releases/{label}/record"):
        headers = (await client.head(path)).headers
        assert headers["content-disposition"] == f'inline; filename="record-{label}.json"'
    outlined = (await client.get("/v1/exports/regions.geojson")).json()
    described = (await client.get("/v1/exports/csv-metadata.json")).json()
    seed = (await client.get("/v1/exports/seed.json")).json()
    for release in (outlined["release_label"], described["schema:version"]):
        assert release == label
    assert outlined["release"] == described["dc:identifier"] == meta["release"]
    for created in (outlined["created"], described["dc:created"], seed["modified"]):
        assert created == meta["modified"]


async def test_the_csv_of_a_collection_is_that_of_the_package(
    client: httpx.AsyncClient,
) -> None:
    """So its size and digest are in datapackage.json; its columns are described next to it."""
    package = ZipFile(io.BytesIO((await client.get("/v1/exports/tables.zip")).content))
    described = (await client.get("/v1/exports/csv-metadata.json")).json()
    assert [table["url"] for table in described["tables"]] == [
        f"{table.name}.csv" for table in tables() if table.name in COLLECTIONS
    ]
    for table in described["tables"]:
        response = await client.get(f"/v1/exports/{table['url']}")
        assert response.content == package.read(table["url"])
        header = response.text.partition("\r\n")[0].split(",")
        assert header == [column["name"] for column in table["tableSchema"]["columns"]]
        assert response.headers["link"].startswith(
            '</v1/exports/csv-metadata.json>; rel="describedby"; type="application/csvm+json"'
        )


async def test_the_seed_is_the_file_that_was_compiled(
    client: httpx.AsyncClient, seed: Any, tmp_path: Path
) -> None:
    """One that was changed since is not exported, as it is of no release."""
    assert (await client.get("/v1/exports/seed.json")).content == SEED.read_bytes()
    archive = tmp_path / "archive.sqlite"
    async with published_client(seed.path, archive) as other:
        seed.put("/title", "Another title")
        seed.write()
        assert_problem(await other.get("/v1/exports/seed.json"), 404)
        assert "seed.json" not in await list_exports(other)


async def test_an_unknown_file_is_not_found(client: httpx.AsyncClient) -> None:
    """The problem links to the list; an unknown parameter is rejected as everywhere."""
    problem = assert_problem(await client.get("/v1/exports/record.xlsx"), 404)
    assert "/v1/exports" in problem["detail"]
    assert_problem(await client.get("/v1/exports/tables.zip?x=1"), 422)


REQUIRED = {
    "/v1/exports/iati.xml": [name for name in PUBLISHED if name.startswith(("iati", "public"))],
    "/data.json": [name for name in PUBLISHED if not name.startswith("iati")],
    "/data-3.0.json": [name for name in PUBLISHED if not name.startswith("iati")],
}


@pytest.mark.parametrize(
    ("path", "setting"), [(path, name) for path, names in REQUIRED.items() for name in names]
)
async def test_an_export_requires_its_settings(own_archive: Path, path: str, setting: str) -> None:
    """Without any of them there is no export, and the problem names the missing setting."""
    async with published_client(SEED, own_archive, **{setting: None}) as client:
        problem = assert_problem(await client.get(path), 404)
        assert setting.upper() in problem["detail"]
        assert path not in {entry["path"] for entry in (await list_exports(client)).values()}


async def test_the_regions_match_the_api(client: httpx.AsyncClient) -> None:
    """The file is identical to the GeoJSON of the collection."""
    collection = await client.get("/v1/regions?format=geojson")
    assert (await client.get("/v1/exports/regions.geojson")).content == collection.content


def opened(file: Path) -> closing[sqlite3.Connection]:
    """The database export, with rows that are accessed by column name."""
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    return closing(connection)


async def download(client: httpx.AsyncClient, name: str, directory: Path) -> Path:
    """Download an export to a directory."""
    file = directory / name
    file.write_bytes((await client.get(f"/v1/exports/{name}")).content)
    return file


def rebuild(connection: sqlite3.Connection, collection: str) -> Iterator[Json]:
    """The documents of a collection, reconstructed from its table."""
    table = next(table for table in tables() if table.name == collection)
    types = {column.name: column.type for column in table.columns if column.type != "date"}
    for row in connection.execute(f"SELECT * FROM {collection} ORDER BY id"):  # noqa: S608 - a name from COLLECTIONS
        values = {key: parse_cell(row[key], types[key]) for key in types}
        yield rebuild_citation(values) if collection == "citations" else values


def parse_cell(value: Any, type_: str) -> Any:
    """A cell as the API returns it."""
    if value is None:
        return None
    if type_ == "array":
        return json.loads(value)
    return bool(value) if type_ == "boolean" else value


def rebuild_citation(row: Json) -> Json:
    """A citation with its target and its reference, which are flattened in the table."""
    fields = {
        key: row[key] for key in ("id", "resource_type", "resource", "field", "basis", "note")
    }
    quote = {
        "type": "TextQuoteSelector",
        "exact": row["quote"],
        "prefix": row["quote_prefix"],
        "suffix": row["quote_suffix"],
    }
    position = {
        "type": "TextPositionSelector",
        "start": row["quote_start"],
        "end": row["quote_end"],
    }
    source = f"/v1/sources/{row['source']}"
    target = {"type": "SpecificResource", "source": source, "selector": [quote, position]}
    reference = {key: row[f"reference_{key}"] for key in ("title", "url", "license")}
    return {
        **fields,
        "reference": reference if row["reference_url"] else None,
        "target": target if row["source"] else None,
    }


@pytest.mark.parametrize("record_name", ["shipped", "generated"])
async def test_the_database_contains_the_record(
    own_archive: Path, generated: Path, tmp_path: Path, record_name: str
) -> None:
    """Every document reconstructed from the tables equals the API's."""
    seed, archive = SEED, own_archive
    if record_name == "generated":
        seed, archive = generated / "seed.json", generated / "archive.sqlite"
    async with published_client(seed, archive) as client:
        file = await download(client, "record.sqlite", tmp_path)
        record = (await client.get("/v1/record")).json()["data"]
    with opened(file) as connection:
        for collection in COLLECTIONS:
            documents = [
                {key: value for key, value in document.items() if key != "links"}
                for document in record[collection]
            ]
            assert list(rebuild(connection, collection)) == documents


async def test_the_database_is_consistent(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Foreign keys are declared and valid, and there are no internal tables."""
    with opened(await download(client, "record.sqlite", tmp_path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert [row[0] for row in connection.execute("PRAGMA integrity_check")] == ["ok"]
        names = "SELECT name FROM sqlite_schema WHERE type = 'table'"
        present = {row[0] for row in connection.execute(names)}
        assert present == {"about", "outlines", *(table.name for table in tables())}
        for table in tables():
            rows = connection.execute(f"PRAGMA foreign_key_list({table.name})")
            expected = {
                (column.name, column.references) for column in table.columns if column.references
            }
            assert {(row["from"], row["table"]) for row in rows} == expected


_STORAGE = {
    "string": "text",
    "integer": "integer",
    "boolean": "integer",
    "date": "text",
    "datetime": "text",
    "array": "text",
}


@pytest.mark.parametrize("record_name", ["shipped", "generated"])
async def test_the_database_has_the_declared_types(
    own_archive: Path, generated: Path, tmp_path: Path, record_name: str
) -> None:
    """A column has values of its type alone, also if it is all null; days are whole."""
    archive = own_archive if record_name == "shipped" else generated / "archive.sqlite"
    seed = SEED if record_name == "shipped" else generated / "seed.json"
    async with published_client(seed, archive) as client:
        file = await download(client, "record.sqlite", tmp_path)
    with opened(file) as connection:
        for table in tables():
            info = connection.execute(f"PRAGMA table_info({table.name})")
            declared = {row["name"]: row["type"] for row in info}
            for column in table.columns:
                select = f'SELECT DISTINCT typeof("{column.name}") FROM {table.name}'  # noqa: S608 - names from the models
                found = {row[0] for row in connection.execute(select)}
                assert found <= {_STORAGE[column.type], "null"}
                assert "null" not in found or not column.required
                if column.type in ("boolean", "date", "integer"):
                    assert declared[column.name] == column.type.upper()
        days = "SELECT announced, announced_first, announced_last FROM awards"
        for announced, first, last in connection.execute(days):
            assert first == (announced and f"{first_day(announced)}")
            assert last == (announced and f"{last_day(announced)}")


async def test_link_tables_match_the_lists(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """The rows of each link table are the members of the list columns, in order."""
    with opened(await download(client, "record.sqlite", tmp_path)) as connection:
        links = [table for table in tables() if len(table.key) == 2]
        assert links
        for table in links:
            owner = next(column.references for column in table.columns if column.references)
            members: dict[str, list[str]] = {}
            for row in connection.execute(f"SELECT * FROM {table.name} ORDER BY rowid"):  # noqa: S608 - a name from the models
                members.setdefault(row[0], []).append(row[1])
            field = table.name.partition("_")[2]
            lists = connection.execute(f"SELECT id, {field} FROM {owner}")  # noqa: S608 - names from the models
            assert members == {row[0]: json.loads(row[1]) for row in lists if row[1]}


async def test_the_database_describes_itself(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """It contains release, license, archive notice and the outlines of the regions."""
    meta = (await client.get("/v1/meta")).json()["data"]
    features = (await client.get("/v1/exports/regions.geojson")).json()["features"]
    with opened(await download(client, "record.sqlite", tmp_path)) as connection:
        about = dict(connection.execute("SELECT key, value FROM about").fetchall())
        assert about["release"] == meta["release"]
        assert about["release_label"] == meta["release_label"]
        assert about["created"] == meta["modified"]
        assert about["archive_notice"] == meta["archive_notice"]
        assert about["license"] == meta["license"]["title"]
        outlines = dict(connection.execute("SELECT region, geometry FROM outlines").fetchall())
    assert {feature["id"]: feature["geometry"] for feature in features} == {
        name: json.loads(geometry) for name, geometry in outlines.items()
    }


def read_export_files(archive: Path) -> dict[str, bytes]:
    """Content of the export files of an archive, by name."""
    (directory,) = (path for path in exports_directory(archive).iterdir() if path.is_dir())
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.process
def test_every_build_produces_the_same_bytes(tmp_path: Path) -> None:
    """Process, directory and hash seed do not matter."""
    builds = []
    for number in ("1", "2", "3"):
        archive = tmp_path / number / "archive.sqlite"
        result = run_cli("build", "--archive", str(archive), PYTHONHASHSEED=number)
        assert result.returncode == 0, result.stderr
        builds.append(read_export_files(archive))
        assert all(name in result.stdout for name in UNCONFIGURED)
    assert builds[0] == builds[1] == builds[2]
    assert set(builds[0]) == {*UNCONFIGURED, "index.json"}


async def test_leftovers_of_a_killed_build_are_removed(archive_file: Path, tmp_path: Path) -> None:
    """Incomplete files are never served, and are removed by the next build."""
    archive = copy_archive(archive_file, tmp_path)
    root = exports_directory(archive)
    (root / ".unfinished").mkdir(parents=True)
    (root / ".unfinished" / "tables.zip").write_bytes(b"PK half")
    async with published_client(SEED, archive) as client:
        entries = await list_exports(client)
        package = await client.get("/v1/exports/tables.zip")
    assert len(package.content) == entries["tables.zip"]["bytes"]
    assert not (root / ".unfinished").exists()


@pytest.mark.process
def test_damaged_files_are_rebuilt(tmp_path: Path) -> None:
    """`build` rebuilds the files if one is truncated or the index is missing."""
    archive = tmp_path / "archive.sqlite"
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    files = read_export_files(archive)
    (directory,) = (path for path in exports_directory(archive).iterdir() if path.is_dir())
    (directory / "record.sqlite").write_bytes(b"SQLite")
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    assert read_export_files(archive) == files
    (directory / "index.json").unlink()
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    assert read_export_files(archive) == files


@pytest.mark.parametrize("library", ["sqlalchemy", "pydantic", "rfc8785"])
async def test_an_upgrade_of_a_library_makes_the_files_stale(
    archive_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """Files with the output of another version of these libraries are not used."""
    file = copy_archive(archive_file, tmp_path)
    with closing(Archive.open(file)) as archive:
        await build_exports(archive, file, SEED)
        assert find_exports(file, archive.release) is not None
        digests = (archive_code_digest, export_files._code_digest)
        monkeypatch.setattr(
            "app.archive.archive.version", lambda name: "0" if name == library else version(name)
        )
        for digest in digests:
            digest.cache_clear()
        try:
            assert find_exports(file, archive.release) is None
        finally:
            for digest in digests:
                digest.cache_clear()


_BUILD_EXPORTS = (
    "import anyio, sys, pathlib; from app.archive.archive import Archive;"
    "from app.exports.files import build_exports; file = pathlib.Path(sys.argv[1]);"
    "seed = pathlib.Path(sys.argv[2]);"
    "print(anyio.run(build_exports, Archive.open(file), file, seed).directory)"
)


@pytest.mark.process
def test_concurrent_processes_build_the_files_once(archive_file: Path, tmp_path: Path) -> None:
    """Processes that start together wait for one another and use the same files."""
    archive = copy_archive(archive_file, tmp_path)
    command = [sys.executable, "-c", _BUILD_EXPORTS, str(archive), str(SEED)]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    outputs = {process.communicate(timeout=60)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(outputs) == 1


async def test_an_unwritable_directory_is_reported(archive_file: Path, tmp_path: Path) -> None:
    """The record is still served; the files are a 503 that does not reveal paths."""
    archive = copy_archive(archive_file, tmp_path)
    exports_directory(archive).write_text("in the way")
    async with published_client(SEED, archive) as client:
        for path in ("/v1/exports", "/v1/exports/tables.zip"):
            problem = assert_problem(await client.get(path), 503)
            assert str(tmp_path) not in problem["detail"]
        assert (await client.get("/v1/awards")).status_code == 200


def modification_times(directory: Path) -> dict[Path, int]:
    """Modification time of each file below a directory."""
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


@pytest.mark.process
async def test_serving_existing_files_writes_nothing(tmp_path: Path) -> None:
    """A server can run on the files of `build` without write access."""
    archive = tmp_path / "archive.sqlite"
    assert run_cli("build", "--archive", str(archive), **ENVIRONMENT).returncode == 0
    before = modification_times(tmp_path)
    async with published_client(SEED, archive) as client:
        assert set(await list_exports(client)) == set(EXPORTS)
    assert modification_times(tmp_path) == before


@pytest.mark.process
def test_verify_finds_damage_and_build_repairs_it(archive_file: Path, tmp_path: Path) -> None:
    """`verify` names a modified file; `build` writes it again."""
    archive = copy_archive(archive_file, tmp_path)
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    before = read_export_files(archive)
    (file,) = tmp_path.rglob("tables.zip")
    file.write_bytes(before["tables.zip"][:-1] + b"!")
    result = run_cli("verify", "--archive", str(archive))
    assert result.returncode == 1
    assert "tables.zip" in result.stderr
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    assert read_export_files(archive) == before
    assert "exports match their digests" in run_cli("verify", ARCHIVE_FILE=str(archive)).stdout


@pytest.mark.process
def test_verify_reports_missing_exports(archive_file: Path, tmp_path: Path) -> None:
    """Exports that were never built are reported, not an error; a deleted file is an error."""
    archive = copy_archive(archive_file, tmp_path)
    result = run_cli("verify", "--archive", str(archive))
    assert result.returncode == 0, result.stderr
    assert "none built" in result.stdout
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    (file,) = tmp_path.rglob("regions.geojson")
    file.unlink()
    result = run_cli("verify", "--archive", str(archive))
    assert result.returncode == 1
    assert "regions.geojson" in result.stderr
    assert "none built" not in result.stdout


@pytest.mark.process
def test_verify_finds_the_exports_of_a_release_without_its_stamp(tmp_path: Path) -> None:
    """A filed seed that lacks its stamp is still the release, and so are its exports."""
    released = ReleasedSeed(tmp_path)
    released.take("/release")
    options = "--seed", str(released.write()), "--archive", str(tmp_path / "archive.sqlite")
    assert run_cli("build", *options).returncode == 0
    result = run_cli("verify", *options)
    assert result.returncode == 0, result.stderr
    assert "none built" not in result.stdout


@pytest.mark.process
def test_archives_in_one_directory_have_their_own_exports(seed: Any, tmp_path: Path) -> None:
    """Building an archive does not remove the files of another."""
    files = {}
    for number in range(3):
        seed.put("/awards/0/title", f"Another title of this program, {number}")
        archive = tmp_path / f"{number}.sqlite"
        result = run_cli("build", "--seed", str(seed.write()), "--archive", str(archive))
        assert result.returncode == 0, result.stderr
        files[archive] = read_export_files(archive)
    assert {archive: read_export_files(archive) for archive in files} == files


@pytest.mark.parametrize("removed", ["the directory", "a file"])
async def test_removed_files_are_rebuilt(archive_file: Path, tmp_path: Path, removed: str) -> None:
    """A server whose files were deleted returns the same content at the next request."""
    archive = copy_archive(archive_file, tmp_path)
    async with published_client(SEED, archive) as client:
        for name in SAMPLES:
            before = await client.get(f"/v1/exports/{name}")
            if removed == "the directory":
                shutil.rmtree(exports_directory(archive))
            else:
                for path in (*exports_directory(archive).rglob(name), *stored_iati_files(tmp_path)):
                    path.unlink()
            after = await client.get(f"/v1/exports/{name}")
            assert after.status_code == 200, after.text
            assert after.content == before.content
            assert after.headers == before.headers


async def test_the_files_of_the_previous_release_are_kept(
    seed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of the old release can still serve its files after the new ones are built."""
    monkeypatch.setattr("app.server.reloader._CHECK_SECONDS", 3_600)  # it stays with the old one
    archive = tmp_path / "archive.sqlite"
    async with published_client(seed.path, archive) as old:
        before = (await old.get("/v1/exports/tables.zip")).content
        seed.put("/awards/0/title", "Another title of this program")
        seed.write()
        async with published_client(seed.path, archive) as new:
            after = (await new.get("/v1/exports/tables.zip")).content
        assert (await old.get("/v1/exports/tables.zip")).content == before
    assert before != after


def stored_iati_files(directory: Path) -> list[Path]:
    """The IATI files below a directory."""
    return sorted(directory.rglob("iati-*.xml"))


async def test_iati_is_built_once(archive_file: Path, tmp_path: Path) -> None:
    """The second request, and the next process, serve the file that the first request wrote."""
    archive = copy_archive(archive_file, tmp_path)
    async with published_client(SEED, archive) as client:
        first = await client.get("/v1/exports/iati.xml")
        (file,) = stored_iati_files(tmp_path)
        assert file.read_bytes() == first.content
        file.write_bytes(first.content.replace(b"Peru", b"PERU"))
    async with published_client(SEED, archive) as client:
        again = await client.get("/v1/exports/iati.xml")
        assert b"PERU" in again.content
        assert (await list_exports(client))["iati.xml"]["bytes"] == len(again.content)
    assert stored_iati_files(tmp_path) == [file]


async def test_each_reporter_has_its_own_iati_file(archive_file: Path, tmp_path: Path) -> None:
    """Servers with different settings do not serve one another's file."""
    archive = copy_archive(archive_file, tmp_path)
    documents = []
    for name in ("First", "Second"):
        async with published_client(SEED, archive, iati_reporting_org_name=name) as client:
            documents.append((await client.get("/v1/exports/iati.xml")).text)
    assert "First" in documents[0]
    assert "Second" in documents[1]
    assert "First" not in documents[1]
    assert len(stored_iati_files(tmp_path)) == 2


async def test_iati_needs_no_writable_disk(
    archive_file: Path, own_archive: Path, tmp_path: Path
) -> None:
    """If no file can be written, the response is the same, with its digest."""
    archive = copy_archive(archive_file, tmp_path)
    exports_directory(archive).write_text("in the way")
    async with published_client(SEED, own_archive) as client:
        expected = await client.get("/v1/exports/iati.xml")
    async with published_client(SEED, archive) as client:
        for _ in range(2):
            response = await client.get("/v1/exports/iati.xml")
            assert response.content == expected.content
            assert response.headers["repr-digest"] == expected.headers["repr-digest"]
        head = await client.head("/v1/exports/iati.xml")
        assert (head.content, head.headers) == (b"", response.headers)
