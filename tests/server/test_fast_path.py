"""The fast path: requests whose head was served from the cache before, over real sockets."""

from __future__ import annotations

import asyncio
import io
import random
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.main import Application, create_app
from app.server.access_log import AccessLog, AccessLogHandler
from app.server.connections import Connection
from app.server.draining import DRAIN_KEY
from app.server.fast_path import FAST_PATH_KEY, FastPath
from app.server.response_cache import CachedResponse
from app.settings import SETTINGS_KEY, Settings
from tests.conftest import SEED

pytestmark = pytest.mark.anyio

HOST = b"Host: record.test\r\n"
PLAIN = b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /v1/meta HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
TARGETS = (
    "/v1",
    "/v1/awards",
    "/v1/awards?limit=1",
    "/v1/awards?format=csv",
    "/v1/awards?limit=0",
    "/v1/awards/peru-ilo",
    "/v1/awards/pe%72u-ilo",
    "/v1/regions?format=geojson",
    "/v1/record",
    "/v1/search?q=lima&limit=2",
    "/v1/none",
    "/healthz",
    "/docs",
)
FIELDS = (
    "Accept: */*",
    "Accept: text/csv",
    "Accept: text/html, */*;q=0.1",
    "Accept: application/json\r\nAccept: text/csv",
    "Accept-Encoding: gzip, br, zstd",
    "Accept-Encoding: gzip",
    "Accept-Encoding:",
    "User-Agent: fuzz/1.0 (+https://example.org/%20)",
    "Cookie: a=b; c=d",
    "X-Request-Id: id-1",
    "X-Request-Id: not an id",
    "X-Forwarded-For: 192.0.2.1",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "If-None-Match: *",
    'If-None-Match: "other"',
    "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
    "Connection: keep-alive",
)
UNUSUAL_FIELDS = (
    "Connection: Keep-Alive, X-Other",
    "Range: bytes=0-9",
    "If-Range: *",
    "X-Tab: a\tb",
    "X-Latin: \xe9",
    "X-Empty:",
    "Content-Length: 0",
    "TE: trailers",
    "Upgrade: h2c",
    "Connection: Upgrade",
    "Expect: 100-continue",
)


class Recording(Connection):
    """A connection that records how much it has received."""

    received = 0

    def data_received(self, data: bytes) -> None:
        """Parse input."""
        super().data_received(data)
        self.received += len(data)


class CountingFastPath(FastPath):
    """A fast path that counts the requests it responds to."""

    responses = 0

    def respond(self, head: bytes, connection: Connection) -> bool:
        """Send the response that a head selects."""
        sent = super().respond(head, connection)
        self.responses += sent
        return sent


class Server:
    """The application behind real sockets in this process, with or without the fast path.

    Attributes:
        app: The application.
        fast_path: Its fast path; None without one.
        state: What its connections share.
        log: The access log.
    """

    def __init__(
        self, app: Application, log: AccessLogHandler, settings: Settings, *, fast: bool
    ) -> None:
        self.app, self.log = app, log
        self.fast_path: CountingFastPath | None = None
        if fast and app.fast_path is not None:
            proxies = app.fast_path.trusts_proxies
            access_log = app.fast_path.access_log
            self.fast_path = CountingFastPath(app.cache, access_log, trusts_proxies=proxies)
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Thu, 01 Jan 2026 00:00:00 GMT")]
        self.config = Config(
            app,
            log_config=None,
            proxy_headers=settings.forwarded_allow_ips is not None,
            forwarded_allow_ips=settings.forwarded_allow_ips,
        )
        self.lifespan_state: dict[str, Any] = {
            SETTINGS_KEY: settings,
            FAST_PATH_KEY: self.fast_path,
            DRAIN_KEY: app.state.drain,
        }

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Client]:
        """A client on a connection of its own."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        create = partial(Recording, self.config, self.state, self.lifespan_state, loop)
        _, protocol = await loop.connect_accepted_socket(create, theirs)
        with ours:
            yield Client(protocol, ours)
        await until(lambda: not self.state.connections)

    async def exchange(self, *chunks: bytes, wait: bool = True) -> bytes:
        """Send chunks, each received on its own, and read until the server closes.

        Args:
            chunks: What to send.
            wait: Whether to wait for the response after each chunk, if it ends a request.
        """
        async with self.connect() as client:
            received = asyncio.create_task(client.read_all())
            for chunk in chunks:
                await client.send(chunk, wait=wait)
            return await received


class Client:
    """One end of a connection, and the protocol at the other end."""

    def __init__(self, protocol: Recording, ours: socket.socket) -> None:
        self.protocol, self.socket = protocol, ours
        self.sent = 0

    async def send(self, chunk: bytes, *, wait: bool = True) -> None:
        """Send bytes; return once they were received or, if `wait` is set, responded to."""
        with suppress(BrokenPipeError, ConnectionResetError):
            await asyncio.get_running_loop().sock_sendall(self.socket, chunk)
        self.sent += len(chunk)
        await until(lambda: self.ended or self.protocol.received == self.sent)
        await until(lambda: self.ended or not (wait and self.protocol.responding))

    async def read_all(self) -> bytes:
        """Everything until the server closes, which it may do before it has read everything."""
        received = b""
        with suppress(ConnectionResetError):
            while chunk := await asyncio.get_running_loop().sock_recv(self.socket, 65_536):
                received += chunk
        return received

    @property
    def ended(self) -> bool:
        """Whether the server does not read on."""
        return self.protocol.reading_stopped or self.protocol.transport.is_closing()


@asynccontextmanager
async def serve(
    archive_file: Path, log_format: Any = "console", **options: Any
) -> AsyncIterator[tuple[Server, Server]]:
    """One application with an access log, behind a server with the fast path and one without."""
    settings = Settings(seed_file=SEED, archive_file=archive_file, access_log=False, **options)
    app = create_app(settings)
    log = AccessLogHandler(io.StringIO(), log_format)
    app.add_outer_middleware(AccessLog, handler=log)
    if app.fast_path is not None:
        app.fast_path.access_log = log
    async with app.router.lifespan_context(app):
        yield (
            Server(app, log, settings, fast=True),
            Server(app, log, settings, fast=False),
        )


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until a condition is met."""
    while not condition():  # noqa: ASYNC110 - connections set no event
        await asyncio.sleep(0)


