"""Rules for every response, regardless of the path: methods, common headers, errors, hosts."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.archive.archive import ARCHIVE_KEY, Archive
from app.responses.conditional_requests import not_modified_headers
from app.responses.problems import BadRequest, InternalError, MethodNotAllowed, Problem, Unavailable
from app.server.negotiation import Negotiation
from app.server.response_cache import DISCARD_BUFFER, Headers, HeadersSufficed

ALLOWED_METHODS = "GET, HEAD, OPTIONS"

ProblemResponse = Callable[[Problem, Scope], Awaitable[Response]]
"""Renders a problem as JSON or HTML. Passed in, because this layer must not import the pages."""

_COMMON_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Content-Range, ETag, Link, Repr-Digest, X-Data-Release, X-Request-Id",
    ),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
_ERROR_VARY = b"Accept, Accept-Encoding"
"""`Vary` of every error: it is JSON or HTML. Errors are `no-store`, so no copy depends on it."""
_STALE_IF_ERROR_SECONDS = 604_800
"""How long a cache may serve an old copy while the server fails (RFC 5861, 4): a week."""
_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""Content security policy of responses that are not HTML pages: nothing may be loaded."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_LIVENESS_PATH = "/healthz"
_PROBE_PATHS = (_LIVENESS_PATH, "/readyz")
_PORT = re.compile(r":[0-9]*$")
_PREFLIGHT_HEADERS = {
    "Allow": ALLOWED_METHODS,
    "Access-Control-Allow-Methods": ALLOWED_METHODS,
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
    "Cache-Control": "no-store",
}

logger = logging.getLogger("cpc_record")


class ResponseHeadersMiddleware:
    """ASGI middleware for methods, common headers and unexpected errors.

    The API is read-only: OPTIONS gives 204, and any method but GET and HEAD gives 405, on every
    path. CORS headers (Fetch, 3.2) are sent whether or not the request has `Origin`, because a
    shared cache stores the response for all clients. An exception is logged and becomes a problem
    document, as long as nothing was sent.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_age: int,
        negotiation: Negotiation,
        problem_response: ProblemResponse,
    ) -> None:
        self.app = app
        self.problem_response = problem_response
        self.cache_control = cache_control(max_age)
        self.negotiation = negotiation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[ARCHIVE_KEY] = getattr(scope["app"].state, "archive", None)
        send = self._with_headers(scope, send)
        if scope["method"] == "OPTIONS":
            await send(_response_start(204, _PREFLIGHT_HEADERS))
            await send({"type": "http.response.body"})
        elif scope["method"] in ("GET", "HEAD"):
            await self._handle_errors(scope, receive, send)
        else:
            detail = f"{scope['method'][:20]} is not allowed; use {ALLOWED_METHODS}."
            problem = MethodNotAllowed(detail, headers={"Allow": ALLOWED_METHODS})
            response = await self.problem_response(problem, scope)
            await response(scope, receive, send)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        """`send` with the common headers added.

        Raises:
            Unavailable: By `send`, in place of a success: the archive file was modified.
        """
        archive: Archive | None = scope[ARCHIVE_KEY]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                if archive is not None and status < 400 and scope["path"] != _LIVENESS_PATH:
                    archive.ensure_unmodified()
                vary = self.negotiation.vary(scope["path"]) if status < 400 else _ERROR_VARY
                headers = add_common_headers(
                    message["headers"], status, request_id(scope["headers"]), vary
                )
                own = {name for name, _ in headers}
                if archive is not None and b"x-data-release" not in own:
                    headers.append((b"x-data-release", archive.release.encode()))
                if b"cache-control" not in own:
                    may_be_stored = status < 300 or status == HTTPStatus.NOT_MODIFIED
                    value = self.cache_control if may_be_stored else b"no-store"
                    headers.append((b"cache-control", value))
                message["headers"] = headers
            await send(message)

        return send_with_headers

    async def _handle_errors(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; an exception becomes a problem, as long as nothing was sent."""
        started = False

        async def tracking_send(message: Message) -> None:
            nonlocal started
            await send(message)
            started = True

        try:
            await self.app(scope, receive, tracking_send)
        except (ClientDisconnect, HeadersSufficed):
            raise
        except asyncio.CancelledError:
            if started and not _discard_buffer(scope):
                raise
            problem = Unavailable("The server is stopping.", headers={"Retry-After": "1"})
            await problem.response(scope["path"])(scope, receive, send)
        except Exception as error:
            failure = _problem_of(error, scope[ARCHIVE_KEY]) or _log_error(error, scope)
            if started and not _discard_buffer(scope):
                raise ResponseAborted(failure.detail) from error
            response = await self.problem_response(failure, scope)
            await response(scope, receive, send)


class ResponseAborted(Exception):
    """An error in the middle of a response; the server closes the connection."""


def _log_error(error: Exception, scope: Scope) -> InternalError:
    """Log an unexpected exception with its traceback, under the id in the problem returned."""
    name = request_id(scope["headers"]).decode() or uuid4().hex
    fields = {"request_id": name, "method": scope["method"], "path": scope["path"]}
    logger.error("Request %s failed.", name, exc_info=error, extra={"fields": fields})
    detail = f"The server failed; the error was logged under request id {name}."
    return InternalError(detail, headers={"X-Request-Id": name})


class TrustedHostMiddleware:
    """ASGI middleware that rejects requests to other hosts than those allowed.

    Health probes may use any host, as orchestrators probe by IP address.
    """

    def __init__(self, app: ASGIApp, allowed: str, problem_response: ProblemResponse) -> None:
        self.app = app
        self.problem_response = problem_response
        self.patterns = [pattern.strip().lower() for pattern in allowed.split(",")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if scope["path"] in _PROBE_PATHS or (len(hosts) == 1 and self.is_allowed(hosts[0])):
            await self.app(scope, receive, send)
            return
        problem = BadRequest("The host in the request is not served here.")
        response = await self.problem_response(problem, scope)
        response.raw_headers = add_common_headers(
            response.raw_headers, 400, request_id(scope["headers"])
        )
        await response(scope, receive, send)

    def is_allowed(self, host: str) -> bool:
        """Whether a `Host` header, with or without a port, matches an allowed host."""
        name = _PORT.sub("", host.lower())
        return any(
            name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
            for pattern in self.patterns
        )


def cache_control(max_age: int) -> bytes:
    """The `Cache-Control` of a success that is fresh for this many seconds.

    For as long again, a cache may serve it while it fetches the new one in the background (RFC
    5861, 3), and for a week while the server fails: the record changes a few times a year.
    """
    return b"public, max-age=%d, stale-while-revalidate=%d, stale-if-error=%d" % (
        max_age,
        max_age,
        _STALE_IF_ERROR_SECONDS,
    )


def add_common_headers(
    headers: Iterable[tuple[bytes, bytes]],
    status: int,
    request_id: bytes = b"",
    vary: bytes = _ERROR_VARY,
) -> Headers:
    """A response's headers, with the common ones added; a 304 gets no `Content-*` header.

    An error gets `X-Request-Id`, the request's own or a new one, for bug reports. A success does
    not, because it is cached and served to others.
    """
    own = [pair for pair in headers if pair[0] != b"vary"]
    result = own + _COMMON_HEADERS
    if vary:
        result.append((b"vary", vary))
    if status == HTTPStatus.NOT_MODIFIED:
        return not_modified_headers(result)
    if not any(name == b"content-security-policy" for name, _ in own):
        result.append(_CSP)
    if status >= 400 and not any(name == b"x-request-id" for name, _ in own):
        result.append((b"x-request-id", request_id or uuid4().hex.encode()))
    return result


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The request's `X-Request-Id`; empty if it is absent or invalid."""
    value = next((value for name, value in headers if name == b"x-request-id"), b"")
    return value if _REQUEST_ID.fullmatch(value) else b""


def _problem_of(error: Exception, archive: Archive | None) -> Problem | None:
    """The problem to send for an exception, or None if it is a bug in this code."""
    try:
        if archive is not None:
            archive.ensure_unmodified()
    except Problem as problem:
        return problem
    cause = error.__cause__
    return error if isinstance(error, Problem) else cause if isinstance(cause, Problem) else None


def _discard_buffer(scope: Scope) -> bool:
    """Discard what the response cache has buffered; False if that is impossible."""
    discard = scope.get(DISCARD_BUFFER)
    return discard is not None and bool(discard())


def _response_start(status: int, headers: dict[str, str]) -> Message:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}
