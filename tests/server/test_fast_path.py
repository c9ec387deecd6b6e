"""The fast path: cached responses that connections send without running the application."""

from __future__ import annotations

import asyncio
import re

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.main import create_app
from app.server.connections import Connection
from app.settings import SETTINGS_KEY, Settings
from tests.conftest import Start
from tests.server.test_connections import HOST, connect, exchange, read_all

PLAIN = b"GET /v1/awards HTTP/1.1\r\n" + HOST
REQUESTS = {
    "a list": (PLAIN, 200),
    "HEAD": (PLAIN.replace(b"GET", b"HEAD"), 200),
    "zstd": (PLAIN + b"Accept-Encoding: zstd\r\n", 200),
    "CSV": (PLAIN + b"Accept: text/csv\r\n", 200),
    "a stream": (b"GET /v1/record HTTP/1.1\r\n" + HOST, 200),
    "HEAD of a stream": (b"HEAD /v1/record HTTP/1.1\r\n" + HOST, 200),
    "a matching tag": (PLAIN + b"If-None-Match: *\r\n", 304),
    "HEAD with a tag that does not match": (
        PLAIN.replace(b"GET", b"HEAD") + b'If-None-Match: "a", *\r\n',
        200,
    ),
    "a tag that does not match": (PLAIN + b'If-None-Match: "a"\r\n', 200),
    "a body": (PLAIN + b"Content-Length: 5\r\n\r\nhello", 200),
    "100-continue": (
        PLAIN + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        200,
    ),
    "HTTP/1.0": (PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"), 200),
    "a page": (b"GET /docs HTTP/1.1\r\n" + HOST, 200),
    "OPTIONS": (PLAIN.replace(b"GET", b"OPTIONS"), 204),
    "POST": (PLAIN.replace(b"GET", b"POST"), 405),
    "a problem": (b"GET /v1/awards?limit=0 HTTP/1.1\r\n" + HOST, 422),
}


@pytest.fixture(scope="module")
def fast(start_server: Start, archive_file: object) -> str:
    """A server without an access log, so that connections use the fast path."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), ACCESS_LOG="false")
    return url


@pytest.fixture(scope="module")
def full(start_server: Start, archive_file: object) -> str:
    """A server with an access log, so that every request passes the application."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), ACCESS_LOG="true")
    return url


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("settings", "enabled"),
    [
        ({"access_log": False}, True),
        ({"access_log": False, "allowed_hosts": "record.test"}, False),
        ({"access_log": False, "telemetry": "prometheus"}, False),
    ],
    ids=["plain", "allowed hosts", "telemetry"],
)
async def test_connections_find_the_fast_path(
    settings: dict[str, object], *, enabled: bool
) -> None:
    """It is used where no layer outside the cache has to see the request, and only there."""
    chosen = Settings.model_validate(settings)
    app = create_app(chosen)
    config = Config(app, log_config=None, proxy_headers=False)
    loop = asyncio.get_running_loop()
    connection = Connection(config, ServerState(), {SETTINGS_KEY: chosen}, loop)
    assert connection.limiter.lookup == app.lookup
    assert app.has_fast_path is enabled


@pytest.mark.parametrize("name", REQUESTS)
def test_the_fast_path_sends_the_same_bytes(name: str, fast: str, full: str) -> None:
    """A first response, a cached one, and one through the application are identical."""
    request, status = REQUESTS[name]
    request = closing(request)
    first, cached = exchange(fast, request), exchange(fast, request)
    assert first.startswith(b"HTTP/1.1 %d " % status)
    assert stable(first) == stable(cached) == stable(exchange(full, request))


def test_pipelined_responses_are_in_order(fast: str, full: str) -> None:
    """Cached responses do not overtake those that the application renders."""
    paths = (
        b"/v1",
        b"/v1/awards?limit=%d",
        b"/v1",
        b"/healthz",
        b"/v1/awards",
        b"/v1/none",
        b"/v1",
    )
    for number in (3, 4):
        requests = b"".join(
            b"GET %b HTTP/1.1\r\n" % path.replace(b"%d", b"%d" % number) + HOST + b"\r\n"
            for path in paths * 20
        )
        last = closing(b"GET /v1/meta HTTP/1.1\r\n" + HOST)
        responses = stable(exchange(fast, requests + last))
        assert responses == stable(exchange(full, requests + last))
        assert responses.count(b"HTTP/1.1 ") == len(paths) * 20 + 1


def test_a_connection_stays_open_after_a_cached_response(fast: str) -> None:
    """It serves the next request, and is closed when the client asks for that."""
    request = b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n"
    with connect(fast) as connection:
        for _ in range(50):
            connection.sendall(request)
            received = b""
            while not received.endswith(b'"openapi":"/openapi.json"}}'):
                received += connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        connection.sendall(closing(b"GET /v1 HTTP/1.1\r\n" + HOST))
        assert b"\r\nconnection: close\r\n" in read_all(connection)


def test_a_slow_reader_gets_every_response(fast: str) -> None:
    """Responses wait while the client's write buffer is full, and all arrive."""
    request = b"GET /v1/record HTTP/1.1\r\n" + HOST + b"\r\n"
    exchange(fast, closing(request[:-2]))
    with connect(fast) as connection:
        connection.sendall(request * 200 + closing(b"GET /v1 HTTP/1.1\r\n" + HOST))
        received = read_all(connection)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 201


def test_an_upgrade_request_is_the_last(fast: str) -> None:
    """Nothing is read after it, and its response says so, cached or not."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    for _ in range(2):
        response = exchange(fast, PLAIN + upgrade + b"\r\n")
        assert response.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nconnection: close\r\n" in response


def closing(request: bytes) -> bytes:
    """A request with `Connection: close`."""
    line, _, rest = request.partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n") if b"\r\n\r\n" in rest else (rest[:-2], b"", b"")
    return b"%b\r\n%b\r\nConnection: close\r\n\r\n%b" % (line, head, body)


def stable(responses: bytes) -> bytes:
    """Responses without the headers that differ from one second or request to the next."""
    return re.sub(rb"(?m)^(date|x-request-id): [^\r]*\r\n", b"", responses)
