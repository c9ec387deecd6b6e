"""Rules for every response: headers, request ids, hosts, proxies, errors, and shutdown."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import Request
from fastapi.responses import Response

from app.main import create_app
from app.settings import ConfigurationError, Settings, read_settings
from tests.conftest import SEED, Start
from tests.server.test_connections import connect, read_all
from tests.server.test_logs import LoggingServer, logging_server
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, fetch

CSP = "default-src 'none'; frame-ancestors 'none'"
ENDLESS = [
    *(sys.executable, "-m", "uvicorn", "tests.support.endless:app", "--port", "{port}"),
    *("--http", "app.server.connections:Connection", "--timeout-graceful-shutdown", "1"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/awards", 200),
        ("GET", "/v1/awards?format=csv", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/healthz", 200),
        ("HEAD", "/v1/awards", 200),
        ("OPTIONS", "/v1/awards", 204),
        ("POST", "/v1/awards", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/awards?nope=1", 422),
    ],
)
async def test_every_response_has_security_headers(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """Content security policy, no sniffing, no referrer; errors have a request id."""
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.headers.get_list("content-security-policy") == [CSP]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert ("x-request-id" in response.headers) == (status >= 400)


@pytest.mark.anyio
async def test_a_success_has_no_request_id(client: httpx.AsyncClient) -> None:
    """A cached response does not have the id of the first request."""
    for _ in range(2):
        response = await client.get("/v1/awards", headers={"X-Request-Id": "abc"})
        assert "x-request-id" not in response.headers


@pytest.mark.anyio
@pytest.mark.parametrize("sent", ["", "two words", "a" * 129, "é", "<x>", 'a"b'])
async def test_an_invalid_request_id_is_replaced(client: httpx.AsyncClient, sent: str) -> None:
    """Only a valid id is returned; for any other, a new one is generated."""
    headers = {b"X-Request-Id": sent.encode()}
    response = await client.get("/nowhere", headers=headers)
    assert response.headers["x-request-id"] != sent
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.anyio
async def test_an_error_is_logged_under_its_id(
    archive_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A 500 has the request's id and nothing of the exception; the log has both."""
    app = create_app(Settings(seed_file=SEED, archive_file=archive_file))

    async def fail(_: Request) -> Response:
        raise RuntimeError("secret")

    app.add_route("/fail", fail)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as client,
    ):
        response = await client.get("/fail", headers={"X-Request-Id": "abc-2"})
    problem = assert_problem(response, 500)
    assert "abc-2" in problem["detail"]
    assert "secret" not in response.text
    assert response.headers["x-request-id"] == "abc-2"
    [entry] = [entry for entry in caplog.records if entry.levelname == "ERROR"]
    assert "abc-2" in entry.getMessage()
    assert entry.exc_info
    assert "secret" in str(entry.exc_info[1])


@pytest.fixture(scope="module")
def hosted(start_server: Start, archive_file: Path) -> str:
    """A server with allowed hosts."""
    url, _ = start_server(
        ARCHIVE_FILE=str(archive_file), ALLOWED_HOSTS="record.test, *.example.org, [::1]"
    )
    return url


