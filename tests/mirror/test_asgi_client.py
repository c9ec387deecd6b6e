"""Requests to an application in the same process."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from app.mirror.asgi_client import AsgiClient, IncompleteResponseError

pytestmark = pytest.mark.anyio

CHUNKS = 1_000


class StreamingApp:
    """An application that sends a body in many chunks.

    Attributes:
        sent: Number of chunks sent so far.
        stopped: Set when the application has finished or was canceled.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.stopped = asyncio.Event()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Respond to one request."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(CHUNKS):
                self.sent += 1
                await send({"type": "http.response.body", "body": b"x" * 100, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            self.stopped.set()


async def test_the_application_waits_for_the_reader() -> None:
    """Few chunks are buffered, so memory does not grow with the body."""
    app = StreamingApp()
    received = 0
    async with AsgiClient(app).request("GET", "/") as response:
        async for chunk in response.body:
            received += len(chunk) > 0
            assert app.sent <= received + 4
    assert received == app.sent == CHUNKS


async def test_leaving_early_cancels_the_application() -> None:
    """A response that is not read to its end does not keep the application running."""
    app = StreamingApp()
    async with AsgiClient(app).request("GET", "/"):
        pass
    assert app.stopped.is_set()
    assert app.sent < CHUNKS


async def test_an_application_may_respond_to_cancellation() -> None:
    """Messages that are sent after the client has left are dropped and block nobody."""
    sent_after_cancel = 0

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal sent_after_cancel
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        except asyncio.CancelledError:
            for _ in range(10):
                await send({"type": "http.response.body", "body": b"error", "more_body": True})
                sent_after_cancel += 1

    async with AsgiClient(app).request("GET", "/") as response:
        assert await anext(response.body) == b"x"
    assert sent_after_cancel == 10


async def test_the_request_reaches_the_application() -> None:
    """Method, path and headers are passed on; the body is empty."""
    requests: list[tuple[Scope, object]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        requests.append((scope, await receive()))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with AsgiClient(app).request("OPTIONS", "/v1", {"accept": "text/html"}) as response:
        assert response.status == 204
        assert [chunk async for chunk in response.body] == [b""]
    [(scope, message)] = requests
    assert (scope["method"], scope["path"], scope["query_string"]) == ("OPTIONS", "/v1", b"")
    assert message == {"type": "http.request", "body": b"", "more_body": False}
    headers = dict(scope["headers"])
    assert headers[b"accept"] == b"text/html"
    assert headers[b"accept-encoding"] == b"identity"


@pytest.mark.parametrize(
    ("status", "cache_control", "storable"),
    [
        (200, b"public, max-age=60", True),
        (200, b"no-store", False),
        (200, b"private, no-store", False),
        (404, b"public", False),
        (206, b"public", False),
    ],
)
async def test_headers_are_read_as_http_defines_them(
    status: int, cache_control: bytes, storable: bool
) -> None:
    """Names are case-insensitive and repeated headers are joined; only a full 200 is storable."""
    headers = [(b"Cache-Control", cache_control), (b"vary", b"Accept"), (b"vary", b"Origin")]

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    async with AsgiClient(app).request("GET", "/") as response:
        assert response.headers["VARY"] == "Accept, Origin"
        assert response.headers["cache-control"] == cache_control.decode()
        assert response.is_storable is storable


async def test_an_error_of_the_application_is_raised_to_the_reader() -> None:
    """An exception before the response is raised by the request, one in it by the body."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/body":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError(scope["path"])

    client = AsgiClient(app)
    with pytest.raises(LookupError, match="/start"):
        async with client.request("GET", "/start"):
            pass
    async with client.request("GET", "/body") as response:
        with pytest.raises(LookupError, match="/body"):
            await anext(response.body)


async def test_a_response_that_ends_early_is_an_error() -> None:
    """An application that returns before its response is complete does not hang the reader."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/body":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    client = AsgiClient(app)
    with pytest.raises(IncompleteResponseError, match="/start"):
        async with client.request("GET", "/start"):
            pass
    async with client.request("GET", "/body") as response:
        assert await anext(response.body) == b"x"
        with pytest.raises(IncompleteResponseError, match="/body"):
            await anext(response.body)
