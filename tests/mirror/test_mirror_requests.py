"""Requests that a web server refuses, or that name no file: problems, with the API's status."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.mirrors import assert_mirror_problem

pytestmark = [pytest.mark.anyio, pytest.mark.process, pytest.mark.web_server]

LONG_NAME = "a" * 300
BODY = b"a" * 1_000


@dataclass(frozen=True)
class RawResponse:
    """A response as it was received."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The only value of a header."""
        [value] = [value for key, value in self.headers if key == name]
        return value


def exchange(address: str, request: bytes) -> RawResponse:
    """The response to the bytes of a request on a connection of its own."""
    parts = urlsplit(address)
    assert parts.hostname is not None
    received = b""
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as connection:
        connection.sendall(request)
        while chunk := connection.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [line.partition(":") for line in lines]
    pairs = [(name.lower(), value.strip()) for name, _, value in headers]
    return RawResponse(int(status.split()[1]), pairs, body)


def http_request(target: bytes, *lines: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    """A request with a valid `Host`, and further header lines."""
    fields = b"".join(line + b"\r\n" for line in (b"Connection: close", *lines))
    return method + b" " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + fields + b"\r\n" + body


REFUSED = {
    "no request line": (b"hello\r\n\r\n", 400, "/"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300 + b"\r\n\r\n", 400, "/"),
    "space in the URL": (http_request(b"/v1 x"), 400, "/v1"),
    "malformed version": (b"GET /v1 HTTP/x\r\nHost: a\r\n\r\n", 400, "/v1"),
    "no host": (b"GET /v1 HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "/v1"),
    "invalid host": (b"GET /v1 HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400, "/v1"),
    "two hosts": (http_request(b"/v1", b"Host: b"), 400, "/v1"),
    "percent without digits": (http_request(b"/v1/awards/%zz"), 400, "/v1/awards/%zz"),
    "percent at the end": (http_request(b"/v1/awards/%"), 400, "/v1/awards/%"),
    "invalid header name": (http_request(b"/v1", b"X A: b"), 400, "/v1"),
    "NUL in a header": (http_request(b"/v1", b"X-A: a\0b"), 400, "/v1"),
    "invalid length": (http_request(b"/v1", b"Content-Length: x"), 400, "/v1"),
    "unknown transfer coding": (http_request(b"/v1", b"Transfer-Encoding: foo"), 501, "/v1"),
    "other version": (b"GET /v1 HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n", 505, "/v1"),
    "headers too large": (http_request(b"/v1", *[b"X-A: " + b"a" * 8_000] * 200), 431, "/v1"),
}
"""Requests that no web server can read: bytes, status and the path in the problem."""
READ_BY_CADDY = {
    "NUL in the path": (http_request(b"/v1/awards/%00"), 400, 404, "/v1/awards/%00"),
    "path above the root": (http_request(b"/../etc/passwd"), 400, 404, "/../etc/passwd"),
    "authority as target": (http_request(b"x:80"), 400, 404, "x:80"),
    "lowercase method": (http_request(b"/v1", method=b"get"), 400, 405, "/"),
    "long URL": (http_request(b"/" + b"a" * 40_000), 414, 404, "/" + "a" * 999),
}
"""Requests that only nginx cannot read: bytes, its status, Caddy's, and the path in the problem."""


def assert_raw_problem(response: RawResponse, status: int) -> str:
    """Check that a response is a problem document without repeated headers; its `instance`."""
    assert response.status == status
    assert response.header("content-type") == "application/problem+json"
    assert response.header("cache-control") == "no-store"
    assert response.header("access-control-allow-origin") == "*"
    names = [name for name, _ in response.headers]
    assert len(names) == len(set(names))
    problem = json.loads(response.body)
    assert problem["status"] == status
    return str(problem["instance"])


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_is_no_server_error(
    address: str, name: str, request: pytest.FixtureRequest
) -> None:
    """Never a 500; nginx returns a problem.

    Caddy refuses before any configuration applies, with a sentence as text.
    """
    content, status, instance = REFUSED[name]
    response = exchange(address, content)
    assert response.status == status
    if request.node.callspec.params["address"] == "nginx":
        assert assert_raw_problem(response, status) == instance


@pytest.mark.parametrize("name", READ_BY_CADDY)
def test_a_request_that_nginx_refuses_is_a_problem(
    address: str, name: str, request: pytest.FixtureRequest
) -> None:
    """Both servers return a problem, each with its status."""
    content, nginx_status, caddy_status, instance = READ_BY_CADDY[name]
    response = exchange(address, content)
    if request.node.callspec.params["address"] == "nginx":
        assert assert_raw_problem(response, nginx_status) == instance
    else:
        assert_raw_problem(response, caddy_status)


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/awards/{LONG_NAME}",
        f"/v1/awards/{LONG_NAME * 10}",
        f"/v1/citations/{LONG_NAME}",
        f"/{LONG_NAME}",
        f"/v1/awards/peru-ilo/{LONG_NAME}",
        "/v1/awards/peru-ilo/x",
        "/v1/awards/peru-ilo.json/x",
        "/v1/exports/tables.zip/",
        "/v1/exports/tables.zip/x",
        "/v1/awards/peru ilo",
        "/v1/awards/%FF%FE",
        "/v1/awards/é",
        "/v1/awards/.hidden",
        "/v1\\awards",
    ],
)
async def test_a_path_without_a_file_is_not_found(
    web: httpx.AsyncClient, live: httpx.AsyncClient, path: str
) -> None:
    """Whatever a path contains, and however long it is: 404, as from the API."""
    assert (await live.get(path)).status_code == 404
    assert_mirror_problem(await web.get(path), 404)
    assert (await web.head(path)).status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/awards/%00",
        b"/v1/awards/peru%00ilo",
        b"/v1%00",
        b"/v1/./awards",
        b"/v1/awards/../meta",
        b"/v1/awards/%2e%2E/meta",
        b"/v1/awards/.",
    ],
)
def test_paths_are_taken_literally(
    address: str, target: bytes, request: pytest.FixtureRequest
) -> None:
    """NUL is no file's name, and dot segments are not resolved, as by the API."""
    malformed = b"%00" in target and request.node.callspec.params["address"] == "nginx"
    response = exchange(address, http_request(target))
    assert response.status == (400 if malformed else 404)
    assert response.header("content-type") == "application/problem+json"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"GET /v1 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", 200),
        (b"GET /no HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", 404),
        (http_request(b"/v1/%61wards"), 200),
        (http_request(b"/v1/awards/peru%2Dilo"), 200),
        (http_request(b"/v1", b"Content-Length: 1000", body=BODY), 200),
        (http_request(b"/v1", b"Content-Length: 1000", method=b"POST", body=BODY), 405),
        (
            http_request(b"/v1", b"Transfer-Encoding: chunked", method=b"POST", body=b"zz\r\n\r\n"),
            405,
        ),
    ],
)
def test_unusual_requests_are_served(address: str, content: bytes, status: int) -> None:
    """HTTP/1.0, escapes that are not needed, and bodies that no resource uses."""
    response = exchange(address, content)
    assert response.status == status
    if status >= 400:
        assert response.header("content-type") == "application/problem+json"
        assert json.loads(response.body)["status"] == status


@pytest.mark.parametrize("address", ["nginx"], indirect=True)
def test_nginx_ignores_a_body_of_any_size(address: str) -> None:
    """A body beyond nginx's default limit is no error either; Caddy closes the connection early."""
    body = b"a" * 2_000_000
    response = exchange(address, http_request(b"/v1", b"Content-Length: 2000000", body=body))
    assert response.status == 200
