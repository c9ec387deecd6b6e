"""The access log: a line per request that was responded to, whole, in order, and soon."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any, Literal

import pytest

from app.server.access_log import AccessLogHandler
from app.server.logs import ConsoleFormatter, MessageHandler, access_logger
from tests.conftest import ROOT, wait_until_ready
from tests.support.ports import free_port
from tests.support.serving import TIMEOUT_SECONDS

CLIENTS = 8
SCOPE: dict[str, Any] = {
    "client": ("192.0.2.1", 1),
    "method": "GET",
    "raw_path": b"/v1/%41wards",
    "query_string": b"q=100%25%s%(time)s\x1b\x85",
    "headers": [(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
}


@pytest.mark.parametrize("timed", [True, False])
def test_a_line_has_the_request_as_it_is(*, timed: bool) -> None:
    """Percent signs are no placeholders, and control characters cannot end the line."""
    started = time.perf_counter() if timed else None
    texts = {}
    for log_format in ("console", "json"):
        handler, stream = logging_to_text(log_format)
        handler.log_request(SCOPE, 200, 5, "id-1", started)
        handler.log_request({**SCOPE, "client": None, "query_string": b""}, None, 0, None, started)
        texts[log_format] = stream.getvalue()
    line, aborted = texts["console"].splitlines()
    target = r"/v1/%41wards\?q=100%25%s%\(time\)s\\x1b\\x85"
    time_pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}"
    assert re.fullmatch(rf'{time_pattern}Z INFO     192\.0\.2\.1 "GET {target}" 200', line)
    assert re.fullmatch(rf'{time_pattern}Z INFO     - "GET /v1/%41wards" aborted', aborted)
    entry, other = map(json.loads, texts["json"].splitlines())
    assert re.fullmatch(rf"{time_pattern}\+00:00", entry.pop("time"))
    assert (entry.pop("milliseconds", -1) > 0) is timed
    assert entry == {
        "level": "info",
        "logger": "cpc_record.access",
        "message": '192.0.2.1 "GET /v1/%41wards?q=100%25%s%(time)s\x1b\x85" 200',
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/v1/%41wards",
        "query": "q=100%25%s%(time)s\x1b\x85",
        "status": 200,
        "bytes": 5,
        "request_id": "id-1",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "parent_id": "b7ad6b7169203331",
    }
    assert (other["client"], other["status"], other["request_id"]) == ("-", None, None)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_forwarded_client_cannot_end_the_line(log_format: Literal["console", "json"]) -> None:
    """A trusted proxy may pass on any text as the client's address."""
    handler, stream = logging_to_text(log_format)
    handler.log_request({**SCOPE, "client": ('a"\x85\x9b%s', 0)}, 200, 5, None)
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    if log_format == "json":
        assert json.loads(line)["client"] == 'a"\x85\x9b%s'


@pytest.mark.anyio
async def test_a_batch_is_written_before_the_next_event() -> None:
    """Or when it is full, so it never takes more than what a pipe accepts at once."""
    handler, stream = logging_to_text("console")
    handler.log_request(SCOPE, 200, 5, None)
    assert stream.getvalue() == ""
    await asyncio.sleep(0)
    size = len(stream.getvalue())
    assert size > 0
    for _ in range(200):
        handler.log_request(SCOPE, 200, 5, None)
        assert handler._size <= 4_096
    assert stream.getvalue().count("\n") > 150
    await asyncio.sleep(0)
    assert len(stream.getvalue()) == 201 * size


def test_a_line_is_written_at_once_without_an_event_loop() -> None:
    """As when the process ends."""
    handler, stream = logging_to_text("console")
    handler.log_request(SCOPE, 200, 5, None)
    assert stream.getvalue().endswith(" 200\n")


@pytest.mark.anyio
async def test_the_lines_before_an_error_are_written_first() -> None:
    """A crash is reported after the requests that came before it."""
    handler, stream = logging_to_text("console")
    messages = MessageHandler(stream)
    access_logger.addHandler(handler)
    try:
        handler.log_request(SCOPE, 200, 5, None)
        messages.emit(logging.LogRecord("cpc_record", 40, "", 0, "It failed.", (), None))
    finally:
        access_logger.removeHandler(handler)
    assert re.fullmatch(r".* 200\nIt failed\.\n", stream.getvalue())


def test_other_messages_of_the_logger_are_written() -> None:
    """The handler is one of `logging`, for whatever uses its logger."""
    handler, stream = logging_to_text("console")
    handler.setFormatter(ConsoleFormatter())
    handler.handle(logging.LogRecord("cpc_record.access", 20, "", 0, "Hello.", (), None))
    assert stream.getvalue().endswith("Z INFO     Hello.\n")


