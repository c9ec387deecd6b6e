"""304s, `Vary` and `Cache-Control` of every kind of address, however the response is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle, product
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.exports.citing import FILES as CITATION_FILES
from app.exports.listing import FILES
from app.main import ROUTERS
from tests.conftest import SEED, Start
from tests.support.published import ENVIRONMENT, copy_archive, published_client

pytestmark = pytest.mark.anyio

CODINGS = ("identity", "gzip", "br", "zstd", "*")
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
CACHE_CONTROL = "public, max-age=3600, stale-while-revalidate=3600, stale-if-error=604800"
PERMANENT = "/v1/releases/2026-11-24/record"
"""A response that never changes."""
HEALTH = ("/healthz", "/readyz")
ACTIVITY: str = json.loads(SEED.read_bytes())["activities"][0]["id"]
COLLECTIONS = {
    "partnerships": "us-peru-cpc",
    "objectives": "peru-protection",
    "awards": "peru-ilo",
    "activities": ACTIVITY,
    "regions": "cusco",
    "organizations": "ilo",
    "sources": "us-peru-cpc-page",
    "citations": "award.peru-ilo.announced.647810ad",
}
"""Each collection, and an item of it."""
QUERIES = {
    "/v1/search": "q=children",
    "/v1/changes": "since=2026-11-24",
    "/v1/awards": "limit=1",
    "/v1/regions": "format=geojson",
    "/v1/citations": "format=ndjson",
    "/v1/organizations": "format=csv",
}
"""Queries with which these paths are requested, too; some need one."""
NEED_QUERY = ("/v1/search", "/v1/changes")
VARY = {
    "/": "Accept, Accept-Encoding",
    "/problems": "Accept, Accept-Encoding",
    "/problems/{slug}": "Accept, Accept-Encoding",
    "/v1/cite": "Accept, Accept-Encoding",
    "/v1/exports/{file}": None,
    "/v1/changes": "Accept, Accept-Encoding",
    "/v1/releases": "Accept, Accept-Encoding",
    **{f"/v1/{name}": "Accept, Accept-Encoding" for name in COLLECTIONS},
}
"""`Vary` of the paths where it is not `Accept-Encoding`."""

Headers = Mapping[str, str]


PATHS = sorted({route.path for module in ROUTERS for route in module.router.routes} - {*HEALTH})
"""Every other path that the application serves, with parameters in braces."""


def urls_of(path: str) -> list[str]:
    """URLs to request for a path of the application."""
    urls = {f"/v1/{name}/{{id}}": [f"/v1/{name}/{item}"] for name, item in COLLECTIONS.items()}
    exports = {export.media_type: export.path for export in FILES.values()}
    urls["/v1/exports/{file}"] = [*exports.values()]
    urls["/v1/cite/{file}"] = [f"/v1/cite/{name}" for name in CITATION_FILES]
    urls["/docs/{name}"] = ["/docs/docs.js", "/docs/docs.css", "/docs/dashboards"]
    urls["/docs/images/{name}"] = ["/docs/images/dashboard.png"]
    urls["/problems/{slug}"] = ["/problems/not-found"]
    urls["/v1/releases/{label}"] = ["/v1/releases/latest", "/v1/releases/2026-11-24"]
    urls["/v1/releases/{label}/record"] = ["/v1/releases/latest/record", PERMANENT]
    found = urls.get(path, [path])
    if query := QUERIES.get(path):
        found = [*(found if path not in NEED_QUERY else []), f"{path}?{query}"]
    return found


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped archive, in a directory of its own for the exports."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("conditional"))


@pytest.fixture(scope="module", params=[64_000_000, 0], ids=["cached", "streamed"])
async def client(
    request: pytest.FixtureRequest, own_archive: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that provides every export, with a response cache or without."""
    async with published_client(SEED, own_archive, cache_bytes=request.param) as opened:
        yield opened


def comparable(headers: Headers) -> dict[str, str]:
    """A success's headers that its 304 must have, too: all but `Content-*`."""
    return {name: value for name, value in headers.items() if not name.startswith("content-")}


def assert_cacheable(url: str, headers: Headers, vary: str | None) -> None:
    """Check what every success and every 304 must have."""
    is_permanent = url == PERMANENT
    expected = "public, max-age=31536000, immutable" if is_permanent else CACHE_CONTROL
    assert headers.get("vary") == vary
    assert headers["cache-control"] == expected
    assert headers["etag"].startswith('"')
    assert headers["access-control-allow-origin"] == "*"
    assert len(headers["x-data-release"]) == 64


