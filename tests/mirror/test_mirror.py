"""A mirror behind nginx and Caddy: same responses as the API, without running it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest

from tests.support.mirrors import accept_header, assert_mirror_problem, read_manifest

pytestmark = [pytest.mark.anyio, pytest.mark.process, pytest.mark.web_server]

CONNECTION_HEADERS = {"date", "server", "connection", "keep-alive", "transfer-encoding"}
FILE_HEADERS = {"etag", "last-modified", "accept-ranges", "content-length", "content-encoding"}
"""Headers that a web server derives from a file in its own way."""
OWN_HEADERS = CONNECTION_HEADERS | FILE_HEADERS | {"vary"}
"""Headers that differ from the API's; a mirror's files do not vary by `Accept`."""


def common_headers(response: httpx.Response) -> dict[str, str]:
    """Response headers that must be the same on every server."""
    return {name: value for name, value in response.headers.items() if name not in OWN_HEADERS}


def kept_headers(response: httpx.Response) -> dict[str, str]:
    """Response headers that a 304 must have too."""
    dropped = CONNECTION_HEADERS | {
        "accept-ranges",
        "content-encoding",
        "content-length",
        "content-type",
    }
    return {name: value for name, value in response.headers.items() if name not in dropped}


async def test_every_url_has_the_body_and_headers_of_the_api(
    live: httpx.AsyncClient, web: httpx.AsyncClient, mirror: Path
) -> None:
    """Body, type, CORS, caching and release are the application's, for every URL."""
    for entry in read_manifest(mirror):
        original = await live.get(
            entry["url"], headers={"accept-encoding": "identity", **accept_header(entry)}
        )
        copy = await web.get(entry["url"])
        assert copy.status_code == original.status_code == 200, entry["url"]
        assert copy.content == original.content, entry["url"]
        assert common_headers(copy) == common_headers(original), entry["url"]
        assert hashlib.sha256(copy.content).hexdigest() == entry["sha256"]
        assert not copy.headers["etag"].startswith("W/")
        assert "last-modified" not in copy.headers


async def test_every_url_supports_if_none_match(web: httpx.AsyncClient, mirror: Path) -> None:
    """A matching `If-None-Match` gives 304 with the same ETag for GET and HEAD."""
    for entry in read_manifest(mirror):
        etag = (await web.get(entry["url"])).headers["etag"]
        for method in ("GET", "HEAD"):
            response = await web.request(
                method, entry["url"], headers={"if-none-match": f'"x", {etag}'}
            )
            assert (response.status_code, response.content) == (304, b""), entry["url"]
            assert response.headers["etag"] == etag
            assert response.headers["access-control-allow-origin"] == "*"
            assert response.headers["cache-control"].startswith("public, max-age=")
        assert (await web.get(entry["url"], headers={"if-none-match": '"x"'})).status_code == 200


async def test_every_content_coding_has_its_own_etag(web: httpx.AsyncClient, mirror: Path) -> None:
    """Large responses are served compressed as they were stored, and decode to the plain body."""
    coded = [entry for entry in read_manifest(mirror) if entry["codings"]]
    assert {coding for entry in coded for coding in entry["codings"]} == {"gzip", "br", "zstd"}
    served_codings = set()
    for entry in coded:
        etags = {(await web.get(entry["url"])).headers["etag"]}
        for coding, file in entry["codings"].items():
            headers = {"accept-encoding": coding}
            async with web.stream("GET", entry["url"], headers=headers) as response:
                raw = b"".join([chunk async for chunk in response.aiter_raw()])
            if "content-encoding" in response.headers:
                assert response.headers["content-encoding"] == coding
                assert hashlib.sha256(raw).hexdigest() == file["sha256"]
                etags.add(response.headers["etag"])
                served_codings.add(coding)
            decoded = (await web.get(entry["url"], headers={"accept-encoding": coding})).content
            assert hashlib.sha256(decoded).hexdigest() == entry["sha256"]
        assert len(etags) == 1 + len(served_codings)
    assert served_codings >= {"gzip"}


async def test_head_returns_the_headers_of_get(web: httpx.AsyncClient, mirror: Path) -> None:
    """A client can read the headers without downloading the body."""
    for entry in read_manifest(mirror):
        head, get = await web.head(entry["url"]), await web.get(entry["url"])
        assert (head.status_code, head.content) == (200, b"")
        assert common_headers(head) == common_headers(get)
        assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("query", ["limit=1", "region=cusco", "x", "=", ";", "format=csv&a=b"])
