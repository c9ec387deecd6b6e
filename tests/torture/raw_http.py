"""HTTP/1.1 as raw bytes on a socket, for requests that no client library would send."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Response:
    """A response. The status is 0 if the connection was closed without one.

    Attributes:
        status: Status code; -1 for bytes that are not an HTTP/1.1 response.
        headers: Header names in lower case, with values.
        body: The body, joined if it was chunked.
        is_complete: Whether the body has the declared length or a last chunk.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_complete: bool = True

    def header(self, name: str) -> str:
        """The value of a header; empty if it is missing."""
        return next((value for key, value in self.headers if key == name), "")


NO_RESPONSE = Response(0, (), b"")


def get(port: int, target: str | bytes, *headers: str) -> Response:
    """The response to GET on a new connection. The target is sent without any encoding."""
    raw = target if isinstance(target, bytes) else target.encode("utf-8", "surrogatepass")
    lines = [b"GET " + raw + b" HTTP/1.1", b"Host: record.test", b"Connection: close"]
    lines += [header.encode("latin-1") for header in headers]
    return send(port, b"\r\n".join(lines) + b"\r\n\r\n")


def send(port: int, payload: bytes, seconds: float = TIMEOUT_SECONDS) -> Response:
    """The first response to some bytes.

    Raises:
        TimeoutError: There is no response and the connection stays open.
    """
    responses = exchange(port, payload, seconds)
    return responses[0] if responses else NO_RESPONSE


def exchange(
    port: int, payload: bytes, seconds: float = TIMEOUT_SECONDS, *, half_close: bool = False
) -> list[Response]:
    """All responses to some bytes, until the server closes the connection.

    With `half_close`, the sending side of the connection is shut down after the payload.

    Raises:
        TimeoutError: The server does not close the connection.
    """
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        received = bytearray()
        try:
            connection.sendall(payload)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            _read_until_closed(connection, received, time.monotonic() + seconds)
        except TimeoutError:
            raise
        except OSError:  # closed or reset during the write
            _read_rest(connection, received)
    return parse_responses(bytes(received))


def _read_until_closed(connection: socket.socket, received: bytearray, deadline: float) -> None:
    while chunk := connection.recv(1 << 18):
        received += chunk
        if time.monotonic() > deadline:
            raise TimeoutError("the connection stays open")


def _read_rest(connection: socket.socket, received: bytearray) -> None:
    """Read what had arrived before the connection was reset."""
    try:
        while chunk := connection.recv(1 << 18):
            received += chunk
    except OSError:
        return


def parse_responses(received: bytes) -> list[Response]:
    """The responses in received bytes. Anything else becomes a response with status -1."""
    responses: list[Response] = []
    while received:
        head, separator, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        parts = first.split(" ", 2)
        if not separator or not first.startswith("HTTP/1.1 ") or not parts[1].isdigit():
            return [*responses, Response(-1, (), received)]
        pairs = [line.split(":", 1) for line in lines if ":" in line]
        headers = tuple((name.strip().lower(), value.strip()) for name, value in pairs)
        response = Response(int(parts[1]), headers, b"")
        body, received, is_complete = _split_body(response, rest)
        responses.append(Response(response.status, headers, body, is_complete))
    return responses


def _split_body(response: Response, rest: bytes) -> tuple[bytes, bytes, bool]:
    """The body of a response to GET, the bytes after it, and whether it is complete."""
    if response.status in (204, 304) or response.status < 200:
        return b"", rest, True
    if response.header("transfer-encoding") == "chunked":
        return _join_chunks(rest)
    length = int(response.header("content-length") or len(rest))
    return rest[:length], rest[length:], len(rest) >= length


def _join_chunks(rest: bytes) -> tuple[bytes, bytes, bool]:
    """The body of a chunked response, the bytes after it, and whether it is complete."""
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size or b"0", 16)
        body += rest[:length]
        rest = rest[length + 2 :]
        if not length and size:
            return bytes(body), rest, True
    return bytes(body), rest, False
