"""The application with a counter inside its cache: proof of what the cache did not answer."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from app.server.response_cache import ResponseCache
from app.settings import read_settings


class Counter:
    """Counts the requests that reach what is inside it, and tells their number."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request and pass it on (ASGI 3)."""
        if scope["type"] == "http" and scope["path"] == "/count":
            uncached = {"Cache-Control": "no-store"}
            await PlainTextResponse(str(self.count), headers=uncached)(scope, receive, send)
            return
        self.count += scope["type"] == "http" and scope["path"].startswith("/v1/")
        await self.app(scope, receive, send)


app = create_app(read_settings())
if not isinstance(getattr(app, "kept", None), ResponseCache):
    raise TypeError("the cache is no longer around the middleware: count inside it, where it is")
app.add_middleware(Counter)