def random_request(source: random.Random, etag: str) -> list[bytes]:
    """A request as a head and perhaps a body; most are valid, some are not."""
    fields = source.sample([*FIELDS, f"If-None-Match: {etag}"], source.choice((0, 1, 2, 3, 6)))
    fields += source.sample(UNUSUAL_FIELDS, source.choice((0, 0, 0, 0, 1, 2)))
    hosts = (("Host: record.test",), ("Host:",), ("Host: a/b",), ())
    fields += source.choices(hosts, (60, 2, 1, 1))[0]
    body = b""
    if source.random() < 0.1:
        body = source.choice((b"hello", PLAIN))
        fields.append(f"Content-Length: {len(body)}")
    source.shuffle(fields)
    respelled = [_respell(field, source) for field in fields]
    method = source.choices(("GET", "HEAD", "OPTIONS", "POST", "get"), (60, 20, 2, 2, 1))[0]
    version = source.choices(("1.1", "1.0", "1.2"), (60, 3, 1))[0]
    start = f"{method} {source.choice(TARGETS)} HTTP/{version}"
    end_of_line = source.choices(("\r\n", "\n"), (40, 1))[0]
    head = end_of_line.join([start, *respelled, "", ""]).encode("latin-1")
    return [part for part in (source.choices((b"", b"\r\n"), (40, 1))[0] + head, body) if part]


def _respell(field: str, source: random.Random) -> str:
    """A header field in another case, or with other white space."""
    name, _, value = field.partition(":")
    spelled = source.choice((name, name.lower(), name.upper(), name.title()))
    space = source.choices((" ", "", "  ", "\t"), (20, 2, 1, 1))[0]
    return f"{spelled}:{space}{value.strip()}{source.choices(('', ' '), (20, 1))[0]}"


def chunkings(requests: Sequence[Sequence[bytes]], source: random.Random) -> Iterable[list[bytes]]:
    """The same bytes in several chunkings: by part, at once, at random places, in pairs."""
    parts = [part for request in requests for part in request]
    sent = b"".join(parts)
    yield parts
    yield [sent]
    yield [b"".join(parts[index : index + 2]) for index in range(0, len(parts), 2)]
    places = sorted(source.sample(range(1, len(sent)), 5))
    yield [sent[start:end] for start, end in zip([0, *places], [*places, None], strict=True)]


def stable(responses: bytes) -> bytes:
    """Responses without the header that differs from one request to the next."""
    return re.sub(rb"(?m)^x-request-id: [0-9a-f]{32}\r\n", b"", responses)


