"""A mirror answers as the application does, whole, checked, and without it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.archive.archive import COLLECTIONS, Archive
from app.archive.release import build_if_stale
from app.main import create_app
from app.mirror.freeze import MirrorError, freeze
from app.settings import Settings
from benchmarks.corpus import write_corpus
from tests.conftest import ROOT, SEED, run_cli
from tests.support.mirrors import SERVERS
from tests.support.problem import assert_problem
from tests.support.published import ENVIRONMENT, copy_archive, published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
OF_THE_CONNECTION = {"date", "server", "connection", "keep-alive", "transfer-encoding"}
OWN = {"etag", "last-modified", "accept-ranges", "content-length", "content-encoding"}
"""Headers that a web server makes of a file in its own way."""


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, compiled, in a folder where its exports may be."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def mirror(own_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of the shipped record, with every export."""
    folder = tmp_path_factory.mktemp("mirror") / "record"
    frozen(folder, own_archive)
    return folder


def frozen(folder: Path, archive: Path, *options: str) -> None:
    """Freeze as a person would."""
    said = run_cli("freeze", str(folder), "--archive", str(archive), *options, **ENVIRONMENT)
    assert said.returncode == 0, said.stderr


@pytest.fixture
async def live(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that was frozen."""
    async with published_client(SEED, own_archive) as opened:
        yield opened


@pytest.fixture(scope="module", params=SERVERS)
def address(
    request: pytest.FixtureRequest, mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a real web server on the mirror."""
    work = tmp_path_factory.mktemp("served") / request.param
    with SERVERS[request.param](mirror, work) as base:
        yield base


@pytest.fixture
async def web(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that server that accepts no coding unless told to."""
    headers = {"accept-encoding": "identity"}
    async with httpx.AsyncClient(base_url=address, headers=headers) as opened:
        yield opened


def manifest(mirror: Path) -> list[Json]:
    """Every entry of a mirror."""
    return [json.loads(line) for line in (mirror / "manifest.ndjson").read_bytes().splitlines()]


def accepted(entry: Json) -> dict[str, str]:
    """Request headers that make the application answer as the mirror does."""
    if entry["url"] == "/":
        return {"accept": "text/html, */*;q=0.1"}
    return {"accept": "application/x-ndjson"} if "note" in entry else {}


def told(response: httpx.Response) -> dict[str, str]:
    """What an answer says of itself that any server says alike."""
    return {
        name: value
        for name, value in response.headers.items()
        if name not in OF_THE_CONNECTION | OWN
    }


async def test_every_address_gives_the_live_body_and_headers(
    live: httpx.AsyncClient, web: httpx.AsyncClient, mirror: Path
) -> None:
    """Body, type, CORS, caching and release are the application's, on every address."""
    for entry in manifest(mirror):
        original = await live.get(
            entry["url"], headers={"accept-encoding": "identity", **accepted(entry)}
        )
        copy = await web.get(entry["url"])
        assert copy.status_code == original.status_code == 200, entry["url"]
        assert copy.content == original.content, entry["url"]
        assert told(copy) == told(original), entry["url"]
        assert hashlib.sha256(copy.content).hexdigest() == entry["sha256"]
        assert not copy.headers["etag"].startswith("W/")
        assert "last-modified" not in copy.headers


async def test_every_address_knows_what_is_had(web: httpx.AsyncClient, mirror: Path) -> None:
    """`If-None-Match` gives 304 with the same validator on GET and HEAD; another tag does not."""
    for entry in manifest(mirror):
        etag = (await web.get(entry["url"])).headers["etag"]
        for method in ("GET", "HEAD"):
            again = await web.request(
                method, entry["url"], headers={"if-none-match": f'"x", {etag}'}
            )
            assert (again.status_code, again.content) == (304, b""), entry["url"]
            assert again.headers["etag"] == etag
            assert again.headers["access-control-allow-origin"] == "*"
            assert again.headers["cache-control"] == "public, max-age=3600"
        assert (await web.get(entry["url"], headers={"if-none-match": '"x"'})).status_code == 200


async def test_every_coding_is_the_same_answer_under_a_tag_of_its_own(
    web: httpx.AsyncClient, mirror: Path
) -> None:
    """Large answers come compressed as they were frozen, and decode to the plain ones."""
    coded = [entry for entry in manifest(mirror) if entry["codings"]]
    assert {coding for entry in coded for coding in entry["codings"]} == {"gzip", "br", "zstd"}
    seen = set()
    for entry in coded:
        tags = {(await web.get(entry["url"])).headers["etag"]}
        for coding, kept in entry["codings"].items():
            headers = {"accept-encoding": coding}
            async with web.stream("GET", entry["url"], headers=headers) as answer:
                raw = b"".join([piece async for piece in answer.aiter_raw()])
            if "content-encoding" in answer.headers:
                assert answer.headers["content-encoding"] == coding
                assert hashlib.sha256(raw).hexdigest() == kept["sha256"]
                tags.add(answer.headers["etag"])
                seen.add(coding)
            whole = (await web.get(entry["url"], headers={"accept-encoding": coding})).content
            assert hashlib.sha256(whole).hexdigest() == entry["sha256"]
        assert len(tags) == 1 + len(seen)
    assert seen >= {"gzip"}


async def test_codings_are_the_live_ones(live: httpx.AsyncClient, mirror: Path) -> None:
    """A compressed file holds what the application sends, less the time in a gzip header."""
    for entry in manifest(mirror):
        for coding, kept in entry["codings"].items():
            headers = {"accept-encoding": coding, **accepted(entry)}
            async with live.stream("GET", entry["url"], headers=headers) as answer:
                raw = b"".join([piece async for piece in answer.aiter_raw()])
            written = (mirror / "files" / kept["file"]).read_bytes()
            cut = 8 if coding == "gzip" else 0
            assert written[cut:] == raw[cut:]


async def test_head_gives_the_headers_of_get(web: httpx.AsyncClient, mirror: Path) -> None:
    """A client learns of an answer without loading it."""
    for entry in manifest(mirror):
        head, got = await web.head(entry["url"]), await web.get(entry["url"])
        assert (head.status_code, head.content) == (200, b"")
        assert told(head) == told(got)
        assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize("query", ["limit=1", "region=cusco", "x", "=", ";", "format=csv&a=b"])
@pytest.mark.parametrize("path", ["/v1/awards", "/v1/awards/peru-ilo", "/", "/v1/exports", "/no"])
async def test_a_query_is_refused(web: httpx.AsyncClient, path: str, query: str) -> None:
    """Nobody takes the whole for the part that was asked for."""
    problem = assert_problem(await web.get(f"{path}?{query}"), 422)
    assert problem["instance"] == path
    assert (await web.head(f"{path}?{query}")).status_code == 422


async def test_an_empty_query_is_none(web: httpx.AsyncClient) -> None:
    """A lone question mark asks for nothing, here as there."""
    assert (await web.get("/v1/awards?")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v1/awards/",
        "/v1/awards/nobody",
        "/v1/awards/peru-ilo/",
        "/v1//awards",
        "/v1/awards//peru-ilo",
        "/v1/awards/peru-ilo.json",
        "/v1/awards.json",
        "/v1/meta.json.gz",
        "/v1.json",
        "/index.json",
        "/V1/awards",
        "/v1/AWARDS/peru-ilo",
        "/v1/",
        "/docs/",
        "/v1/search",
        "/healthz",
        "/files/v1.json",
        "/mirror.json",
        "/v1/awards/%22%0a",
    ],
)
async def test_what_is_not_there_is_told_as_a_problem(web: httpx.AsyncClient, path: str) -> None:
    """Nothing redirects, no file is reached but by its address, and a page may read the error."""
    response = await web.get(path, headers={"origin": "https://elsewhere.example"})
    problem = assert_problem(response, 404)
    assert problem["instance"] == path
    assert response.headers["x-data-release"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"])
@pytest.mark.parametrize("path", ["/v1/awards", "/nothing"])
async def test_the_mirror_is_read_only(
    web: httpx.AsyncClient, live: httpx.AsyncClient, path: str, method: str
) -> None:
    """Any other method is 405 with what is allowed, whatever is sent along."""
    response = await web.request(method, path, content=b"" if method == "TRACE" else b"x" * 2_000)
    assert_problem(response, 405)
    assert response.headers["allow"] == (await live.request(method, path)).headers["allow"]


@pytest.mark.parametrize("path", ["/v1/awards", "/nothing"])
async def test_a_preflight_is_answered(
    web: httpx.AsyncClient, live: httpx.AsyncClient, path: str
) -> None:
    """OPTIONS gives what the application gives."""
    copy, original = await web.options(path), await live.options(path)
    assert (copy.status_code, copy.content) == (original.status_code, b"")
    assert told(copy) == told(original)


async def test_conditions_that_the_record_does_not_heed_do_no_harm(web: httpx.AsyncClient) -> None:
    """Times of files mean nothing, so no answer depends on them; JSON comes whole."""
    later = {"if-modified-since": "Fri, 01 Jan 2038 00:00:00 GMT"}
    assert (await web.get("/v1/awards", headers=later)).status_code == 200
    part = await web.get("/v1/awards", headers={"range": "bytes=0-9"})
    assert part.status_code == 200
    assert "accept-ranges" not in part.headers


async def test_a_demanded_tag_is_heeded_by_nginx_alone(
    web: httpx.AsyncClient, live: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    """The API and Caddy answer whatever `If-Match` demands, nginx with a problem document."""
    demanded = {"if-match": '"other"'}
    assert (await live.get("/v1/awards", headers=demanded)).status_code == 200
    response = await web.get("/v1/awards", headers=demanded)
    if request.node.callspec.params["address"] == "nginx":
        assert response.status_code == 412
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 412
    else:
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "asked", "given"),
    [("/", "application/json", "text/html"), ("/problems", "text/html", "application/json")],
)
async def test_an_address_has_one_answer(
    web: httpx.AsyncClient, path: str, asked: str, given: str
) -> None:
    """Whatever is accepted, `/` is the page and the problems are JSON."""
    response = await web.get(path, headers={"accept": asked})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(given)


async def test_a_download_can_be_resumed(web: httpx.AsyncClient) -> None:
    """Exports come in ranges with the digest of the whole; one beyond the end is a problem."""
    path = "/v1/exports/tables.zip"
    whole = await web.get(path)
    part = await web.get(path, headers={"range": "bytes=100-", "if-range": whole.headers["etag"]})
    assert part.status_code == 206
    assert part.content == whole.content[100:]
    assert part.headers["repr-digest"] == whole.headers["repr-digest"]
    assert (await web.get(path, headers={"range": "bytes=-7"})).content == whole.content[-7:]
    for asked in (f"bytes={len(whole.content)}-", f"bytes={'9' * 18}-"):
        beyond = await web.get(path, headers={"range": asked})
        assert_problem(beyond, 416)
        assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    other = await web.get(path, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)


def test_the_mirror_holds_all_that_the_application_has(mirror: Path, own_archive: Path) -> None:
    """Every path of the application is in the mirror, or named as left out with its status."""
    urls = {entry["url"] for entry in manifest(mirror)}
    summary = json.loads((mirror / "mirror.json").read_bytes())
    app = create_app(Settings())
    for path in {getattr(route, "path", "") for route in app.routes}:
        if "{" in path:
            below = path.partition("{")[0]
            assert any(url.startswith(below) for url in urls), path
        else:
            assert (path in urls) != (path in summary["left_out"]), path
    assert set(summary["left_out"]) == {"/v1/search", "/healthz", "/readyz"}
    archive = Archive.open(own_archive)
    for name in COLLECTIONS:
        assert len([url for url in urls if url.startswith(f"/v1/{name}/")]) == archive.counts[name]
    archive.close()


def test_every_link_of_the_mirror_leads_somewhere(mirror: Path) -> None:
    """What the index, the exports and the documentation lead to is there."""
    urls = {entry["url"]: entry for entry in manifest(mirror)}
    index = json.loads((mirror / "files" / urls["/v1"]["file"]).read_bytes())
    assert set(index["links"].values()) - {"/v1/search"} <= set(urls)
    listed = json.loads((mirror / "files" / urls["/v1/exports"]["file"]).read_bytes())["data"]
    for one in listed:
        assert urls[one["path"]]["sha256"] == one["sha256"]
    assert {"/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"} <= set(urls)


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder with its time."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), int(path.stat().st_mtime))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_mirrors_are_the_same(mirror: Path, archive_file: Path, tmp_path: Path) -> None:
    """Another process, another folder, another archive: not a byte differs, nor a time."""
    again = tmp_path / "again"
    frozen(again, copy_archive(archive_file, tmp_path))
    assert tree(again) == tree(mirror)
    assert sorted(path.name for path in tmp_path.iterdir() if "archive" not in path.name) == [
        "again"
    ]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a made-up record of 480 resources, compiled."""
    folder = tmp_path_factory.mktemp("large")
    write_corpus(folder, 480)
    build_if_stale(folder / "seed.json", folder / "archive.sqlite")
    return folder


def test_a_killed_freeze_leaves_the_mirror_as_it_was(
    large: Path, mirror: Path, tmp_path: Path
) -> None:
    """Killed half way, nothing is changed; run again, it is whole and nothing is left beside it."""
    folder = Path(shutil.copytree(mirror, tmp_path / "record"))
    before = tree(folder)
    options = ["--seed", str(large / "seed.json"), "--archive", str(large / "archive.sqlite")]
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "freeze", str(folder), *options], cwd=ROOT
    )
    half = tmp_path / ".record.unfinished" / "files" / "v1" / "citations"
    deadline = time.monotonic() + 60
    while not half.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert tree(folder) == before
    assert half.exists()
    said = run_cli("freeze", str(folder), *options)
    assert said.returncode == 0, said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["record"]
    assert run_cli("verify", "--mirror", str(folder), *options).returncode == 0


def test_a_long_collection_is_there_as_lines(large: Path, tmp_path: Path) -> None:
    """Longer than a page, a collection is whole under its address, and the manifest says so."""
    folder = tmp_path / "record"
    archive = str(large / "archive.sqlite")
    said = run_cli("freeze", str(folder), "--seed", str(large / "seed.json"), "--archive", archive)
    assert said.returncode == 0, said.stderr
    opened = Archive.open(large / "archive.sqlite")
    entries = {entry["url"]: entry for entry in manifest(folder)}
    long = [f"/v1/{name}" for name, count in opened.counts.items() if count > 200]
    assert "/v1/citations" in long
    assert json.loads((folder / "mirror.json").read_bytes())["as_lines"] == long
    for name, count in opened.counts.items():
        entry = entries[f"/v1/{name}"]
        content = (folder / "files" / entry["file"]).read_bytes()
        if count > 200:
            assert entry["media_type"] == "application/x-ndjson"
            assert "note" in entry
            assert len([json.loads(line) for line in content.splitlines()]) == count
        else:
            assert len(json.loads(content)["data"]) == count
    opened.close()


def test_a_record_without_awards_is_mirrored(seed: Any, tmp_path: Path) -> None:
    """Collections that are empty are there, and have no items."""
    seed.data["awards"] = seed.data["activities"] = []
    options = ["--seed", str(seed.write()), "--archive", str(tmp_path / "archive.sqlite")]
    said = run_cli("freeze", str(tmp_path / "record"), *options)
    assert said.returncode == 0, said.stderr
    assert run_cli("verify", "--mirror", str(tmp_path / "record"), *options).returncode == 0


def names_in(folder: Path) -> list[str]:
    """What is in a folder, hidden or not."""
    return [path.name for path in folder.iterdir()]


async def test_what_no_configuration_can_hold_is_told(own_archive: Path, tmp_path: Path) -> None:
    """A header that would mean something else to a web server stops it; nothing is left behind."""
    app = create_app(Settings(seed_file=SEED, archive_file=own_archive))
    odd = {"x-odd": "$odd"}
    app.router.routes.append(Route("/odd", lambda _: PlainTextResponse("odd", headers=odd)))
    async with app.router.lifespan_context(app):
        with pytest.raises(MirrorError, match=r"x-odd cannot be written .* \$odd\.$"):
            await freeze(app, app.state.archive, tmp_path / "record", lambda *_: None)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("what", ["a file", "a full folder", "no parent", "a link"])
def test_nothing_but_a_mirror_is_replaced(own_archive: Path, tmp_path: Path, what: str) -> None:
    """A place that holds something else is left alone, and the message says what would do."""
    folder = tmp_path / "place"
    if what == "a file":
        folder.write_text("mine")
    elif what == "a full folder":
        folder.mkdir()
        (folder / "mine").write_text("mine")
    elif what == "a link":
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder = folder / "further"
    before = sorted(tmp_path.rglob("*"))
    said = run_cli("freeze", str(folder), "--archive", str(own_archive))
    assert said.returncode == 3
    assert "name" in said.stderr
    assert "Traceback" not in said.stderr
    assert sorted(tmp_path.rglob("*")) == before


def spoiled(mirror: Path, folder: Path, how: str) -> tuple[Path, str]:
    """A copy of a mirror with one thing wrong; what `verify` should name."""
    copy = Path(shutil.copytree(mirror, folder / "record"))
    award = copy / "files" / "v1" / "awards" / "peru-ilo.json"
    if how == "changed":
        content = award.read_bytes()
        times = award.stat()
        award.write_bytes(content.replace(b"peru", b"PERU", 1))
        os.utime(award, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif how == "missing":
        award.unlink()
    elif how == "extra":
        (award.parent / "other.json").write_bytes(b"{}")
        return copy, "files/v1/awards/other.json"
    elif how == "time":
        award.touch()
    elif how == "manifest":
        (copy / "manifest.ndjson").write_bytes(b"{}\n")
        return copy, "manifest.ndjson"
    elif how == "configuration":
        (copy / "nginx" / "server.conf").write_text("autoindex on;")
        return copy, "nginx/server.conf"
    elif how == "summary":
        (copy / "mirror.json").write_text("[]")
        return copy, "mirror.json"
    return copy, "files/v1/awards/peru-ilo.json"


@pytest.mark.parametrize(
    "how", ["changed", "missing", "extra", "time", "manifest", "configuration", "summary"]
)
def test_what_is_wrong_is_named(mirror: Path, own_archive: Path, tmp_path: Path, how: str) -> None:
    """`verify --mirror` names the file that is not as it was frozen."""
    copy, name = spoiled(mirror, tmp_path, how)
    said = run_cli("verify", "--mirror", str(copy), ARCHIVE_FILE=str(own_archive), **ENVIRONMENT)
    assert said.returncode == 1, said.stdout
    assert name in said.stderr
    assert "Traceback" not in said.stderr


def test_a_whole_mirror_is_found_whole(mirror: Path, own_archive: Path) -> None:
    """Nothing is said against a mirror that is the release's; the check writes nothing to it."""
    before = tree(mirror)
    said = run_cli("verify", "--mirror", str(mirror), ARCHIVE_FILE=str(own_archive), **ENVIRONMENT)
    assert said.returncode == 0, said.stderr
    assert tree(mirror) == before


def test_a_mirror_of_another_release_is_found_out(mirror: Path, seed: Any, tmp_path: Path) -> None:
    """A mirror that is whole, but not of this record, is named with what differs."""
    seed.put("/awards/0/title", "Another title of this programme")
    options = ["--seed", str(seed.write()), "--archive", str(tmp_path / "archive.sqlite")]
    said = run_cli("verify", "--mirror", str(mirror), *options, **ENVIRONMENT)
    assert said.returncode == 1
    assert "/v1/awards/peru-ilo" in said.stderr


def test_a_folder_that_is_no_mirror_is_told(tmp_path: Path) -> None:
    """A wrong path is a sentence, not a traceback."""
    said = run_cli("verify", "--mirror", str(tmp_path / "nowhere"))
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert "nowhere" in said.stderr
