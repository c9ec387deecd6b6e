"""The application with a request counter behind its response cache, to prove cache misses."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from app.server.response_cache import ResponseCache
from app.settings import read_settings


class CountingMiddleware:
    """ASGI middleware that counts API requests and serves the number at `/count`."""

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
if not isinstance(getattr(app, "cache", None), ResponseCache):
    raise TypeError("the response cache is no longer outside the middleware: move the counter")
app.add_middleware(CountingMiddleware)