def stable_log(log: AccessLogHandler) -> list[str]:
    """Lines that were logged since the last call, without times and generated ids."""
    log.flush()
    stream = log.setStream(io.StringIO())
    assert isinstance(stream, io.StringIO)
    lines = stream.getvalue().splitlines()
    return [
        re.sub(r'\d{4}-\d\d-\d\dT[\d:.]+|"milliseconds": [\d.]+|[0-9a-f]{32}', "-", line)
        for line in lines
    ]


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("seed", range(2))
async def test_random_requests_get_the_same_bytes(
    archive_file: Path, seed: int, log_format: str
) -> None:
    """With and without the fast path, however they are written and cut into chunks.

    The access log has the same lines, and as many requests are counted.
    """
    source = random.Random(f"{seed}{log_format}")  # noqa: S311 - repeatable, not secret
    async with serve(archive_file, log_format) as (fast, full):
        response = await full.exchange(LAST.replace(b"/meta", b"/awards"))
        etag = re.findall(rb"etag: (.*)\r\n", response)[0].decode()
        pool = [random_request(source, etag) for _ in range(25)] + [[PLAIN]] * 10
        for request in pool:  # rendering may read the body, which 100-continue announces
            await full.exchange(*request, LAST)
        started = full.state.total_requests
        stable_log(full.log)
        for _ in range(15):
            requests = [source.choice(pool) for _ in range(source.randrange(2, 9))] + [[LAST]]
            for chunks in chunkings(requests, source):
                wait = source.random() < 0.8
                expected = stable(await full.exchange(*chunks, wait=wait))
                lines = stable_log(full.log)
                assert stable(await fast.exchange(*chunks, wait=wait)) == expected
                assert stable_log(fast.log) == lines
        assert fast.state.total_requests == full.state.total_requests - started
        assert fast.fast_path is not None
        assert fast.fast_path.responses > 5


async def test_a_request_split_at_every_byte(archive_file: Path) -> None:
    """A head that arrives in two chunks, or byte by byte, gets the same response."""
    async with serve(archive_file) as (fast, full):
        expected = await full.exchange(PLAIN, LAST)
        assert [await fast.exchange(PLAIN, LAST) for _ in range(3)] == [expected] * 3
        assert fast.fast_path is not None
        known = fast.fast_path.responses
        assert known > 0
        for place in range(1, len(PLAIN)):
            assert await fast.exchange(PLAIN[:place], PLAIN[place:], LAST) == expected
        assert await fast.exchange(*(bytes([byte]) for byte in PLAIN), LAST) == expected
        assert fast.fast_path.responses == known


async def test_a_known_head_is_recognized_on_every_connection(archive_file: Path) -> None:
    """From its third request on: the first renders the response, the second is a cache hit."""
    async with serve(archive_file) as (fast, _):
        assert fast.fast_path is not None
        for expected in (0, 0, 1, 2):
            async with fast.connect() as client:
                await client.send(PLAIN)
                assert fast.fast_path.responses == expected


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
        b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"Range: bytes=0-9\r\n\r\n",
        b"HEAD /v1/awards?format=csv HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"Connection: Keep-Alive, X\r\n\r\n",
        b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"X: a\tb\r\n\r\n",
        b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"X: %b\r\n\r\n" % (b"a" * 1_024),
        b"OPTIONS /v1/awards HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /v1/awards?limit=0 HTTP/1.1\r\n" + HOST + b"\r\n",
        PLAIN * 2,
    ],
    ids=[
        "a length", "a range", "HEAD of a range", "a connection option", "a tab", "a long head",
        "OPTIONS", "uncacheable", "an error", "two requests",
    ],
)  # fmt: skip
async def test_unusual_requests_are_not_remembered(archive_file: Path, head: bytes) -> None:
    """They pass the application every time."""
    async with serve(archive_file) as (fast, _):
        async with fast.connect() as client:
            for _ in range(4):
                await client.send(head)
        assert fast.fast_path is not None
        assert fast.fast_path.responses == 0


async def test_a_body_is_no_request(archive_file: Path) -> None:
    """Even if its bytes are a known head and the response was sent before they arrived."""
    request = b"GET /v1/awards HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(PLAIN)
    async with serve(archive_file) as (fast, _):
        for _ in range(3):
            await fast.exchange(PLAIN, LAST)
        assert fast.fast_path is not None
        known = fast.fast_path.responses
        received = await fast.exchange(request, PLAIN, LAST)
        assert received.count(b"HTTP/1.1 200 OK\r\n") == 2
        assert fast.fast_path.responses == known


async def test_known_heads_are_bounded(archive_file: Path) -> None:
    """A flood of different heads leaves at most 4,096, and the last are recognized."""
    async with serve(archive_file) as (fast, _), fast.connect() as client:
        await client.send(PLAIN)
        heads = [PLAIN.replace(b"\r\n\r\n", b"\r\nX: %d\r\n\r\n" % number) for number in range(20)]
        await client.send(heads[0])
        assert fast.fast_path is not None
        (known,) = fast.fast_path._heads.values()
        fast.fast_path._heads |= {b"%d" % number: known for number in range(4_095)}
        for head in heads:
            await client.send(head)
        assert len(fast.fast_path._heads) == 4_096
        before = fast.fast_path.responses
        for head in heads[1:]:
            await client.send(head)
        assert fast.fast_path.responses == before + 19


