"""The response cache: correct, bounded, and rendering once."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import httpx
import pytest
import starlette_compress
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.main import create_app
from app.responses.conditional_requests import (
    choose_encoding,
    etag_matches,
    selection_headers,
    zero_gzip_mtime,
)
from app.responses.formats import CSV, JSON
from app.server import compressors, response_cache
from app.server.negotiation import NegotiatedPath, Negotiation
from app.server.response_cache import (
    DISCARD_BUFFER,
    ON_CACHE_HIT,
    CachedResponse,
    CacheKey,
    Headers,
    ResponseCache,
    ResponseStore,
    _entry_bytes,
    _forwarded_headers,
)
from app.settings import Settings
from tests.conftest import SEED, Start
from tests.support.problem import assert_problem

pytestmark = pytest.mark.anyio

_CACHE_BYTES = 400_000
_PAGE = b"/page".ljust(1_000)
_MAX_BUFFERED_BYTES = _CACHE_BYTES // 8
"""Bytes of the largest body that is buffered."""


class Origin:
    """An application that records what it renders, behind a cache.

    Attributes:
        rendered: Paths in the order in which they were rendered.
        gate: Event for which rendering of `/slow` waits.
    """

    def __init__(self) -> None:
        self.rendered: list[str] = []
        self.gate = asyncio.Event()
        inner = Starlette(
            routes=[
                Route("/slow", self.slow),
                Route("/stream", self.stream),
                Route("/health", self.health),
                Route("/missing", self.missing),
                Route("/{name:path}", self.text),
            ]
        )
        negotiated = NegotiatedPath("/page", re.compile("^/page$"), (JSON, CSV), has_parameter=True)
        self.cache = ResponseCache(
            inner, max_bytes=_CACHE_BYTES, negotiation=Negotiation([negotiated])
        )
        transport = httpx.ASGITransport(app=self.cache)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://cache.test")

    async def text(self, request: Request) -> Response:
        """A page of a thousand characters."""
        self.rendered.append(request.url.path)
        return PlainTextResponse(str(request.url.path).ljust(1_000))

    async def slow(self, request: Request) -> Response:
        """A page that is rendered once the gate is open."""
        self.rendered.append(request.url.path)
        await self.gate.wait()
        return PlainTextResponse("slow")

    async def health(self, request: Request) -> Response:
        """A response with `no-store`."""
        self.rendered.append(request.url.path)
        return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})

    async def missing(self, request: Request) -> Response:
        """A 404."""
        self.rendered.append(request.url.path)
        return PlainTextResponse("missing", 404)

    async def stream(self, request: Request) -> Response:
        """A body too large to cache, in chunks, each of which is recorded."""
        self.rendered.append(request.url.path)

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(100):
                self.rendered.append("chunk")
                yield b"x" * 10_000

        return StreamingResponse(chunks())


def request_scope(path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> Scope:
    """The ASGI scope of a request."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [*headers],
        "root_path": "",
        "http_version": "1.1",
    }


async def receive() -> Message:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def run(app: ASGIApp, scope: Scope) -> list[Message]:
    """The messages that an application sends."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages


class ChunkedApp:
    """An application that sends a body in chunks, then an empty last message.

    Attributes:
        discarded_tries: Responses that are started and discarded before the last one.
        discards: Results of discarding, for each of them and after the last message.
    """

    def __init__(
        self, *chunks: bytes, headers: Headers, discarded_tries: int = 0, status: int = 200
    ) -> None:
        self.chunks, self.headers, self.status = chunks, headers, status
        self.discarded_tries = discarded_tries
        self.discards: list[bool] = []

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send a response."""
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        for attempt in range(self.discarded_tries + 1):
            await send(start)
            for chunk in self.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if attempt < self.discarded_tries:
                self.discards.append(scope[DISCARD_BUFFER]())
        await send({"type": "http.response.body"})
        self.discards.append(scope[DISCARD_BUFFER]())


