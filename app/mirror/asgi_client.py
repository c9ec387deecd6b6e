"""An application asked in its own process, over ASGI, answer after answer in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
from starlette.types import ASGIApp, Message, Scope

_WAITING = 2
"""Pieces of an answer that may wait to be read."""
_NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    """A client of an application that has started; it accepts no coding unless told to."""
    return httpx.AsyncClient(
        transport=_Inside(app),
        base_url="http://mirror.invalid",
        headers={"accept": "*/*", "accept-encoding": "identity"},
        timeout=None,  # noqa: S113 - nothing but the application itself is waited for
    )


class _Inside(httpx.AsyncBaseTransport):
    """Hands a body on as it is made; httpx's own transport for ASGI collects it first."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = _Body()
        body.task = asyncio.create_task(self._run(_scope(request), body))
        start = await body.next()
        return httpx.Response(start["status"], headers=start["headers"], stream=body)

    async def _run(self, scope: Scope, body: _Body) -> None:
        asked = [_NO_BODY]

        async def receive() -> Message:
            return asked.pop() if asked else await asyncio.Future()  # nobody hangs up

        try:
            await self.app(scope, receive, body.messages.put)
        except Exception as error:  # noqa: BLE001 - raised again where the answer is read
            await body.messages.put(error)


class _Body(httpx.AsyncByteStream):
    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message | Exception] = asyncio.Queue(_WAITING)
        self.task: asyncio.Task[None] | None = None

    async def next(self) -> Message:
        message = await self.messages.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.next()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])


def _scope(request: httpx.Request) -> Scope:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": raw_path,
        "root_path": "",
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "state": {},
    }


def is_success(response: httpx.Response) -> bool:
    """Whether an answer is one that may be kept: whole, and not of the moment only."""
    kept = "no-store" not in response.headers.get("cache-control", "")
    return response.status_code == HTTPStatus.OK and kept
