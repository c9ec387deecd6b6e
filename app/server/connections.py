"""HTTP/1.1 connections: limits on the size of a request, timeouts, and a limit on their number.

uvicorn's protocol on httptools is fast but has no timeout for receiving a request or sending a
response, no limit on the size of a request head, and accepts two `Host` headers. This adds them at
little cost: a valid request is checked for its size and for having one `Host` header, and one sweep
a second over all connections enforces the timeouts.

Private parts of uvicorn, checked against the source of 0.54.0 (upper bound in pyproject.toml):

- `HttpToolsProtocol.on_headers_complete`, called directly
- `HttpToolsProtocol.on_response_complete`, overridden; it calls `._start_asgi_task` (since 0.45.0)
- `HttpToolsProtocol.on_body` and `.on_message_complete`, extended
- `HttpToolsProtocol.app_state`, `.client`, `.cycle`, `.flow`, `.headers`, `.loop`, `.parser`,
  `.pipeline`, `.scope`, `.server_state`, `.transport`, `.url`
- `RequestResponseCycle.keep_alive`, `.response_complete`, `.scope`, `.transport`, which is replaced
- `FlowControl.resume_reading`, `.write_paused`
- `ServerState.connections`, `.default_headers`, `.total_requests`; it also gets a `limiter`
- `STATUS_LINE`
"""

from __future__ import annotations

import asyncio
import re
import resource
from functools import lru_cache, partial
from typing import Any, cast

import httptools
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from app.responses.problems import (
    BadRequest,
    HeadersTooLarge,
    Problem,
    Unavailable,
    UrlTooLong,
)
from app.server.access_log import find_access_log
from app.server.draining import DRAIN_KEY, Drain
from app.server.fast_path import FAST_PATH_KEY, FastPath
from app.server.headers import add_common_headers, request_id
from app.server.response_cache import ON_CACHE_HIT
from app.server.response_writer import ResponseWriter
from app.settings import SETTINGS_KEY, Settings

_SWEEP_SECONDS = 1.0
"""Interval at which timeouts are enforced."""
_CLOSE_GRACE_SECONDS = 2.0
"""Time for a client to read an error before its connection is closed."""
_WRITE_PROGRESS_BYTES = 65_536
"""Bytes that a client must read for its write timeout to start again."""
_MAX_HEADERS = 100
_MAX_BODY_BYTES = 65_536
_MAX_LOGGED_URL_BYTES = 1_000
"""Longest path, and longest query, that is logged of a rejected request."""
_RESERVED_FILES = 64
"""File descriptors not available to connections: the archive's, logs', the event loop's."""

_start_request = HttpToolsProtocol.on_headers_complete

_HOST = re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
"""A host with an optional port (RFC 3986, 3.2.2), which may be empty (RFC 9112, 3.2)."""


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


class RequestRejected(Exception):
    """Raised in a parser callback to stop parsing."""


