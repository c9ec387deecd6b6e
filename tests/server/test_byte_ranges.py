"""Byte ranges of whole collections as CSV and NDJSON (RFC 9110, 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.responses.byte_ranges import requested_range
from app.responses.problems import RangeNotSatisfiable
from benchmarks.corpus import write_corpus
from tests.conftest import Start
from tests.support.oracle import TYPES
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, client_for

pytestmark = pytest.mark.anyio

WHOLE = [
    f"/v1/{collection}?format={format_}" for collection in TYPES for format_ in ("csv", "ndjson")
]
QUERIES = [
    "/v1/citations?format=csv&basis=stated&sort=-id",
    "/v1/activities?format=ndjson&q=everywhere&sort=-title",
    "/v1/awards?sort=-announced&format=csv",
    "/v1/citations?fields=target&fields=basis&format=csv",
    "/v1/citations?format=ndjson&fields=links",
]
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a generated record, with several batches of citations."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 240)


@pytest.fixture(scope="module", params=[64_000_000, 0, 80_000])
async def any_client(
    corpus: Path, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """Clients of applications that cache every collection, none, and the small ones."""
    archive = corpus.with_name("archive.sqlite")
    async with client_for(corpus, archive, cache_bytes=request.param) as client:
        yield client


def positions(size: int) -> list[tuple[str, int, int]]:
    """Values of `Range`, each with the first and the last byte that it selects."""
    middle = size // 2
    return [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, size - 1),
        (f"bytes=0-{size - 1}", 0, size - 1),
        (f"bytes={size - 1}-", size - 1, size - 1),
        (f"bytes={middle}-{middle + 99}", middle, min(middle + 99, size - 1)),
        (f"bytes={middle}-{size * 5}", middle, size - 1),
        ("bytes=-1", size - 1, size - 1),
        (f"bytes=-{middle}", size - middle, size - 1),
        (f"bytes=-{size * 9}", 0, size - 1),
        ("BYTES=5-9", 5, 9),
    ]


@pytest.mark.parametrize("url", [*WHOLE, *QUERIES])
async def test_a_range_is_a_part_of_the_whole(any_client: httpx.AsyncClient, url: str) -> None:
    """206 with exactly these bytes, and with the headers that the whole has."""
    whole = await any_client.get(url, headers=PLAIN)
    size = len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    same = ("etag", "cache-control", "vary", "content-type", "x-data-release", "accept-ranges")
    for value, first, last in positions(size):
        part = await any_client.get(url, headers=PLAIN | {"Range": value})
        assert part.status_code == 206, value
        assert part.content == whole.content[first : last + 1], value
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.headers["content-length"] == str(last + 1 - first)
        assert {name: part.headers[name] for name in same} == {
            name: whole.headers[name] for name in same
        }
        assert "content-encoding" not in part.headers


@pytest.mark.parametrize("url", ["/v1/citations?format=csv", "/v1/citations?format=ndjson"])
async def test_the_parts_make_the_whole(any_client: httpx.AsyncClient, url: str) -> None:
    """A file that is read in steps of any size is the whole, over the edges of batches."""
    whole = (await any_client.get(url, headers=PLAIN)).content
    step = len(whole) // 7
    content = b""
    while len(content) < len(whole):
        headers = PLAIN | {"Range": f"bytes={len(content)}-{len(content) + step - 1}"}
        content += (await any_client.get(url, headers=headers)).content
    assert content == whole


@pytest.mark.parametrize("url", WHOLE)
async def test_head_has_the_length(any_client: httpx.AsyncClient, url: str) -> None:
    """HEAD has `Content-Length`, `Accept-Ranges` and the tag of the whole, and ignores `Range`."""
    head = await any_client.head(url, headers=PLAIN)
    whole = await any_client.get(url, headers=PLAIN)
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["accept-ranges"] == "bytes"
    assert head.headers["etag"] == whole.headers["etag"]
    ranged = await any_client.head(url, headers=PLAIN | {"Range": "bytes=0-4"})
    assert (ranged.status_code, ranged.content) == (200, b"")
    assert ranged.headers["content-length"] == head.headers["content-length"]
    assert "content-range" not in ranged.headers


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "gzip, br, zstd", "*"])
async def test_ranges_have_no_content_coding(any_client: httpx.AsyncClient, coding: str) -> None:
    """A range is one of the uncoded response, with its tag; the whole may be coded."""
    url, accept = "/v1/citations?format=csv", {"Accept-Encoding": coding}
    plain = await any_client.get(url, headers=PLAIN)
    coded = await any_client.get(url, headers=accept)
    assert coded.headers["content-encoding"]
    assert coded.headers["etag"] != plain.headers["etag"]
    assert coded.content == plain.content
    part = await any_client.get(url, headers=accept | {"Range": "bytes=7-12"})
    assert (part.status_code, part.content) == (206, plain.content[7:13])
    assert part.headers["etag"] == plain.headers["etag"]
    assert "content-encoding" not in part.headers
    resumed = accept | {"Range": "bytes=7-12", "If-Range": coded.headers["etag"]}
    assert (await any_client.get(url, headers=resumed)).status_code == 200


@pytest.mark.parametrize("url", ["/v1/citations?format=ndjson", "/v1/regions?format=csv"])
async def test_if_range(any_client: httpx.AsyncClient, url: str) -> None:
    """Only the current strong tag gives the range; anything else gives the whole."""
    whole = await any_client.get(url, headers=PLAIN)
    etag = whole.headers["etag"]
    for value, status in [
        (etag, 206),
        (f" {etag} ", 206),
        (f"W/{etag}", 200),
        ('"other"', 200),
        (f'{etag}, "other"', 200),
        ("*", 200),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 200),
    ]:
        headers = PLAIN | {"Range": "bytes=3-9", "If-Range": value}
        response = await any_client.get(url, headers=headers)
        assert response.status_code == status, value
        assert response.content == (whole.content[3:10] if status == 206 else whole.content)


async def test_if_none_match_comes_first(any_client: httpx.AsyncClient) -> None:
    """A current copy gives 304, with or without a range (RFC 9110, 13.2.2)."""
    url = "/v1/citations?format=csv"
    etag = (await any_client.get(url, headers=PLAIN)).headers["etag"]
    for _ in range(2):
        headers = PLAIN | {"Range": "bytes=0-9", "If-None-Match": etag}
        response = await any_client.get(url, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert not [name for name in response.headers if name.startswith("content-r")]
        headers["If-None-Match"] = '"other"'
        assert (await any_client.get(url, headers=headers)).status_code == 206


@pytest.mark.parametrize(
    "value",
    ["bytes=0-1,5-6", "bytes=5-4", "bytes=a-b", "bytes=", "bytes=-", "lines=0-5", "0-5", "bytes",
     "bytes=0-5;", "bytes= 0-5", ""],
)  # fmt: skip
async def test_other_ranges_are_ignored(any_client: httpx.AsyncClient, value: str) -> None:
    """Several ranges, other units and malformed ranges give the whole (RFC 9110, 14.2)."""
    url = "/v1/citations?format=csv"
    whole = await any_client.get(url, headers=PLAIN)
    for _ in range(2):
        response = await any_client.get(url, headers={**PLAIN, "Range": value})
        assert (response.status_code, response.content) == (200, whole.content)


@pytest.mark.parametrize("url", ["/v1/citations?format=csv", "/v1/awards?format=ndjson"])
async def test_a_range_beyond_the_end(any_client: httpx.AsyncClient, url: str) -> None:
    """416 with the size; nothing of the whole is sent, and the next request is served."""
    size = len((await any_client.get(url, headers=PLAIN)).content)
    for value in (
        f"bytes={size}-",
        f"bytes={size * 2}-{size * 3}",
        "bytes=-0",
        f"bytes={'9' * 999}-",
    ):
        response = await any_client.get(url, headers=PLAIN | {"Range": value})
        problem = assert_problem(response, 416)
        assert response.headers["content-range"] == f"bytes */{size}"
        assert response.headers["x-data-release"]
        assert str(size) in problem["detail"]
        stale = {"Range": value, "If-Range": '"other"'}
        assert (await any_client.get(url, headers=PLAIN | stale)).status_code == 200
    browser = PLAIN | {"Range": f"bytes={size}-", "Accept": "text/html"}
    page = await any_client.get(url, headers=browser)
    assert page.status_code == 416
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "url",
    ["/v1/awards", "/v1/awards?format=csv&limit=2", "/v1/awards?format=ndjson&limit=2",
     "/v1/regions?format=geojson", "/v1/awards/p0-award-0", "/v1/search?q=everywhere", "/v1/meta",
     "/v1/record", "/v1/awards?format=json"],
)  # fmt: skip
async def test_other_responses_have_no_ranges(any_client: httpx.AsyncClient, url: str) -> None:
    """Pages, items and JSON ignore `Range`, and keep their content coding."""
    whole = await any_client.get(url, headers={"Accept-Encoding": "gzip"})
    response = await any_client.get(url, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-4"})
    assert (response.status_code, response.content) == (200, whole.content)
    assert "accept-ranges" not in response.headers
    for name in ("content-encoding", "etag"):
        assert response.headers.get(name) == whole.headers.get(name)


async def test_the_format_may_be_negotiated(any_client: httpx.AsyncClient) -> None:
    """`Accept` selects the format of a range, as it does for the whole."""
    for accept in ("text/csv", "application/x-ndjson"):
        headers = PLAIN | {"Accept": accept}
        whole = await any_client.get("/v1/regions", headers=headers)
        part = await any_client.get("/v1/regions", headers=headers | {"Range": "bytes=1-5"})
        assert (part.status_code, part.content) == (206, whole.content[1:6])
    json = await any_client.get("/v1/regions", headers={"Range": "bytes=1-5"})
    assert json.status_code == 200


async def test_an_empty_body_has_no_ranges(any_client: httpx.AsyncClient) -> None:
    """Without rows, NDJSON is empty: a range of nothing is the whole."""
    url = "/v1/regions?format=ndjson&country=ZZ"
    response = await any_client.get(url, headers=PLAIN | {"Range": "bytes=0-"})
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("query", ["regoin=x", "format=csv&format=csv", "cursor=AAAA"])
async def test_errors_stay_errors(any_client: httpx.AsyncClient, query: str) -> None:
    """An invalid request is rejected with a range, too."""
    response = await any_client.get(
        f"/v1/awards?{query}", headers=PLAIN | {"Range": "bytes=0-5", "Accept": "text/csv"}
    )
    assert_problem(response, 422)


async def test_ranges_start_at_a_cursor(any_client: httpx.AsyncClient) -> None:
    """The rest of a collection has ranges of its own."""
    page = (await any_client.get("/v1/citations?limit=2&sort=-id")).json()
    cursor = httpx.URL(page["links"]["next"]).params["cursor"]
    url = f"/v1/citations?sort=-id&format=ndjson&cursor={cursor}"
    whole = await any_client.get(url, headers=PLAIN)
    part = await any_client.get(url, headers=PLAIN | {"Range": "bytes=-99"})
    assert (part.status_code, part.content) == (206, whole.content[-99:])


@pytest.mark.parametrize("cache_bytes", [64_000_000, 0])
async def test_ranges_follow_the_release(tmp_path: Path, cache_bytes: int) -> None:
    """After a release, ranges are those of the new one, and an old `If-Range` gives its whole."""
    url, wanted = "/v1/regions?format=csv", PLAIN | {"Range": "bytes=200-300"}
    parts, tags = [], []
    for random_seed in (1, 2):
        seed = write_corpus(tmp_path / str(random_seed), 48, random_seed)
        async with client_for(seed, tmp_path / "archive.sqlite", cache_bytes) as client:
            whole = await client.get(url, headers=PLAIN)
            part = await client.get(url, headers=wanted)
            assert part.content == whole.content[200:301]
            parts.append(part.content)
            tags.append(part.headers["etag"])
            if random_seed == 2:
                old = await client.get(url, headers=wanted | {"If-Range": tags[0]})
                assert (old.status_code, old.content) == (200, whole.content)
    assert parts[0] != parts[1]
    assert tags[0] != tags[1]


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-9", 5, (0, 4)),
        ("bytes=2-", 5, (2, 4)),
        ("bytes=-2", 5, (3, 4)),
        ("bytes=-9", 5, (0, 4)),
        ("bytes=0-0", 0, None),
        ("bytes=-0", 0, None),
        ("", 5, None),
    ],
)
def test_requested_range(header: str, size: int, expected: tuple[int, int] | None) -> None:
    """First and last byte, limited to the size; None for the whole."""
    assert requested_range(header, size) == expected


@pytest.mark.parametrize("header", ["bytes=5-", "bytes=5-9", "bytes=-0"])
def test_a_range_that_cannot_be_satisfied(header: str) -> None:
    """The problem names the size."""
    with pytest.raises(RangeNotSatisfiable) as raised:
        requested_range(header, 5)
    assert raised.value.headers == {"Content-Range": "bytes */5"}


@pytest.fixture(scope="module")
def large_server(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a server whose cache is too small for any collection."""
    folder = tmp_path_factory.mktemp("large")
    seed = write_corpus(folder, 480)
    url, _ = start_server(
        SEED_FILE=str(seed), ARCHIVE_FILE=str(folder / "archive.sqlite"), CACHE_BYTES="80000"
    )
    return url


@pytest.mark.server
@pytest.mark.parametrize("url", ["/v1/citations?format=csv", "/v1/regions?format=ndjson"])
def test_a_server_sends_ranges(large_server: str, url: str) -> None:
    """Over HTTP/1.1 too, on one connection that stays usable, before and after caching."""
    with httpx.Client(timeout=TIMEOUT_SECONDS, base_url=large_server, headers=PLAIN) as client:
        parts = [
            client.get(url, headers={"Range": "bytes=10-19"}),
            client.get(url, headers={"Range": "bytes=10-19"}),
        ]
        whole = client.get(url)
        parts += [client.get(url, headers={"Range": "bytes=10-19"})]
        assert client.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
        assert client.head(url).headers["content-length"] == str(len(whole.content))
        assert client.get(url).content == whole.content
    for part in parts:
        assert (part.status_code, part.content) == (206, whole.content[10:20])
