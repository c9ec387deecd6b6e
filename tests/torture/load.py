"""An HTTP client on a persistent connection, for load tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.torture.context import HOST

_TIMEOUT_SECONDS = 30.0


class RequestFailed(Exception):
    """A request got no complete response; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request target and the content coding to accept."""

    target: str
    coding: str


class Client:
    """A persistent connection, reopened if the server closed it between two requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the response.

        Raises:
            RequestFailed: There is no complete response.
        """
        lines = f"GET {request.target} HTTP/1.1\r\nHost: record.test\r\n"
        payload = f"{lines}Accept-Encoding: {request.coding}\r\n\r\n".encode()
        is_new = self._writer is None
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                try:
                    return await self._send(payload)
                except (EOFError, OSError) as error:
                    partial = getattr(error, "partial", b"")
                    if is_new or partial:
                        raise
                    await self.close()
                    return await self._send(payload)
        except (EOFError, OSError, ValueError, IndexError) as error:
            await self.close()
            raise RequestFailed(f"{type(error).__name__}: {error}") from None

    async def _send(self, payload: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(
                HOST, self.port, limit=1 << 22
            )
        self._writer.write(payload)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        body = await self._read_body(headers)
        if headers.get("connection") == "close":
            await self.close()
        return int(first.split(" ", 2)[1]), headers, body

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        """The complete body. A truncated body raises `ValueError`, so it is not retried."""
        reader = self._reader
        if reader is None:
            raise EOFError
        if "content-length" in headers:
            return await _read_exactly(reader, int(headers["content-length"]))
        body = bytearray()
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            body += (await _read_exactly(reader, size + 2))[:-2]
            if not size:
                return bytes(body)

    async def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _read_exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ValueError(f"truncated response: {error}") from None
