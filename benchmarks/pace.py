"""Requests at a steady pace, timed from when each was due."""

from __future__ import annotations

import socket
import time
from statistics import quantiles

from benchmarks.servers import HOST

_SPIN = 0.0003


def pace(port: int, path: str, rate: float, seconds: float) -> float:
    """99th percentile of latency in milliseconds, of one client that sends on time.

    A request that is late because the one before it was slow is timed from when it was due, so
    that a stall counts for all that it delayed.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    latencies = []
    with socket.create_connection((HOST, port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length = _length(connection, request)
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = start + number / rate
            _wait_until(due)
            connection.sendall(request)
            _receive(connection, length)
            latencies.append(time.perf_counter() - due)
    return quantiles(latencies, n=100)[98] * 1_000


def _length(connection: socket.socket, request: bytes) -> int:
    """Bytes of the whole answer, which is the same every time."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    _receive(connection, size - len(body))
    return len(head) + 4 + size


def _receive(connection: socket.socket, length: int) -> None:
    while length:
        received = len(connection.recv(min(length, 65_536)))
        if not received:
            raise ConnectionError("the server closed the connection")
        length -= received


def _wait_until(due: float) -> None:
    """Sleep, and spin at the end: a sleeper wakes late."""
    while (left := due - time.perf_counter()) > 0:
        if left > _SPIN:
            time.sleep(left - _SPIN)