class Connection(HttpToolsProtocol):
    """A client connection, for uvicorn's `http` option.

    Attributes:
        limiter: What connections of one server share.
        precheck_limit: Bytes up to which a request head is within every limit.
        reading_stopped: Whether no more input is parsed.
        idle: Whether it waits for the next request, of which no byte has arrived.
        problem: The problem found in a parser callback with the request being parsed.
        head_bytes: Bytes received of a request whose head is incomplete.
        body_cycle: The request whose body was received last.
        body_bytes: Bytes of that body.
        new_head: Bytes with which the last request started, unless others came before it.
        parsed_scope: The request that was parsed to its end last.
        unsent_bytes: Size of the write buffer when the write timeout started; 0 without one.
        waiting_since: When the current timeout started.
        writer: The transport for responses from the application.
    """

    __slots__ = (  # uvicorn's attributes are in a dict, which is kept small enough to be fast
        "_last_state",
        "body_bytes",
        "body_cycle",
        "fast_path",
        "head_bytes",
        "idle",
        "limiter",
        "new_head",
        "parsed_scope",
        "precheck_limit",
        "problem",
        "reading_stopped",
        "settings",
        "unsent_bytes",
        "waiting_since",
        "writer",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limiter = ConnectionLimiter.shared_by(self)
        self.settings, self.fast_path = self.limiter.settings, self.limiter.fast_path
        self.precheck_limit = min(self.settings.max_url_bytes, self.settings.max_header_bytes)
        self.problem: Problem | None = None
        self.reading_stopped = self.idle = False
        self.head_bytes = self.body_bytes = self.unsent_bytes = 0
        self.body_cycle: object = None
        self.parsed_scope: object = None
        self.new_head = b""
        self.waiting_since = self.loop.time()
        self._last_state: object = None

    @property
    def responding(self) -> bool:
        """Whether a response is in progress."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def busy(self) -> bool:
        """Whether a response is in progress or not yet completely read by the client."""
        return self.responding or self.transport.get_write_buffer_size() > 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, within the limit on connections."""
        super().connection_made(transport)
        self.writer = ResponseWriter(transport)
        self.limiter.admit(self)

    def data_received(self, data: bytes) -> None:
        """Parse input; what is not HTTP/1.1 or too large is rejected."""
        if self.reading_stopped or self._take_fast_path(data):
            return
        self.idle = False
        self.head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # no other protocol is supported
            self._stop_reading()
            return
        except httptools.HttpParserError as error:
            detail = f"Malformed HTTP/1.1 request: {_parser_message(error)}."
            self.reject(self.problem or BadRequest(detail))
            return
        if self.head_bytes:
            self._check_incomplete_head()

    def _take_fast_path(self, data: bytes) -> bool:
        """Respond to a known request head; otherwise keep the bytes with which a request starts."""
        starts = self.parsed_scope is self.scope and (self.idle or self.scope is None)
        if not starts or self.fast_path is None or self.flow.write_paused:
            self.new_head = b""
            return False
        if not self.fast_path.respond(data, self):
            self.new_head = data
            return False
        self.server_state.total_requests += 1
        self.idle, self._last_state = True, None  # so that the idle timeout starts again
        return True

    def on_headers_complete(self) -> None:
        """Start a request whose head is valid.

        Raises:
            RequestRejected: It is not.
        """
        headers = self.headers
        if not 0 < self.head_bytes <= self.precheck_limit or len(headers) > _MAX_HEADERS:
            self._check_head()  # also if it arrived together with another request
        self.head_bytes = 0
        hosts, host = 0, b""
        for name, value in headers:
            if name == b"host":
                hosts, host = hosts + 1, value
        if hosts != 1 and (hosts or self.parser.get_http_version() != "1.0"):
            self._raise(BadRequest("An HTTP/1.1 request must have exactly one Host header."))
        if not _is_host(host):
            self._raise(BadRequest("Host must be a name or an IP address, optionally with a port."))
        if self.new_head and self.fast_path is not None:
            remember = partial(self.fast_path.remember, self.new_head)
            cast("Scope", self.scope)[ON_CACHE_HIT] = remember
        _start_request(self)
        self.cycle.transport = cast("asyncio.Transport", self.writer)
        if self.limiter.drain.started:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Note that a request was parsed to its end."""
        self.parsed_scope = self.scope
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Accept a body, which no resource uses, up to a limit.

        Raises:
            RequestRejected: It is longer. The request is still served, then the connection closed.
        """
        if self.cycle is not self.body_cycle:
            self.body_cycle, self.body_bytes = self.cycle, 0
        self.body_bytes += len(body)
        if self.body_bytes > _MAX_BODY_BYTES:
            raise RequestRejected
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Go on to the next request; unlike uvicorn's, sets no timer for the idle timeout."""
        self.server_state.total_requests += 1
        self.writer.finish()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.idle = True

    def reject(self, problem: Problem) -> None:
        """Send a problem and close; if the request already has a response, only close."""
        if self.reading_stopped or self.transport.is_closing():
            return
        self._stop_reading()
        if self.responding:
            return
        if self.cycle is not None and self.cycle.scope is self.scope:
            self.transport.write_eof()
            return
        request = self._partial_scope()
        response = problem.response(request["raw_path"].decode("latin-1"))
        closing = [*response.raw_headers, (b"connection", b"close")]
        headers = add_common_headers(closing, problem.status, request_id(request["headers"]))
        lines = (b"%b: %b\r\n" % pair for pair in [*self.server_state.default_headers, *headers])
        body = b"" if request["method"] == "HEAD" else bytes(response.body)
        head = STATUS_LINE[problem.status] + b"".join(lines)
        self.transport.write(head + b"\r\n" + body)
        self.transport.write_eof()  # input is still drained, or the client might see a reset
        access_log = find_access_log(self.settings)
        if access_log is not None:
            name = request_id(headers).decode()
            access_log.log_request(request, problem.status, len(body), name)

    def _partial_scope(self) -> Scope:
        """What is known so far of the request being parsed, for its problem and the log."""
        path, _, query = getattr(self, "url", b"").partition(b"?")
        return {
            "client": self.client,
            "method": self.parser.get_method().decode() if path else "-",
            "raw_path": path[:_MAX_LOGGED_URL_BYTES] or b"/",
            "query_string": query[:_MAX_LOGGED_URL_BYTES],
            "headers": self.headers or [],
        }

    def timed_out(self, now: float) -> bool:
        """Whether a timeout has expired; as a side effect, restarts the timer on progress."""
        unsent = self.transport.get_write_buffer_size()
        if unsent or self.unsent_bytes:
            if not self.unsent_bytes - _WRITE_PROGRESS_BYTES < unsent <= self.unsent_bytes:
                self.unsent_bytes, self.waiting_since = unsent, now
            return bool(unsent) and now - self.waiting_since > self.settings.write_seconds
        if self.reading_stopped and not self.responding:
            return now - self.waiting_since > _CLOSE_GRACE_SECONDS
        state = self.cycle, self.idle
        if self.responding or state != self._last_state:
            self._last_state, self.waiting_since = state, now
        timeout = self.settings.idle_seconds if self.idle else self.settings.request_seconds
        return now - self.waiting_since > timeout

    def _stop_reading(self) -> None:
        """Ignore further input, and close after the response in progress."""
        self.reading_stopped, self.waiting_since = True, self.loop.time()
        if self.responding:
            self.cycle.keep_alive = False

    def _check_incomplete_head(self) -> None:
        """Reject a head that is too large before it is complete."""
        if self.cycle is not None and self.cycle.scope is self.scope:  # complete: a body follows
            self.head_bytes = 0
            self.idle = self.cycle.response_complete
            return
        url = getattr(self, "url", b"")
        if len(url) > self.settings.max_url_bytes:
            self.reject(self._url_too_long())
        # `head_bytes` also counts the request line and what arrived in the same read: allow that
        # much more here; `_check_head` is exact
        elif self.head_bytes - len(url) > self.settings.max_header_bytes + self.precheck_limit:
            self.reject(self._headers_too_large())

    def _check_head(self) -> None:
        """Check the size of a complete head.

        Raises:
            RequestRejected: It is too large.
        """
        if len(self.url) > self.settings.max_url_bytes:
            self._raise(self._url_too_long())
        size = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.settings.max_header_bytes or len(self.headers) > _MAX_HEADERS:
            self._raise(self._headers_too_large())

    def _url_too_long(self) -> Problem:
        return UrlTooLong(f"The URL is longer than {self.settings.max_url_bytes} bytes.")

    def _headers_too_large(self) -> Problem:
        limit = self.settings.max_header_bytes
        detail = f"At most {_MAX_HEADERS} headers of {limit} bytes in total are accepted."
        return HeadersTooLarge(detail)

    def _raise(self, problem: Problem) -> None:
        self.problem = problem
        raise RequestRejected


def _parser_message(error: httptools.HttpParserError) -> str:
    """The parser's own message, if it is one line that quotes no input."""
    message = str(error)
    is_plain = message.isascii() and len(message) < 100 and message.isprintable()
    return message if is_plain else "malformed"


class ConnectionLimiter:
    """Limits the number of a server's connections and enforces their timeouts.

    Attributes:
        settings: The application's settings.
        fast_path: The application's fast path; None if it has none.
        drain: Whether the process is about to stop.
        connections: All open connections.
        max_connections: The setting, or less if the process may open fewer files.
    """

    def __init__(self, first: Connection) -> None:
        self.settings: Settings = first.app_state[SETTINGS_KEY]
        self.fast_path: FastPath | None = first.app_state.get(FAST_PATH_KEY)
        self.drain: Drain = first.app_state[DRAIN_KEY]
        self._server_state = first.server_state
        self._default_headers: object = None
        self._default_header_lines = b""
        self.connections: set[Any] = first.server_state.connections
        self.loop = first.loop
        available = raise_file_limit() - _RESERVED_FILES
        self.max_connections = min(self.settings.max_connections, available)
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def shared_by(cls, connection: Connection) -> ConnectionLimiter:
        """The limiter of a connection's server, created for the first connection."""
        state = connection.server_state
        limiter = getattr(state, "limiter", None)
        if not isinstance(limiter, cls):
            limiter = cls(connection)
            state.limiter = limiter  # type: ignore[attr-defined]
        return limiter

    def default_header_lines(self) -> bytes:
        """Uvicorn's default headers as lines, rendered once a second as `Date` changes."""
        headers = self._server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_header_lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
        return self._default_header_lines

    def admit(self, connection: Connection) -> None:
        """Stay within the limit: close the longest-waiting connection, or reject the new one.

        A connection with a response in progress is never closed.
        """
        if self._timer is None:
            self._timer = self.loop.call_later(_SWEEP_SECONDS, self._sweep)
        if len(self.connections) <= self.max_connections:
            return
        waiting = [
            other for other in self.connections if other is not connection and not other.busy
        ]
        if waiting:
            self._abort(min(waiting, key=_eviction_order))
        else:
            detail = "All connections are in use."
            connection.reject(Unavailable(detail, headers={"Retry-After": "1"}))

    def _sweep(self) -> None:
        """Close every connection with an expired timeout."""
        self._timer = (
            self.loop.call_later(_SWEEP_SECONDS, self._sweep) if self.connections else None
        )
        now = self.loop.time()
        expired = [connection for connection in self.connections if connection.timed_out(now)]
        for connection in expired:
            self._abort(connection)

    def _abort(self, connection: Connection) -> None:
        self.connections.discard(connection)
        connection.transport.abort()


def _eviction_order(connection: Connection) -> tuple[bool, float]:
    """Sort key: incomplete requests before idle connections, then the longest-waiting first."""
    return connection.idle, connection.waiting_since


def raise_file_limit() -> int:
    """Raise this process's soft limit on open files to the hard limit, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else soft
