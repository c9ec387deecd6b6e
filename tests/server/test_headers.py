"""What holds whatever is asked: headers, hosts, proxies, failures, and a stop in good order."""

from __future__ import annotations

import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import Request
from fastapi.responses import Response

from app.main import create_app
from app.settings import ConfigurationError, Settings, read_settings
from tests.conftest import SEED, Start
from tests.server.test_logs import logging_server
from tests.support.problem import assert_problem

POLICY = "default-src 'none'; frame-ancestors 'none'"
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
async def test_every_answer_says_what_a_browser_may_do(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """No page can be made of an answer, none guessed from it, and no address passed on."""
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.headers.get_list("content-security-policy") == [POLICY]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert ("x-request-id" in response.headers) == (status >= 400)


@pytest.mark.anyio
async def test_a_success_has_no_request_id(client: httpx.AsyncClient) -> None:
    """What is kept for others does not carry one request's id."""
    for _ in range(2):
        response = await client.get("/v1/awards", headers={"X-Request-Id": "abc"})
        assert "x-request-id" not in response.headers


@pytest.mark.anyio
@pytest.mark.parametrize("sent", ["", "two words", "a" * 129, "é", "<x>", 'a"b'])
async def test_an_id_that_is_none_is_not_echoed(client: httpx.AsyncClient, sent: str) -> None:
    """Only what looks like an id comes back; otherwise a new one does."""
    headers = {b"X-Request-Id": sent.encode()}
    response = await client.get("/nowhere", headers=headers)
    assert response.headers["x-request-id"] != sent
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.anyio
async def test_a_failure_is_told_by_its_id(archive_file: Path) -> None:
    """The id that a client reads in a failure is the one that is logged with it."""
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


@pytest.fixture(scope="module")
def hosted(start_server: Start, archive_file: Path) -> str:
    """A server that is asked for under two names only."""
    url, _ = start_server(
        ARCHIVE_FILE=str(archive_file), ALLOWED_HOSTS="record.test, *.example.org, [::1]"
    )
    return url


@pytest.mark.parametrize(
    "host",
    ["record.test", "RECORD.test:80", "a.example.org", "a.b.example.org:8000", "[::1]:8000"],
)
def test_a_served_host_is_answered(hosted: str, host: str) -> None:
    """Whatever its port and its case; the first time and from memory."""
    for _ in range(2):
        assert httpx.get(f"{hosted}/v1/awards", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "example.org", "evil.test", "record.test.evil.test", "", "[::2]"]
)
def test_another_host_is_refused(hosted: str, host: str) -> None:
    """A problem, on kept answers and unknown paths too; probes name whatever they like."""
    for path in ("/v1/awards", "/nowhere"):
        assert_problem(httpx.get(f"{hosted}{path}", headers={"Host": host}), 400)
    for path in ("/healthz", "/readyz"):
        assert httpx.get(f"{hosted}{path}", headers={"Host": host}).status_code == 200


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
def test_a_setting_that_cannot_be_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Each guard's setting is checked before anything listens."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name} is "):
        read_settings()


def test_a_shape_that_a_setting_lacks_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting answers with a regular expression, whichever has one."""
    shaped = {
        name
        for name, one in Settings.model_json_schema()["properties"].items()
        if any("pattern" in part for part in one.get("anyOf", [one]))
    }
    assert len(shaped) >= 6
    for name in shaped:
        with monkeypatch.context() as patched:
            patched.setenv(name.upper(), "\x01")
            with pytest.raises(ConfigurationError) as told:
                read_settings()
        assert "expected" in str(told.value)
        assert "pattern" not in str(told.value)


@pytest.mark.parametrize(
    ("trusted", "client"),
    [("127.0.0.1", "203.0.113.7"), ("127.0.0.0/8,::1", "203.0.113.7"), ("10.0.0.1", "127.0.0.1")],
)
def test_only_a_known_proxy_is_believed(
    archive_file: Path, tmp_path: Path, trusted: str, client: str
) -> None:
    """`X-Forwarded-For` names the client in the log where the proxy's address is a trusted one."""
    settings = {"LOG_FORMAT": "json", "FORWARDED_ALLOW_IPS": trusted}
    with logging_server(tmp_path, archive_file, **settings) as logged:
        httpx.get(f"{logged.url}/v1", headers={"X-Forwarded-For": "203.0.113.7"})
    assert logged.requests()[-1]["client"] == client


def test_nobody_is_believed_by_default(archive_file: Path, tmp_path: Path) -> None:
    """Without the setting a client cannot name another address than its own."""
    with logging_server(tmp_path, archive_file, LOG_FORMAT="json") as logged:
        httpx.get(f"{logged.url}/v1", headers={"X-Forwarded-For": "203.0.113.7"})
    assert logged.requests()[-1]["client"] == "127.0.0.1"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_answers_what_is_on_its_way(
    start_server: Start, archive_file: Path, workers: str
) -> None:
    """An answer that a client is still reading is finished; nobody new is let in; code 0."""
    url, process = start_server(ARCHIVE_FILE=str(archive_file), WORKERS=workers)
    path = "/docs/swagger-ui-bundle.js"
    whole = len(httpx.get(f"{url}{path}", headers={"Accept-Encoding": "identity"}).content)
    parts = urlsplit(url)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.settimeout(20)
        reader.connect((parts.hostname, parts.port))
        reader.sendall(b"GET %b HTTP/1.1\r\nHost: record.test\r\n\r\n" % path.encode() * 4)
        assert reader.recv(1_000)
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/healthz")
            except httpx.TransportError:
                break
        received = 1_000
        while piece := reader.recv(65_536):
            received += len(piece)
    assert received > whole
    assert process.wait(timeout=20) == 0


def test_a_stop_does_not_wait_for_ever(start_server: Start, archive_file: Path) -> None:
    """What takes longer than its time is told a problem, and the server ends."""
    settings = {"ARCHIVE_FILE": str(archive_file), "QUERY_SECONDS": "8"}
    url, process = start_server(*ENDLESS, **settings)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.get, f"{url}/endless", timeout=20)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        problem = assert_problem(asked.result(), 503)
    assert problem["detail"] == "The server is stopping."
    process.wait(timeout=20)


@pytest.mark.anyio
async def test_numbers_that_no_database_has_are_told(client: httpx.AsyncClient) -> None:
    """What is no number of 64 bits in plain digits is 422 and names its parameter."""
    for value in ("9223372036854775808", "1_0", "5.0", "%2B5", "%205", "", "1e3", "٣"):
        for name in ("limit", "investment_amount__gte"):
            response = await client.get(f"/v1/partnerships?{name}={value}")
            assert [one["parameter"] for one in assert_problem(response, 422)["errors"]] == [name]


@pytest.mark.anyio
async def test_no_text_is_a_failure(client: httpx.AsyncClient) -> None:
    """NUL, bytes that are no UTF-8 and lone surrogates are refused or found nowhere."""
    for value in ("%00", "%ff", "%ed%a0%80", "%c0%af", "a%00b"):
        for path in ("/v1/awards?q=", "/v1/search?q=", "/v1/awards?recipient=", "/v1/awards/"):
            response = await client.get(f"{path}{value}")
            assert response.status_code in {200, 404, 422}
    for value in ("%25", "_", "%25%25", "__"):
        found = await client.get(f"/v1/search?q={value}")
        assert found.json()["data"] == []
