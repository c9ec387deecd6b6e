"""Answers kept as bytes: right, bounded, and rendered once."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.main import create_app
from app.responses.conditions import (
    choose_encoding,
    etag_matches,
    request_conditions,
    zero_gzip_mtime,
)
from app.server.response_cache import (
    DISCARD_BUFFER,
    CachedResponse,
    Headers,
    ResponseCache,
    ResponseStore,
    _entry_bytes,
    _inner_headers,
)
from app.settings import Settings
from tests.conftest import SEED, Start
from tests.support.problem import assert_problem

pytestmark = pytest.mark.anyio

_LIMIT = 400_000
_PAGE = b"/page".ljust(1_000)
_LARGEST = _LIMIT // 8
"""Bytes of the largest body that is held back until it is whole."""


class Origin:
    """An application that counts what it renders, behind a cache.

    Attributes:
        rendered: Paths that were rendered, in order.
        gate: Rendering of `/slow` waits for it.
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
        self.cache = ResponseCache(inner, max_bytes=_LIMIT)
        transport = httpx.ASGITransport(app=self.cache)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://cache.test")

    async def text(self, request: Request) -> Response:
        """A page of a thousand characters."""
        self.rendered.append(request.url.path)
        return PlainTextResponse(str(request.url.path).ljust(1_000))

    async def slow(self, request: Request) -> Response:
        """A page that takes as long as the gate is shut."""
        self.rendered.append(request.url.path)
        await self.gate.wait()
        return PlainTextResponse("slow")

    async def health(self, request: Request) -> Response:
        """An answer that must not be kept."""
        self.rendered.append(request.url.path)
        return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})

    async def missing(self, request: Request) -> Response:
        """An error."""
        self.rendered.append(request.url.path)
        return PlainTextResponse("missing", 404)

    async def stream(self, request: Request) -> Response:
        """More than is ever kept, in pieces, each of which is counted."""
        self.rendered.append(request.url.path)

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(100):
                self.rendered.append("piece")
                yield b"x" * 10_000

        return StreamingResponse(pieces())