@pytest.mark.parametrize("path", PATHS)
async def test_a_304_has_the_headers_of_the_200(client: httpx.AsyncClient, path: str) -> None:
    """For every address, format and coding, on GET and HEAD, the first time and from the cache."""
    vary = VARY.get(path, "Accept-Encoding")
    accepts = ("*/*", HTML, "text/csv, */*;q=0.1") if path in VARY else (HTML,)
    for url, (coding, accept) in product(urls_of(path), zip(CODINGS, cycle(accepts), strict=False)):
        headers = {"Accept": accept, "Accept-Encoding": coding}
        async with client.stream("GET", url, headers=headers) as response:
            assert response.status_code == 200, url
            assert_cacheable(url, response.headers, vary)
        conditional = {**headers, "If-None-Match": response.headers["etag"]}
        for method in ("GET", "HEAD"):
            unchanged = await client.request(method, url, headers=conditional)
            assert (unchanged.status_code, unchanged.content) == (304, b""), url
            assert {**unchanged.headers} == comparable(response.headers), url


@pytest.mark.parametrize("path", PATHS)
async def test_vary_is_the_same_whatever_is_requested(client: httpx.AsyncClient, path: str) -> None:
    """HEAD, ranges, formats, methods and 406 do not change it; an error may be JSON or HTML."""
    requests: list[Headers] = [
        {},
        {"Accept": "image/png"},
        {"Accept": "text/csv", "Accept-Encoding": "*"},
        {"If-None-Match": "*", "Accept-Encoding": "zstd"},
        {"Range": "bytes=0-9", "Accept-Encoding": "identity"},
        {"Range": "bytes=999999999-"},
    ]
    for headers, method in product(requests, ("GET", "HEAD", "OPTIONS")):
        response = await client.request(method, urls_of(path)[0], headers=headers)
        error = response.status_code >= 400
        expected = "Accept, Accept-Encoding" if error else VARY.get(path, "Accept-Encoding")
        assert response.headers.get("vary") == expected, headers
        if error:
            assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", HEALTH)
async def test_health_is_never_not_modified(client: httpx.AsyncClient, path: str) -> None:
    """A probe that sends a tag, as a caching client does, gets the state of now."""
    for method in ("GET", "HEAD"):
        for headers in ({}, {"If-None-Match": "*"}, {"If-None-Match": '"a"'}):
            response = await client.request(method, path, headers=headers)
            assert response.status_code == 200
            assert "etag" not in response.headers
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["content-length"] == "15"


async def test_an_error_is_never_not_modified(client: httpx.AsyncClient) -> None:
    """Also where it is long and compressed: it has no tag that could match."""
    names = "&".join(f"unknown{number}=1" for number in range(20))
    for url in ("/nowhere", f"/v1/awards?{names}", "/v1/exports/none", "/v1/awards/none"):
        for coding in CODINGS:
            headers = {"If-None-Match": "*", "Accept-Encoding": coding}
            response = await client.get(url, headers=headers)
            assert response.status_code in {404, 422}
            assert "etag" not in response.headers
            assert response.headers["cache-control"] == "no-store"


SERVERS = {
    "fast path": {"ACCESS_LOG": "false"},
    "application": {"ACCESS_LOG": "true"},
    "streamed": {"ACCESS_LOG": "false", "CACHE_BYTES": "0"},
}


@pytest.fixture(scope="module", params=SERVERS)
def address(
    request: pytest.FixtureRequest,
    start_server: Start,
    archive_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A server whose connections send cached responses themselves, or do not."""
    archive = copy_archive(archive_file, tmp_path_factory.mktemp("served"))
    settings = {**ENVIRONMENT, "ARCHIVE_FILE": str(archive), **SERVERS[request.param]}
    url, _ = start_server(**settings)
    return url


@contextmanager
def connected(address: str) -> Iterator[HTTPConnection]:
    """A connection that changes no header of a request or response."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def exchange(
    connection: HTTPConnection, method: str, url: str, headers: Headers
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, and body of a response; `Date` is left out."""
    connection.putrequest(method, url, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    names = [name.lower() for name, _ in response.getheaders()]
    assert len(names) == len(set(names)), f"a header is repeated: {names}"
    received = {name.lower(): value for name, value in response.getheaders()}
    del received["date"]
    return response.status, received, response.read()


def test_a_304_of_a_server_has_the_headers_of_the_200(address: str) -> None:
    """The same over a connection, for responses that it sends itself and for all others."""
    with connected(address) as connection:
        for path in PATHS:
            for url, coding in product(urls_of(path), CODINGS):
                headers = {"Accept": HTML, "Accept-Encoding": coding}
                for _ in range(2):
                    status, received, _ = exchange(connection, "GET", url, headers)
                    assert status == 200, url
                    assert_cacheable(url, received, VARY.get(path, "Accept-Encoding"))
                conditional = {**headers, "If-None-Match": received["etag"]}
                received.pop("transfer-encoding", None)
                for method in ("GET", "HEAD"):
                    status, unchanged, body = exchange(connection, method, url, conditional)
                    assert (status, body) == (304, b""), url
                    assert unchanged == comparable(received), url
