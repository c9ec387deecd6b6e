"""Methods, headers and validators are the same on every path."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import rfc8785

from app.archive.archive import COLLECTIONS
from tests.conftest import SEED
from tests.support.problem import assert_problem

pytestmark = pytest.mark.anyio

PATHS = [
    "/",
    "/v1",
    "/v1/meta",
    "/v1/record",
    "/docs",
    "/openapi.json",
    "/problems",
    *(f"/v1/{name}" for name in COLLECTIONS),
    "/v1/awards/peru-ilo",
    "/v1/citations/award.peru-ilo.announced.647810ad",
]


@pytest.mark.parametrize("path", PATHS)
async def test_success_is_cacheable_and_readable_from_any_origin(
    client: httpx.AsyncClient, path: str
) -> None:
    """Success has a strong ETag, max-age, the release and CORS, with or without `Origin`."""
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["etag"].startswith('"')
    assert response.headers["cache-control"].startswith("public, max-age=3600, ")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "ETag" in response.headers["access-control-expose-headers"]
    assert len(response.headers["x-data-release"]) == 64
    with_origin = await client.get(path, headers={"Origin": "https://example.org"})
    assert {**with_origin.headers} == {**response.headers}


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    """HEAD returns the headers of GET, before and after a GET."""
    head = await client.head(path)
    get = await client.get(path)
    assert head.content == b""
    assert {**head.headers} == {**get.headers}
    assert {**(await client.head(path)).headers} == {**get.headers}


@pytest.mark.parametrize("path", PATHS)
async def test_unchanged_resources_return_304(client: httpx.AsyncClient, path: str) -> None:
    """`If-None-Match` with the ETag, in a list, weak or as `*`, returns 304 without a body."""
    etag = (await client.get(path)).headers["etag"]
    for if_none_match in (etag, f'"other", W/{etag}', "*"):
        for method in ("GET", "HEAD"):
            response = await client.request(method, path, headers={"If-None-Match": if_none_match})
            assert response.status_code == 304
            assert response.content == b""
            assert response.headers["etag"] == etag
            assert "content-length" not in response.headers
    changed = await client.get(path, headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/v1/awards", "/healthz", "/nowhere"])
async def test_other_methods_are_rejected(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """Any other method returns 405 with `Allow`, on every path."""
    response = await client.request(method, path)
    assert_problem(response, 405)
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/v1/awards", "/healthz", "/nowhere"])
async def test_options_lists_allowed_methods(client: httpx.AsyncClient, path: str) -> None:
    """OPTIONS returns 204 with `Allow`, and CORS preflight succeeds for any origin."""
    preflight = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    for headers in ({}, preflight):
        response = await client.options(path, headers=headers)
        assert response.status_code == 204
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_never_cached(client: httpx.AsyncClient, path: str) -> None:
    """Health responses have `Cache-Control: no-store`."""
    response = await client.get(path)
    assert response.json() == {"status": "ok"}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("zstd, br, gzip", "zstd"),
        ("br, gzip", "br"),
        ("gzip", "gzip"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("*", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("identity", None),
        ("*;q=0", None),
        ("nonsense;q=x", None),
        ("", None),
    ],
)
async def test_preferred_content_coding_is_used(
    client: httpx.AsyncClient, accept_encoding: str, expected: str | None
) -> None:
    """The client's preferred content coding is used, and each coding has its own ETag."""
    plain = await client.get("/v1/awards", headers={"Accept-Encoding": "identity"})
    response = await client.get("/v1/awards", headers={"Accept-Encoding": accept_encoding})
    assert response.headers.get("content-encoding") == expected
    assert response.content == plain.content
    assert (response.headers["etag"] == plain.headers["etag"]) == (expected is None)


@pytest.mark.parametrize("name", ["json", "csv", "ndjson", "geojson"])
async def test_every_format_can_be_compressed(client: httpx.AsyncClient, name: str) -> None:
    """Responses in every format are compressed if the client accepts it."""
    response = await client.get(f"/v1/regions?format={name}", headers={"Accept-Encoding": "gzip"})
    assert response.headers.get("content-encoding") == "gzip"


async def test_the_release_is_the_digest_of_the_seed(client: httpx.AsyncClient) -> None:
    """`X-Data-Release`, pages and `/v1/meta` give the SHA-256 of the seed in canonical form."""
    digest = hashlib.sha256(rfc8785.dumps(json.loads(SEED.read_bytes()))).hexdigest()
    page, meta = await client.get("/v1/awards"), await client.get("/v1/meta")
    assert page.headers["x-data-release"] == digest
    assert page.json()["meta"]["release"] == digest
    assert meta.json()["data"]["release"] == digest


@pytest.mark.parametrize(
    "path",
    ["/v1/awards/", "/v1/awards/peru-ilo/", "/v1/", "//v1/awards", "/docs/"],
)
async def test_a_trailing_slash_suggests_the_right_path(
    client: httpx.AsyncClient, path: str
) -> None:
    """There is no redirect; the problem suggests the right path, and names its own."""
    address = f"http://record.test{path}"
    problem = assert_problem(await client.get(address), 404)
    assert "/" + path.strip("/") in problem["detail"]
    instance = urlsplit(urljoin(address, problem["instance"]))
    assert (instance.netloc, instance.path.removeprefix("/.")) == ("record.test", path)


async def test_a_misspelled_path_suggests_the_closest_match(client: httpx.AsyncClient) -> None:
    """An unknown path suggests a similar existing one."""
    problem = assert_problem(await client.get("/v1/award"), 404)
    assert "/v1/awards" in problem["detail"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PERU-ILO", " Did you mean peru-ilo?"),
        ("peru-illo", " Did you mean peru-ilo?"),
        ("NONE", ""),
        ("none", ""),
        ("%ED", ""),
    ],
)
async def test_an_unknown_id_suggests_a_similar_one(
    client: httpx.AsyncClient, name: str, hint: str
) -> None:
    """The id in lower case or the most similar one is suggested, if an award has it."""
    problem = assert_problem(await client.get(f"/v1/awards/{name}"), 404)
    assert problem["detail"] == f"No award has this id.{hint} See /v1/awards for all awards."


async def test_every_problem_type_is_explained(client: httpx.AsyncClient) -> None:
    """The `type` URI of every problem resolves to its explanation."""
    problem_types = (await client.get("/problems")).json()["data"]
    assert len(problem_types) >= 7
    for problem_type in problem_types:
        explained = (await client.get(problem_type["type"])).json()["data"]
        assert explained == problem_type
        assert explained["explanation"]
    assert_problem(await client.get("/problems/none"), 404)
