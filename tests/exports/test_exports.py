"""The record can be taken away whole, and what is taken is what the API gives."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.archive.archive import COLLECTIONS
from app.archive.release import build_if_stale
from app.exports.files import exports_directory
from app.exports.listing import EXPORTS, FILES
from app.exports.tables import tables
from benchmarks.corpus import write_corpus
from tests.conftest import ROOT, SEED, run_cli
from tests.support.problem import assert_problem
from tests.support.published import ENVIRONMENT, PUBLISHED, copy_archive, published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
KEPT = [name for name in FILES if name != "iati.xml"]
"""Files that depend on no setting."""


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, compiled, in a folder where its exports may be."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture
async def client(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that gives every export."""
    async with published_client(SEED, own_archive) as opened:
        yield opened


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a made-up record with every script and every null, compiled."""
    folder = tmp_path_factory.mktemp("awkward")
    write_corpus(folder, 480)
    build_if_stale(folder / "seed.json", folder / "archive.sqlite")
    return folder


async def entries(client: httpx.AsyncClient) -> dict[str, Json]:
    """What the list says of each export."""
    listed = (await client.get("/v1/exports")).json()["data"]
    return {one["name"]: one for one in listed}


async def test_every_export_is_listed_as_it_is(client: httpx.AsyncClient) -> None:
    """Length, digest and media type of the list are those of what its paths give."""
    listed = await entries(client)
    assert list(listed) == list(EXPORTS)
    for one in listed.values():
        response = await client.get(one["path"])
        assert response.status_code == 200
        assert len(response.content) == one["bytes"]
        assert hashlib.sha256(response.content).hexdigest() == one["sha256"]
        assert response.headers["content-type"] == one["media_type"]


async def test_the_index_leads_to_the_exports(client: httpx.AsyncClient) -> None:
    """The exports are found without being known."""
    links = (await client.get("/v1")).json()["links"]
    assert (await client.get(links["exports"])).json()["links"]["self"] == links["exports"]


@pytest.mark.parametrize("name", FILES)
async def test_a_file_has_a_strong_tag_and_its_digest(client: httpx.AsyncClient, name: str) -> None:
    """Whatever coding is accepted, the file comes as it is kept, and its digest fits it."""
    response = await client.get(f"/v1/exports/{name}", headers={"accept-encoding": "gzip, br"})
    digest = hashlib.sha256(response.content)
    assert response.headers["repr-digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"
    assert response.headers["etag"] == f'"{digest.hexdigest()}"'
    assert response.headers["cache-control"].startswith("public")
    assert response.headers["access-control-allow-origin"] == "*"
    assert int(response.headers["content-length"]) == len(response.content)
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("name", FILES)
async def test_a_file_that_is_had_is_not_sent_again(client: httpx.AsyncClient, name: str) -> None:
    """`If-None-Match` gives 304 with the same validators, on GET and HEAD, weakly compared."""
    path = f"/v1/exports/{name}"
    etag = (await client.get(path)).headers["etag"]
    for method in ("GET", "HEAD"):
        for known in (etag, f'"other", W/{etag}', "*"):
            again = await client.request(method, path, headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize("name", FILES)
async def test_head_gives_the_headers_of_get(client: httpx.AsyncClient, name: str) -> None:
    """A client learns length and digest of a file without loading it."""
    head = await client.head(f"/v1/exports/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == (await client.get(f"/v1/exports/{name}")).headers


@pytest.mark.parametrize("name", FILES)
async def test_a_download_can_be_resumed(client: httpx.AsyncClient, name: str) -> None:
    """Ranges put together are the file; the digest is of the whole."""
    path = f"/v1/exports/{name}"
    whole = await client.get(path)
    pieces = []
    for asked in ("bytes=0-99", "bytes=100-"):
        part = await client.get(path, headers={"range": asked, "if-range": whole.headers["etag"]})
        assert part.status_code == 206
        assert part.headers["repr-digest"] == whole.headers["repr-digest"]
        pieces.append(part.content)
    assert b"".join(pieces) == whole.content
    tail = await client.get(path, headers={"range": "bytes=-7"})
    assert tail.content == whole.content[-7:]
    assert tail.headers["content-range"].endswith(f"/{len(whole.content)}")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "asked", ["bytes=99999999999-", "bytes=-0", "bytes=99999999-300000000", f"bytes={'9' * 3_000}-"]
)
async def test_a_range_beyond_the_end_is_a_problem(
    client: httpx.AsyncClient, name: str, asked: str
) -> None:
    """It is 416 with the length of the file, so that a client learns that it has it all."""
    length = int((await client.head(f"/v1/exports/{name}")).headers["content-length"])
    response = await client.get(f"/v1/exports/{name}", headers={"range": asked})
    assert response.status_code == 416
    assert response.json()["type"] == "/problems/range-not-satisfiable"
    assert response.headers["content-range"] == f"bytes */{length}"
    assert "repr-digest" not in response.headers


async def test_the_first_byte_beyond_the_end_is_beyond(client: httpx.AsyncClient) -> None:
    """The last byte is a range; the one after it is none."""
    whole = await client.get("/v1/exports/tables.zip")
    length = len(whole.content)
    last = await client.get("/v1/exports/tables.zip", headers={"range": f"bytes={length - 1}-"})
    assert (last.status_code, last.content) == (206, whole.content[-1:])
    after = await client.get("/v1/exports/tables.zip", headers={"range": f"bytes={length}-"})
    assert after.status_code == 416


@pytest.mark.parametrize(
    "asked",
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
async def test_what_is_no_single_range_gives_the_whole(
    client: httpx.AsyncClient, asked: str
) -> None:
    """No range is answered with half a file or a failure."""
    whole = await client.get("/v1/exports/record.sqlite")
    response = await client.get("/v1/exports/record.sqlite", headers={"range": asked})
    assert response.status_code == 200
    assert response.content == whole.content


@pytest.mark.parametrize("name", FILES)
async def test_no_answer_depends_on_times(client: httpx.AsyncClient, name: str) -> None:
    """Replicas write the same file at different times, so a file has none, not even in part."""
    path = f"/v1/exports/{name}"
    later = {"if-modified-since": "Fri, 01 Jan 2038 00:00:00 GMT"}
    whole = await client.get(path, headers=later)
    assert whole.status_code == 200
    part = await client.get(path, headers={"range": "bytes=0-9"})
    assert part.status_code == 206
    for response in (whole, part):
        assert "last-modified" not in response.headers


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=99999999999-"])
async def test_only_get_heeds_a_range(client: httpx.AsyncClient, asked: str) -> None:
    """HEAD tells of the whole file, whatever range it names."""
    head = await client.head("/v1/exports/tables.zip", headers={"range": asked})
    assert head.status_code == 200
    assert head.headers == (await client.head("/v1/exports/tables.zip")).headers


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=99999999999-"])
async def test_what_is_had_comes_before_a_range(client: httpx.AsyncClient, asked: str) -> None:
    """A client that has the file is told so, whatever range it names beside."""
    etag = (await client.head("/v1/exports/tables.zip")).headers["etag"]
    known = {"range": asked, "if-none-match": etag}
    assert (await client.get("/v1/exports/tables.zip", headers=known)).status_code == 304


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=99999999999-"])
@pytest.mark.parametrize("known", [f'W/"{"0" * 64}"', "Thu, 01 Jan 1970 00:00:00 GMT", "?"])
async def test_a_range_of_what_has_changed_gives_the_whole(
    client: httpx.AsyncClient, asked: str, known: str
) -> None:
    """`If-Range` that names another file lets no range pass, not even one beyond the end."""
    headers = {"range": asked, "if-range": known}
    response = await client.get("/v1/exports/tables.zip", headers=headers)
    assert response.status_code == 200
    assert response.content == (await client.get("/v1/exports/tables.zip")).content


async def test_a_range_of_another_release_gives_the_whole(client: httpx.AsyncClient) -> None:
    """A download that was begun before a new release is not mended with parts of it."""
    asked = {"range": "bytes=100-", "if-range": f'"{"0" * 64}"'}
    assert (await client.get("/v1/exports/tables.zip", headers=asked)).status_code == 200


async def test_an_unknown_file_is_a_problem(client: httpx.AsyncClient) -> None:
    """The answer says where they are listed; a parameter is refused as everywhere."""
    problem = assert_problem(await client.get("/v1/exports/record.xlsx"), 404)
    assert "/v1/exports" in problem["detail"]
    assert_problem(await client.get("/v1/exports/tables.zip?x=1"), 422)


NEEDED = {
    "/v1/exports/iati.xml": [one for one in PUBLISHED if one.startswith(("iati", "public"))],
    "/data.json": [one for one in PUBLISHED if not one.startswith("iati")],
}


@pytest.mark.parametrize(
    ("path", "setting"), [(p, one) for p, all_ in NEEDED.items() for one in all_]
)
async def test_what_a_setting_is_needed_for_is_not_made_up(
    own_archive: Path, path: str, setting: str
) -> None:
    """Without who reports or publishes there is no export, and the problem names the setting."""
    async with published_client(SEED, own_archive, **{setting: None}) as client:
        problem = assert_problem(await client.get(path), 404)
        assert setting.upper() in problem["detail"]
        assert path not in {one["path"] for one in (await entries(client)).values()}


async def test_regions_are_those_of_the_api(client: httpx.AsyncClient) -> None:
    """The file is, to the byte, the GeoJSON of the collection."""
    listed = await client.get("/v1/regions?format=geojson")
    assert (await client.get("/v1/exports/regions.geojson")).content == listed.content


def opened(file: Path) -> closing[sqlite3.Connection]:
    """A database export, its rows by name."""
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    return closing(connection)


async def download(client: httpx.AsyncClient, name: str, folder: Path) -> Path:
    """An export, in a file."""
    file = folder / name
    file.write_bytes((await client.get(f"/v1/exports/{name}")).content)
    return file


def rebuilt(connection: sqlite3.Connection, collection: str) -> Iterator[Json]:
    """The documents of a collection, from nothing but its table."""
    table = next(one for one in tables() if one.name == collection)
    kinds = {column.name: column.type for column in table.columns}
    for row in connection.execute(f"SELECT * FROM {collection} ORDER BY rowid"):  # noqa: S608 - a name from COLLECTIONS
        values = {key: typed(row[key], kinds[key]) for key in row.keys()}  # noqa: SIM118 - a row is no mapping
        yield cited(values) if collection == "citations" else values


def typed(value: Any, kind: str) -> Any:
    """A cell as the API gives it."""
    if value is None:
        return None
    if kind == "array":
        return json.loads(value)
    return bool(value) if kind == "boolean" else value


def cited(row: Json) -> Json:
    """A citation, its target and its reference put together again."""
    own = {key: row[key] for key in ("id", "resource_type", "resource", "field", "basis", "note")}
    quote = {"type": "TextQuoteSelector", "exact": row["quote"]}
    place = {"type": "TextPositionSelector", "start": row["quote_start"], "end": row["quote_end"]}
    source = f"/v1/sources/{row['source']}"
    target = {"type": "SpecificResource", "source": source, "selector": [quote, place]}
    referred = {key: row[f"reference_{key}"] for key in ("title", "url", "license")}
    return {
        **own,
        "reference": referred if row["reference_url"] else None,
        "target": target if row["source"] else None,
    }


@pytest.mark.parametrize("which", ["shipped", "awkward"])
async def test_the_database_gives_the_record_back(
    own_archive: Path, awkward: Path, tmp_path: Path, which: str
) -> None:
    """Every document, rebuilt from the tables alone, is the one that the API gives."""
    seed, archive = SEED, own_archive
    if which == "awkward":
        seed, archive = awkward / "seed.json", awkward / "archive.sqlite"
    async with published_client(seed, archive) as client:
        file = await download(client, "record.sqlite", tmp_path)
        record = (await client.get("/v1/record")).json()["data"]
    with opened(file) as connection:
        for collection in COLLECTIONS:
            given = [{k: v for k, v in one.items() if k != "links"} for one in record[collection]]
            assert list(rebuilt(connection, collection)) == given


async def test_the_database_is_sound(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """No foreign key leads nowhere, each is declared, and nothing internal is left in the file."""
    with opened(await download(client, "record.sqlite", tmp_path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert [row[0] for row in connection.execute("PRAGMA integrity_check")] == ["ok"]
        named = "SELECT name FROM sqlite_schema WHERE type = 'table'"
        present = {row[0] for row in connection.execute(named)}
        assert present == {"about", "outlines", *(table.name for table in tables())}
        for table in tables():
            led = connection.execute(f"PRAGMA foreign_key_list({table.name})")
            expected = {(one.name, one.references) for one in table.columns if one.references}
            assert {(row["from"], row["table"]) for row in led} == expected


async def test_lists_can_be_joined(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """The rows of each link table are the members of the lists beside it, in their order."""
    with opened(await download(client, "record.sqlite", tmp_path)) as connection:
        links = [table for table in tables() if len(table.key) == 2]
        assert links
        for table in links:
            owner = next(one.references for one in table.columns if one.references)
            collected: dict[str, list[str]] = {}
            for row in connection.execute(f"SELECT * FROM {table.name} ORDER BY rowid"):  # noqa: S608 - a name from the models
                collected.setdefault(row[0], []).append(row[1])
            field = table.name.partition("_")[2]
            listed = connection.execute(f"SELECT id, {field} FROM {owner}")  # noqa: S608 - names from the models
            assert collected == {row[0]: json.loads(row[1]) for row in listed if row[1]}


async def test_the_database_says_what_it_is(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Release, license and notice go with the file; the regions keep their outlines."""
    meta = (await client.get("/v1/meta")).json()["data"]
    shapes = (await client.get("/v1/exports/regions.geojson")).json()["features"]
    with opened(await download(client, "record.sqlite", tmp_path)) as connection:
        about = dict(connection.execute("SELECT key, value FROM about").fetchall())
        assert about["release"] == meta["release"]
        assert about["archive_notice"] == meta["archive_notice"]
        assert about["license"] == meta["license"]["title"]
        outlines = dict(connection.execute("SELECT region, geometry FROM outlines").fetchall())
    assert {one["id"]: one["geometry"] for one in shapes} == {
        name: json.loads(geometry) for name, geometry in outlines.items()
    }


