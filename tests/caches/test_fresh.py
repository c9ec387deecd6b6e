"""Fresh responses behind proxies: whatever a proxy does, its responses are the origin's."""

from __future__ import annotations

from itertools import product

import pytest

from tests.caches.exchanges import (
    CACHELESS,
    COLLECTION,
    EXPORT,
    ITEM,
    PATHS,
    Cache,
    Exchange,
    ask,
    coding_of,
    is_stored,
)
from tests.caches.origin import Origin, Response, new_request_id
from tests.caches.tables import Seen

pytestmark = [pytest.mark.server, pytest.mark.process]

CODINGS = ("gzip", "br", "zstd")
ACCEPTED = (None, "identity", *CODINGS, "gzip, deflate", "gzip, deflate, br, zstd")
NAMES = {ITEM: "items", COLLECTION: "collections", EXPORT: "exports"}
UNCHANGED = ("etag", "content-length", "content-encoding", "content-type", "cache-control", "vary")
ERRORS = ("/v1/awards/nobody", "/v1/awards?limit=0", "/v1/awards/", "/healthz", "/readyz")
TYPES = ("application/json", "text/csv", "application/x-ndjson")


def with_coding(coding: str | None) -> dict[str, str]:
    """Request headers of a client that accepts a coding."""
    return {} if coding is None else {"Accept-Encoding": coding}


def test_fresh_responses_are_hits(proxy: Cache, origin: Origin, seen: Seen) -> None:
    """A cache stores items and exports, and by `Accept` collections where it can."""
    stored = {path for path in PATHS if is_stored(proxy, origin, path, with_coding("gzip"))}
    if proxy.name in CACHELESS:
        assert not stored
    else:
        assert {ITEM, EXPORT} <= stored
    text = "no cache"
    if stored:
        response = ask(proxy, origin, ITEM, with_coding("gzip")).response
        age = "" if "age" in response.headers else "; no `Age`"
        missing = [f"no {NAMES[path]}" for path in PATHS if path not in stored]
        text = ", ".join(["yes", *missing]) + age
    seen(proxy.name, "stored", text)


def test_a_current_etag_gives_304(proxy: Cache, origin: Origin, seen: Seen) -> None:
    """A client that has the response gets 304, with the origin's ETag or none."""
    sources, missing = set(), set()
    for path in PATHS:
        headers = with_coding("gzip")
        stored = is_stored(proxy, origin, path, headers)
        conditional = {**headers, "If-None-Match": origin.direct(path, headers).headers["etag"]}
        exchange = ask(proxy, origin, path, conditional)
        assert exchange.response.status == 304
        if stored or proxy.name in CACHELESS:
            sources.add("by itself" if exchange.is_hit else "by the origin")
        expected = origin.direct(path, conditional)
        assert expected.status == 304
        missing |= set(expected.headers) & SHOWN.keys() - set(exchange.response.headers)
    (source,) = sources
    without = [SHOWN[name] for name in SHOWN if name in missing]
    seen(proxy.name, "304", f"{source}, without {', '.join(without)}" if without else source)


SHOWN = {
    "etag": "`ETag`",
    "cache-control": "`Cache-Control`",
    "vary": "`Vary`",
    "x-data-release": "`X-Data-Release`",
    "access-control-allow-origin": "CORS",
}
"""Headers of a 304 that clients rely on."""


def test_each_client_gets_a_coding_it_accepts(proxy: Cache, origin: Origin, seen: Seen) -> None:
    """Whichever coding is stored first, no client gets one that it did not name."""
    received: dict[str | None, Response] = {}
    for order, query in ((ACCEPTED, ""), (ACCEPTED[::-1], "?include=citations")):
        for accepted in (*order, *order):
            for path in (f"{ITEM}{query}", f"{COLLECTION}{query}", EXPORT):
                response = ask(proxy, origin, path, with_coding(accepted)).response
                assert response.status == 200
                if path == COLLECTION:
                    received[accepted] = response
    arrived = [coding for coding in CODINGS if coding_of(received[coding]) == coding]
    text = ", ".join(arrived)
    if any(response.headers["etag"].startswith("W/") for response in received.values()):
        text += "; identity with a weak ETag"
    seen(proxy.name, "codings", text)


