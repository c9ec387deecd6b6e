"""What holds for every response, whatever the path: methods, headers, failures."""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import InternalError, MethodNotAllowed
from app.response_cache import TAKE_BACK, Satisfied

METHODS = "GET, HEAD, OPTIONS"

_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Content-Range, ETag, Link, Repr-Digest, X-Data-Release",
    ),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept, Accept-Encoding"),
]
_PREFLIGHT = {
    "Allow": METHODS,
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
    "Cache-Control": "no-store",
}

logger = logging.getLogger("cpc_record")


class Boundary:
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
        """`send` with the headers that every response has."""
        archive = getattr(scope["app"].state, "archive", None)

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"vary"]
                headers += _HEADERS
                if archive is not None:
                    headers.append((b"x-data-release", archive.release.encode()))
                if not any(name == b"cache-control" for name, _ in headers):
                    succeeded = message["status"] < 300
                    kept = self.cache_control if succeeded else b"no-store"
                    headers.append((b"cache-control", kept))
                message["headers"] = headers
            await send(message)

        return complete

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run what is inside; a failure is logged and answered, as long as nothing was sent."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except (ClientDisconnect, Satisfied):
            raise
        except Exception:
            logger.exception("failed to answer %s %r", scope["method"], scope["path"])
            if started and not scope.get(TAKE_BACK, _sent)():
                raise
            failure = InternalError("The fault was logged; it is not the request's.")
            await failure.response(scope["path"])(scope, receive, send)


def _sent() -> bool:
    return False


def _start(status: int, headers: dict[str, str]) -> Message:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}