def files_beside(archive: Path) -> dict[str, bytes]:
    """The export files beside an archive, by name."""
    (folder,) = (one for one in exports_directory(archive).iterdir() if one.is_dir())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.process
def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    """Another process, another folder, another hash seed: not a byte differs."""
    made = []
    for number in ("1", "2"):
        archive = tmp_path / number / "archive.sqlite"
        said = run_cli("build", "--archive", str(archive), PYTHONHASHSEED=number)
        assert said.returncode == 0, said.stderr
        made.append(files_beside(archive))
        assert all(name in said.stdout for name in KEPT)
    assert made[0] == made[1]
    assert set(made[0]) == {*KEPT, "index.json"}


async def test_what_a_killed_process_left_is_no_obstacle(
    archive_file: Path, tmp_path: Path
) -> None:
    """Half-written files are never given, and are gone once the whole ones are there."""
    archive = copy_archive(archive_file, tmp_path)
    root = exports_directory(archive)
    (root / ".unfinished").mkdir(parents=True)
    (root / ".unfinished" / "tables.zip").write_bytes(b"PK half")
    async with published_client(SEED, archive) as client:
        listed = await entries(client)
        package = await client.get("/v1/exports/tables.zip")
    assert len(package.content) == listed["tables.zip"]["bytes"]
    assert not (root / ".unfinished").exists()