@pytest.mark.web_server
@pytest.mark.parametrize("proxy", ["nginx", "Caddy"], indirect=True)
def test_documented_proxies_change_nothing(proxy: Cache, origin: Origin) -> None:
    """Behind nginx and Caddy, status, ETag, length and coding are the origin's for every client."""
    methods = ("GET", "HEAD", "GET")
    for accepted, path, method in product(ACCEPTED, (*PATHS, *ERRORS), methods):
        headers = with_coding(accepted)
        received = proxy.request(path, headers, method)
        expected = origin.direct(path, headers, method)
        assert received.status == expected.status
        for name in UNCHANGED:
            assert received.headers.get(name) == expected.headers.get(name), (path, name)


def test_head_is_as_get(proxy: Cache, origin: Origin, seen: Seen) -> None:
    """HEAD has GET's ETag and length, before and after a GET is stored."""
    path, headers = "/v1/organizations/tip-office", with_coding("gzip")
    cold = ask(proxy, origin, path, headers, "HEAD")
    assert cold.response.status == 200
    (forwarded,) = cold.forwarded
    is_stored(proxy, origin, path, headers)
    warm = ask(proxy, origin, path, headers, "HEAD")
    assert warm.response.status == 200
    for exchange in (cold, warm):
        assert exchange.response.tag == origin.direct(path, headers, "HEAD").tag
    as_get = "sent as GET" if forwarded[""].startswith("GET") else "passed on"
    seen(proxy.name, "HEAD", f"{as_get}; {'then a hit' if warm.is_hit else 'passed on'}")


def test_ranges_are_right_or_whole(proxy: Cache, origin: Origin, seen: Seen) -> None:
    """A range is answered with the right part or the whole, stored or not."""
    cold_path = "/v1/exports/regions.geojson"
    cold = ask(proxy, origin, cold_path, {"Range": "bytes=100-199"})
    assert cold.response.status == 206
    then = ask(proxy, origin, cold_path)
    stored = is_stored(proxy, origin, EXPORT)
    for value in ("bytes=0-0", "bytes=100-199", "bytes=-50", "bytes=1000-"):
        exchange = ask(proxy, origin, EXPORT, {"Range": value})
        assert exchange.response.status in (200, 206)
    one = ask(proxy, origin, EXPORT, {"Range": "bytes=100-199"})
    texts = [describe_range(one), "fetches the whole" if then.is_hit else "first one passed on"]
    if not stored:
        texts = [describe_range(one)]
    two = ask(proxy, origin, EXPORT, {"Range": "bytes=0-9,20-29"}).response
    assert two.status in (200, 206, 416)
    texts.append(f"two: {describe_range(Exchange(two, []))}")
    beyond = ask(proxy, origin, EXPORT, {"Range": "bytes=99999999-"}).response
    assert beyond.status in (200, 416)
    texts.append(f"beyond the end: {beyond.status}")
    seen(proxy.name, "ranges", "; ".join(texts))


def describe_range(exchange: Exchange) -> str:
    """Short name of a response to a request for a range."""
    response = exchange.response
    if response.headers.get("content-type", "").startswith("multipart/"):
        return "multipart"
    return {200: "whole", 206: "206", 416: "416"}[response.status]


def test_a_range_of_another_version_gives_the_whole(proxy: Cache, origin: Origin) -> None:
    """`If-Range` with the current ETag gives the part, with any other the whole."""
    is_stored(proxy, origin, EXPORT)
    tag = origin.direct(EXPORT).headers["etag"]
    headers = {"Range": "bytes=100-199"}
    current = ask(proxy, origin, EXPORT, {**headers, "If-Range": tag}).response
    assert current.status in (200, 206)
    other = ask(proxy, origin, EXPORT, {**headers, "If-Range": '"other"'}).response
    assert other.status == 200


def test_ranges_of_tables_are_right_or_whole(proxy: Cache, origin: Origin) -> None:
    """So are ranges of CSV, and a coded one is a part of the coded content."""
    for coding in (None, "gzip"):
        for _ in range(2):
            headers = {"Range": "bytes=5-24", **with_coding(coding)}
            response = ask(proxy, origin, f"{COLLECTION}?format=csv", headers).response
            assert response.status in (200, 206)


def test_errors_are_not_stored(proxy: Cache, origin: Origin) -> None:
    """Errors and health checks come from the origin each time."""
    for path in ERRORS:
        for _ in range(2):
            name = new_request_id()
            response = proxy.request(path, {"X-Request-Id": name})
            assert response.status == origin.direct(path).status
            assert origin.requests(name), path


def test_formats_are_kept_apart(proxy: Cache, origin: Origin) -> None:
    """Each client of a collection gets the format that it accepts."""
    for accepted in (*TYPES, *reversed(TYPES)):
        response = ask(proxy, origin, COLLECTION, {"Accept": accepted}).response
        assert response.headers["content-type"].startswith(accepted)
