"""Writes the head of a response together with the start of its body.

uvicorn writes them one after the other, which costs a second system call, a second packet, and a
client that wakes up for a head without a body. A server must not start to send a response before
the application sent the first part of its body (ASGI, "Response Start"), so holding back the head
until then delays nothing.
"""

from __future__ import annotations

import asyncio

_LARGE_BODY_BYTES = 65_536
"""Size from which a body is not copied, so that slow clients share its bytes."""
_INTERIM_RESPONSE = b"HTTP/1.1 100 "


class ResponseWriter:
    """The transport of a connection as its responses use it, one after the other."""

    __slots__ = ("_expects_head", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._expects_head = True

    def write(self, data: bytes) -> None:
        """Write a part of the response: at first its head, which waits for the next part."""
        if self._expects_head and not data.startswith(_INTERIM_RESPONSE):
            self._head, self._expects_head = data, False
        elif not self._head:
            self._transport.write(data)
        elif len(data) < _LARGE_BODY_BYTES:
            self._transport.write(self._head + data)
            self._head = b""
        else:
            self._transport.writelines((self._head, data))
            self._head = b""

    def finish(self) -> None:
        """End the response: write its head if it has no body, and expect another one."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._expects_head = True

    def is_closing(self) -> bool:
        """Whether the connection is closing or closed."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Write what is left, then close the connection."""
        self.finish()
        self._transport.close()
