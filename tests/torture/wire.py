"""HTTP/1.1 as bytes on a socket: what no client library would send."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

HOST = "127.0.0.1"
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or nothing: status 0 where the connection was closed without one.

    Attributes:
        status: The status code.
        headers: Names in small letters, and values.
        body: As it came, or put together where it came in chunks.
        whole: Whether the body has the end that was promised.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True

    def header(self, name: str) -> str:
        """The value of a header, empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")


NOTHING = Reply(0, (), b"")


def get(port: int, target: str | bytes, *headers: str) -> Reply:
    """The answer to GET on a connection of its own; the target goes out as it is."""
    raw = target if isinstance(target, bytes) else target.encode("utf-8", "surrogatepass")
    lines = [b"GET " + raw + b" HTTP/1.1", b"Host: record.test", b"Connection: close"]
    lines += [header.encode("latin-1") for header in headers]
    return send(port, b"\r\n".join(lines) + b"\r\n\r\n")


def send(port: int, payload: bytes, seconds: float = PATIENCE) -> Reply:
    """The first answer to some bytes.

    Raises:
        TimeoutError: There is no answer and the connection stays open.
    """
    replies = exchange(port, payload, seconds)
    return replies[0] if replies else NOTHING


def exchange(
    port: int, payload: bytes, seconds: float = PATIENCE, *, over: bool = False
) -> list[Reply]:
    """Every answer to some bytes, until the server closes the connection.

    With `over`, this side says that it sends no more, as a client does that is done.

    Raises:
        TimeoutError: It does not.
    """
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        received = bytearray()
        try:
            connection.sendall(payload)
            if over:
                connection.shutdown(socket.SHUT_WR)
            _read(connection, received, time.monotonic() + seconds)
        except TimeoutError:
            raise
        except OSError:  # closed or reset while it was written to
            _rest(connection, received)
    return parse(bytes(received))


def _read(connection: socket.socket, received: bytearray, deadline: float) -> None:
    while piece := connection.recv(1 << 18):
        received += piece
        if time.monotonic() > deadline:
            raise TimeoutError("the connection stays open")


def _rest(connection: socket.socket, received: bytearray) -> None:
    """What had arrived before a connection was reset while it was written to."""
    try:
        while piece := connection.recv(1 << 18):
            received += piece
    except OSError:
        return


def parse(received: bytes) -> list[Reply]:
    """The answers in what was received; what is no answer is told as status -1."""
    replies: list[Reply] = []
    while received:
        head, found, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        parts = first.split(" ", 2)
        if not found or not first.startswith("HTTP/1.1 ") or not parts[1].isdigit():
            return [*replies, Reply(-1, (), received)]
        pairs = [line.split(":", 1) for line in lines if ":" in line]
        headers = tuple((name.strip().lower(), value.strip()) for name, value in pairs)
        reply = Reply(int(parts[1]), headers, b"")
        body, received, ended = _body(reply, rest)
        replies.append(Reply(reply.status, headers, body, ended))
    return replies


def _body(reply: Reply, rest: bytes) -> tuple[bytes, bytes, bool]:
    """The body of an answer to GET, what follows it, and whether it has its end."""
    if reply.status in (204, 304) or reply.status < 200:
        return b"", rest, True
    if reply.header("transfer-encoding") == "chunked":
        return _chunks(rest)
    length = int(reply.header("content-length") or len(rest))
    return rest[:length], rest[length:], len(rest) >= length


def _chunks(rest: bytes) -> tuple[bytes, bytes, bool]:
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size or b"0", 16)
        body += rest[:length]
        rest = rest[length + 2 :]
        if not length and size:
            return bytes(body), rest, True
    return bytes(body), rest, False
