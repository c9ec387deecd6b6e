"""Methods, headers and validators, the same on every path."""

from __future__ import annotations

import hashlib

import httpx
import pytest

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
    "/v1/citations/award.peru-ilo.announced.1",
]


@pytest.mark.parametrize("path", PATHS)
async def test_success_can_be_kept_and_read_anywhere(client: httpx.AsyncClient, path: str) -> None:
    """Every success has a strong tag, a lifetime, the release and CORS, whoever asks."""
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["etag"].startswith('"')
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert response.headers["access-control-allow-origin"] == "*"
    assert "ETag" in response.headers["access-control-expose-headers"]
    assert len(response.headers["x-data-release"]) == 64
    asked = await client.get(path, headers={"Origin": "https://example.org"})
    assert {**asked.headers} == {**response.headers}


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    """HEAD gives GET's headers, asked first or second."""
    head = await client.head(path)
    get = await client.get(path)
    assert head.content == b""
    assert {**head.headers} == {**get.headers}
    assert {**(await client.head(path)).headers} == {**get.headers}


@pytest.mark.parametrize("path", PATHS)
async def test_unchanged_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    """If-None-Match with the tag, among others or weak or `*`, gives 304 without a body."""
    tag = (await client.get(path)).headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        for method in ("GET", "HEAD"):
            again = await client.request(method, path, headers={"If-None-Match": known})
            assert again.status_code == 304
            assert again.content == b""
            assert again.headers["etag"] == tag
            assert "content-length" not in again.headers
    changed = await client.get(path, headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/v1/awards", "/healthz", "/nowhere"])
async def test_nothing_can_be_changed(client: httpx.AsyncClient, method: str, path: str) -> None:
    """Any other method is 405 with `Allow`, on every path."""
    response = await client.request(method, path)
    assert_problem(response, 405)
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/v1/awards", "/healthz", "/nowhere"])
async def test_options_says_what_is_allowed(client: httpx.AsyncClient, path: str) -> None:
    """OPTIONS is 204 with `Allow`, and a preflight from any origin passes."""
    preflight = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    for headers in ({}, preflight):
        response = await client.options(path, headers=headers)
        assert response.status_code == 204
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_never_kept(client: httpx.AsyncClient, path: str) -> None:
    """Health answers are not to be stored by anyone."""
    response = await client.get(path)
    assert response.json() == {"status": "ok"}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("zstd, br, gzip", "zstd"),
        ("br, gzip", "br"),
        ("gzip", "gzip"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("zstd;q=0, *", "br"),
        ("identity", None),
        ("*;q=0", None),
        ("nonsense;q=x", None),
        ("", None),
    ],
)
async def test_the_best_accepted_coding_is_used(
    client: httpx.AsyncClient, accepted: str, chosen: str | None
) -> None:
    """Content codings follow the client's wish, and each has a tag of its own."""
    plain = await client.get("/v1/awards", headers={"Accept-Encoding": "identity"})
    response = await client.get("/v1/awards", headers={"Accept-Encoding": accepted})
    assert response.headers.get("content-encoding") == chosen
    assert response.content == plain.content
    assert (response.headers["etag"] == plain.headers["etag"]) == (chosen is None)


@pytest.mark.parametrize("name", ["json", "csv", "ndjson", "geojson"])
async def test_every_format_is_compressed(client: httpx.AsyncClient, name: str) -> None:
    """A client that accepts a coding gets it, whatever the format."""
    response = await client.get(f"/v1/regions?format={name}", headers={"Accept-Encoding": "gzip"})
    assert response.headers.get("content-encoding") == "gzip"


async def test_the_release_is_the_digest_of_the_seed(client: httpx.AsyncClient) -> None:
    """`X-Data-Release`, every page and the meta page name the SHA-256 of the seed file."""
    digest = hashlib.sha256(SEED.read_bytes()).hexdigest()
    page, meta = await client.get("/v1/awards"), await client.get("/v1/meta")
    assert page.headers["x-data-release"] == digest
    assert page.json()["meta"]["release"] == digest
    assert meta.json()["data"]["release"] == digest


@pytest.mark.parametrize(
    "path",
    ["/v1/awards/", "/v1/awards/peru-ilo/", "/v1/", "//v1/awards", "/docs/"],
)
async def test_a_trailing_slash_is_told_the_right_path(
    client: httpx.AsyncClient, path: str
) -> None:
    """Nothing redirects; the problem names the path that was meant."""
    response = await client.get(f"http://record.test{path}")
    problem = assert_problem(response, 404)
    assert "/" + path.strip("/") in problem["detail"]


async def test_a_misspelt_path_is_told_the_nearest(client: httpx.AsyncClient) -> None:
    """A path that names nothing suggests one that does."""
    problem = assert_problem(await client.get("/v1/award"), 404)
    assert "/v1/awards" in problem["detail"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("PERU-ILO", " Did you mean peru-ilo?"), ("NONE", ""), ("none", ""), ("%ED", "")],
)
async def test_an_id_in_capitals_is_told_the_right_one(
    client: httpx.AsyncClient, name: str, hint: str
) -> None:
    """An id is told in small letters where that names an award, and nothing else is guessed."""
    problem = assert_problem(await client.get(f"/v1/awards/{name}"), 404)
    assert problem["detail"] == f"No award has this id.{hint} See /v1/awards for all awards."


async def test_every_type_of_problem_is_explained(client: httpx.AsyncClient) -> None:
    """`type` resolves to its explanation."""
    listed = (await client.get("/problems")).json()["data"]
    assert len(listed) >= 7
    for kind in listed:
        explained = (await client.get(kind["type"])).json()["data"]
        assert explained == kind
        assert explained["explanation"]
    assert_problem(await client.get("/problems/none"), 404)
