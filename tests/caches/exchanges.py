"""Requests through a cache, and what must hold for every response, whatever the cache is."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import brotli
import zstandard

from tests.caches.origin import Origin, Response, new_request_id

ITEM = "/v1/partnerships/us-peru-cpc"
COLLECTION = "/v1/awards"
EXPORT = "/v1/exports/record.sqlite"
CACHELESS = {"Caddy"}
"""Proxies without a cache."""
PATHS = (ITEM, COLLECTION, EXPORT)


class Cache(Protocol):
    """A proxy or a client."""

    name: str
    decodes: bool

    def request(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Response:
        """Send one request through it."""
        ...


class Exchange(NamedTuple):
    """A response, and the requests that the origin received for it.

    Attributes:
        response: What the client got.
        forwarded: Headers of each request at the origin; none for a cache hit.
    """

    response: Response
    forwarded: list[dict[str, str]]

    @property
    def is_hit(self) -> bool:
        """Whether the cache responded without the origin."""
        return not self.forwarded


def ask(
    cache: Cache,
    origin: Origin,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Exchange:
    """Send a request through a cache and check the response against the origin's."""
    headers = dict(headers or {})
    originals = origin.known(path, headers.get("Accept"))
    name = new_request_id(cache.name)
    response = cache.request(path, {**headers, "X-Request-Id": name}, method)
    assert_faithful(response, originals, headers, method, decodes=cache.decodes)
    return Exchange(response, origin.requests(name))


def is_stored(
    cache: Cache, origin: Origin, path: str, headers: Mapping[str, str] | None = None
) -> bool:
    """Whether a cache comes to respond without the origin. It may store a little after it sent."""
    attempts = 1 if cache.name in CACHELESS else 40  # counted, as a busy machine is slow
    for attempt in range(attempts):
        if ask(cache, origin, path, headers).is_hit:
            return True
        time.sleep(0.05 if attempt else 0)
    return False


def decode(coding: str, body: bytes) -> bytes:
    """Content without its coding."""
    match coding:
        case "identity":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "br":
            decoded: bytes = brotli.decompress(body)
            return decoded
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    raise AssertionError(f"unknown coding: {coding}")


def coding_of(response: Response) -> str:
    """The coding that a response declares."""
    return response.headers.get("content-encoding", "identity")


def accepted_codings(headers: Mapping[str, str]) -> set[str]:
    """Codings that a client named; without a header, none is expected."""
    value = headers.get("Accept-Encoding", "")
    return {"identity", *(part.split(";")[0].strip() for part in value.split(",") if part.strip())}


def assert_faithful(
    response: Response,
    originals: list[Response],
    headers: Mapping[str, str],
    method: str,
    *,
    decodes: bool,
) -> None:
    """Check that a response is one of the origin's, or a part of one.

    Its content is declared with the coding that it has, a strong ETag is that of the same bytes,
    and a length is the true one. Errors of the cache itself are not checked.
    """
    if response.status == 200 and method == "GET":
        assert_whole(response, originals, decodes=decodes)
        if not decodes:
            assert coding_of(response) in accepted_codings(headers)
    elif response.status == 200:
        assert not response.body
        assert response.tag in {original.tag for original in originals}
        sizes = {len(original.body) for original in originals if original.tag == response.tag}
        assert int(response.headers.get("content-length", min(sizes))) in sizes
    elif response.status == 206:
        assert_part(response, originals)
    elif response.status == 304:
        assert not response.body
        known = {"", *(original.tag for original in originals)}
        assert response.tag in known


def assert_whole(response: Response, originals: list[Response], *, decodes: bool) -> None:
    """Check a complete response: content, coding, ETag and length."""
    coding = coding_of(response)
    content = response.body if decodes else decode(coding, response.body)
    same = [
        original for original in originals if decode(coding_of(original), original.body) == content
    ]
    assert same, "the content is none of the origin's"
    assert response.tag in {original.tag for original in same}
    if not response.headers["etag"].startswith("W/"):
        (original,) = {(o.tag, coding_of(o), o.body) for o in same if o.tag == response.tag}
        assert coding == original[1]
        assert decodes or response.body == original[2]
    if not decodes:
        assert int(response.headers.get("content-length", len(response.body))) == len(response.body)


def assert_part(response: Response, originals: list[Response]) -> None:
    """Check one range, or the parts of several."""
    coding = coding_of(response)
    tagged = [original for original in originals if original.tag == response.tag]
    if not response.headers["etag"].startswith("W/"):
        tagged = [original for original in tagged if coding_of(original) == coding]
    (whole,) = {o.body for o in originals if coding_of(o) == coding and _is_same(o, tagged)}
    content_type = response.headers["content-type"]
    if not content_type.startswith("multipart/byteranges"):
        assert_range(response.headers["content-range"], response.body, whole)
        return
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    for part in response.body.split(b"--" + boundary)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        found = re.search(r"(?i)content-range: *(.*)", head.decode("latin-1"))
        assert found is not None
        assert_range(found[1].strip(), body.removesuffix(b"\r\n"), whole)


def assert_range(content_range: str, body: bytes, whole: bytes) -> None:
    """Check a part against its `Content-Range` (RFC 9110, 14.4)."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", content_range)
    assert found is not None
    assert int(found[3]) == len(whole)
    assert body == whole[int(found[1]) : int(found[2]) + 1]


def _is_same(original: Response, others: list[Response]) -> bool:
    """Whether a representation has the content of one of the others, in whatever coding."""
    content = decode(coding_of(original), original.body)
    return any(decode(coding_of(other), other.body) == content for other in others)
