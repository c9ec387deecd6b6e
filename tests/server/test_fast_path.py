"""Kept answers that the connection sends itself: the same as those that the application sends."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Start
from tests.server.test_connections import HOST, connect, everything, exchange

PLAIN = b"GET /v1/awards HTTP/1.1\r\n" + HOST
ANSWERS = {
    "a list": (PLAIN, 200),
    "its headers": (PLAIN.replace(b"GET", b"HEAD"), 200),
    "zstd": (PLAIN + b"Accept-Encoding: zstd\r\n", 200),
    "CSV": (PLAIN + b"Accept: text/csv\r\n", 200),
    "a stream": (b"GET /v1/record HTTP/1.1\r\n" + HOST, 200),
    "the headers of a stream": (b"HEAD /v1/record HTTP/1.1\r\n" + HOST, 200),
    "what a client has": (PLAIN + b"If-None-Match: *\r\n", 304),
    "what a client has, its headers": (
        PLAIN.replace(b"GET", b"HEAD") + b'If-None-Match: "a", *\r\n',
        200,
    ),
    "what a client has not": (PLAIN + b'If-None-Match: "a"\r\n', 200),
    "a body": (PLAIN + b"Content-Length: 5\r\n\r\nhello", 200),
    "a client that waits to send a body": (
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
def silent(start_server: Start, archive_file: object) -> str:
    """A server that logs no requests: kept answers need no application."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), ACCESS_LOG="false")
    return url


@pytest.fixture(scope="module")
def logging(start_server: Start, archive_file: object) -> str:
    """A server that logs every request, so that each passes the application."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), ACCESS_LOG="true")
    return url


@pytest.mark.parametrize("asked", ANSWERS)
def test_kept_answers_are_the_applications(asked: str, silent: str, logging: str) -> None:
    """The first answer, a kept one, and one that passes the application are the same bytes."""
    request, status = ANSWERS[asked]
    request = closing(request)
    first, kept = exchange(silent, request), exchange(silent, request)
    assert first.startswith(b"HTTP/1.1 %d " % status)
    assert timeless(first) == timeless(kept) == timeless(exchange(logging, request))


def test_answers_come_in_the_order_asked(silent: str, logging: str) -> None:
    """Requests sent at once, kept ones between new ones, are answered one after another."""
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
        sent = b"".join(
            b"GET %b HTTP/1.1\r\n" % path.replace(b"%d", b"%d" % number) + HOST + b"\r\n"
            for path in paths * 20
        )
        last = closing(b"GET /v1/meta HTTP/1.1\r\n" + HOST)
        answers = timeless(exchange(silent, sent + last))
        assert answers == timeless(exchange(logging, sent + last))
        assert answers.count(b"HTTP/1.1 ") == len(paths) * 20 + 1


def test_a_connection_goes_on_after_a_kept_answer(silent: str) -> None:
    """A connection is kept for the next request, and closed when the client asks for it."""
    request = b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n"
    with connect(silent) as connection:
        for _ in range(50):
            connection.sendall(request)
            received = b""
            while not received.endswith(b'"openapi":"/openapi.json"}}'):
                received += connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        connection.sendall(closing(b"GET /v1 HTTP/1.1\r\n" + HOST))
        assert b"\r\nconnection: close\r\n" in everything(connection)


def test_a_client_that_does_not_read_is_not_sent_to(silent: str) -> None:
    """Answers wait for a client that is slow to read, and all arrive."""
    request = b"GET /v1/record HTTP/1.1\r\n" + HOST + b"\r\n"
    exchange(silent, closing(request[:-2]))
    with connect(silent) as connection:
        connection.sendall(request * 200 + closing(b"GET /v1 HTTP/1.1\r\n" + HOST))
        received = everything(connection)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 201


def test_a_request_to_upgrade_is_the_last(silent: str) -> None:
    """Nothing is read after a request to upgrade, and its answer says so, kept or not."""
    asked = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    for _ in range(2):
        answer = exchange(silent, PLAIN + asked + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nconnection: close\r\n" in answer


def closing(request: bytes) -> bytes:
    """A request after which the connection is to be closed."""
    line, _, rest = request.partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n") if b"\r\n\r\n" in rest else (rest[:-2], b"", b"")
    return b"%b\r\n%b\r\nConnection: close\r\n\r\n%b" % (line, head, body)


def timeless(answers: bytes) -> bytes:
    """Answers without what differs from one second or request to the next."""
    return re.sub(rb"(?m)^(date|x-request-id): [^\r]*\r\n", b"", answers)
