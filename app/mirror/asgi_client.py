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
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[AsgiResponse]:
        """Send a request without body; on exit, a response that is not read yet is canceled.

        Raises:
            IncompleteResponseError: The application finished early; also when the body is read.
        """
        messages: asyncio.Queue[Message | Exception] = asyncio.Queue(_BUFFERED_MESSAGES)
        scope = _scope(method, path, {**_DEFAULT_HEADERS, **(headers or {})})
        task = asyncio.create_task(self._run(scope, messages))
        try:
            start = await _next(messages)
            yield AsgiResponse(start["status"], _joined(start["headers"]), _body(messages))
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, scope: Scope, messages: asyncio.Queue[Message | Exception]) -> None:
        request = [_NO_BODY]

        async def receive() -> Message:
            return request.pop() if request else await asyncio.Future()  # never disconnects

        try:
            await self._app(scope, receive, messages.put)
        except Exception as error:  # noqa: BLE001 - raised again by `_next`
            await messages.put(error)
        else:
            await messages.put(IncompleteResponseError(f"{scope['path']}: incomplete response"))


async def _next(messages: asyncio.Queue[Message | Exception]) -> Message:
    message = await messages.get()
    if isinstance(message, Exception):
        raise message
    return message


async def _body(messages: asyncio.Queue[Message | Exception]) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await _next(messages)
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _joined(headers: list[tuple[bytes, bytes]]) -> Headers:
    values: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        values[name] = f"{values[name]}, {value}" if name in values else value
    return Headers(values)


def _scope(method: str, path: str, headers: Mapping[str, str]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"mirror.invalid"),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ],
        "server": ("mirror.invalid", 80),
        "client": ("127.0.0.1", 0),
        "state": {},
    }
