"""Servers under test: each is a process pinned to the first core."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.tools import ROOT, SERVER_CORE

HOST = "127.0.0.1"
_START_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.002
_STOP_TIMEOUT_SECONDS = 15


def free_port() -> int:
    """An unused TCP port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server.

    Attributes:
        port: The port it listens on.
        command: Command line of its process.
        ready_path: Path that responds with 200 once the server is ready.
        environment: Environment variables added to those of this process.
        folder: Working directory.
        output: File that its output is written to; by default, standard output is discarded, and
            standard error is inherited.
    """

    port: int
    command: Sequence[str]
    ready_path: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    output: Path | None = None

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a path."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the pinned process.

        Bytecode is written and reused, as it is for an installed program.
        """
        inherited = dict(os.environ)
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        with (self.output or Path(os.devnull)).open("wb") as output:
            return subprocess.Popen(
                ["taskset", "-c", str(SERVER_CORE), *self.command],
                cwd=self.folder,
                env={**inherited, **self.environment},
                stdout=output,
                stderr=output if self.output else None,
            )

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Poll the ready path every 2 ms until it responds with 200.

        Raises:
            RuntimeError: The process exited, or did not become ready in time.
        """
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not self._is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(self.command)} did not become ready")
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        request = f"GET {self.ready_path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        address = (HOST, self.port)
        try:
            with socket.create_connection(address, timeout=_START_TIMEOUT_SECONDS) as connection:
                connection.sendall(request)
                return connection.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Run a server for the duration of the context; yields its base URL once it is ready."""
    process = server.start()
    try:
        server.wait_until_ready(process)
        yield server.base_url
    finally:
        stop(process)
        if server.output is not None:
            server.output.unlink()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate a server process, and kill it if it does not exit in time."""
    process.terminate()
    try:
        process.wait(timeout=_STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