@pytest.mark.parametrize(
    "host",
    ["record.test", "RECORD.test:80", "a.example.org", "a.b.example.org:8000", "[::1]:8000"],
)
def test_an_allowed_host_is_served(hosted: str, host: str) -> None:
    """Whatever its port and case; also from the cache."""
    for _ in range(2):
        assert fetch(f"{hosted}/v1/awards", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "example.org", "evil.test", "record.test.evil.test", "", "[::2]"]
)
def test_another_host_is_rejected(hosted: str, host: str) -> None:
    """Also for cached responses and unknown paths; health probes may use any host."""
    for path in ("/v1/awards", "/nowhere"):
        assert_problem(fetch(f"{hosted}{path}", headers={"Host": host}), 400)
    for path in ("/healthz", "/readyz"):
        assert fetch(f"{hosted}{path}", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "http://record.test"),
        ("ALLOWED_HOSTS", "a.*.test"),
        ("ALLOWED_HOSTS", ",,"),
        ("FORWARDED_ALLOW_IPS", "proxy"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/99"),
        ("REQUEST_SECONDS", "0"),
        ("REQUEST_SECONDS", "nan"),
        ("QUERY_SECONDS", "inf"),
        ("MAX_CONNECTIONS", "0"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_an_invalid_setting_is_rejected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Settings are validated before the server listens."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name} is "):
        read_settings()


def test_no_message_quotes_a_regular_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with a pattern describe the expected value in words."""
    with_pattern = {
        name
        for name, schema in Settings.model_json_schema()["properties"].items()
        if any("pattern" in part for part in schema.get("anyOf", [schema]))
    }
    assert len(with_pattern) >= 6
    for name in with_pattern:
        with monkeypatch.context() as patched:
            patched.setenv(name.upper(), "\x01")
            with pytest.raises(ConfigurationError) as error:
                read_settings()
        assert "expected" in str(error.value)
        assert "pattern" not in str(error.value)


@pytest.mark.server
@pytest.mark.parametrize(
    ("trusted", "client"),
    [("127.0.0.1", "203.0.113.7"), ("127.0.0.0/8,::1", "203.0.113.7"), ("10.0.0.1", "127.0.0.1")],
)
def test_forwarded_headers_are_trusted_from_known_proxies(
    archive_file: Path, tmp_path: Path, trusted: str, client: str
) -> None:
    """The log has the client in `X-Forwarded-For` only if the proxy's address is trusted."""
    settings = {"LOG_FORMAT": "json", "FORWARDED_ALLOW_IPS": trusted}
    with logging_server(tmp_path, archive_file, **settings) as server:
        assert logged_client(server) == client


@pytest.mark.server
def test_forwarded_headers_are_ignored_by_default(archive_file: Path, tmp_path: Path) -> None:
    """Without the setting, the log has the address of the connection."""
    with logging_server(tmp_path, archive_file, LOG_FORMAT="json") as server:
        assert logged_client(server) == "127.0.0.1"


def logged_client(server: LoggingServer) -> object:
    """The client in the log, for a request with `X-Forwarded-For`."""
    with server.record() as lines:
        fetch(f"{server.url}/v1", headers={"X-Forwarded-For": "203.0.113.7"})
    [line] = lines
    return json.loads(line)["client"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_shutdown_finishes_responses(start_server: Start, archive_file: Path, workers: str) -> None:
    """A response in progress is sent completely; no new connection is accepted; exit code 0."""
    settings = {"WORKERS": workers, "STOP_SECONDS": "60", "WRITE_SECONDS": "120"}
    url, process = start_server(ARCHIVE_FILE=str(archive_file), **settings)
    path = "/openapi.json"
    complete = 5 * len(fetch(f"{url}{path}", headers={"Accept-Encoding": "identity"}).content)
    parts = urlsplit(url)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.settimeout(TIMEOUT_SECONDS)
        reader.connect((parts.hostname, parts.port))
        reader.sendall(b"GET %b HTTP/1.1\r\nHost: record.test\r\n\r\n" % path.encode() * 20)
        assert reader.recv(1_000)
        process.send_signal(signal.SIGTERM)
        wait_until_refused(url)
        received = 1_000
        while chunk := reader.recv(65_536):
            received += len(chunk)
    assert received > complete
    assert process.wait(timeout=TIMEOUT_SECONDS) == 0


def wait_until_refused(url: str) -> None:
    """Wait until a server accepts no connection."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            fetch(f"{url}/healthz")
        except httpx.TransportError:
            return
    pytest.fail("the server still accepts connections")


def test_shutdown_interrupts_long_requests(start_server: Start, archive_file: Path) -> None:
    """A request that outlasts the graceful shutdown gets a 503, and the server exits."""
    settings = {"ARCHIVE_FILE": str(archive_file), "QUERY_SECONDS": "10"}
    url, process = start_server(*ENDLESS, **settings)
    with connect(url) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: record.test\r\n\r\n")
        fetch(f"{url}/healthz")  # served later, so the request before it is being served
        process.send_signal(signal.SIGTERM)
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    response = httpx.Response(int(status_line.split()[1]), headers=headers, content=body)
    problem = assert_problem(response, 503)
    assert problem["detail"] == "The server is stopping."
    process.wait(timeout=TIMEOUT_SECONDS)


@pytest.mark.anyio
async def test_invalid_numbers_are_rejected(client: httpx.AsyncClient) -> None:
    """Anything but 64-bit integers in plain digits gives a 422 that names the parameter."""
    for value in ("9223372036854775808", "1_0", "5.0", "%2B5", "%205", "", "1e3", "٣"):
        for name in ("limit", "investment_amount__gte"):
            response = await client.get(f"/v1/partnerships?{name}={value}")
            errors = assert_problem(response, 422)["errors"]
            assert [error["parameter"] for error in errors] == [name]


@pytest.mark.anyio
async def test_no_text_causes_an_error(client: httpx.AsyncClient) -> None:
    """NUL, invalid UTF-8 and lone surrogates are rejected or match nothing."""
    for value in ("%00", "%ff", "%ed%a0%80", "%c0%af", "a%00b"):
        for path in ("/v1/awards?q=", "/v1/search?q=", "/v1/awards?recipient=", "/v1/awards/"):
            response = await client.get(f"{path}{value}")
            assert response.status_code in {200, 404, 422}
    for value in ("%25", "_", "%25%25", "__"):
        found = await client.get(f"/v1/search?q={value}")
        assert found.json()["data"] == []