def asking(path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> Scope:
    """A request as a server hands it on."""
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


async def said(app: ASGIApp, scope: Scope) -> list[Message]:
    """What an application sends, message by message, its headers too where HEAD is asked."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages


class Piecemeal:
    """An application that sends a body in pieces, and then that it is complete.

    Attributes:
        tries: Answers that are begun and taken back before the one that is sent.
        back: Whether an answer could be taken back, before and after its last message.
    """

    def __init__(self, *pieces: bytes, headers: Headers, tries: int = 0) -> None:
        self.pieces, self.headers, self.tries = pieces, headers, tries
        self.back: list[bool] = []

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer 200."""
        for turn in range(self.tries + 1):
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if turn < self.tries:
                self.back.append(scope[DISCARD_BUFFER]())
        await send({"type": "http.response.body"})
        self.back.append(scope[DISCARD_BUFFER]())


@pytest.fixture(autouse=True)
def clear() -> None:
    """Codings that were chosen before are chosen anew."""
    choose_encoding.cache_clear()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A fresh application behind a fresh cache."""
    made = Origin()
    yield made
    await made.client.aclose()


async def test_a_repeated_request_is_not_rendered_again(origin: Origin) -> None:
    """GET, HEAD and conditional requests are all answered from one rendering."""
    first = await origin.client.get("/page")
    again = await origin.client.get("/page")
    assert again.content == first.content
    assert {**again.headers} == {**first.headers}
    assert (await origin.client.head("/page")).headers["etag"] == first.headers["etag"]
    known = {"If-None-Match": first.headers["etag"]}
    assert (await origin.client.get("/page", headers=known)).status_code == 304
    assert origin.rendered == ["/page"]


async def test_head_first_fills_the_cache_for_get(origin: Origin) -> None:
    """A HEAD request keeps the whole answer."""
    assert (await origin.client.head("/page")).content == b""
    assert len((await origin.client.get("/page")).content) == 1_000
    assert origin.rendered == ["/page"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("known", "unchanged"),
    [
        (b"", False),
        (b'"other"', False),
        (b"*", True),
        (CachedResponse.create(200, [], _PAGE).etag, True),
    ],
)
async def test_an_answer_is_the_same_however_it_is_sent(
    origin: Origin, method: str, known: bytes, *, unchanged: bool
) -> None:
    """Rendered, kept, and kept and sent without the application: status, headers and body."""
    scope = asking("/page", (b"if-none-match", known), method=method)
    assert origin.cache.lookup(scope) is None
    begin, rest = await said(origin.cache, scope)
    assert begin["status"] == (304 if unchanged else 200)
    lengths = [value for name, value in begin["headers"] if name == b"content-length"]
    assert lengths == ([] if unchanged else [b"1000"])
    empty = unchanged or method == "HEAD"
    assert rest == {"type": "http.response.body", "body": b"" if empty else _PAGE}
    assert await said(origin.cache, scope) == [begin, rest]
    status = b"304 Not Modified" if unchanged else b"200 OK"
    lines = b"".join(b"%b: %b\r\n" % pair for pair in begin["headers"])
    assert origin.cache.lookup(scope) == ((b"HTTP/1.1 %b\r\n" % status, lines), rest["body"])
    assert origin.cache.lookup({**scope, "method": "POST"}) is None


async def test_what_is_neither_get_nor_head_passes_as_it_is() -> None:
    """Other methods, and what is no request, are the application's alone."""
    passed: list[tuple[object, ...]] = []

    async def app(*given: object) -> None:
        passed.append(given)

    async def send(_: Message) -> None:
        pass

    cache = ResponseCache(app, max_bytes=_LIMIT)
    for scope in ({"type": "lifespan"}, asking("/page", (b"range", b"x"), method="POST")):
        await cache(scope, receive, send)
        assert passed.pop() == (scope, receive, send)


async def test_inside_every_request_is_a_get_without_conditions() -> None:
    """What is rendered is good for every client that asks for the same."""
    inside: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        inside.append(scope)
        await PlainTextResponse("ok")(scope, receive, send)

    headers = [(b"accept-encoding", b"gzip, br"), (b"if-none-match", b'"a"'), (b"x-other", b"1")]
    scope = asking("/page", *headers, method="HEAD")
    await said(ResponseCache(app, max_bytes=_LIMIT), scope)
    [seen] = inside
    del seen[DISCARD_BUFFER]
    narrowed = [(b"x-other", b"1"), (b"accept-encoding", b"br")]
    assert seen == {**scope, "method": "GET", "headers": narrowed}


async def test_only_what_the_response_depends_on_is_told_apart(origin: Origin) -> None:
    """Another query, format or coding is another answer; other headers are not."""
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
    assert len(origin.rendered) == 5


@pytest.mark.parametrize("path", ["/health", "/missing"])
async def test_errors_and_health_are_never_kept(origin: Origin, path: str) -> None:
    """What is no success, or says no-store, is rendered each time."""
    for _ in range(3):
        await origin.client.get(path)
    assert origin.rendered == [path] * 3
    assert len(origin.cache.store) == 0


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ((b"cache-control", b"private, no-store"), False),
        ((b"cache-control", b"max-age=60"), True),
        ((b"x-other", b"no-store"), True),
    ],
)
async def test_an_answer_says_whether_it_is_kept(
    header: tuple[bytes, bytes], *, kept: bool
) -> None:
    """`no-store` in `Cache-Control` keeps an answer out, and nothing else does."""
    cache = ResponseCache(Piecemeal(b"ok", headers=[header]), max_bytes=_LIMIT)
    await said(cache, asking("/"))
    assert len(cache.store) == kept


