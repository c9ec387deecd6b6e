"""Connections over real sockets: what is refused, what is closed, and that others are answered."""

from __future__ import annotations

import json
import select
import socket
import time
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Start

HOST = b"Host: record.test\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
PATIENCE = 30.0


@pytest.fixture(scope="module")
def quick(start_server: Start, archive_file: object) -> str:
    """A server whose deadlines are short, with room for 600 connections."""
    url, _ = start_server(
        ARCHIVE_FILE=str(archive_file),
        REQUEST_SECONDS="2",
        WRITE_SECONDS="2",
        IDLE_SECONDS="3",
        MAX_CONNECTIONS="600",
    )
    return url


def connect(url: str) -> socket.socket:
    """A bare connection to a server."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def everything(connection: socket.socket) -> bytes:
    """What a server sends until it closes."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def exchange(url: str, sent: bytes) -> bytes:
    """What a server answers to these bytes until it closes; it may close before it read all."""
    with connect(url) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        return everything(connection)


def statuses(received: bytes) -> list[int]:
    """The status of each response in what was received."""
    lines = received.split(b"HTTP/1.1 ")[1:]
    return [int(line[:3]) for line in lines]


REFUSED = {
    "two hosts": (b"GET /v1 HTTP/1.1\r\n" + HOST * 2 + b"\r\n", 400),
    "two hosts in 1.0": (b"GET /v1 HTTP/1.0\r\n" + HOST * 2 + b"\r\n", 400),
    "no host": (b"GET /v1 HTTP/1.1\r\n\r\n", 400),
    "no version": (b"GET /v1\r\n\r\n", 400),
    "a path in the host": (b"GET /v1 HTTP/1.1\r\nHost: a.test/x\r\n\r\n", 400),
    "a space in the host": (b"GET /v1 HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "a user in the host": (b"GET /v1 HTTP/1.1\r\nHost: user@a.test\r\n\r\n", 400),
    "a word for a port": (b"GET /v1 HTTP/1.1\r\nHost: a.test:http\r\n\r\n", 400),
    "another version": (b"GET /v1 HTTP/1.2\r\n" + HOST + b"\r\n", 400),
    "rubbish": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a long URL": (b"GET /%b HTTP/1.1\r\n" % (b"a" * 70_000) + HOST + b"\r\n", 414),
    "an endless URL": (b"GET /" + b"a" * 1_000_000, 414),
    "a large q": (b"GET /v1/search?q=%b HTTP/1.1\r\n" % (b"a" * 60_000) + HOST + b"\r\n", 414),
    "a large header": (b"GET /v1 HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 1_000_000, 431),
    "large headers": (b"GET /v1 HTTP/1.1\r\n" + HOST + b"X: 1234567890\r\n" * 10_000, 431),
    "many headers": (b"GET /v1 HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 100 + b"\r\n", 431),
    "length and chunks": (
        b"GET /v1 HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n",
        400,
    ),
    "two lengths": (
        b"GET /v1 HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n" + HOST + b"\r\n",
        400,
    ),
    "a folded header": (b"GET /v1 HTTP/1.1\r\nX: a\r\n b\r\n" + HOST + b"\r\n", 400),
    "NUL in a header": (b"GET /v1 HTTP/1.1\r\nX: \x00\r\n" + HOST + b"\r\n", 400),
    "a tunnel": (b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "high bytes in a path": (b"GET /v1/\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_is_refused(quick: str, sent: bytes, status: int) -> None:
    """A problem document with every header that errors have, then the end; others go on."""
    head, _, body = exchange(quick, sent).partition(b"\r\n\r\n")
    told = head.decode().lower().split("\r\n")
    assert told[0].startswith(f"http/1.1 {status} ")
    assert "content-type: application/problem+json" in told
    assert "access-control-allow-origin: *" in told
    assert "cache-control: no-store" in told
    assert "connection: close" in told
    assert f"content-length: {len(body)}" in told
    assert any(line.startswith("date: ") for line in told)
    assert any(line.startswith("x-request-id: ") for line in told)
    assert any(line.startswith("content-security-policy: ") for line in told)
    assert json.loads(body)["status"] == status
    assert statuses(exchange(quick, LAST)) == [200]


def test_a_refused_kind_is_explained(quick: str) -> None:
    """The `type` of what the connection refuses leads to its explanation."""
    refused = exchange(quick, b"GET /%b HTTP/1.1\r\n" % (b"a" * 70_000) + HOST + b"\r\n")
    kind = json.loads(refused.partition(b"\r\n\r\n")[2])["type"]
    assert httpx.get(f"{quick}{kind}").json()["data"]["status"] == 414


def test_requests_are_answered_in_order_however_they_come(quick: str) -> None:
    """Pipelined or byte by byte, all are answered; the fault after them is not theirs."""
    assert statuses(exchange(quick, ALIVE * 40 + LAST)) == [200] * 41
    assert statuses(exchange(quick, ALIVE * 3 + b"rubbish\r\n\r\n" + LAST)) == [200] * 3
    with connect(quick) as connection:
        for byte in LAST:
            connection.sendall(bytes([byte]))
        assert statuses(everything(connection)) == [200]


@pytest.mark.parametrize("host", ["a.test", "a.test:80", "127.0.0.1:8", "[::1]:80", "a_b", ""])
def test_every_host_is_answered(quick: str, host: str) -> None:
    """Names, addresses, ports, and no name at all (RFC 9112, 3.2)."""
    request = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert statuses(exchange(quick, request.encode())) == [200]


@pytest.mark.parametrize("length", [3, 60_000, 1_000_000])
def test_a_body_changes_nothing(quick: str, length: int) -> None:
    """GET with a body is GET; a long one ends the connection after the answer."""
    body = b"x" * length
    request = b"GET /healthz HTTP/1.1\r\nContent-Length: %d\r\n" % length + HOST + b"\r\n" + body
    answers = statuses(exchange(quick, request + LAST))
    assert answers == ([200] if length > 65_536 else [200, 200])


def test_an_upgrade_is_not_taken(quick: str) -> None:
    """A client that would speak HTTP/2 or WebSocket is answered in HTTP/1.1, and then closed."""
    wish = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + wish + b"\r\n"
    assert statuses(exchange(quick, request + ALIVE)) == [200]


def test_a_refused_head_request_has_no_body(quick: str) -> None:
    """HEAD is answered without a body in refusals too."""
    head, _, body = exchange(quick, b"HEAD /v1 HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body == b""


def closed(connections: list[socket.socket]) -> int:
    """How many of these connections the server has closed."""
    readable, _, _ = select.select(connections, [], [], 0)
    return len(readable)


def test_half_requests_are_closed_and_whole_ones_answered(quick: str) -> None:
    """500 silent or half-open connections end by the deadline; real requests pass meanwhile."""
    with ExitStack() as opened:
        halves = [opened.enter_context(closing(connect(quick))) for _ in range(500)]
        for number, half in enumerate(halves):
            half.sendall(ALIVE[: number % len(ALIVE)])
        deadline = time.monotonic() + PATIENCE
        with httpx.Client(base_url=quick) as client:
            while closed(halves) < 500:
                assert time.monotonic() < deadline
                assert client.get("/v1/awards").status_code == 200
                time.sleep(0.05)


def test_a_drip_does_not_buy_time(quick: str) -> None:
    """The deadline is for the whole head: a byte now and then does not put it off."""
    with connect(quick) as connection:
        began = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):
            for byte in b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 1_000:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
                assert time.monotonic() - began < PATIENCE
        assert everything(connection) == b""


def test_more_connections_than_there_is_room_for(quick: str) -> None:
    """Beyond the bound it is silent connections that go, not those that ask."""
    with ExitStack() as opened:
        silent = [opened.enter_context(closing(connect(quick))) for _ in range(700)]
        with httpx.Client(base_url=quick) as client:
            assert client.get("/v1/awards").status_code == 200
        assert closed(silent) >= 100


def test_an_idle_connection_is_closed(quick: str) -> None:
    """A connection that was answered and asks no more ends without a word."""
    with connect(quick) as connection:
        connection.sendall(ALIVE)
        assert statuses(everything(connection)) == [200]


def test_an_answer_that_nobody_reads_is_dropped(quick: str) -> None:
    """A client that takes nothing is cut off by the deadline; its answer is not whole."""
    request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
    whole = len(httpx.get(f"{quick}/docs/swagger-ui-bundle.js").content)
    with ExitStack() as opened:
        readers = []
        for _ in range(10):
            reader = opened.enter_context(closing(socket.socket()))
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            parts = urlsplit(quick)
            reader.settimeout(PATIENCE)
            reader.connect((parts.hostname, parts.port))
            reader.sendall(request * 8)
            readers.append(reader)
        time.sleep(6)
        for reader in readers:
            assert len(everything(reader)) < 8 * whole


def test_a_slow_reader_gets_all(quick: str) -> None:
    """A client that keeps reading, if slowly, is given more time than the deadline."""
    request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    received = 0
    with connect(quick) as connection:
        connection.sendall(request)
        while piece := connection.recv(100_000):
            received += len(piece)
            time.sleep(0.1)
    assert received > len(httpx.get(f"{quick}/docs/swagger-ui-bundle.js").content)
