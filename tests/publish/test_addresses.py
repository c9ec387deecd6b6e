"""Every address of the shipped record, from a bucket behind nginx and CloudFront's functions.

The bucket is on an S3 server. nginx is configured by the mirror; the functions run in Node.js.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import run_cli
from tests.publish.servers import (
    Bucket,
    serve_with_cloudfront_functions,
    serve_with_nginx,
)
from tests.support.history import REMOVED, SECOND, publish_shipped
from tests.support.mirrors import accept_header, freeze, read_manifest
from tests.support.problem import assert_problem
from tests.support.published import ENVIRONMENT, published_client

pytestmark = [pytest.mark.anyio, pytest.mark.process, pytest.mark.web_server, pytest.mark.node]

EDGES = {"nginx": serve_with_nginx, "cloudfront": serve_with_cloudfront_functions}
GONE = f"/v1/activities/{REMOVED}"
_OF_THE_SERVER = {"connection", "date", "server", "transfer-encoding", "keep-alive"}
_DIFFERENT = {"etag", "content-length", "x-request-id", "vary"}
"""Headers that are compared apart, or depend on the content coding."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a record that lacks a resource since a correction, and its mirror."""
    folder = tmp_path_factory.mktemp("corrected")
    seed, archive = str(publish_shipped(folder, SECOND)), str(folder / "archive.sqlite")
    freeze(folder / "mirror", "--seed", seed, "--archive", archive, **ENVIRONMENT)
    return folder


@pytest.fixture(scope="module")
def published(record: Path, s3: str) -> Bucket:
    """A bucket to which it was published."""
    bucket = Bucket.create(s3, "addresses")
    arguments = ("publish", bucket.target, "--mirror", str(record / "mirror"))
    result = run_cli(*arguments, timeout=600, **bucket.environment)
    assert result.returncode == 0, result.stderr
    return bucket


@pytest.fixture(scope="module", params=EDGES)
def edge(
    request: pytest.FixtureRequest,
    record: Path,
    published: Bucket,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Address of what serves the bucket."""
    work = tmp_path_factory.mktemp("edge") / request.param
    with EDGES[request.param](record / "mirror", published, work) as address:
        yield address


@pytest.fixture
async def web(edge: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it that accepts no content coding by default."""
    headers = {"accept-encoding": "identity"}
    # a connection that is idle on a busy machine may be closed by the server just when it is used
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=edge, headers=headers, timeout=120, limits=limits
    ) as client:
        yield client