@pytest.mark.parametrize(("method", "body"), [("GET", b"missing"), ("HEAD", b"")])
async def test_an_error_passes_as_it_is(origin: Origin, method: str, body: bytes) -> None:
    """It has no tag, and to HEAD no body."""
    begin, rest = await said(origin.cache, asking("/missing", method=method))
    headers = [(b"content-length", b"7"), (b"content-type", b"text/plain; charset=utf-8")]
    assert begin == {"type": "http.response.start", "status": 404, "headers": headers}
    assert rest == {"type": "http.response.body", "body": body, "more_body": False}


async def test_a_hundred_cold_requests_are_rendered_once(origin: Origin) -> None:
    """Requests for an address that is being rendered wait for that rendering, each time."""
    for turn in (1, 2):
        waiting = [asyncio.create_task(origin.client.get("/slow")) for _ in range(100)]
        await asyncio.sleep(0.05)
        origin.gate.set()
        answers = await asyncio.gather(*waiting)
        assert {answer.text for answer in answers} == {"slow"}
        assert origin.rendered == ["/slow"] * turn
        origin.gate.clear()
        origin.cache.clear()


async def test_a_client_that_leaves_does_not_take_the_others_along(origin: Origin) -> None:
    """When the request that renders is cancelled, those that wait still get their answer."""
    leader = asyncio.create_task(origin.client.get("/slow"))
    await asyncio.sleep(0.01)
    followers = [asyncio.create_task(origin.client.get("/slow")) for _ in range(5)]
    await asyncio.sleep(0.01)
    leader.cancel()
    await asyncio.sleep(0.01)
    origin.gate.set()
    answers = await asyncio.gather(*followers)
    assert {answer.text for answer in answers} == {"slow"}


async def test_a_flood_of_addresses_is_bounded_and_evicts_nothing_in_use(origin: Origin) -> None:
    """A hundred thousand addresses stay within the limit, and what was asked twice stays."""
    store = origin.cache.store
    for _ in range(2):
        await origin.client.get("/wanted")
    for number in range(2_000):
        await origin.client.get(f"/flood-{number}")
    assert store.bytes <= _LIMIT
    seen = len(origin.rendered)
    await origin.client.get("/wanted")
    assert len(origin.rendered) == seen


async def test_the_store_holds_its_bound_under_a_hundred_thousand_keys() -> None:
    """Size never passes the limit, is what the entries weigh, and the wanted entry stays."""
    store = ResponseStore(_LIMIT)
    answer = CachedResponse.create(200, [], b"x" * 500)
    wanted = (b"/wanted", b"", "", b"")
    store.put(wanted, answer)
    assert store.get(wanted) is answer
    for number in range(100_000):
        key = (b"/flood", b"%d" % number, "", b"")
        store.put(key, answer)
        assert store.bytes <= _LIMIT
        if number % 3 == 0:
            store.get(key)
        if number % 50 == 0:
            assert store.get(wanted) is answer
    entries = {**store._probation, **store._protected}
    assert store.bytes == sum(_entry_bytes(key, kept) for key, kept in entries.items())


async def test_what_is_too_large_is_streamed_with_a_strong_tag(origin: Origin) -> None:
    """A large answer is not kept; its tag is stable, and 304 and HEAD do not produce it."""
    first = await origin.client.get("/stream")
    assert len(first.content) == 1_000_000
    assert first.headers["etag"].startswith('"')
    assert len(origin.cache.store) == 0
    origin.rendered.clear()
    known = {"If-None-Match": first.headers["etag"]}
    unchanged = await origin.client.get("/stream", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = await origin.client.head("/stream")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]
    assert origin.rendered.count("piece") < 50


