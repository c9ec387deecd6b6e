"""A client that keeps its connection and asks again and again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.torture.stage import HOST

_PATIENCE = 30.0


class Unanswered(Exception):
    """A request got no whole answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, and in which coding."""

    target: str
    coding: str


class Client:
    """One connection, opened again when the server has closed it between two requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, asked: Request) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer.

        Raises:
            Unanswered: There is no whole one.
        """
        lines = f"GET {asked.target} HTTP/1.1\r\nHost: record.test\r\n"
        payload = f"{lines}Accept-Encoding: {asked.coding}\r\n\r\n".encode()
        fresh = self._writer is None
        try:
            async with asyncio.timeout(_PATIENCE):
                try:
                    return await self._once(payload)
                except (EOFError, OSError) as error:
                    partial = getattr(error, "partial", b"")
                    if fresh or partial:
                        raise
                    await self.close()
                    return await self._once(payload)
        except (EOFError, OSError, ValueError, IndexError) as error:
            await self.close()
            raise Unanswered(f"{type(error).__name__}: {error}") from None

    async def _once(self, payload: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(
                HOST, self.port, limit=1 << 22
            )
        self._writer.write(payload)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        body = await self._body(headers)
        if headers.get("connection") == "close":
            await self.close()
        return int(first.split(" ", 2)[1]), headers, body

    async def _body(self, headers: dict[str, str]) -> bytes:
        """The whole body; that it ends early is told as a broken answer, not as a closed one."""
        reader = self._reader
        if reader is None:
            raise EOFError
        if "content-length" in headers:
            return await _exactly(reader, int(headers["content-length"]))
        body = bytearray()
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            body += (await _exactly(reader, size + 2))[:-2]
            if not size:
                return bytes(body)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ValueError(f"an answer cut short: {error}") from None
