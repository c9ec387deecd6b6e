"""Requests to an application in the same process, by plain ASGI calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Scope

_BUFFERED_MESSAGES = 2
"""Messages that the application may send ahead of the reader; then it waits."""
_NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}
_DEFAULT_HEADERS = {"accept": "*/*", "accept-encoding": "identity"}


class IncompleteResponseError(Exception):
    """The application finished before its response was complete."""


@dataclass(frozen=True, slots=True)
class AsgiResponse:
    """A response whose body can be read once.

    Attributes:
        status: HTTP status code.
        headers: Headers by name, case-insensitive; values of a repeated header are joined.
        body: Chunks of the body, as the application sends them.
    """

    status: int
    headers: Headers
    body: AsyncIterator[bytes]

    @property
    def is_storable(self) -> bool:
        """Whether the response is complete (200) and may be stored (no `no-store`)."""
        no_store = "no-store" in self.headers.get("cache-control", "")
        return self.status == HTTPStatus.OK and not no_store


class AsgiClient:
    """Client of an application that has started."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    @asynccontextmanager
    async def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[AsgiResponse]:
        """Send a request without body; on exit, a response that is not read yet is canceled.

        Raises:
            IncompleteResponseError: The application finished early; also when the body is read.
        """
        exchange = _Exchange(_scope(method, target, {**_DEFAULT_HEADERS, **(headers or {})}))
        task = asyncio.create_task(exchange.run(self._app))
        try:
            start = await exchange.next_message()
            yield AsgiResponse(start["status"], _joined(start["headers"]), exchange.body())
        finally:
            exchange.closed = True
            task.cancel()
            await asyncio.wait([task])


class _Exchange:
    """A request and the messages of its response, on their way from the application's task."""

    def __init__(self, scope: Scope) -> None:
        self.closed = False
        self._scope = scope
        self._request = [_NO_BODY]
        self._messages: asyncio.Queue[Message | Exception] = asyncio.Queue(_BUFFERED_MESSAGES)

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - raised again by `next_message`
            await self._send(error)
        else:
            await self._send(IncompleteResponseError(f"{self._scope['path']}: incomplete response"))

    async def next_message(self) -> Message:
        message = await self._messages.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def body(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.next_message()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def _receive(self) -> Message:
        return self._request.pop() if self._request else await asyncio.Future()  # never disconnects

    async def _send(self, message: Message | Exception) -> None:
        if not self.closed:  # an application may send an error response when it is canceled
            await self._messages.put(message)


def _joined(headers: list[tuple[bytes, bytes]]) -> Headers:
    values: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        values[name] = f"{values[name]}, {value}" if name in values else value
    return Headers(values)


def _scope(method: str, target: str, headers: Mapping[str, str]) -> Scope:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (b"host", b"mirror.invalid"),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ],
        "server": ("mirror.invalid", 80),
        "client": ("127.0.0.1", 0),
        "state": {},
    }
