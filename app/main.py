"""The application, wired together."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

from app import __version__
from app.archive.archive import ArchiveError
from app.responses.formats import FORMATS
from app.responses.problems import (
    MEDIA_TYPE,
    BadRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    closest_match,
)
from app.routers import (
    activities,
    awards,
    citations,
    discovery,
    docs,
    exports,
    health,
    meta,
    objectives,
    openapi,
    organizations,
    partnerships,
    problems,
    record,
    regions,
    root,
    search,
    sources,
)
from app.routers.openapi_document import TITLE
from app.seed.errors import SeedError
from app.server.headers import (
    ResponseAborted,
    ResponseHeadersMiddleware,
    TrustedHostMiddleware,
    logger,
)
from app.server.logs import AccessLog, access_logger
from app.server.reloader import serve_archive
from app.server.response_cache import ResponseCache, ResponseHead
from app.server.telemetry import get_metrics, telemetry_config
from app.settings import SETTINGS_KEY, ConfigurationError, Settings, read_settings

ROUTERS = (
    meta,
    partnerships,
    objectives,
    awards,
    activities,
    regions,
    organizations,
    sources,
    citations,
    search,
    record,
    exports,
    problems,
    health,
    root,
    openapi,
    docs,
    discovery,
)


class Application(FastAPI):
    """FastAPI with kept answers outside of everything else.

    Where it is measured, requests pass FastAPI's telemetry before kept answers, to be counted all.
    """

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(telemetry=telemetry_config(settings), **options)
        self.measured = settings.telemetry != "off"
        inner: ASGIApp = self._routed if self.measured else super().__call__
        self.kept = ResponseCache(inner, limit=settings.cache_bytes)
        self.outer: ASGIApp = self._answer
        if settings.allowed_hosts is not None:
            self.outer = TrustedHostMiddleware(self.outer, settings.allowed_hosts)
        if settings.access_log and access_logger.isEnabledFor(logging.INFO):
            self.outer = AccessLog(self.outer)
        self.unseen = not self.measured and self.outer == self._answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        try:
            if scope["type"] == "lifespan":
                await self._live(scope, receive, send)
            else:
                await self.outer(scope, receive, send)
        except ResponseAborted as error:  # the server, seeing half an answer, closes the connection
            logger.error("An answer was broken off: %s", error)

    def lookup(self, scope: Scope) -> tuple[ResponseHead, bytes] | None:
        """A kept answer as HTTP/1.1 sends it, where nobody but the cache need see the request."""
        return self.kept.lookup(scope) if self.unseen else None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.measured:
            await super().__call__(scope, receive, send)
        elif scope["type"] == "http" and exports.is_export_path(scope["path"]):
            await super().__call__(exports.without_accept_encoding(scope), receive, send)
        else:
            await self.kept(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """What is inside of FastAPI's telemetry."""
        self.routed = super().build_middleware_stack()
        return self._measured if self.measured else self.routed

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and exports.is_export_path(scope["path"]):
            await self.routed(exports.without_accept_encoding(scope), receive, send)
        elif scope["type"] == "http":
            await self.kept(scope, receive, send)
        else:
            await self.routed(scope, receive, send)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.routed(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start and stop; a record that cannot be served is told in a sentence, not a traceback."""
        try:
            await super().__call__(scope, receive, _sentence(send))
        except (SeedError, ArchiveError):
            return  # told already


def _sentence(send: Send) -> Send:
    async def told(message: Message) -> None:
        error = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(
            error, SeedError | ArchiveError
        ):
            message = {**message, "message": str(error)}
        await send(message)

    return told


def create_app(settings: Settings) -> FastAPI:
    """The application; nothing is read or written before it starts."""

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[dict[str, Any]]:
        async with serve_archive(app.state, app.kept, settings):
            with _steady():
                yield {SETTINGS_KEY: settings}

    app = Application(
        settings,
        title=TITLE,
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        routes=[route for module in ROUTERS for route in module.router.routes],
    )
    app.state.settings = settings
    for media_type in (MEDIA_TYPE, *(one.media_type for one in FORMATS)):
        add_compress_type(media_type)
    app.add_middleware(CompressMiddleware, minimum_size=500, brotli_quality=5, gzip_level=6)
    app.add_middleware(ResponseHeadersMiddleware, max_age=settings.max_age)
    if settings.telemetry == "prometheus":
        app.add_route("/metrics", get_metrics, include_in_schema=False)
    _answer_errors(app)
    return app


@contextmanager
def _steady() -> Iterator[None]:
    """Keep what is quick from waiting: for the garbage collector, for threads that read.

    What is loaded by now stays, so no collection need look at it again; and a thread that computes
    hands over after half a millisecond, not five.
    """
    interval = sys.getswitchinterval()
    gc.freeze()
    sys.setswitchinterval(0.000_5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.unfreeze()


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def answer_problem(request: Request, error: Problem) -> Response:
        return error.response(request.scope["path"])

    @app.exception_handler(HTTPException)
    async def answer_framework(request: Request, error: HTTPException) -> Response:
        path: str = request.scope["path"]
        if error.status_code == 404:
            return NotFound(_whereabouts(path)).response(path)
        kind = MethodNotAllowed if error.status_code == 405 else BadRequest
        return kind(str(error.detail)).response(path)


def _whereabouts(path: str) -> str:
    """Where a path that names nothing may have been meant to lead."""
    routes = [route for module in ROUTERS for route in module.router.routes]
    trimmed = "/" + path.strip("/")
    if trimmed != path and any(route.matches(_get(trimmed))[0] is Match.FULL for route in routes):
        return f"Paths have no trailing slash and no empty part; ask for {trimmed}."
    meant = closest_match(trimmed, [route.path for route in routes if "{" not in route.path])
    return f"Did you mean {meant}?" if meant else "See /v1 for every collection."


def _get(path: str) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": []}


def _configured() -> FastAPI:
    try:
        return create_app(read_settings())
    except ConfigurationError as error:
        sys.exit(str(error))


app = _configured()
