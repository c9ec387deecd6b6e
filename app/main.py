"""The ASGI application, assembled from its routers and middleware."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

from app import __version__
from app.archive.archive import ArchiveError
from app.responses.formats import FORMATS
from app.responses.problems import (
    MEDIA_TYPE,
    BadRequest,
    MethodNotAllowed,
    Problem,
)
from app.routers import (
    activities,
    awards,
    changes,
    citations,
    cite,
    collection,
    descriptions,
    discovery,
    docs,
    exports,
    health,
    history,
    meta,
    objectives,
    openapi,
    organizations,
    partnerships,
    problems,
    record,
    regions,
    releases,
    root,
    search,
    sources,
)
from app.routers.html import problem_response
from app.routers.route import negotiated_paths
from app.routers.suggestions import path_not_found
from app.seed.errors import SeedError
from app.server.access_log import AccessLog, find_access_log
from app.server.byte_ranges import RangeMiddleware
from app.server.draining import DRAIN_KEY, Drain
from app.server.fast_path import FAST_PATH_KEY, FastPath
from app.server.headers import (
    ResponseAborted,
    ResponseHeadersMiddleware,
    TrustedHostMiddleware,
    logger,
)
from app.server.negotiation import Negotiation
from app.server.reloader import serve_archive
from app.server.response_cache import ResponseCache
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
    releases,
    changes,
    history,
    cite,
    exports,
    problems,
    health,
    root,
    openapi,
    docs,
    descriptions,
    discovery,
)


class Application(FastAPI):
    """FastAPI with a response cache inside its telemetry, and middleware outside it.

    Overrides `build_middleware_stack`; checked against the source of FastAPI 0.165.0 and Starlette
    1.10.0.

    Attributes:
        negotiation: What the responses of each path depend on.
        cache: Cached responses, in front of FastAPI's middleware stack.
        ranges: Byte ranges, in front of the cache.
        outermost: The outermost middleware.
        access_log: Where requests are logged; None without a log.
        fast_path: For connections; None with telemetry, which has to see every request.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            version=__version__,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            lifespan=_serve_record,
            routes=[route for module in ROUTERS for route in module.router.routes],
            telemetry=telemetry_config(settings),
        )
        self.state.settings = settings
        self.state.drain = Drain(settings.drain_seconds)
        self.negotiation = Negotiation(negotiated_paths(self.routes), exports.is_export_path)
        self.cache = ResponseCache(
            self.router, max_bytes=settings.cache_bytes, negotiation=self.negotiation
        )
        self.ranges = RangeMiddleware(
            self.cache,
            offers_ranges=collection.offers_ranges,
            open_reader=collection.open_reader,
            problem_response=problem_response,
        )
        self.outermost: ASGIApp = super().__call__
        self.access_log = find_access_log(settings)
        self.fast_path: FastPath | None = None
        if settings.telemetry == "off":
            trusts_proxies = settings.forwarded_allow_ips is not None
            self.fast_path = FastPath(self.cache, self.access_log, trusts_proxies=trusts_proxies)

    def add_outer_middleware(self, middleware: Callable[..., ASGIApp], **options: Any) -> None:
        """Wrap everything, even FastAPI's telemetry; cached responses go through it as well."""
        self.outermost = middleware(self.outermost, **options)

    def build_middleware_stack(self) -> ASGIApp:
        """The middleware inside FastAPI's telemetry: the cache, then FastAPI's own stack."""
        stack = self.cache.app = super().build_middleware_stack()

        async def cached_except_exports(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and exports.is_export_path(scope["path"]):
                await stack(exports.without_accept_encoding(scope), receive, send)
            else:
                await self.ranges(scope, receive, send)

        return cached_except_exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan (ASGI 3)."""
        try:
            if scope["type"] == "lifespan":
                await self._run_lifespan(scope, receive, send)
            else:
                await self.outermost(scope, receive, send)
        except ResponseAborted as error:  # the response is incomplete: the server disconnects
            logger.error("A response was aborted: %s", error)

    async def _run_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start and stop; an invalid seed or archive is reported without a traceback."""
        try:
            await super().__call__(scope, receive, _without_traceback(send))
        except (SeedError, ArchiveError):
            return  # reported to the server as `lifespan.startup.failed`


def _without_traceback(send: Send) -> Send:
    """Wrap `send` so that startup errors show one message, not a traceback."""

    async def send_short_message(message: Message) -> None:
        error = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(
            error, SeedError | ArchiveError
        ):
            message = {**message, "message": str(error)}
        await send(message)

    return send_short_message


def create_app(settings: Settings) -> Application:
    """Create the application; seed and archive are not touched before its lifespan starts.

    A request passes this middleware, in the reverse of the order in which it is added:

    1. the access log and the allowed hosts, if enabled
    2. FastAPI's telemetry
    3. byte ranges and the response cache, which export files bypass
    4. allowed HTTP methods, common headers and unexpected errors
    5. content coding
    6. errors as problem documents, then the routes
    """
    app = Application(settings)
    if settings.telemetry == "prometheus":
        app.add_route("/metrics", get_metrics, include_in_schema=False)
    _add_error_handlers(app)
    _add_content_coding(app)
    app.add_middleware(
        ResponseHeadersMiddleware,
        max_age=settings.max_age,
        negotiation=app.negotiation,
        problem_response=problem_response,
    )
    if settings.allowed_hosts is not None:
        app.add_outer_middleware(
            TrustedHostMiddleware,
            allowed=settings.allowed_hosts,
            problem_response=problem_response,
        )
    if app.access_log is not None:
        app.add_outer_middleware(AccessLog, handler=app.access_log)
    return app


@asynccontextmanager
async def _serve_record(app: Application) -> AsyncIterator[dict[str, Any]]:
    """The lifespan: open the archive, and pass the settings to the server's connections."""
    settings: Settings = app.state.settings
    async with serve_archive(app.state, app.cache, settings):
        gc.freeze()  # what is loaded now stays loaded: the garbage collector need not scan it again
        drain: Drain = app.state.drain
        try:
            with drain.on_sigterm(app.fast_path):
                yield {SETTINGS_KEY: settings, FAST_PATH_KEY: app.fast_path, DRAIN_KEY: drain}
        finally:
            gc.unfreeze()


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def send_problem(request: Request, error: Problem) -> Response:
        return await problem_response(error, request.scope)

    @app.exception_handler(HTTPException)
    async def send_framework_error(request: Request, error: HTTPException) -> Response:
        path: str = request.scope["path"]
        if error.status_code == 404:
            return await problem_response(path_not_found(path, app.routes), request.scope)
        problem = MethodNotAllowed if error.status_code == 405 else BadRequest
        return await problem_response(problem(str(error.detail)), request.scope)


def _add_content_coding(app: FastAPI) -> None:
    for media_type in (MEDIA_TYPE, *(offered.media_type for offered in FORMATS)):
        add_compress_type(media_type)
    app.add_middleware(CompressMiddleware, minimum_size=500, brotli_quality=5, gzip_level=6)


def _app_from_environment() -> Application:
    try:
        return create_app(read_settings())
    except ConfigurationError as error:
        sys.exit(str(error))


app = _app_from_environment()
"""The application with settings from the environment, created on import: for ASGI servers."""