@pytest.mark.process
def test_files_that_were_cut_short_are_made_anew(tmp_path: Path) -> None:
    """`build` mends a set in which a file was cut short or that lost its index."""
    archive = tmp_path / "archive.sqlite"
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    made = files_beside(archive)
    (folder,) = (one for one in exports_directory(archive).iterdir() if one.is_dir())
    (folder / "record.sqlite").write_bytes(b"SQLite")
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    assert files_beside(archive) == made
    (folder / "index.json").unlink()
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    assert files_beside(archive) == made


_FILL = (
    "import anyio, sys, pathlib; from app.archive.archive import Archive;"
    "from app.exports.files import build_exports; file = pathlib.Path(sys.argv[1]);"
    "print(anyio.run(build_exports, Archive.open(file), file).directory)"
)


@pytest.mark.process
def test_several_processes_make_one_set(archive_file: Path, tmp_path: Path) -> None:
    """Workers that start together wait for one another and give the same files."""
    archive = copy_archive(archive_file, tmp_path)
    command = [sys.executable, "-c", _FILL, str(archive)]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = {process.communicate(timeout=60)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(said) == 1


async def test_a_folder_that_cannot_be_written_is_told(archive_file: Path, tmp_path: Path) -> None:
    """The record is served all the same; the files are a 503 that shows no path."""
    archive = copy_archive(archive_file, tmp_path)
    exports_directory(archive).write_text("in the way")
    async with published_client(SEED, archive) as client:
        for path in ("/v1/exports", "/v1/exports/tables.zip"):
            problem = assert_problem(await client.get(path), 503)
            assert str(tmp_path) not in problem["detail"]
        assert (await client.get("/v1/awards")).status_code == 200


def times(folder: Path) -> dict[Path, int]:
    """When each file in a folder was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.process
async def test_files_that_are_there_need_no_writing(tmp_path: Path) -> None:
    """Where `build` wrote the files, serving them writes nothing."""
    archive = tmp_path / "archive.sqlite"
    assert run_cli("build", "--archive", str(archive), **ENVIRONMENT).returncode == 0
    before = times(tmp_path)
    async with published_client(SEED, archive) as client:
        assert set(await entries(client)) == set(EXPORTS)
    assert times(tmp_path) == before


@pytest.mark.process
def test_damage_is_found_and_mended(archive_file: Path, tmp_path: Path) -> None:
    """`verify` names a file that is not as it was written; `build` writes it again."""
    archive = copy_archive(archive_file, tmp_path)
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    before = files_beside(archive)
    (file,) = tmp_path.rglob("tables.zip")
    file.write_bytes(before["tables.zip"][:-1] + b"!")
    said = run_cli("verify", "--archive", str(archive))
    assert said.returncode == 1
    assert "tables.zip" in said.stderr
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    assert files_beside(archive) == before
    assert "exports match their digests" in run_cli("verify", ARCHIVE_FILE=str(archive)).stdout


@pytest.mark.process
def test_verify_tells_of_exports_that_are_not_there(archive_file: Path, tmp_path: Path) -> None:
    """Exports that nobody wrote are no fault, but are told; one that is gone is named."""
    archive = copy_archive(archive_file, tmp_path)
    said = run_cli("verify", "--archive", str(archive))
    assert said.returncode == 0, said.stderr
    assert "none built" in said.stdout
    assert run_cli("build", "--archive", str(archive)).returncode == 0
    (file,) = tmp_path.rglob("regions.geojson")
    file.unlink()
    said = run_cli("verify", "--archive", str(archive))
    assert said.returncode == 1
    assert "regions.geojson" in said.stderr
    assert "none built" not in said.stdout


@pytest.mark.process
def test_archives_in_one_folder_keep_their_own(seed: Any, tmp_path: Path) -> None:
    """However many archives are built beside one another, each one's files stay."""
    made = {}
    for number in range(3):
        seed.put("/awards/0/title", f"Another title of this program, {number}")
        archive = tmp_path / f"{number}.sqlite"
        said = run_cli("build", "--seed", str(seed.write()), "--archive", str(archive))
        assert said.returncode == 0, said.stderr
        made[archive] = files_beside(archive)
    assert {archive: files_beside(archive) for archive in made} == made


@pytest.mark.parametrize("gone", ["the folder", "a file"])
async def test_what_was_removed_is_made_again(
    archive_file: Path, tmp_path: Path, gone: str
) -> None:
    """A server whose files were removed gives the same ones at the next request."""
    archive = copy_archive(archive_file, tmp_path)
    async with published_client(SEED, archive) as client:
        for name in FILES:
            before = await client.get(f"/v1/exports/{name}")
            if gone == "the folder":
                shutil.rmtree(exports_directory(archive))
            else:
                for path in (*exports_directory(archive).rglob(name), *kept_activities(tmp_path)):
                    path.unlink()
            after = await client.get(f"/v1/exports/{name}")
            assert after.status_code == 200, after.text
            assert after.content == before.content
            assert after.headers == before.headers


async def test_the_files_of_the_release_before_stay(seed: Any, tmp_path: Path) -> None:
    """A server of the old release goes on giving its files while the new one's are made."""
    archive = tmp_path / "archive.sqlite"
    async with published_client(seed.path, archive) as old:
        before = (await old.get("/v1/exports/tables.zip")).content
        seed.put("/awards/0/title", "Another title of this program")
        seed.write()
        async with published_client(seed.path, archive) as new:
            after = (await new.get("/v1/exports/tables.zip")).content
        assert (await old.get("/v1/exports/tables.zip")).content == before
    assert before != after


def kept_activities(folder: Path) -> list[Path]:
    """The files of IATI activities below a folder."""
    return sorted(folder.rglob("iati-*.xml"))


async def test_iati_is_made_once(archive_file: Path, tmp_path: Path) -> None:
    """The second request, and the next process, give the file that the first one wrote."""
    archive = copy_archive(archive_file, tmp_path)
    async with published_client(SEED, archive) as client:
        first = await client.get("/v1/exports/iati.xml")
        (file,) = kept_activities(tmp_path)
        assert file.read_bytes() == first.content
        file.write_bytes(first.content.replace(b"Peru", b"PERU"))
    async with published_client(SEED, archive) as client:
        again = await client.get("/v1/exports/iati.xml")
        assert b"PERU" in again.content
        assert (await entries(client))["iati.xml"]["bytes"] == len(again.content)
    assert kept_activities(tmp_path) == [file]


async def test_iati_is_of_its_settings(archive_file: Path, tmp_path: Path) -> None:
    """Another reporter is given activities of its own."""
    archive = copy_archive(archive_file, tmp_path)
    made = []
    for name in ("First", "Second"):
        async with published_client(SEED, archive, iati_reporting_org_name=name) as client:
            made.append((await client.get("/v1/exports/iati.xml")).text)
    assert "First" in made[0]
    assert "Second" in made[1]
    assert "First" not in made[1]
    assert len(kept_activities(tmp_path)) == 2


async def test_iati_needs_no_disk(archive_file: Path, own_archive: Path, tmp_path: Path) -> None:
    """Where nothing can be written the activities are the same, whole, with their digest."""
    archive = copy_archive(archive_file, tmp_path)
    exports_directory(archive).write_text("in the way")
    async with published_client(SEED, own_archive) as client:
        expected = await client.get("/v1/exports/iati.xml")
    async with published_client(SEED, archive) as client:
        for _ in range(2):
            given = await client.get("/v1/exports/iati.xml")
            assert given.content == expected.content
            assert given.headers["repr-digest"] == expected.headers["repr-digest"]
        head = await client.head("/v1/exports/iati.xml")
        assert (head.content, head.headers) == (b"", given.headers)