@pytest.mark.parametrize("tries", [0, 1])
@pytest.mark.parametrize("size", [0, _LARGEST, _LARGEST + 1])
async def test_an_answer_is_held_back_until_it_is_too_large(size: int, tries: int) -> None:
    """What can be held has its length told and can be taken back; what cannot is streamed."""
    headers = [(b"content-type", b"text/plain")]
    tries = tries if size <= _LARGEST else 0
    app = Piecemeal(b"", b"x" * size, headers=headers, tries=tries)
    begin, *rest = await said(ResponseCache(app, max_bytes=_LIMIT), asking("/"))
    tag = begin["headers"].pop()
    assert tag[0] == b"etag"
    if size <= _LARGEST:
        assert begin["headers"] == [*headers, (b"content-length", b"%d" % size)]
        assert rest == [{"type": "http.response.body", "body": b"x" * size}]
    else:
        assert begin["headers"] == headers
        assert rest == [
            {"type": "http.response.body", "body": b"x" * size, "more_body": True},
            {"type": "http.response.body", "body": b"", "more_body": False},
        ]
    assert app.back == [True] * tries + [False]


async def test_the_tag_of_a_stream_is_of_what_determines_it() -> None:
    """Address and release of the data are in it, other headers are not."""

    async def tag(path: str, *headers: tuple[bytes, bytes]) -> bytes:
        app = Piecemeal(b"x" * _LIMIT, headers=[*headers])
        known = asking(path, (b"if-none-match", b'"other"'))
        begin, *_ = await said(ResponseCache(app, max_bytes=_LIMIT), known)
        assert begin["status"] == 200
        return bytes(dict(begin["headers"])[b"etag"])

    release = b"x-data-release"
    first = await tag("/a", (b"x-other", b"1"), (release, b"1"))
    assert await tag("/a", (b"x-other", b"2"), (release, b"1")) == first
    assert await tag("/a", (b"x-other", b"1"), (release, b"2")) != first
    assert await tag("/b", (b"x-other", b"1"), (release, b"1")) != first
    assert await tag("/a") == await tag("/a")


async def test_a_client_that_left_is_told_of() -> None:
    """A connection that broke is not taken for a client that needs no more."""

    async def app(*_: object) -> None:
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await said(ResponseCache(app, max_bytes=_LIMIT), asking("/"))


async def test_every_worker_and_restart_gives_the_same_bytes(
    start_server: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Body and tag are the same from four workers, and after another start with a new archive."""
    seen: dict[str, set[tuple[bytes, str]]] = {}
    paths = ("/v1/awards?include=citations&facet=region", "/v1/record", "/openapi.json")
    for workers in ("4", "1"):
        archive = tmp_path_factory.mktemp("worker") / "archive.sqlite"
        url, process = start_server(ARCHIVE_FILE=str(archive), WORKERS=workers)
        async with httpx.AsyncClient(base_url=url) as client:
            for path in paths * 6:
                answer = await client.get(path, headers={"Connection": "close"})
                assert answer.status_code == 200
                seen.setdefault(path, set()).add((answer.content, answer.headers["etag"]))
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert {path: len(answers) for path, answers in seen.items()} == dict.fromkeys(paths, 1)


@pytest.mark.parametrize("path", ["/health", "/missing", "/page"])
async def test_nobody_waits_for_a_client_that_does_not_read(origin: Origin, path: str) -> None:
    """A request is let go as soon as the one it waited for is rendered, not when it is sent."""
    stuck = asyncio.Event()

    async def send(_: Message) -> None:
        await stuck.wait()

    headers = [(name.lower(), value) for name, value in origin.client.headers.raw]
    stalled = asyncio.create_task(origin.cache(asking(path, *headers), receive, send))
    await asyncio.sleep(0.01)
    await asyncio.wait_for(origin.client.get(path), timeout=2)
    stuck.set()
    await stalled


async def test_gzip_bytes_do_not_depend_on_the_clock(client: httpx.AsyncClient) -> None:
    """A gzip body carries no time, so that its bytes and its tag are the release's alone."""
    headers = {"Accept-Encoding": "gzip"}
    request = client.build_request("GET", "/v1/awards", headers=headers)
    answer = await client.send(request, stream=True)
    raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert raw[:3] == b"\x1f\x8b\x08"
    assert raw[4:8] == bytes(4)


@pytest.fixture
def damaged(archive_file: Path, tmp_path: Path) -> Path:
    """A copy of the archive that a test may damage."""
    copy = tmp_path / "archive.sqlite"
    copy.write_bytes(archive_file.read_bytes())
    return copy


def spoil(archive: Path) -> None:
    """Zero all but the first page of an archive, in place, as a failing disk does: unseen."""
    before = archive.stat()
    with archive.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(before.st_size - 4096))
    os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))