async def settle() -> None:
    """Let every task run until it waits for something other than the event loop."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def clear_encoding_cache() -> None:
    """Each test parses `Accept-Encoding` anew."""
    choose_encoding.cache_clear()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A new application behind a new cache."""
    created = Origin()
    yield created
    await created.client.aclose()


async def test_a_repeated_request_is_not_rendered_again(origin: Origin) -> None:
    """GET, HEAD and conditional requests share one rendering."""
    first = await origin.client.get("/page")
    again = await origin.client.get("/page")
    assert again.content == first.content
    assert {**again.headers} == {**first.headers}
    assert (await origin.client.head("/page")).headers["etag"] == first.headers["etag"]
    conditional = {"If-None-Match": first.headers["etag"]}
    assert (await origin.client.get("/page", headers=conditional)).status_code == 304
    assert origin.rendered == ["/page"]


async def test_head_fills_the_cache_for_get(origin: Origin) -> None:
    """A HEAD request caches the complete response."""
    assert (await origin.client.head("/page")).content == b""
    assert len((await origin.client.get("/page")).content) == 1_000
    assert origin.rendered == ["/page"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("if_none_match", "unchanged"),
    [
        (b"", False),
        (b'"other"', False),
        (b"*", True),
        (CachedResponse.create(200, [], _PAGE).etag, True),
    ],
)
async def test_a_response_is_the_same_however_it_is_sent(
    origin: Origin, method: str, if_none_match: bytes, *, unchanged: bool
) -> None:
    """Status, headers and body: rendered, cached, and in HTTP/1.1."""
    scope = request_scope("/page", (b"if-none-match", if_none_match), method=method)
    start, body = await run(origin.cache, scope)
    assert start["status"] == (304 if unchanged else 200)
    lengths = [value for name, value in start["headers"] if name == b"content-length"]
    assert lengths == ([] if unchanged else [b"1000"])
    empty = unchanged or method == "HEAD"
    assert body == {"type": "http.response.body", "body": b"" if empty else _PAGE}
    assert await run(origin.cache, scope) == [start, body]
    status = b"304 Not Modified" if unchanged else b"200 OK"
    lines = b"".join(b"%b: %b\r\n" % pair for pair in start["headers"])
    hits: list[tuple[CacheKey, CachedResponse, int]] = []
    scope[ON_CACHE_HIT] = lambda _, *hit: hits.append(hit)
    await run(origin.cache, scope)
    ((_, response, logged),) = hits
    assert logged == start["status"]
    assert response.heads[unchanged] == (b"HTTP/1.1 %b\r\n" % status, lines)


async def test_other_methods_and_scopes_bypass_the_cache() -> None:
    """Anything but GET and HEAD requests reaches the application unchanged."""
    calls: list[tuple[object, ...]] = []

    async def app(*arguments: object) -> None:
        calls.append(arguments)

    async def send(_: Message) -> None:
        pass

    cache = ResponseCache(app, max_bytes=_CACHE_BYTES)
    for scope in ({"type": "lifespan"}, request_scope("/page", (b"range", b"x"), method="POST")):
        await cache(scope, receive, send)
        assert calls.pop() == (scope, receive, send)