def test_text_that_the_stream_cannot_encode_is_escaped() -> None:
    """One line cannot make a batch fail, whatever the encoding of standard output is."""
    buffer = io.BytesIO()
    handler = AccessLogHandler(io.TextIOWrapper(buffer, "ascii"), "console")
    handler.log_request({**SCOPE, "query_string": b"\xe9"}, 200, 5, None)
    assert buffer.getvalue().endswith(b'?\\xe9" 200\n')


def test_a_failure_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """Until writing succeeds again; requests are served regardless."""
    handler, working = logging_to_text("console")
    with Path("/dev/full").open("w", encoding="utf-8", errors="strict") as full:
        for stream, reports in ((full, 1), (full, 1), (working, 1), (full, 2)):
            handler.setStream(stream)
            handler.log_request(SCOPE, 200, 5, None)
            assert caplog.text.count("The access log cannot be written: ") == reports
        with suppress(OSError):
            full.close()


def logging_to_text(
    log_format: Literal["console", "json"],
) -> tuple[AccessLogHandler, io.StringIO]:
    """A handler, and the stream that it writes to."""
    stream = io.StringIO()
    return AccessLogHandler(stream, log_format), stream


class CountingClient(Thread):
    """Sends a request at a time on one connection until the server closes it.

    Attributes:
        name: Sent as the query, so that its lines can be told from others.
        responses: Number of complete responses received.
    """

    def __init__(self, port: int, name: str, limit: float = float("inf")) -> None:
        super().__init__(name=name, daemon=True)
        self.port, self.limit, self.responses = port, limit, 0

    def run(self) -> None:
        """Send requests and count the responses."""
        request = f"GET /v1/awards?q={self.name} HTTP/1.1\r\nHost: record.test\r\n\r\n".encode()
        address = ("127.0.0.1", self.port)
        with (
            suppress(ConnectionError),
            socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection,
            connection.makefile("rb") as received,
        ):
            while self.responses < self.limit:
                connection.sendall(request)
                if not read_response(received):
                    break
                self.responses += 1


def read_response(received: IO[bytes]) -> bool:
    """Read a response; False if the connection was closed before its end."""
    length = -1
    while (line := received.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            length = int(value)
    return length >= 0 and len(received.read(length)) == length


@contextmanager
def serving(
    archive: Path, output: IO[bytes], **settings: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server with this standard output; yields its process and port."""
    port = free_port()
    environment = {"PORT": str(port), "ARCHIVE_FILE": str(archive), **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=output,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process)
        yield process, port
    finally:
        process.kill()
        process.wait(timeout=TIMEOUT_SECONDS)


def logged_requests(text: str, log_format: str) -> Counter[str]:
    """Number of lines for each query. A line that is not whole fails the test."""
    if log_format == "json":
        return Counter(json.loads(line)["query"] for line in text.splitlines())
    pattern = r'[\d:.TZ-]{24} INFO     127\.0\.0\.1 "GET /[\w/]+(?:\?(q=\w+))?" \d{3}'
    matches = [re.fullmatch(pattern, line) for line in text.splitlines()]
    assert all(matches)
    return Counter(match[1] or "" for match in matches if match)


@pytest.mark.server
@pytest.mark.parametrize(("log_format", "workers"), [("console", 1), ("json", 2)])
def test_every_response_is_a_line_under_load_and_on_stop(
    archive_file: Path, tmp_path: Path, log_format: str, workers: int
) -> None:
    """Stopped while eight clients send requests, each line is whole, and none is missing."""
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        serving(archive_file, output, LOG_FORMAT=log_format, WORKERS=str(workers)) as (
            process,
            port,
        ),
    ):
        clients = [CountingClient(port, f"client{number}") for number in range(CLIENTS)]
        for client in clients:
            client.start()
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while min(client.responses for client in clients) < 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=TIMEOUT_SECONDS)
        for client in clients:
            client.join(TIMEOUT_SECONDS)
    lines = logged_requests(log.read_text("utf-8"), log_format)
    del lines[""]
    assert lines == {f"q={client.name}": client.responses for client in clients}


@pytest.mark.server
def test_no_line_is_lost_while_the_reader_stops(archive_file: Path) -> None:
    """Requests wait while the pipe is full; when it is read again, they are responded to."""
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, "rb") as log,
        os.fdopen(writing, "wb") as output,
        serving(archive_file, output) as (process, port),
    ):
        clients = [CountingClient(port, f"client{number}", 500) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while select.select([], [output], [], 0)[1]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        output.close()  # so that the log ends with the server
        received = bytearray()
        reader = Thread(target=lambda: received.extend(log.read()), daemon=True)
        reader.start()
        for client in clients:
            client.join(TIMEOUT_SECONDS)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=TIMEOUT_SECONDS)
        reader.join(TIMEOUT_SECONDS)
    lines = logged_requests(received.decode(), "console")
    assert [lines[f"q={client.name}"] for client in clients] == [500] * CLIENTS