async def test_a_known_head_selects_only_what_the_application_has_cached(
    archive_file: Path,
) -> None:
    """A response that was evicted, or is of another release, comes from the application first."""
    async with serve(archive_file) as (fast, _), fast.connect() as client:
        for _ in range(3):
            await client.send(PLAIN)
        assert fast.fast_path is not None
        assert fast.fast_path.responses == 1
        fast.app.cache.clear()
        await client.send(PLAIN)
        assert fast.fast_path.responses == 1
        await client.send(PLAIN)
        assert fast.fast_path.responses == 2
        store = fast.app.cache.store
        (key,) = store._protected
        store._protected[key] = CachedResponse.create(200, [], b"another release")
        for expected in (2, 3):
            await client.send(PLAIN)
            assert fast.fast_path.responses == expected
        await client.send(LAST)
        assert (await client.read_all()).count(b"another release") == 2


async def test_the_date_moves_on(archive_file: Path) -> None:
    """A response has the current `Date`, whenever its head was remembered."""
    async with serve(archive_file) as (fast, _):
        for _ in range(3):
            await fast.exchange(PLAIN, LAST)
        for date in (b"Fri, 02 Jan 2026 00:00:00 GMT", b"Sat, 03 Jan 2026 00:00:00 GMT"):
            fast.state.default_headers = [(b"date", date)]
            assert (await fast.exchange(PLAIN, LAST)).count(b"\r\ndate: %b\r\n" % date) == 2


async def test_the_idle_timeout_starts_again_with_each_response(archive_file: Path) -> None:
    """A connection is idle since its last response, also if that took the fast path."""
    async with serve(archive_file, idle_seconds=75) as (fast, _), fast.connect() as client:
        for _ in range(3):
            await client.send(PLAIN)
        now = client.protocol.loop.time()
        assert not client.protocol.timed_out(now)
        assert not client.protocol.timed_out(now + 74)
        await client.send(PLAIN)
        assert not client.protocol.timed_out(now + 80)
        assert not client.protocol.timed_out(now + 154)
        assert client.protocol.timed_out(now + 156)


async def test_other_hosts_are_rejected(archive_file: Path) -> None:
    """With ALLOWED_HOSTS, heads with an allowed host take the fast path, and only these."""
    other = PLAIN.replace(b"record.test", b"other.test")
    async with serve(archive_file, allowed_hosts="record.test") as (fast, _):
        for _ in range(4):
            assert (await fast.exchange(PLAIN, LAST)).startswith(b"HTTP/1.1 200 ")
            assert (await fast.exchange(other, LAST)).startswith(b"HTTP/1.1 400 ")
        assert fast.fast_path is not None
        assert fast.fast_path.responses == 2


async def test_forwarded_clients_are_logged(archive_file: Path) -> None:
    """With FORWARDED_ALLOW_IPS, the client in `X-Forwarded-For` is logged every time."""
    forwarded = PLAIN.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
    async with serve(archive_file, forwarded_allow_ips="*") as (fast, _):
        async with fast.connect() as client:
            for _ in range(4):
                await client.send(forwarded)
            assert [' 192.0.2.1 "GET ' in line for line in stable_log(fast.log)] == [True] * 4
            for _ in range(4):
                await client.send(PLAIN)
            assert not any("192.0.2.1" in line for line in stable_log(fast.log))
        assert fast.fast_path is not None
        assert fast.fast_path.responses > 0


def test_telemetry_sees_every_request() -> None:
    """With TELEMETRY, there is no fast path, because it has to see requests in the application."""
    assert create_app(Settings(telemetry="prometheus")).fast_path is None
    assert create_app(Settings()).fast_path is not None


async def test_a_slow_reader_gets_every_response(archive_file: Path) -> None:
    """While the write buffer is full, requests wait, and all get their responses in order."""
    request = b"GET /v1/record HTTP/1.1\r\n" + HOST + b"\r\n"
    async with serve(archive_file) as (fast, _), fast.connect() as client:
        sending = asyncio.create_task(send_each(client, [request] * 100 + [LAST]))
        await until(lambda: client.protocol.flow.write_paused)
        received = await client.read_all()
        await sending
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 101
    assert received.endswith(b'"self":"/v1/meta"}}')


async def send_each(client: Client, requests: Sequence[bytes]) -> None:
    """Send requests, each once the one before was received."""
    for request in requests:
        await client.send(request, wait=False)


async def test_an_upgrade_request_is_the_last(archive_file: Path) -> None:
    """Nothing is read after it, and its response says so, cached or not."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    request = b"GET /v1/awards HTTP/1.1\r\n" + HOST + upgrade + b"\r\n"
    async with serve(archive_file) as (fast, _):
        for _ in range(3):
            response = await fast.exchange(request)
            assert response.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nconnection: close\r\n" in response