@pytest.mark.parametrize(
    "path", ["/v1/awards", "/v1/awards/peru-ilo", "/problems", "/v1/exports", "/v1/search", "/no"]
)
async def test_a_query_string_is_rejected(web: httpx.AsyncClient, path: str, query: str) -> None:
    """A client never mistakes the full response for a filtered one."""
    problem = assert_mirror_problem(await web.get(f"{path}?{query}"), 422)
    assert problem["instance"] == path
    assert (await web.head(f"{path}?{query}")).status_code == 422


@pytest.mark.parametrize("query", ["fbclid=IwAR0", "utm_source=a&utm_medium=b", "x", ";"])
async def test_pages_for_people_ignore_the_query(
    web: httpx.AsyncClient, live: httpx.AsyncClient, mirror: Path, query: str
) -> None:
    """A link to a page works with what others append to it, for each URL that ignores it live."""
    ignoring = set()
    for entry in read_manifest(mirror):
        if entry["url"].count("/") > 2 and not entry["url"].startswith("/docs/"):
            continue
        original = await live.get(f"{entry['url']}?{query}", headers=accept_header(entry))
        copy = await web.get(f"{entry['url']}?{query}")
        assert copy.status_code == original.status_code, entry["url"]
        if copy.status_code == 200:
            assert hashlib.sha256(copy.content).hexdigest() == entry["sha256"]
            ignoring.add(entry["url"])
    assert {
        "/",
        "/history",
        "/docs",
        "/openapi.json",
        "/openapi-clients.json",
        "/robots.txt",
    } <= ignoring


async def test_files_vary_by_coding_only(web: httpx.AsyncClient, mirror: Path) -> None:
    """One `Vary`, as a file has one representation; exports have one coding too, so none."""
    for entry in read_manifest(mirror):
        for coding in ("identity", "gzip"):
            response = await web.get(entry["url"], headers={"accept-encoding": coding})
            expected = [] if entry["url"].startswith("/v1/exports/") else ["Accept-Encoding"]
            assert response.headers.get_list("vary") == expected, entry["url"]


async def test_an_empty_query_string_is_accepted(web: httpx.AsyncClient) -> None:
    """A trailing question mark is ignored, as by the API."""
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
async def test_an_unknown_path_is_a_problem(web: httpx.AsyncClient, path: str) -> None:
    """Nothing redirects, files have no second URL, and other origins may read the error."""
    response = await web.get(path, headers={"origin": "https://elsewhere.example"})
    problem = assert_mirror_problem(response, 404)
    assert problem["instance"] == path
    assert response.headers["x-data-release"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"])
@pytest.mark.parametrize("path", ["/v1/awards", "/nothing"])
async def test_the_mirror_is_read_only(
    web: httpx.AsyncClient, live: httpx.AsyncClient, path: str, method: str
) -> None:
    """Any other method is 405 with `Allow`, whatever the request body."""
    response = await web.request(method, path, content=b"" if method == "TRACE" else b"x" * 2_000)
    assert_mirror_problem(response, 405)
    assert response.headers["allow"] == (await live.request(method, path)).headers["allow"]


@pytest.mark.parametrize("path", ["/v1/awards", "/nothing"])
async def test_preflight_requests_succeed(
    web: httpx.AsyncClient, live: httpx.AsyncClient, path: str
) -> None:
    """OPTIONS returns what the application returns."""
    copy, original = await web.options(path), await live.options(path)
    assert (copy.status_code, copy.content) == (original.status_code, b"")
    assert common_headers(copy) == common_headers(original)


async def test_date_conditions_are_ignored(web: httpx.AsyncClient) -> None:
    """Modification times mean nothing, so no response depends on them."""
    future = {"if-modified-since": "Fri, 01 Jan 2038 00:00:00 GMT"}
    assert (await web.get("/v1/awards", headers=future)).status_code == 200


async def test_only_nginx_evaluates_if_match(
    web: httpx.AsyncClient, live: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    """The API and Caddy ignore `If-Match`; nginx returns a problem document."""
    condition = {"if-match": '"other"'}
    assert (await live.get("/v1/awards", headers=condition)).status_code == 200
    response = await web.get("/v1/awards", headers=condition)
    if request.node.callspec.params["address"] == "nginx":
        assert response.status_code == 412
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 412
    else:
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [("/", "application/json", "text/html"), ("/problems", "text/html", "application/json")],
)
async def test_a_url_has_one_representation(
    web: httpx.AsyncClient, path: str, accept: str, media_type: str
) -> None:
    """Whatever `Accept` says, `/` is the page and the problems are JSON."""
    response = await web.get(path, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media_type)
