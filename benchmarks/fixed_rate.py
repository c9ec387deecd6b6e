"""Latency at a fixed request rate, without coordinated omission."""

from __future__ import annotations

import socket
import time
from statistics import quantiles

from benchmarks.servers import HOST

_TIMEOUT_SECONDS = 60
_SPIN_SECONDS = 0.0003
_CHUNK_BYTES = 65_536


def p99_latency(port: int, path: str, rate: float, seconds: float) -> float:
    """99th percentile of latency in milliseconds, of one client sending `rate` requests a second.

    Each request is timed from its scheduled time. One that is sent late because the response
    before it was slow includes that delay, so a stall counts for every request it held up.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    latencies = []
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length = _response_length(connection, request)
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            scheduled = start + number / rate
            _sleep_until(scheduled)
            connection.sendall(request)
            _receive(connection, length)
            latencies.append(time.perf_counter() - scheduled)
    return quantiles(latencies, n=100)[98] * 1_000


def _response_length(connection: socket.socket, request: bytes) -> int:
    """Bytes of the whole response, which is the same for every request."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(_CHUNK_BYTES)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    _receive(connection, size - len(body))
    return len(head) + 4 + size


def _receive(connection: socket.socket, length: int) -> None:
    while length:
        received = len(connection.recv(min(length, _CHUNK_BYTES)))
        if not received:
            raise ConnectionError("the server closed the connection")
        length -= received


def _sleep_until(scheduled: float) -> None:
    """Sleep, then spin for the last part: `time.sleep` wakes up late."""
    while (remaining := scheduled - time.perf_counter()) > 0:
        if remaining > _SPIN_SECONDS:
            time.sleep(remaining - _SPIN_SECONDS)