@pytest.fixture
async def live(record: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that the mirror was made from."""
    async with published_client(record / "seed.json", record / "archive.sqlite") as client:
        yield client


async def test_every_address_is_that_of_the_api(
    web: httpx.AsyncClient, live: httpx.AsyncClient, record: Path
) -> None:
    """Status, body and headers, in each content coding; HEAD and entity tags of every tenth."""
    entries = read_manifest(record / "mirror")
    assert len(entries) > 250
    limit = asyncio.Semaphore(8)

    async def compare(number: int, entry: dict[str, Any]) -> None:
        async with limit:
            tag = await _compare(web, live, entry)
            if number % 10 == 0:
                await _compare_conditions(web, entry["url"], tag)

    await asyncio.gather(*[compare(*numbered) for numbered in enumerate(entries)])


async def _compare(web: httpx.AsyncClient, live: httpx.AsyncClient, entry: dict[str, Any]) -> str:
    """Compare an address in each content coding; its entity tag without one."""
    url = entry["url"]
    identity = {"accept-encoding": "identity"}
    expected = await live.get(url, headers={**accept_header(entry), **identity})
    found = await web.get(url)
    assert found.status_code == 200, (url, found.text)
    assert found.content == expected.content, url
    assert _headers(found) == _headers(expected), url
    assert found.headers["content-length"] == str(len(expected.content))
    is_export = url.startswith("/v1/exports/")
    assert found.headers.get("vary") == (None if is_export else "Accept-Encoding"), url
    for coding in ("gzip", "br"):
        coded = await web.get(url, headers={"accept-encoding": coding})
        assert coded.content == expected.content, (url, coding)
        assert coded.headers.get("content-encoding") == (None if is_export else coding), url
        tags_differ = coded.headers["etag"] != found.headers["etag"]
        assert tags_differ is not is_export, url
    tag: str = found.headers["etag"]
    return tag


async def _compare_conditions(web: httpx.AsyncClient, url: str, tag: str) -> None:
    head = await web.head(url)
    assert (head.status_code, head.content) == (200, b""), url
    assert head.headers["etag"] == tag, url
    known = await web.get(url, headers={"if-none-match": tag})
    assert (known.status_code, known.content) == (304, b""), url


def _headers(response: httpx.Response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name not in _OF_THE_SERVER | _DIFFERENT
    }


async def test_removed_resources_are_gone(
    web: httpx.AsyncClient, live: httpx.AsyncClient, record: Path
) -> None:
    """410 with the problem document of the API, for the resource and each of its citations."""
    entries = read_manifest(record / "mirror", 410)
    assert GONE in {entry["url"] for entry in entries}
    for entry in entries:
        expected, found = await live.get(entry["url"]), await web.get(entry["url"])
        assert_problem(found, 410, vary=None)
        assert found.content == expected.content
        assert found.headers["x-data-release"] == expected.headers["x-data-release"]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1/awards/", "/v1/awards/nothing", "/v1//awards", "/v1/awards.identity",
     "/v1/exports/nothing.csv", "/v1/%2e%2e/v1", "/index", "/v1/awards/a%20b", "/v1/search"],
)  # fmt: skip
async def test_other_paths_are_not_found(web: httpx.AsyncClient, path: str) -> None:
    """404 as a problem document; names of objects are no addresses.

    CloudFront has one document for all objects that are missing, without `instance`.
    """
    found = await web.get(path)
    assert found.status_code == 404, found.text
    assert found.headers["content-type"] == "application/problem+json"
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["access-control-allow-origin"] == "*"
    assert found.json()["type"] == "/problems/not-found"
    assert found.json().get("instance", path).startswith("/")


async def test_query_strings_are_refused_or_ignored(
    web: httpx.AsyncClient, live: httpx.AsyncClient, record: Path
) -> None:
    """As in the API: 422 where it reads them, the page where it ignores them."""
    for entry in read_manifest(record / "mirror"):
        if entry["url"].count("/") > 1:
            continue
        target = f"{entry['url']}?utm_source=letter"
        expected = await live.get(target, headers=accept_header(entry))
        found = await web.get(target)
        if expected.status_code == 200:
            assert found.content == expected.content, target
        else:
            problem = assert_problem(found, 422, vary=None)
            assert problem["instance"].startswith(entry["url"])


async def test_methods(web: httpx.AsyncClient, live: httpx.AsyncClient) -> None:
    """405 for what writes, and the preflight of the API for OPTIONS."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = await web.request(method, "/v1/awards")
        assert_problem(refused, 405, vary=None)
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
    expected, found = await live.options("/v1/awards"), await web.options("/v1/awards")
    assert (found.status_code, found.content) == (204, b"")
    for name in ("access-control-allow-origin", "access-control-allow-methods", "allow"):
        assert found.headers[name] == expected.headers[name]


async def test_ranges_of_exports(web: httpx.AsyncClient) -> None:
    """A single range is 206, one past the end 416, all others the whole file."""
    path = "/v1/exports/awards.csv"
    whole = await web.get(path)
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    for value, first, last in (("0-9", 0, 9), ("5-", 5, size - 1), ("-7", size - 7, size - 1)):
        part = await web.get(path, headers={"range": f"bytes={value}"})
        assert part.status_code == 206
        assert part.content == whole.content[first : last + 1]
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
    past = await web.get(path, headers={"range": f"bytes={size}-"})
    assert past.status_code == 416
    assert past.json()["type"] == "/problems/range-not-satisfiable"
    for value in ("bytes=0-1,3-4", "bytes=x", "lines=0-1"):
        assert (await web.get(path, headers={"range": value})).content == whole.content
    resumed = {"range": "bytes=5-", "if-range": whole.headers["etag"]}
    assert (await web.get(path, headers=resumed)).content in (whole.content[5:], whole.content)
    changed = {"range": "bytes=5-", "if-range": '"other"'}
    assert (await web.get("/v1", headers={"range": "bytes=0-1"})).status_code == 200
    if "nginx" in whole.headers.get("server", ""):
        assert (await web.get(path, headers=changed)).content == whole.content


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, br", "br"), ("br;q=0, gzip", "gzip"), ("*", "gzip"), ("gzip;q=0, *", None),
     ("GZIP", "gzip"), ("zstd", None), ("x-br, gzipped", None), ("br;q=0.5", "br"), ("", None)],
)  # fmt: skip
async def test_content_codings_are_negotiated(
    web: httpx.AsyncClient, accepted: str, coding: str | None
) -> None:
    """The best of what the client accepts, never one that it refuses."""
    found = await web.get("/v1/awards", headers={"accept-encoding": accepted})
    assert found.headers.get("content-encoding") == coding
    assert found.json()["data"]


async def test_responses_have_no_headers_of_the_store(web: httpx.AsyncClient) -> None:
    """Nothing tells where an object came from."""
    for path in ("/", "/v1/exports/awards.csv", GONE):
        found = await web.get(path)
        assert not [name for name in found.headers if name.startswith("x-amz")]
        assert "last-modified" not in found.headers


def test_the_bucket_is_verified(record: Path, published: Bucket) -> None:
    """Every object is read back, and the mirror is compared with the application."""
    arguments = ("--seed", str(record / "seed.json"), "--archive", str(record / "archive.sqlite"))
    environment = {**ENVIRONMENT, **published.environment}
    verified = run_cli("verify", "--mirror", published.target, *arguments, **environment)
    assert verified.returncode == 0, verified.stderr
