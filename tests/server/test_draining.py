"""Draining: what is served between SIGTERM and shutdown."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.conftest import ROOT, SEED, Start, needs
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, fetch

REQUEST = b"GET /v1/awards HTTP/1.1\r\nHost: record.test\r\n\r\n"


class KeptAlive:
    """A connection that sends the same request again and again."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS)
        self.stream = self.socket.makefile("rb")

    def get(self) -> tuple[list[bytes], bytes]:
        """Head and body of a response; no lines if the server closed the connection."""
        self.socket.sendall(REQUEST)
        head = []
        while (line := self.stream.readline()).strip():
            head.append(line.strip())
        sizes = [line.split(b":")[1] for line in head if line.startswith(b"content-length")]
        return head, self.stream.read(int(sizes[0])) if sizes else b""


@contextmanager
def started(start_server: Start, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server, killed if the test leaves it running."""
    url, process = start_server(**settings)
    try:
        yield url, process
    finally:
        process.kill()
        process.wait(timeout=TIMEOUT_SECONDS)


def wait_until_draining(url: str) -> httpx.Response:
    """The first response that says that the server is not ready."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        response = fetch(f"{url}/readyz")
        if response.status_code == 503:
            return response
    pytest.fail("the server is still ready")


def signal_servers(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to a server; if it has workers, to these, as it passes only the first on."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    workers = [int(pid) for pid in children.read_text("ascii").split()] if children.exists() else []
    for pid in workers or [process.pid]:
        os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_are_served_while_it_drains(
    start_server: Start, archive_file: Path, workers: str
) -> None:
    """Not ready, but alive; each response ends its connection; new ones are accepted; exit 0."""
    settings = {"ARCHIVE_FILE": str(archive_file), "WORKERS": workers, "DRAIN_SECONDS": "300"}
    with started(start_server, **settings) as (url, process):
        connections = [KeptAlive(url) for _ in range(8)]
        before = [connection.get() for connection in connections for _ in range(2)]
        assert not any(b"connection: close" in head for head, _ in before)
        process.send_signal(signal.SIGTERM)
        assert_problem(wait_until_draining(url), 503)
        alive = fetch(f"{url}/healthz")
        assert (alive.status_code, alive.headers["connection"]) == (200, "close")
        assert process.poll() is None
        for connection in connections:
            if workers == "1":  # of two, the other may learn a moment later that it stops
                head, body = connection.get()
                assert head[0] == b"HTTP/1.1 200 OK"
                assert b"connection: close" in head
                assert body == before[0][1]
                assert connection.stream.read() == b""
            connection.socket.close()
        signal_servers(process)
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0


def test_it_stops_when_the_time_is_over(start_server: Start, archive_file: Path) -> None:
    """It ends by itself with exit code 0, not before the time is over."""
    settings = {"ARCHIVE_FILE": str(archive_file), "DRAIN_SECONDS": "1"}
    with started(start_server, **settings) as (_, process):
        sent = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0
        assert time.monotonic() - sent >= 1


def test_ctrl_c_does_not_drain(start_server: Start, archive_file: Path) -> None:
    """SIGINT stops it at once, even while it drains."""
    settings = {"ARCHIVE_FILE": str(archive_file), "DRAIN_SECONDS": "300"}
    with started(start_server, **settings) as (url, process):
        process.send_signal(signal.SIGTERM)
        wait_until_draining(url)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0


@pytest.mark.anyio
async def test_the_previous_signal_handler_is_restored(archive_file: Path) -> None:
    """An application within another program leaves its signal handlers as they were."""
    before = signal.getsignal(signal.SIGTERM)
    app = create_app(Settings(seed_file=SEED, archive_file=archive_file, drain_seconds=1))
    async with app.router.lifespan_context(app):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


FIRST_PROCESS = """
import signal, sys, types
sys.modules["app.cli"] = types.SimpleNamespace(main=lambda: signal.raise_signal(signal.SIGTERM))
from app.__main__ import main
main()
"""


@pytest.mark.process
def test_the_first_process_of_a_container_stops_while_it_starts() -> None:
    """SIGTERM ends it even before the command line is there; the kernel would ignore it."""
    unshare = needs("unshare", "it makes a process the first of a container")
    command = [unshare, "--user", "--map-root-user", "--pid", "--fork", sys.executable, "-c"]
    probe = subprocess.run([*command, ""], cwd=ROOT, capture_output=True, text=True, check=False)
    if probe.returncode and "CI" not in os.environ:
        pytest.skip(f"no container can be made here: {probe.stderr}")
    assert probe.returncode == 0, probe.stderr
    done = subprocess.run([*command, FIRST_PROCESS], cwd=ROOT, check=False)
    assert done.returncode == 128 + signal.SIGTERM