async def test_the_application_gets_unconditional_get_requests() -> None:
    """What it renders can be sent to every client that requests the same."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await PlainTextResponse("ok")(scope, receive, send)

    headers = [(b"accept-encoding", b"gzip, br"), (b"if-none-match", b'"a"'), (b"x-other", b"1")]
    scope = request_scope("/page", *headers, method="HEAD")
    await run(ResponseCache(app, max_bytes=_CACHE_BYTES), scope)
    [inner] = scopes
    del inner[DISCARD_BUFFER]
    inner_headers = [(b"x-other", b"1"), (b"accept-encoding", b"br")]
    assert inner == {**scope, "method": "GET", "headers": inner_headers}


async def test_the_key_is_what_the_response_depends_on(origin: Origin) -> None:
    """Another query, format or coding is another entry; other headers make no difference."""
    for headers in ({}, {"Origin": "https://a.example"}, {"Cookie": "a=b"}, {"User-Agent": "x"}):
        await origin.client.get("/page", headers=headers)
    assert len(origin.rendered) == 1
    await origin.client.get("/page?a=1")
    await origin.client.get("/page?a=2")
    await origin.client.get("/page", headers={"Accept": "text/csv"})
    await origin.client.get("/page", headers={"Accept-Encoding": "gzip"})
    assert len(origin.rendered) == 5
    await origin.client.get("/page", headers={"Accept": "text/csv;q=0.9"})
    await origin.client.get("/page", headers={"Accept-Encoding": "gzip;q=0.5, identity;q=0.1"})
    await origin.client.get("/page", headers={"Accept-Encoding": "*"})
    assert len(origin.rendered) == 5


async def test_accept_is_in_the_key_only_where_formats_are_negotiated(origin: Origin) -> None:
    """There, its result is; where the response ignores `Accept`, so does the cache."""
    accepts = ("*/*", "text/html, */*;q=0.8", "application/json", "application/*, text/csv;q=0.9")
    for accept in accepts:
        for path in ("/page", "/one", "/page?format=csv", "/page?a=1&format=csv"):
            await origin.client.get(path, headers={"Accept": accept})
    assert len(origin.rendered) == 4
    for accept in ("text/csv", "text/csv;q=0.9, application/json;q=0.8", "text/html, text/csv"):
        for path in ("/page", "/one", "/page?format=csv", "/page?q=format=csv"):
            await origin.client.get(path, headers={"Accept": accept})
    assert origin.rendered[4:] == ["/page", "/page"]


@pytest.mark.parametrize("path", ["/health", "/missing"])
async def test_errors_and_health_are_never_cached(origin: Origin, path: str) -> None:
    """A response that is not a success, or has `no-store`, is rendered each time, without a tag."""
    for headers in ({}, {"If-None-Match": "*"}, {}):
        response = await origin.client.get(path, headers=headers)
        assert response.status_code != 304
        assert "etag" not in response.headers
    assert origin.rendered == [path] * 3
    assert len(origin.cache.store) == 0


@pytest.mark.parametrize(
    ("header", "cached"),
    [
        ((b"cache-control", b"private, no-store"), False),
        ((b"cache-control", b"max-age=60"), True),
        ((b"x-other", b"no-store"), True),
    ],
)
async def test_no_store_is_respected(header: tuple[bytes, bytes], *, cached: bool) -> None:
    """`no-store` in `Cache-Control` prevents caching, and nothing else does."""
    cache = ResponseCache(ChunkedApp(b"ok", headers=[header]), max_bytes=_CACHE_BYTES)
    await run(cache, request_scope("/"))
    assert len(cache.store) == cached


@pytest.mark.parametrize(("method", "content"), [("GET", b"missing"), ("HEAD", b"")])
async def test_an_error_is_passed_on_unchanged(origin: Origin, method: str, content: bytes) -> None:
    """It gets no entity tag, and for HEAD no body."""
    start, body = await run(origin.cache, request_scope("/missing", method=method))
    headers = [(b"content-length", b"7"), (b"content-type", b"text/plain; charset=utf-8")]
    assert start == {"type": "http.response.start", "status": 404, "headers": headers}
    assert body == {"type": "http.response.body", "body": content, "more_body": False}


async def test_a_hundred_cold_requests_are_rendered_once(origin: Origin) -> None:
    """Requests for a URL that is being rendered wait for that rendering, each time."""
    for times in (1, 2):
        requests = [asyncio.create_task(origin.client.get("/slow")) for _ in range(100)]
        await settle()
        origin.gate.set()
        responses = await asyncio.gather(*requests)
        assert {response.text for response in responses} == {"slow"}
        assert origin.rendered == ["/slow"] * times
        origin.gate.clear()
        origin.cache.clear()


async def test_a_disconnect_does_not_affect_waiting_requests(origin: Origin) -> None:
    """When the request that renders is cancelled, those that wait still get a response."""
    leader = asyncio.create_task(origin.client.get("/slow"))
    await settle()
    followers = [asyncio.create_task(origin.client.get("/slow")) for _ in range(5)]
    await settle()
    leader.cancel()
    await settle()
    origin.gate.set()
    responses = await asyncio.gather(*followers)
    assert {response.text for response in responses} == {"slow"}


async def test_a_flood_of_urls_does_not_evict_what_is_used(origin: Origin) -> None:
    """Thousands of URLs stay within the limit, and what was requested twice stays cached."""
    store = origin.cache.store
    for _ in range(2):
        await origin.client.get("/wanted")
    for number in range(2_000):
        await origin.client.get(f"/flood-{number}")
    assert store.bytes <= _CACHE_BYTES
    rendered = len(origin.rendered)
    await origin.client.get("/wanted")
    assert len(origin.rendered) == rendered


async def test_the_store_holds_its_bound_under_a_hundred_thousand_keys() -> None:
    """The size never exceeds the limit, is the sum of the entries, and a used entry stays."""
    store = ResponseStore(_CACHE_BYTES)
    response = CachedResponse.create(200, [], b"x" * 500)
    wanted = (b"/wanted", b"", "", b"")
    store.put(wanted, response)
    assert store.get(wanted) is response
    for number in range(100_000):
        key = (b"/flood", b"%d" % number, "", b"")
        store.put(key, response)
        assert store.bytes <= _CACHE_BYTES
        if number % 3 == 0:
            store.get(key)
        if number % 50 == 0:
            assert store.get(wanted) is response
    entries = {**store._probation, **store._protected}
    assert store.bytes == sum(_entry_bytes(*entry) for entry in entries.items())


async def test_a_large_response_is_streamed_with_a_strong_tag(origin: Origin) -> None:
    """It is not cached; its tag is stable, and 304 and HEAD do not render all of it."""
    first = await origin.client.get("/stream")
    assert len(first.content) == 1_000_000
    assert first.headers["etag"].startswith('"')
    assert len(origin.cache.store) == 0
    origin.rendered.clear()
    conditional = {"If-None-Match": first.headers["etag"]}
    unchanged = await origin.client.get("/stream", headers=conditional)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = await origin.client.head("/stream")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]
    assert origin.rendered.count("chunk") < 50


@pytest.mark.parametrize(
    ("status", "header"), [(404, (b"x-other", b"1")), (200, (b"cache-control", b"no-store"))]
)
async def test_a_large_response_that_nobody_may_store_has_no_tag(
    status: int, header: tuple[bytes, bytes]
) -> None:
    """An error, or one with `no-store`, is streamed as it is, whatever `If-None-Match` says."""
    app = ChunkedApp(b"x" * _CACHE_BYTES, headers=[header], status=status)
    scope = request_scope("/", (b"if-none-match", b"*"))
    start, *rest = await run(ResponseCache(app, max_bytes=_CACHE_BYTES), scope)
    assert start == {"type": "http.response.start", "status": status, "headers": [header]}
    assert b"".join(message["body"] for message in rest) == b"x" * _CACHE_BYTES


@pytest.mark.parametrize("discarded_tries", [0, 1])
@pytest.mark.parametrize("size", [0, _MAX_BUFFERED_BYTES, _MAX_BUFFERED_BYTES + 1])
async def test_a_response_is_buffered_up_to_a_limit(size: int, discarded_tries: int) -> None:
    """Within it, it has a length and can be discarded; beyond it, it is streamed."""
    headers = [(b"content-type", b"text/plain")]
    discarded_tries = discarded_tries if size <= _MAX_BUFFERED_BYTES else 0
    app = ChunkedApp(b"", b"x" * size, headers=headers, discarded_tries=discarded_tries)
    start, *rest = await run(ResponseCache(app, max_bytes=_CACHE_BYTES), request_scope("/"))
    tag = start["headers"].pop()
    assert tag[0] == b"etag"
    if size <= _MAX_BUFFERED_BYTES:
        assert start["headers"] == [*headers, (b"content-length", b"%d" % size)]
        assert rest == [{"type": "http.response.body", "body": b"x" * size}]
    else:
        assert start["headers"] == headers
        assert rest == [
            {"type": "http.response.body", "body": b"x" * size, "more_body": True},
            {"type": "http.response.body", "body": b"", "more_body": False},
        ]
    assert app.discards == [True] * discarded_tries + [False]


async def test_the_tag_of_a_stream_depends_on_url_and_release() -> None:
    """Other headers make no difference."""

    async def tag(path: str, *headers: tuple[bytes, bytes]) -> bytes:
        app = ChunkedApp(b"x" * _CACHE_BYTES, headers=[*headers])
        scope = request_scope(path, (b"if-none-match", b'"other"'))
        start, *_ = await run(ResponseCache(app, max_bytes=_CACHE_BYTES), scope)
        assert start["status"] == 200
        return bytes(dict(start["headers"])[b"etag"])

    release = b"x-data-release"
    first = await tag("/a", (b"x-other", b"1"), (release, b"1"))
    assert await tag("/a", (b"x-other", b"2"), (release, b"1")) == first
    assert await tag("/a", (b"x-other", b"1"), (release, b"2")) != first
    assert await tag("/b", (b"x-other", b"1"), (release, b"1")) != first
    assert await tag("/a") == await tag("/a")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity"])
async def test_the_tag_of_a_stream_depends_on_its_compressor(
    monkeypatch: pytest.MonkeyPatch, coding: str
) -> None:
    """Another version may compress to other bytes; it does not matter to other codings."""

    async def tag() -> bytes:
        compressors.compressor_version.cache_clear()
        app = ChunkedApp(b"x" * _CACHE_BYTES, headers=[])
        scope = request_scope("/a", (b"accept-encoding", coding.encode()))
        start, *_ = await run(ResponseCache(app, max_bytes=_CACHE_BYTES), scope)
        return bytes(dict(start["headers"])[b"etag"])

    first = await tag()
    libraries = {
        "gzip": (zlib, "ZLIB_RUNTIME_VERSION"),
        "br": (brotli, "__version__"),
        "zstd": (compressors, "_ZSTD_VERSION"),
    }
    for name, (module, attribute) in libraries.items():
        with monkeypatch.context() as upgraded:
            upgraded.setattr(module, attribute, "9.9.9")
            assert (await tag() != first) == (name == coding)
    with monkeypatch.context() as upgraded:
        upgraded.setattr(starlette_compress, "__version__", "9.9.9")
        assert (await tag() != first) == (coding != "identity")
    assert await tag() == first


async def test_the_tag_of_a_stream_depends_on_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other code or libraries may compile the same seed to other documents."""

    async def tag() -> bytes:
        app = ChunkedApp(b"x" * _CACHE_BYTES, headers=[])
        start, *_ = await run(ResponseCache(app, max_bytes=_CACHE_BYTES), request_scope("/a"))
        return bytes(dict(start["headers"])[b"etag"])

    first = await tag()
    for name, value in {"archive_code_digest": lambda: "0", "__version__": "9.9.9"}.items():
        with monkeypatch.context() as upgraded:
            upgraded.setattr(response_cache, name, value)
            assert await tag() != first
    assert await tag() == first


