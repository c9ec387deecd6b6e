"""What the server logs: every request once, nothing forged, and ids that lead back."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.server.logs import ConsoleFormatter, JsonFormatter
from tests.conftest import ROOT, free_port, wait_until_ready
from tests.support.problem import assert_problem

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NASTY = b"GET /v1/awards?q=%b HTTP/1.1\r\nHost: record.test\r\nConnection: close\r\n\r\n"


class Logged:
    """A server and what it has logged once it has ended."""

    def __init__(self, url: str, out: Path) -> None:
        self.url, self.out = url, out

    def lines(self) -> list[str]:
        """Every line of its standard output: one a request."""
        return self.out.read_text("utf-8").splitlines()

    def requests(self) -> list[dict[str, Any]]:
        """The lines as objects."""
        return [json.loads(line) for line in self.lines()]


@contextmanager
def logging_server(folder: Path, archive: Path, **settings: str) -> Iterator[Logged]:
    """A server whose log is read after it has ended."""
    port = free_port()
    out, err = folder / "out", folder / "err"
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
        wait_until_ready(url, process)
        try:
            yield Logged(url, out)
        finally:
            process.terminate()
            process.wait(timeout=20)
    if settings.get("LOG_FORMAT") == "json":
        told = [line for line in err.read_text("utf-8").splitlines() if line.startswith("{")]
        assert {json.loads(line)["logger"] for line in told} >= {"cpc_record", "uvicorn.error"}


def send(url: str, request: bytes) -> bytes:
    """What comes back for these bytes."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


def test_each_request_is_an_object(archive_file: Path, tmp_path: Path) -> None:
    """Kept answers, errors and refused requests alike, with their ids and what they cost."""
    with logging_server(tmp_path, archive_file, LOG_FORMAT="json") as logged:
        for _ in range(2):
            httpx.get(f"{logged.url}/v1/awards?limit=1", headers={"traceparent": TRACE})
        given = httpx.get(f"{logged.url}/nowhere", headers={"X-Request-Id": "abc-1"})
        made = httpx.get(f"{logged.url}/nowhere", headers={"X-Request-Id": "not an id"})
        refused = send(logged.url, b"GET /v1?x HTTP/1.1\r\n\r\n")
    assert_problem(given, 404)
    assert given.headers["x-request-id"] == "abc-1"
    told = [one for one in logged.requests() if one["path"] != "/readyz"]
    first, kept, known, named, last = told
    for one in (first, kept):
        assert (one["method"], one["path"], one["query"]) == ("GET", "/v1/awards", "limit=1")
        assert (one["status"], one["client"], one["request_id"]) == (200, "127.0.0.1", None)
        assert one["bytes"] > 100
        assert one["milliseconds"] > 0
        assert one["trace_id"] == TRACE.split("-")[1]
        assert one["parent_id"] == TRACE.split("-")[2]
    assert (known["status"], known["request_id"]) == (404, "abc-1")
    assert named["request_id"] == made.headers["x-request-id"]
    assert len(named["request_id"]) == 32
    assert (last["status"], last["path"], last["query"]) == (400, "/v1", "x")
    assert last["request_id"] in refused.decode()


FORGERIES = [
    b"%0a%0dINFO%20forged",
    b"\x1b[31m%22}",
    "\u0085\u2028\u009b31m".encode(),
    b"\xff\xfe",
    b"%00%1b",
    b"%s%d{0}",
]


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_query_forges_a_line(archive_file: Path, tmp_path: Path, form: str) -> None:
    """Whatever a query holds, it is one line, and no control character is in it."""
    with logging_server(tmp_path, archive_file, LOG_FORMAT=form) as logged:
        for sent in FORGERIES:
            assert send(logged.url, NASTY % sent).startswith(b"HTTP/1.1 ")
    lines = [line for line in logged.lines() if "/readyz" not in line]
    assert len(lines) == len(FORGERIES)
    assert all(line.isprintable() for line in lines)


def test_requests_need_not_be_logged(archive_file: Path, tmp_path: Path) -> None:
    """ACCESS_LOG=false leaves the standard output empty."""
    with logging_server(tmp_path, archive_file, ACCESS_LOG="false") as logged:
        assert httpx.get(f"{logged.url}/v1/awards").status_code == 200
        assert send(logged.url, b"rubbish\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert logged.lines() == []


FALSE_TRACES = [
    "",
    "00-" + "0" * 32 + "-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    TRACE.upper(),
    "ff" + TRACE[2:],
    "nonsense",
]


def test_a_false_trace_is_no_trace(archive_file: Path, tmp_path: Path) -> None:
    """What W3C Trace Context calls invalid is ignored, and the request answered."""
    with logging_server(tmp_path, archive_file, LOG_FORMAT="json") as logged:
        for sent in FALSE_TRACES:
            assert httpx.get(f"{logged.url}/v1", headers={"traceparent": sent}).status_code == 200
    told = [one for one in logged.requests() if one["path"] == "/v1"]
    assert len(told) == len(FALSE_TRACES)
    assert all("trace_id" not in one for one in told)


def failure(message: str) -> logging.LogRecord:
    """A record of a failure whose exception quotes a client."""
    try:
        raise ValueError(message)
    except ValueError:
        return logging.LogRecord("cpc_record", 40, "", 0, "It failed.", (), sys.exc_info())


def test_a_traceback_begins_no_line_of_its_own() -> None:
    """An exception that quotes a client's text cannot look like the program's own line."""
    record = failure("\n2026-01-01T00:00:00.000Z INFO     forged")
    shown = ConsoleFormatter().format(record)
    assert shown.count("forged") == 1
    assert all(line.startswith("    ") for line in shown.splitlines()[1:])
    told = JsonFormatter().format(record)
    assert len(told.splitlines()) == 1
    assert "forged" in json.loads(told)["exception"]
