"""Connections over real sockets: rejected requests, timeouts, and the connection limit."""

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
from tests.support.serving import TIMEOUT_SECONDS, fetch

HOST = b"Host: record.test\r\n"
PROBE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
CLOSING_PROBE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def url(start_server: Start, archive_file: object) -> str:
    """A server with short timeouts and at most 600 connections."""
    address, _ = start_server(
        ARCHIVE_FILE=str(archive_file),
        REQUEST_SECONDS="2",
        WRITE_SECONDS="2",
        IDLE_SECONDS="3",
        MAX_CONNECTIONS="600",
    )
    return address


def connect(url: str) -> socket.socket:
    """A TCP connection to a server."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT_SECONDS)


def read_all(connection: socket.socket) -> bytes:
    """All bytes until the server closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def exchange(url: str, sent: bytes) -> bytes:
    """Send bytes and read until the server closes, which may be before it has read them all."""
    with connect(url) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        return read_all(connection)


def statuses(received: bytes) -> list[int]:
    """The status of each response in what was received."""
    lines = received.split(b"HTTP/1.1 ")[1:]
    return [int(line[:3]) for line in lines]


REJECTED = {
    "two hosts": (b"GET /v1 HTTP/1.1\r\n" + HOST * 2 + b"\r\n", 400),
    "two hosts in 1.0": (b"GET /v1 HTTP/1.0\r\n" + HOST * 2 + b"\r\n", 400),
    "no host": (b"GET /v1 HTTP/1.1\r\n\r\n", 400),
    "no version": (b"GET /v1\r\n\r\n", 400),
    "a path in the host": (b"GET /v1 HTTP/1.1\r\nHost: a.test/x\r\n\r\n", 400),
    "a space in the host": (b"GET /v1 HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "a user in the host": (b"GET /v1 HTTP/1.1\r\nHost: user@a.test\r\n\r\n", 400),
    "a port that is not a number": (b"GET /v1 HTTP/1.1\r\nHost: a.test:http\r\n\r\n", 400),
    "another version": (b"GET /v1 HTTP/1.2\r\n" + HOST + b"\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a long URL": (b"GET /%b HTTP/1.1\r\n" % (b"a" * 70_000) + HOST + b"\r\n", 414),
    "an endless URL": (b"GET /" + b"a" * 1_000_000, 414),
    "a large q": (b"GET /v1/search?q=%b HTTP/1.1\r\n" % (b"a" * 60_000) + HOST + b"\r\n", 414),
    "a large header": (b"GET /v1 HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 1_000_000, 431),
    "large headers": (b"GET /v1 HTTP/1.1\r\n" + HOST + b"X: 1234567890\r\n" * 10_000, 431),
    "many headers": (b"GET /v1 HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 100 + b"\r\n", 431),
    "Content-Length and chunks": (
        b"GET /v1 HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n",
        400,
    ),
    "two lengths": (
        b"GET /v1 HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n" + HOST + b"\r\n",
        400,
    ),
    "a folded header": (b"GET /v1 HTTP/1.1\r\nX: a\r\n b\r\n" + HOST + b"\r\n", 400),
    "NUL in a header": (b"GET /v1 HTTP/1.1\r\nX: \x00\r\n" + HOST + b"\r\n", 400),
    "CONNECT": (b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "high bytes in a path": (b"GET /v1/\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
}


@pytest.mark.parametrize(("sent", "status"), REJECTED.values(), ids=REJECTED)
def test_invalid_requests_are_rejected(url: str, sent: bytes, status: int) -> None:
    """A problem document with every header of an error, then the connection is closed.

    Other connections are served.
    """
    head, _, body = exchange(url, sent).partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert "content-type: application/problem+json" in lines
    assert "access-control-allow-origin: *" in lines
    assert "cache-control: no-store" in lines
    assert "connection: close" in lines
    assert f"content-length: {len(body)}" in lines
    assert any(line.startswith("date: ") for line in lines)
    assert any(line.startswith("x-request-id: ") for line in lines)
    assert any(line.startswith("content-security-policy: ") for line in lines)
    assert json.loads(body)["status"] == status
    assert statuses(exchange(url, CLOSING_PROBE)) == [200]


def test_the_type_of_a_rejection_is_documented(url: str) -> None:
    """The `type` of a problem sent by the connection is a path of the API."""
    response = exchange(url, b"GET /%b HTTP/1.1\r\n" % (b"a" * 70_000) + HOST + b"\r\n")
    problem_type = json.loads(response.partition(b"\r\n\r\n")[2])["type"]
    assert fetch(f"{url}{problem_type}").json()["data"]["status"] == 414


def test_requests_may_be_pipelined_or_fragmented(url: str) -> None:
    """All get a response in order, whatever invalid request follows them."""
    assert statuses(exchange(url, PROBE * 40 + CLOSING_PROBE)) == [200] * 41
    assert statuses(exchange(url, PROBE * 3 + b"rubbish\r\n\r\n" + CLOSING_PROBE)) == [200] * 3
    with connect(url) as connection:
        for byte in CLOSING_PROBE:
            connection.sendall(bytes([byte]))
        assert statuses(read_all(connection)) == [200]


@pytest.mark.parametrize("host", ["a.test", "a.test:80", "127.0.0.1:8", "[::1]:80", "a_b", ""])
def test_valid_hosts_are_accepted(url: str, host: str) -> None:
    """Names, addresses, ports, and an empty host (RFC 9112, 3.2)."""
    request = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert statuses(exchange(url, request.encode())) == [200]


@pytest.mark.parametrize("length", [3, 60_000, 1_000_000])
def test_a_body_is_ignored(url: str, length: int) -> None:
    """GET with a body is GET; after a long body the connection is closed."""
    body = b"x" * length
    request = b"GET /healthz HTTP/1.1\r\nContent-Length: %d\r\n" % length + HOST + b"\r\n" + body
    responses = statuses(exchange(url, request + CLOSING_PROBE))
    assert responses == ([200] if length > 65_536 else [200, 200])


def test_an_upgrade_is_ignored(url: str) -> None:
    """A request to upgrade to HTTP/2 gets an HTTP/1.1 response, then the connection is closed."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + upgrade + b"\r\n"
    assert statuses(exchange(url, request + PROBE)) == [200]


def test_a_rejected_head_request_has_no_body(url: str) -> None:
    """The problem sent for HEAD is its headers alone."""
    head, _, body = exchange(url, b"HEAD /v1 HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body == b""


def closed(connections: list[socket.socket]) -> int:
    """How many of these connections the server has closed."""
    readable, _, _ = select.select(connections, [], [], 0)
    return len(readable)


def test_incomplete_requests_time_out(url: str) -> None:
    """500 silent or incomplete connections are closed; others are served meanwhile."""
    with ExitStack() as stack:
        incomplete = [stack.enter_context(closing(connect(url))) for _ in range(500)]
        for number, connection in enumerate(incomplete):
            connection.sendall(PROBE[: number % len(PROBE)])
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
            while closed(incomplete) < 500:
                assert time.monotonic() < deadline
                assert client.get("/v1/awards").status_code == 200
                time.sleep(0.05)


def test_the_request_timeout_is_for_the_whole_head(url: str) -> None:
    """A byte now and then does not extend it."""
    with connect(url) as connection:
        started = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):
            for byte in b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 1_000:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
                assert time.monotonic() - started < TIMEOUT_SECONDS
        assert read_all(connection) == b""


def test_the_connection_limit_closes_waiting_connections(url: str) -> None:
    """Beyond the limit silent connections are closed, and a request is served."""
    with ExitStack() as stack:
        silent = [stack.enter_context(closing(connect(url))) for _ in range(700)]
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
            assert client.get("/v1/awards").status_code == 200
        assert closed(silent) >= 100


def test_an_idle_connection_is_closed(url: str) -> None:
    """A keep-alive connection without another request is closed without an error."""
    with connect(url) as connection:
        connection.sendall(PROBE)
        assert statuses(read_all(connection)) == [200]


def read_after(url: str, request: bytes, seconds: float) -> list[int]:
    """Send requests on ten connections, read nothing for a while, then count the bytes on each."""
    parts = urlsplit(url)
    with ExitStack() as stack:
        readers = []
        for _ in range(10):
            reader = stack.enter_context(closing(socket.socket()))
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            reader.settimeout(TIMEOUT_SECONDS)
            reader.connect((parts.hostname, parts.port))
            reader.sendall(request)
            readers.append(reader)
        time.sleep(seconds)
        return [len(read_all(reader)) for reader in readers]


def test_a_client_that_does_not_read_is_disconnected(url: str) -> None:
    """The write timeout closes its connection before the response is complete.

    That cannot be seen without reading, which extends the timeout: so the wait is doubled until it
    is long enough, however busy the machine is.
    """
    request = b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
    complete = 40 * len(fetch(f"{url}/openapi.json").content)
    for seconds in (4, 8, 16, 32):
        if all(received < complete for received in read_after(url, request * 40, seconds)):
            return
    pytest.fail("no write timeout")


def test_a_slow_reader_gets_the_whole_response(url: str) -> None:
    """Progress extends the write timeout."""
    request = b"GET /openapi.json HTTP/1.1\r\n" + HOST
    received = 0
    with connect(url) as connection:
        connection.sendall((request + b"\r\n") * 4 + request + b"Connection: close\r\n\r\n")
        while chunk := connection.recv(100_000):
            received += len(chunk)
            time.sleep(0.1)
    assert received > 5 * len(fetch(f"{url}/openapi.json").content)


def test_the_largest_limits_can_be_used(start_server: Start, archive_file: object) -> None:
    """A URL and headers of the largest sizes that can be set are accepted, and no byte more."""
    url_bytes, header_bytes = 65_535, 262_144
    address, _ = start_server(
        ARCHIVE_FILE=str(archive_file),
        MAX_URL_BYTES=str(url_bytes),
        MAX_HEADER_BYTES=str(header_bytes),
    )
    lines = HOST + b"Connection: close\r\nX: "

    def status(path_bytes: int, line_bytes: int) -> list[int]:
        path = b"/healthz?".ljust(path_bytes, b"a")
        head = b"GET %b HTTP/1.1\r\n%b\r\n\r\n" % (path, lines.ljust(line_bytes - 2, b"a"))
        return statuses(exchange(address, head))

    assert status(url_bytes, header_bytes) == [200]
    assert status(url_bytes + 1, 1_000) == [414]
    assert status(100, header_bytes + 1) == [431]