async def test_a_disconnect_is_not_swallowed() -> None:
    """Only a response that the cache finished itself ends without an exception."""

    async def app(*_: object) -> None:
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await run(ResponseCache(app, max_bytes=_CACHE_BYTES), request_scope("/"))


async def test_every_worker_and_restart_gives_the_same_bytes(
    start_server: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Body and tag are the same from four workers, and after a restart with a new archive."""
    seen: dict[str, set[tuple[bytes, str]]] = {}
    paths = ("/v1/awards?include=citations&facet=region", "/v1/record", "/openapi.json")
    for workers in ("4", "1"):
        archive = tmp_path_factory.mktemp("worker") / "archive.sqlite"
        url, process = start_server(ARCHIVE_FILE=str(archive), WORKERS=workers)
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            for path in paths * 6:
                response = await client.get(path, headers={"Connection": "close"})
                assert response.status_code == 200
                seen.setdefault(path, set()).add((response.content, response.headers["etag"]))
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert {path: len(variants) for path, variants in seen.items()} == dict.fromkeys(paths, 1)


@pytest.mark.parametrize("path", ["/health", "/missing", "/page"])
async def test_nobody_waits_for_a_client_that_does_not_read(origin: Origin, path: str) -> None:
    """A waiting request gets the response once it is rendered, not once it was sent to others."""
    readable = asyncio.Event()

    async def send(_: Message) -> None:
        await readable.wait()

    headers = [(name.lower(), value) for name, value in origin.client.headers.raw]
    stalled = asyncio.create_task(origin.cache(request_scope(path, *headers), receive, send))
    await settle()
    await asyncio.wait_for(origin.client.get(path), timeout=60)
    readable.set()
    await stalled


async def test_gzip_bodies_have_no_timestamp(client: httpx.AsyncClient) -> None:
    """Their bytes, and so their tag, depend only on the release."""
    headers = {"Accept-Encoding": "gzip"}
    request = client.build_request("GET", "/v1/awards", headers=headers)
    response = await client.send(request, stream=True)
    raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert raw[:3] == b"\x1f\x8b\x08"
    assert raw[4:8] == bytes(4)


@pytest.fixture
def damaged(archive_file: Path, tmp_path: Path) -> Path:
    """A copy of the archive, for a test to damage."""
    copy = tmp_path / "archive.sqlite"
    copy.write_bytes(archive_file.read_bytes())
    return copy


def zero_pages(archive: Path) -> None:
    """Zero all but the first page in place, without a new mtime, as a failing disk would."""
    before = archive.stat()
    with archive.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(before.st_size - 4096))
    os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))


async def test_a_stream_that_fails_at_once_becomes_a_problem(damaged: Path) -> None:
    """An error in the first chunk is reported like any other."""
    app = create_app(Settings(seed_file=SEED, archive_file=damaged))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as broken,
    ):
        zero_pages(damaged)
        for path in ("/v1/citations?format=ndjson", "/v1/citations?format=csv", "/v1/record"):
            assert_problem(await broken.get(path), 500)


@pytest.mark.parametrize(
    ("accept_encoding", "chosen"),
    [
        (b"", b""),
        (b"zstd", b"zstd"),
        (b"br", b"br"),
        (b"gzip", b"gzip"),
        (b"GZIP", b"gzip"),
        (b"gzip, br, zstd", b"zstd"),
        (b"gzip, br", b"br"),
        (b"gzip;q=0.5, br;q=0.4", b"gzip"),
        (b"gzip ; q=0.5 , br ; q=0.5", b"br"),
        (b"gzip;q=0", b""),
        (b"gzip;x=1;q=0", b""),
        (b"gzip;q=0.5, identity;q=0.6", b""),
        (b"gzip;q=0.5, identity;q=0.5", b"gzip"),
        (b"*", b"gzip"),
        (b"*;q=0", b""),
        (b"br, *", b"br"),
        (b"br;q=0.9, *", b"gzip"),
        (b"identity, *;q=0.5", b""),
        (b"identity;q=0, *", b"gzip"),
        (b"zstd;q=0, *", b"gzip"),
        (b"zstd;q=0.1, *;q=0.2", b"gzip"),
        (b"zstd;q=0.2, *;q=0.1", b"zstd"),
        (b"gzip;q=0, *", b""),
        (b"gzip, *;q=0", b"gzip"),
        (b"identity", b""),
        (b"deflate", b""),
        (b"gzip;q=x", b""),
        (b"gzip;q=nan", b""),
        (b"gzip;q=2, br;q=1", b"br"),
        (b"gzip;q=-1", b""),
        (b"gzip;q=0.001", b"gzip"),
    ],
)
def test_the_best_accepted_coding_is_chosen(accept_encoding: bytes, chosen: bytes) -> None:
    """Quality decides, then compression; `*` is gzip; others are not used (RFC 9110, 12.5.3)."""
    assert choose_encoding(accept_encoding) == chosen


@pytest.mark.parametrize(
    ("if_none_match", "matches"),
    [
        (b'"a"', True),
        (b'W/"a"', True),
        (b'"b", "a"', True),
        (b'"b",W/"a" ,"c"', True),
        (b"*", True),
        (b" * ", True),
        (b'"b"', False),
        (b"a", False),
        (b'"a', False),
        (b'"a"x', False),
        (b'"*"', False),
    ],
)
def test_tags_are_compared_weakly(if_none_match: bytes, *, matches: bool) -> None:
    """`If-None-Match` is a list of tags, weak or strong, or a star (RFC 9110, 13.1.2)."""
    assert etag_matches(if_none_match, b'"a"') is matches


def test_repeated_headers_are_joined() -> None:
    """Repeated field lines are one list (RFC 9110, 5.2)."""
    headers = [
        (b"accept", b"text/csv"),
        (b"accept-encoding", b"br"),
        (b"host", b"a.test"),
        (b"if-none-match", b'"a"'),
        (b"accept", b"*/*"),
        (b"accept-encoding", b"gzip"),
        (b"if-none-match", b'"b"'),
    ]
    assert selection_headers(headers) == (b"text/csv, */*", b"br, gzip", b'"a", "b"')
    assert selection_headers([(b"host", b"a.test")]) == (b"", b"", b"")
    assert selection_headers(headers[:4]) == (b"text/csv", b"br", b'"a"')


def test_forwarded_headers_have_no_conditions() -> None:
    """The application sees one coding, and neither tags nor ranges; the rest is unchanged."""
    dropped = (b"if-none-match", b"if-modified-since", b"range", b"if-range", b"accept-encoding")
    retained = [(b"accept", b"text/csv"), (b"x-other", b"1")]
    sent = [*((name, b"x") for name in dropped), *retained]
    assert _forwarded_headers(sent, b"") == retained
    assert _forwarded_headers(sent, b"br") == [*retained, (b"accept-encoding", b"br")]


def test_only_the_gzip_timestamp_is_zeroed() -> None:
    """Four bytes of gzip's header are the time; other bodies are not changed."""
    packed = b"\x1f\x8b\x08\x00TIME\x02\xffrest"
    assert zero_gzip_mtime(packed) == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xffrest"
    assert zero_gzip_mtime(b"\x1f\x8b\x09\x00TIME") == b"\x1f\x8b\x09\x00TIME"
    assert zero_gzip_mtime(b"") == b""


def test_a_response_and_its_304() -> None:
    """A strong tag made from the body; the 304 has all headers but those of the body."""
    described = [(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")]
    described += [(b"content-length", b"2"), (b"content-language", b"en")]
    headers = [*described, (b"vary", b"Accept")]
    response = CachedResponse.create(200, headers, b"ok")
    assert response.etag == b'"%b"' % hashlib.sha256(b"ok").hexdigest()[:32].encode()
    tag = (b"etag", response.etag)
    assert response.start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [*headers, tag],
    }
    assert response.not_modified["status"] == 304
    assert response.not_modified["headers"] == [(b"vary", b"Accept"), tag]
    assert response.body == {"type": "http.response.body", "body": b"ok"}
    empty = {"type": "http.response.body", "body": b""}
    assert response.as_asgi(b"", is_head=False) == (response.start, response.body)
    assert response.as_asgi(b"", is_head=True) == (response.start, empty)
    assert response.as_asgi(b'"x"', is_head=False) == (response.start, response.body)
    for head in (False, True):
        assert response.as_asgi(response.etag, is_head=head) == (response.not_modified, empty)


def _key(name: str) -> tuple[bytes, bytes, str, bytes]:
    return name.encode(), b"q", "json", b""


def _page(size: int) -> CachedResponse:
    return CachedResponse.create(200, [], b"x" * size)


def test_the_store_counts_bytes() -> None:
    """Its size is the sum of its entries; a large one is not stored, nor a key twice."""
    store = ResponseStore(80_000)
    size = _entry_bytes(_key("a"), _page(1_000))
    store.put(_key("a"), _page(1_000))
    assert (len(store), store.bytes) == (1, size)
    store.put(_key("a"), _page(2_000))
    assert (len(store), store.bytes) == (1, size)
    store.put(_key("b"), _page(1_000 + 10_000 - size))
    assert (len(store), store.bytes) == (2, size + 10_000)
    store.put(_key("c"), _page(1_000 + 10_001 - size))
    assert store.get(_key("c")) is None
    assert len(store) == 2


def test_the_size_of_an_entry() -> None:
    """A byte of the URL or the body counts once, a byte of the headers three times."""
    key, response = (b"/", b"", "", b""), _page(0)
    minimum = _entry_bytes(key, response)
    assert minimum > 2_000
    assert _entry_bytes((b"/longer", b"", "", b""), response) == minimum + 6
    assert _entry_bytes((b"/", b"a=1", "", b""), response) == minimum + 3
    assert _entry_bytes(key, _page(1_000)) == minimum + 1_000
    assert _entry_bytes(key, CachedResponse.create(200, [(b"a", b"b")], b"")) == minimum + 3 * len(
        b"a: b\r\n"
    )


def test_the_store_uses_all_of_its_limit() -> None:
    """What just fits is stored; for one more entry the oldest is evicted."""
    size = _entry_bytes(_key("00"), _page(1_000))
    store = ResponseStore(12 * size)
    for number in range(10, 24):
        store.put(_key(f"{number}"), _page(1_000))
        assert len(store) == min(number - 9, 12)
        assert store.bytes == len(store) * size
    assert [store.get(_key(f"{number}")) for number in (10, 11)] == [None, None]
    assert store.get(_key("12")) is not None
    assert (len(store), store.bytes) == (12, 12 * size)


def test_a_hit_protects_an_entry() -> None:
    """A flood of other entries evicts only entries on probation, the oldest first."""
    store = ResponseStore(12 * _entry_bytes(_key("old"), _page(1_000)))
    store.put(_key("old"), _page(1_000))
    assert store.get(_key("old")) is not None
    for number in range(100):
        store.put(_key(f"{number}"), _page(1_000))
        assert store.bytes <= store.max_bytes
    assert store.get(_key("old")) is not None
    assert store.get(_key("0")) is None
    assert store.get(_key("99")) is not None


@pytest.mark.parametrize(("entries", "protected"), [(11, 8), (12, 9)])
def test_protected_entries_are_bounded(entries: int, protected: int) -> None:
    """At most three quarters are protected; the least recently used is demoted."""
    store = ResponseStore(entries * _entry_bytes(_key("0"), _page(1_000)))
    for number in range(10):
        store.put(_key(f"{number}"), _page(1_000))
        assert store.get(_key(f"{number}")) is not None
    assert store._protected_bytes <= store.max_bytes * 3 // 4
    assert store._protected_bytes == sum(_entry_bytes(*pair) for pair in store._protected.items())
    demoted = 10 - protected
    assert set(store._protected) == {_key(f"{number}") for number in range(demoted, 10)}
    assert set(store._probation) == {_key(f"{number}") for number in range(demoted)}
    assert store.get(_key("0")) == _page(1_000)
