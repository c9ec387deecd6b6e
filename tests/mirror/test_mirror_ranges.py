"""Range requests to a mirror behind nginx and Caddy, compared with the API."""

from __future__ import annotations

import httpx
import pytest

from tests.support.mirrors import assert_mirror_problem

pytestmark = [pytest.mark.anyio, pytest.mark.process, pytest.mark.web_server]

EXPORT = "/v1/exports/tables.zip"
COMPARED = ("content-length", "content-range", "content-type", "cache-control", "repr-digest")
SINGLE = ["bytes=0-9", "bytes=5-5", "bytes=100-", "bytes=-7", "bytes=-999999999", "bytes=9-10"]
SINGLE += ["bytes=0-999999999", "bytes=99-100", "bytes=119-120", "bytes=0-0"]
OUT_OF_RANGE = ["bytes=999999999-", "bytes=888888888-999999999", f"bytes={'9' * 18}-", "bytes=-0"]
MULTIPLE = [
    "bytes=0-9,20-29",
    "bytes=0-0,-1",
    "bytes=0-9,0-9",
    "bytes=0-5,999999999-",
    "bytes=,0-9",
]
MULTIPLE += ["bytes=888888888-,999999999-", "bytes=999999999-,"]
INVALID = ["lines=0-9", "items=999999999-", "foo", "bytes", "bytes=", "bytes=a-b", "bytes=7"]
INVALID += ["bytes=--5", "bytes=+0-9", "bytes= 0-9", "bytes=0 - 9", "bytes=0-9-10", "bytes=-"]
REVERSED = ["bytes=9-0", "bytes=10-9", "bytes=120-119", "bytes=1000-999", "bytes=999999999-5"]
REVERSED += ["bytes=210-201", "bytes=199-198", "bytes=2-1", "bytes=987654321987654321-1"]


@pytest.mark.parametrize("value", [*SINGLE, *OUT_OF_RANGE, *MULTIPLE, *INVALID, *REVERSED])
async def test_a_range_has_the_response_of_the_api(
    web: httpx.AsyncClient, live: httpx.AsyncClient, value: str
) -> None:
    """One range is 206, one past the end 416; what RFC 9110, 14.2 ignores is the whole file."""
    copy = await web.get(EXPORT, headers={"range": value})
    original = await live.get(EXPORT, headers={"range": value})
    assert copy.status_code == original.status_code
    if copy.status_code == 416:
        problem = assert_mirror_problem(copy, 416)
        assert problem["type"] == original.json()["type"]
        assert copy.headers["content-range"] == original.headers["content-range"]
        assert copy.headers["cache-control"] == "no-store"
        assert "repr-digest" not in copy.headers
    else:
        assert copy.content == original.content
        for name in COMPARED:
            assert copy.headers.get(name) == original.headers.get(name), name
    names = [name for name, _ in copy.headers.multi_items()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("value", ["bytes=0-9", "bytes=999999999-", "bytes=0-9,20-29", "lines=0-9"])
@pytest.mark.parametrize("path", [EXPORT, "/v1/awards", "/v1/awards/peru-ilo", "/"])
async def test_ranges_are_only_for_get_and_for_exports(
    web: httpx.AsyncClient, path: str, value: str
) -> None:
    """HEAD has no ranges (RFC 9110, 14.2); JSON and pages have none with GET either."""
    head = await web.head(path, headers={"range": value})
    assert (head.status_code, head.headers.get("content-range")) == (200, None)
    if path != EXPORT:
        response = await web.get(path, headers={"range": value})
        assert (response.status_code, response.headers.get("accept-ranges")) == (200, None)


async def test_a_download_can_be_resumed(web: httpx.AsyncClient) -> None:
    """A range is served while `If-Range` has the file's tag, with the digest of the full file."""
    full = await web.get(EXPORT)
    part = await web.get(EXPORT, headers={"range": "bytes=100-", "if-range": full.headers["etag"]})
    assert (part.status_code, part.content) == (206, full.content[100:])
    assert part.headers["repr-digest"] == full.headers["repr-digest"]
    assert part.headers["etag"] == full.headers["etag"]
    for value in ("bytes=0-9", "bytes=999999999-"):
        other = await web.get(EXPORT, headers={"range": value, "if-range": '"other"'})
        assert (other.status_code, other.content) == (200, full.content)


@pytest.mark.parametrize("value", ["bytes=0-9", "bytes=999999999-", "bytes=9-0", "lines=0-9"])
async def test_conditions_come_before_ranges(web: httpx.AsyncClient, value: str) -> None:
    """`If-None-Match` is evaluated first (RFC 9110, 13.2.2); no header is ever repeated."""
    full = await web.get(EXPORT)
    for condition in ({"if-none-match": full.headers["etag"]}, {"if-none-match": "*"}):
        response = await web.get(EXPORT, headers={"range": value, **condition})
        assert (response.status_code, response.content) == (304, b"")
    for condition in ({"if-none-match": '"other"'}, {"if-range": full.headers["etag"]}):
        response = await web.get(EXPORT, headers={"range": value, **condition})
        partial = value == "bytes=0-9"
        assert response.status_code == (206 if partial else 200)
        assert response.content == (full.content[:10] if partial else full.content)
        names = [name for name, _ in response.headers.multi_items()]
        assert len(names) == len(set(names))
