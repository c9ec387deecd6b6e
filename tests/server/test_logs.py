"""Logs: one entry per request, no log injection, and ids that lead from a problem to the log."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.server.logs import ConsoleFormatter, JsonFormatter
from tests.conftest import ROOT, wait_until_ready
from tests.support.ports import free_port
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, fetch

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SEARCH = b"GET /v1/awards?q=%b HTTP/1.1\r\nHost: record.test\r\nConnection: close\r\n\r\n"


class LoggingServer:
    """A running server and its logs.

    Attributes:
        url: Its base URL.
        stdout: File with the access log.
        stderr: File with all other logs.
    """

    def __init__(self, url: str, stdout: Path, stderr: Path) -> None:
        self.url, self.stdout, self.stderr = url, stdout, stderr

    def lines(self) -> list[str]:
        """Every line of the access log."""
        return self.stdout.read_text("utf-8").splitlines()

    @contextmanager
    def record(self) -> Iterator[list[str]]:
        """The lines logged for the requests within the block, once it was left."""
        lines: list[str] = []
        start = self._log_marker()
        yield lines
        end = self._log_marker()
        lines += self.lines()[start + 1 : end]

    def _log_marker(self) -> int:
        """Index of a line that is logged after those of all earlier requests."""
        marker = uuid4().hex
        httpx.get(f"{self.url}/healthz?{marker}", timeout=TIMEOUT_SECONDS)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            for index, line in enumerate(self.lines()):
                if marker in line:
                    return index
            time.sleep(0.01)
        pytest.fail("a request is not in the access log")


@contextmanager
def logging_server(directory: Path, archive: Path, **settings: str) -> Iterator[LoggingServer]:
    """Run a server whose standard output and error are files."""
    port = free_port()
    out, err = directory / "out", directory / "err"
    environment = {"PORT": str(port), "ARCHIVE_FILE": str(archive), **settings}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=stdout,
            stderr=stderr,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process)
            yield LoggingServer(url, out, err)
        finally:
            process.terminate()
            process.wait(timeout=TIMEOUT_SECONDS)
    if settings.get("LOG_FORMAT") == "json":
        entries = [line for line in err.read_text("utf-8").splitlines() if line.startswith("{")]
        assert {json.loads(entry)["logger"] for entry in entries} >= {
            "cpc_record",
            "uvicorn.error",
        }


@pytest.fixture(scope="module")
def json_server(
    archive_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LoggingServer]:
    """A server that logs JSON."""
    directory = tmp_path_factory.mktemp("json")
    with logging_server(directory, archive_file, LOG_FORMAT="json") as server:
        yield server


@pytest.fixture(scope="module")
def console_server(
    archive_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LoggingServer]:
    """A server that logs text lines."""
    with logging_server(tmp_path_factory.mktemp("console"), archive_file) as server:
        yield server


def exchange(url: str, request: bytes) -> bytes:
    """Send bytes and read until the server closes the connection."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


@pytest.mark.server
def test_every_request_is_an_entry(json_server: LoggingServer) -> None:
    """Rendered and cached responses, errors and rejected requests, with ids, size and time."""
    url = json_server.url
    with json_server.record() as lines:
        for _ in range(2):
            fetch(f"{url}/v1/awards?limit=1", headers={"traceparent": TRACEPARENT})
        with_id = fetch(f"{url}/nowhere", headers={"X-Request-Id": "abc-1"})
        without_id = fetch(f"{url}/nowhere", headers={"X-Request-Id": "not an id"})
        rejection = exchange(url, b"GET /v1?x HTTP/1.1\r\n\r\n")
    assert_problem(with_id, 404)
    assert with_id.headers["x-request-id"] == "abc-1"
    rendered, cached, given, generated, rejected = (json.loads(line) for line in lines)
    for entry in (rendered, cached):
        assert (entry["method"], entry["path"], entry["query"]) == ("GET", "/v1/awards", "limit=1")
        assert (entry["status"], entry["client"], entry["request_id"]) == (200, "127.0.0.1", None)
        assert entry["bytes"] > 100
        assert entry["milliseconds"] > 0
        assert entry["trace_id"] == TRACEPARENT.split("-")[1]
        assert entry["parent_id"] == TRACEPARENT.split("-")[2]
    assert (given["status"], given["request_id"]) == (404, "abc-1")
    assert generated["request_id"] == without_id.headers["x-request-id"]
    assert len(generated["request_id"]) == 32
    assert (rejected["status"], rejected["path"], rejected["query"]) == (400, "/v1", "x")
    assert rejected["request_id"] in rejection.decode()


INJECTIONS = [
    b"%0a%0dINFO%20forged",
    b"\x1b[31m%22}",
    "\u0085\u2028\u009b31m".encode(),
    b"\xff\xfe",
    b"%00%1b",
    b"%s%d{0}",
]


@pytest.mark.server
@pytest.mark.parametrize("server", ["console_server", "json_server"])
def test_no_query_injects_a_line(request: pytest.FixtureRequest, server: str) -> None:
    """Whatever a query contains, it is logged on one line without control characters."""
    logging_server: LoggingServer = request.getfixturevalue(server)
    with logging_server.record() as lines:
        for query in INJECTIONS:
            assert exchange(logging_server.url, SEARCH % query).startswith(b"HTTP/1.1 ")
    assert len(lines) == len(INJECTIONS)
    assert all(line.isprintable() for line in lines)


@pytest.mark.server
def test_serve_prints_its_urls(console_server: LoggingServer) -> None:
    """The record page's and the documentation's, on stderr."""
    lines = console_server.stderr.read_text("utf-8").splitlines()
    assert f"Record page: {console_server.url}/" in lines
    assert f"Documentation: {console_server.url}/docs" in lines


@pytest.mark.server
def test_the_access_log_can_be_turned_off(archive_file: Path, tmp_path: Path) -> None:
    """ACCESS_LOG=false leaves the standard output empty."""
    with logging_server(tmp_path, archive_file, ACCESS_LOG="false") as server:
        assert fetch(f"{server.url}/v1/awards").status_code == 200
        assert exchange(server.url, b"rubbish\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert server.lines() == []


INVALID_TRACEPARENTS = [
    "",
    "00-" + "0" * 32 + "-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    TRACEPARENT.upper(),
    "ff" + TRACEPARENT[2:],
    "nonsense",
]


@pytest.mark.server
def test_an_invalid_traceparent_is_ignored(json_server: LoggingServer) -> None:
    """What W3C Trace Context calls invalid is not logged, and the request is served."""
    with json_server.record() as lines:
        for value in INVALID_TRACEPARENTS:
            response = fetch(f"{json_server.url}/v1", headers={"traceparent": value})
            assert response.status_code == 200
    assert len(lines) == len(INVALID_TRACEPARENTS)
    assert all("trace_id" not in json.loads(line) for line in lines)


def failure(message: str) -> logging.LogRecord:
    """A log record with an exception that quotes a client."""
    try:
        raise ValueError(message)
    except ValueError:
        return logging.LogRecord("cpc_record", 40, "", 0, "It failed.", (), sys.exc_info())


def test_a_traceback_cannot_inject_a_line() -> None:
    """An exception that quotes a client's text cannot look like a log line."""
    record = failure("\n2026-01-01T00:00:00.000Z INFO     forged")
    text = ConsoleFormatter().format(record)
    assert text.count("forged") == 1
    assert all(line.startswith("    ") for line in text.splitlines()[1:])
    entry = JsonFormatter().format(record)
    assert len(entry.splitlines()) == 1
    assert "forged" in json.loads(entry)["exception"]
