"""Servers under measurement: each a process on the first core, started and stopped by its id."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.tools import ROOT, SERVER_CORE

HOST = "127.0.0.1"
_PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started.

    Attributes:
        port: Where it listens.
        command: What runs it.
        ready: A path that it answers with success once it is up.
        environment: What its environment has besides this process's own.
    """

    port: int
    command: Sequence[str]
    ready: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Its address, without a path."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, pinned, with bytecode as an installed program has it; what fails is seen."""
        kept = {name: one for name, one in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *self.command],
            cwd=ROOT,
            env={**kept, **self.environment},
            stdout=subprocess.DEVNULL,
        )

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until it answers, asking every 2 ms.

        Raises:
            RuntimeError: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(self.command)} does not answer")
            time.sleep(0.002)

    def _answers(self) -> bool:
        request = f"GET {self.ready} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        try:
            with socket.create_connection((HOST, self.port), timeout=_PATIENCE) as connection:
                connection.sendall(request)
                return connection.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Start a server, give its address once it answers, and stop it."""
    process = server.start()
    try:
        server.wait(process)
        yield server.base
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that was started here."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
