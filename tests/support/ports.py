"""Ports for servers, without races between test processes."""

from __future__ import annotations

import fcntl
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

_PORTS = range(20_000, 32_000)
"""Below the ports that Linux and macOS assign to clients, so that no client takes one."""
_LOCKS = Path(tempfile.gettempdir()) / "cpc-record-test-ports"

_reserved: list[IO[bytes]] = []
"""Locks of the ports that this process has reserved; the system releases them at its end."""


def free_port() -> int:
    """A port that no process listens on, reserved for this process among all test processes.

    Raises:
        OSError: None is left.
    """
    _LOCKS.mkdir(exist_ok=True)
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if _reserve(port) and _is_free(port):
            return port
    raise OSError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")


def _reserve(port: int) -> bool:
    file = (_LOCKS / str(port)).open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _reserved.append(file)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
