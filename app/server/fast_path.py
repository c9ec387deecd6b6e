"""The fast path: a request head that was served from the cache is not parsed again.

Keep-alive clients, proxies and load balancers send the same bytes again and again. At first, these
bytes pass the parser, all checks and the application. If the response comes from the cache, its key
is stored under the bytes of the head, and from then on they alone select it, on every connection of
the process. So what is sent is what the application would send.

Only a head that is all of its request is stored: `_REPEATABLE` matches a single head of printable
characters, without a body and without headers about the connection or a range. A connection looks
one up only while it waits for a request, after everything before was parsed and responded to.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from starlette.types import Scope

from app.server.access_log import AccessLogHandler
from app.server.headers import request_id
from app.server.response_cache import CachedResponse, CacheKey, ResponseCache

if TYPE_CHECKING:
    from app.server.connections import Connection

FAST_PATH_KEY = "fast_path"
"""Key of the ASGI lifespan state under which connections find the fast path."""
_MAX_HEADS = 4_096
_MAX_HEAD_BYTES = 1_024
_LARGE_BODY_BYTES = 65_536
"""Size from which a body is not copied, so that slow clients share its bytes."""
_REPEATABLE = re.compile(
    rb"(?:GET|HEAD) /[!-~]* HTTP/1\.1\r\n"
    rb"(?:(?!(?:Connection|Content-Length|Expect|HTTP2-Settings|If-Range|Keep-Alive"
    rb"|Proxy-Connection|Range|TE|Trailer|Transfer-Encoding|Upgrade):)[A-Z0-9_-]+:[ -~]*\r\n"
    rb"|Connection: keep-alive\r\n)+\r\n",
    re.IGNORECASE,
)


class KnownHead(NamedTuple):
    """What a request head selects."""

    key: CacheKey
    etag: bytes
    """Entity tag of the response that was sent; that of another release has another one."""
    not_modified: bool
    """Whether the 304 is sent rather than the response."""
    has_body: bool
    log_template: str
    """The line of the access log; empty without one."""


class FastPath:
    """Request heads and the cached responses that they select, bounded in number and size."""

    def __init__(
        self, cache: ResponseCache, access_log: AccessLogHandler | None, *, trusts_proxies: bool
    ) -> None:
        """Create it.

        Args:
            cache: The response cache.
            access_log: Where requests are logged.
            trusts_proxies: Whether the client that is logged may depend on `X-Forwarded-For`.
        """
        self.cache, self.access_log, self.trusts_proxies = cache, access_log, trusts_proxies
        self._heads: dict[bytes, KnownHead] = {}
        self._is_on = True

    def turn_off(self) -> None:
        """Take no request from now on."""
        self._is_on = False
        self._heads.clear()

    def respond(self, head: bytes, connection: Connection) -> bool:
        """Send the response that a known head selects; False if it is unknown or not cached."""
        started = time.perf_counter()
        known = self._heads.get(head)
        if known is None:
            return False
        response = self.cache.store.get(known.key)
        if response is None or response.etag != known.etag:
            return False
        status, headers = response.heads[known.not_modified]
        body: bytes = response.body["body"] if known.has_body else b""
        parts = status, connection.limiter.default_header_lines(), headers, b"\r\n", body
        if len(body) > _LARGE_BODY_BYTES:
            connection.transport.writelines(parts)
        else:
            connection.transport.write(b"".join(parts))
        if self.access_log is not None:
            client = connection.client[0] if connection.client else "-"
            self.access_log.write(known.log_template, client, started)
        return True

    def remember(
        self, head: bytes, scope: Scope, key: CacheKey, response: CachedResponse, status: int
    ) -> None:
        """Store a request head that the cache has responded to, if it may be repeated."""
        forwarded = self.trusts_proxies and b"x-forwarded" in head.lower()
        if not self._is_on or len(head) > _MAX_HEAD_BYTES or forwarded:
            return
        if _REPEATABLE.fullmatch(head) is None:
            return
        has_body, template = status == 200 and scope["method"] != "HEAD", ""
        if self.access_log is not None:
            size = len(response.body["body"]) if has_body else 0
            name = request_id(scope["headers"]).decode() or None
            template = self.access_log.template(scope, status, size, name)
        while len(self._heads) >= _MAX_HEADS:
            del self._heads[next(iter(self._heads))]
        self._heads[head] = KnownHead(key, response.etag, status == 304, has_body, template)