async def test_a_stream_that_fails_before_it_is_sent_is_a_problem(damaged: Path) -> None:
    """Damage that is found while the first piece is read is told as any other failure."""
    app = create_app(Settings(seed_file=SEED, archive_file=damaged))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as broken,
    ):
        spoil(damaged)
        for path in ("/v1/citations?format=ndjson", "/v1/citations?format=csv", "/v1/record"):
            assert_problem(await broken.get(path), 500)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
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
        (b"*", b"zstd"),
        (b"*;q=0", b""),
        (b"zstd;q=0, *", b"br"),
        (b"zstd;q=0.1, *;q=0.2", b"br"),
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
def test_the_coding_is_the_best_that_is_accepted(accepted: bytes, chosen: bytes) -> None:
    """Quality decides, then compression; what is refused or unknown is not used (RFC 9110)."""
    assert choose_encoding(accepted) == chosen


@pytest.mark.parametrize(
    ("known", "named"),
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
def test_tags_are_compared_weakly(known: bytes, *, named: bool) -> None:
    """`If-None-Match` is a list of tags, weak or strong, or a star (RFC 9110, 13.1.2)."""
    assert etag_matches(known, b'"a"') is named


def test_conditions_of_several_lines_are_joined() -> None:
    """A repeated line is a longer list (RFC 9110, 5.2); other headers do not count."""
    headers = [
        (b"accept", b"text/csv"),
        (b"accept-encoding", b"br"),
        (b"host", b"a.test"),
        (b"if-none-match", b'"a"'),
        (b"accept", b"*/*"),
        (b"accept-encoding", b"gzip"),
        (b"if-none-match", b'"b"'),
    ]
    assert request_conditions(headers) == (b"text/csv, */*", b"br, gzip", b'"a", "b"')
    assert request_conditions([(b"host", b"a.test")]) == (b"", b"", b"")
    assert request_conditions(headers[:4]) == (b"text/csv", b"br", b'"a"')


def test_what_is_rendered_has_no_conditions() -> None:
    """Inside there is one coding, and neither tags nor ranges; all else is as it was sent."""
    dropped = (b"if-none-match", b"if-modified-since", b"range", b"if-range", b"accept-encoding")
    kept = [(b"accept", b"text/csv"), (b"x-other", b"1")]
    sent = [*((name, b"x") for name in dropped), *kept]
    assert _inner_headers(sent, b"") == kept
    assert _inner_headers(sent, b"br") == [*kept, (b"accept-encoding", b"br")]


def test_only_gzip_has_a_clock() -> None:
    """Four bytes of gzip's header are the time; nothing else is touched."""
    packed = b"\x1f\x8b\x08\x00TIME\x02\xffrest"
    assert zero_gzip_mtime(packed) == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xffrest"
    assert zero_gzip_mtime(b"\x1f\x8b\x09\x00TIME") == b"\x1f\x8b\x09\x00TIME"
    assert zero_gzip_mtime(b"") == b""


def test_an_answer_and_its_304() -> None:
    """A strong tag of the body; the 304 has all headers but those of the body."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2"), (b"vary", b"Accept")]
    answer = CachedResponse.create(200, headers, b"ok")
    assert answer.etag == b'"%b"' % hashlib.sha256(b"ok").hexdigest()[:32].encode()
    tag = (b"etag", answer.etag)
    assert answer.start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [*headers, tag],
    }
    assert answer.not_modified["status"] == 304
    assert answer.not_modified["headers"] == [(b"vary", b"Accept"), tag]
    assert answer.body == {"type": "http.response.body", "body": b"ok"}
    empty = {"type": "http.response.body", "body": b""}
    assert answer.as_asgi(b"", head=False) == (answer.start, answer.body)
    assert answer.as_asgi(b"", head=True) == (answer.start, empty)
    assert answer.as_asgi(b'"x"', head=False) == (answer.start, answer.body)
    for head in (False, True):
        assert answer.as_asgi(answer.etag, head=head) == (answer.not_modified, empty)


def _key(name: str) -> tuple[bytes, bytes, str, bytes]:
    return name.encode(), b"q", "json", b""


def _page(size: int) -> CachedResponse:
    return CachedResponse.create(200, [], b"x" * size)


def test_the_store_reckons_with_what_it_keeps() -> None:
    """Size is the sum of what is kept; too large is not kept; the same is kept once."""
    store = ResponseStore(80_000)
    weight = _entry_bytes(_key("a"), _page(1_000))
    store.put(_key("a"), _page(1_000))
    assert (len(store), store.bytes) == (1, weight)
    store.put(_key("a"), _page(2_000))
    assert (len(store), store.bytes) == (1, weight)
    store.put(_key("b"), _page(1_000 + 10_000 - weight))
    assert (len(store), store.bytes) == (2, weight + 10_000)
    store.put(_key("c"), _page(1_000 + 10_001 - weight))
    assert store.get(_key("c")) is None
    assert len(store) == 2


def test_an_entry_weighs_what_it_takes() -> None:
    """A byte of the address or the body counts once, one of the headers three times."""
    key, answer = (b"/", b"", "", b""), _page(0)
    least = _entry_bytes(key, answer)
    assert least > 2_000
    assert _entry_bytes((b"/longer", b"", "", b""), answer) == least + 6
    assert _entry_bytes((b"/", b"a=1", "", b""), answer) == least + 3
    assert _entry_bytes(key, _page(1_000)) == least + 1_000
    assert _entry_bytes(key, CachedResponse.create(200, [(b"a", b"b")], b"")) == least + 3 * len(
        b"a: b\r\n"
    )


def test_the_store_is_filled_to_the_brim() -> None:
    """What just fits is kept; for one more the oldest goes."""
    weight = _entry_bytes(_key("00"), _page(1_000))
    store = ResponseStore(12 * weight)
    for number in range(10, 24):
        store.put(_key(f"{number}"), _page(1_000))
        assert len(store) == min(number - 9, 12)
        assert store.bytes == len(store) * weight
    assert [store.get(_key(f"{number}")) for number in (10, 11)] == [None, None]
    assert store.get(_key("12")) is not None
    assert (len(store), store.bytes) == (12, 12 * weight)


def test_what_was_asked_for_twice_outlives_what_was_not() -> None:
    """A flood passes through probation; in it the oldest goes first."""
    store = ResponseStore(12 * _entry_bytes(_key("old"), _page(1_000)))
    store.put(_key("old"), _page(1_000))
    assert store.get(_key("old")) is not None
    for number in range(100):
        store.put(_key(f"{number}"), _page(1_000))
        assert store.bytes <= store.max_bytes
    assert store.get(_key("old")) is not None
    assert store.get(_key("0")) is None
    assert store.get(_key("99")) is not None


@pytest.mark.parametrize(("room", "protected"), [(11, 8), (12, 9)])
def test_protection_is_bounded_too(room: int, protected: int) -> None:
    """Three quarters of the room at most are protected; who was asked for longest ago leaves."""
    store = ResponseStore(room * _entry_bytes(_key("0"), _page(1_000)))
    for number in range(10):
        store.put(_key(f"{number}"), _page(1_000))
        assert store.get(_key(f"{number}")) is not None
    assert store._protected_bytes <= store.max_bytes * 3 // 4
    assert store._protected_bytes == sum(_entry_bytes(*pair) for pair in store._protected.items())
    left = 10 - protected
    assert set(store._protected) == {_key(f"{number}") for number in range(left, 10)}
    assert set(store._probation) == {_key(f"{number}") for number in range(left)}
    assert store.get(_key("0")) == _page(1_000)
