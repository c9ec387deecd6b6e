"""What holds for every response, whatever the path: methods, headers, failures."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.archive.archive import ARCHIVE_KEY, Archive
from app.responses.problems import BadRequest, InternalError, MethodNotAllowed, Problem, Unavailable
from app.server.response_cache import DISCARD_BUFFER, Headers, ResponseFinished

METHODS = "GET, HEAD, OPTIONS"

_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Content-Range, ETag, Link, Repr-Digest, X-Data-Release, X-Request-Id",
    ),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept, Accept-Encoding"),
]
_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""What a browser may load for an answer that is no page: nothing."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_ALIVE = "/healthz"
_PROBES = (_ALIVE, "/readyz")
_PORT = re.compile(r":[0-9]*$")
_PREFLIGHT = {
    "Allow": METHODS,
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
    "Cache-Control": "no-store",
}

logger = logging.getLogger("cpc_record")


class ResponseHeadersMiddleware:
    """Answers what no route should see, and completes what routes answer.

    The record is read-only: OPTIONS is 204 and any other method than GET and HEAD 405, on every
    path. Every response can be read from any origin (Fetch, 3.2), whether or not the request
    names one, since a shared cache keeps it for all. A failure inside is logged and answered with
    a problem document, as long as nothing was sent.
    """

    def __init__(self, app: ASGIApp, *, max_age: int) -> None:
        self.app = app
        self.cache_control = b"public, max-age=%d" % max_age

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[ARCHIVE_KEY] = getattr(scope["app"].state, "archive", None)
        completed = self._completing(scope, send)
        if scope["method"] == "OPTIONS":
            await completed(_start(204, _PREFLIGHT))
            await completed({"type": "http.response.body"})
        elif scope["method"] in ("GET", "HEAD"):
            await self._guard(scope, receive, completed)
        else:
            detail = f"{scope['method'][:20]} is not possible here; use {METHODS}."
            refusal = MethodNotAllowed(detail, headers={"Allow": METHODS})
            await refusal.response(scope["path"])(scope, receive, completed)

    def _completing(self, scope: Scope, send: Send) -> Send:
        """`send` with the headers that every response has.

        Raises:
            Unavailable: By `send`: what a success was read from is not intact.
        """
        archive: Archive | None = scope[ARCHIVE_KEY]

        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                if archive is not None and status < 400 and scope["path"] != _ALIVE:
                    archive.ensure_unmodified()
                headers = add_common_headers(
                    message["headers"], status, request_id(scope["headers"])
                )
                if archive is not None:
                    headers.append((b"x-data-release", archive.release.encode()))
                if not any(name == b"cache-control" for name, _ in headers):
                    kept = self.cache_control if status < 300 else b"no-store"
                    headers.append((b"cache-control", kept))
                message["headers"] = headers
            await send(message)

        return completing

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run what is inside; a failure is logged and answered, as long as nothing was sent."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            await send(message)
            started = True

        try:
            await self.app(scope, receive, watched)
        except (ClientDisconnect, ResponseFinished):
            raise
        except asyncio.CancelledError:
            if started and not scope.get(DISCARD_BUFFER, _sent)():
                raise
            stopping = Unavailable("The server is stopping.", headers={"Retry-After": "1"})
            await stopping.response(scope["path"])(scope, receive, send)
        except Exception as error:
            failure = _named(error, scope[ARCHIVE_KEY]) or _logged(error, scope)
            if started and not scope.get(DISCARD_BUFFER, _sent)():
                raise ResponseAborted(failure.detail) from error
            await failure.response(scope["path"])(scope, receive, send)


class ResponseAborted(Exception):
    """An answer that was begun and cannot be ended; the connection is closed."""


def _logged(error: Exception, scope: Scope) -> InternalError:
    """A failure of this code, told in the log with all that led to it."""
    name = request_id(scope["headers"]).decode() or uuid4().hex
    known = {"request_id": name, "method": scope["method"], "path": scope["path"]}
    logger.error("Request %s failed.", name, exc_info=error, extra={"known": known})
    told = f"The fault was logged as request {name}; it is not the request's."
    return InternalError(told, headers={"X-Request-Id": name})


class TrustedHostMiddleware:
    """Lets pass what asks for one of the hosts that are served; probes may name any."""

    def __init__(self, app: ASGIApp, allowed: str) -> None:
        self.app = app
        self.patterns = [one.strip().lower() for one in allowed.split(",")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if scope["path"] in _PROBES or (len(named) == 1 and self.allow(named[0])):
            await self.app(scope, receive, send)
            return
        refusal = BadRequest("The host that the request names is not served here.").response(
            scope["path"]
        )
        refusal.raw_headers = add_common_headers(
            refusal.raw_headers, 400, request_id(scope["headers"])
        )
        await refusal(scope, receive, send)

    def allow(self, host: str) -> bool:
        """Whether a `Host` header, with its port or without, names one of them."""
        name = _PORT.sub("", host.lower())
        return any(
            name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
            for pattern in self.patterns
        )


def add_common_headers(
    headers: Iterable[tuple[bytes, bytes]], status: int, named: bytes = b""
) -> Headers:
    """A response's headers with those that every response has.

    An error is named, by the request's own id or a new one, for whoever reports it; a success is
    not, as it is kept and given to others.
    """
    own = [pair for pair in headers if pair[0] != b"vary"]
    whole = own + _HEADERS
    if not any(name == b"content-security-policy" for name, _ in own):
        whole.append(_CSP)
    if status >= 400 and not any(name == b"x-request-id" for name, _ in own):
        whole.append((b"x-request-id", named or uuid4().hex.encode()))
    return whole


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The id that a request came with, where it is one; otherwise nothing."""
    given = next((value for name, value in headers if name == b"x-request-id"), b"")
    return given if _REQUEST_ID.fullmatch(given) else b""


def _named(error: Exception, archive: Archive | None) -> Problem | None:
    """The problem that a failure is, where it is not a fault of this code."""
    try:
        if archive is not None:
            archive.ensure_unmodified()
    except Problem as problem:
        return problem
    cause = error.__cause__
    return error if isinstance(error, Problem) else cause if isinstance(cause, Problem) else None


def _sent() -> bool:
    return False


def _start(status: int, headers: dict[str, str]) -> Message:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}
