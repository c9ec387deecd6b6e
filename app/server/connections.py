"""Connections: what a client may send, how long it may take, how many there may be.

uvicorn's protocol on httptools, which is quick and keeps no time: a request that is never finished
and an answer that is never read hold their connection for good, a head of any size is read, and
two `Host` lines pass. For a request that is in order nothing is done here but to look at its size
and to count its hosts; time is kept by one look at every connection each second.
"""

from __future__ import annotations

import asyncio
import re
import resource
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import httptools
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from app.responses.problems import (
    BadRequest,
    HeadersTooLarge,
    Problem,
    Unavailable,
    UrlTooLong,
)
from app.server.headers import add_common_headers, request_id
from app.server.logs import log_request
from app.server.response_cache import ResponseHead
from app.settings import SETTINGS_KEY, Settings

_SWEEP_SECONDS = 1.0
"""Seconds between two looks at every connection."""
_CLOSE_GRACE_SECONDS = 2.0
"""Seconds that a client has to read why it was refused."""
_WRITE_PROGRESS_BYTES = 65_536
"""Bytes that a client must take of a waiting answer for its time to begin anew."""
_MAX_HEADERS = 100
_MAX_BODY_BYTES = 65_536
_LOGGED_URL_CHARACTERS = 1_000
"""Bytes of a URL that are told of a request that is refused."""
_SPARE_FILES = 64
"""Descriptors that are not for connections: the archive's, the log's, the event loop's."""


_begin = HttpToolsProtocol.on_headers_complete


FastPath = Callable[[Scope], tuple[ResponseHead, bytes] | None] | None
"""What gives an answer that needs no application, if anything does."""
_HOST = re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
"""A host with or without a port (RFC 3986, 3.2.2), which may be empty (RFC 9112, 3.2)."""


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


class RequestRejected(Exception):
    """Raised within the parser, to end it."""


class Connection(HttpToolsProtocol):
    """One client's connection, for uvicorn's `http` option.

    Attributes:
        refused: Whether nothing more is read.
        idle: Whether it waits for another request, of which nothing has come.
        fault: What is wrong with the request that is being parsed.
        received: Bytes that came of a request whose head is not whole.
        bodied: The request whose body came last.
        bodily: Bytes of that body.
        queued: Bytes of an answer that waited for the client when its time began.
        since: When the client's time began.
    """

    __slots__ = (  # beside uvicorn's attributes, which are as many as are quick to find
        "_standing",
        "bodied",
        "bodily",
        "fault",
        "guard",
        "idle",
        "queued",
        "received",
        "refused",
        "settings",
        "since",
        "small",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.guard = ConnectionLimiter.of(self)
        self.settings = self.guard.settings
        self.small = min(self.settings.max_url_bytes, self.settings.max_header_bytes)
        self.fault: Problem | None = None
        self.refused = self.idle = False
        self.received = self.bodily = self.queued = 0
        self.bodied: object = None
        self.since = self.loop.time()
        self._standing: object = None

    @property
    def answering(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way, be it only its end that the client has yet to take."""
        return self.answering or self.transport.get_write_buffer_size() > 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(transport)
        self.guard.admit(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came; what cannot be a request is refused."""
        if self.refused:
            return
        self.idle = False
        self.received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # to nothing that is spoken here
            self._finish()
            return
        except httptools.HttpParserError as error:
            told = f"This is not a request in HTTP/1.1: {_reason(error)}."
            self.refuse(self.fault or BadRequest(told))
            return
        if self.received:
            self._look_at_part()

    def on_headers_complete(self) -> None:
        """Begin to answer a request whose head is in order.

        Raises:
            Refused: It is not.
        """
        headers = self.headers
        if not 0 < self.received <= self.small or len(headers) > _MAX_HEADERS:
            self._measure()  # also what came together with another request
        self.received = 0
        hosts, host = 0, b""
        for name, value in headers:
            if name == b"host":
                hosts, host = hosts + 1, value
        if hosts != 1 and (hosts or self.parser.get_http_version() != "1.0"):
            self._raise(BadRequest("A request in HTTP/1.1 has one Host header."))
        if not _is_host(host):
            self._raise(BadRequest("Host is a name or an address, with a port or without."))
        _begin(self)

    def on_body(self, body: bytes) -> None:
        """Take note of a body, which has no meaning here.

        Raises:
            Refused: It is long; its request is answered all the same.
        """
        if self.cycle is not self.bodied:
            self.bodied, self.bodily = self.cycle, 0
        self.bodily += len(body)
        if self.bodily > _MAX_BODY_BYTES:
            raise RequestRejected
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Send what is at hand at once; where there is nothing, or the client is slow, ask."""
        lookup = self.guard.lookup
        # after a request to upgrade nothing more is read, which an answer from here could not tell
        upgrade = self.parser.should_upgrade()
        if lookup is not None and app is self.app and not self.pipeline and not upgrade:
            answer = None if self.flow.write_paused else lookup(cast("Scope", cycle.scope))
            if answer is not None:
                self._send(cycle, *answer)
                return
        super()._start_asgi_task(cycle, app)

    def _send(self, cycle: RequestResponseCycle, lines: ResponseHead, body: bytes) -> None:
        cycle.response_started = cycle.response_complete = True
        status, headers = lines
        ending = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        head = b"".join((status, self.guard.lines(), headers, ending))
        if len(body) > _WRITE_PROGRESS_BYTES:  # not copied: clients that are slow to read share it
            self.transport.writelines((head, body))
        else:
            self.transport.write(head + body)
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request; no timer is set where there is none yet."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.idle = True

    def refuse(self, problem: Problem) -> None:
        """Tell a problem and close; where the request has its answer, only close."""
        if self.refused or self.transport.is_closing():
            return
        self._finish()
        if self.answering:
            return
        if self.cycle is not None and self.cycle.scope is self.scope:
            self.transport.write_eof()
            return
        asked = self._asked()
        response = problem.response(asked["raw_path"].decode("latin-1"))
        closing = [*response.raw_headers, (b"connection", b"close")]
        headers = add_common_headers(closing, problem.status, request_id(asked["headers"]))
        lines = (b"%b: %b\r\n" % pair for pair in [*self.server_state.default_headers, *headers])
        body = b"" if asked["method"] == "HEAD" else bytes(response.body)
        head = STATUS_LINE[problem.status] + b"".join(lines)
        self.transport.write(head + b"\r\n" + body)
        self.transport.write_eof()  # reading on, or the client might not get to read this
        if self.settings.access_log:
            named = request_id(headers).decode()
            log_request(asked, problem.status, bytes=len(body), request_id=named)

    def _asked(self) -> Scope:
        """As much as is known of the request that is being parsed."""
        path, _, query = getattr(self, "url", b"").partition(b"?")
        return {
            "client": self.client,
            "method": self.parser.get_method().decode() if path else "-",
            "raw_path": path[:_LOGGED_URL_CHARACTERS] or b"/",
            "query_string": query[:_LOGGED_URL_CHARACTERS],
            "headers": self.headers or [],
        }

    def overdue(self, now: float) -> bool:
        """Whether the client has had its time; called now and then."""
        waiting = self.transport.get_write_buffer_size()
        if waiting or self.queued:
            if not self.queued - _WRITE_PROGRESS_BYTES < waiting <= self.queued:
                self.queued, self.since = waiting, now
            return bool(waiting) and now - self.since > self.settings.write_seconds
        if self.refused and not self.answering:
            return now - self.since > _CLOSE_GRACE_SECONDS
        standing = self.cycle, self.idle
        if self.answering or standing != self._standing:
            self._standing, self.since = standing, now
        patience = self.settings.idle_seconds if self.idle else self.settings.request_seconds
        return now - self.since > patience

    def _finish(self) -> None:
        """Close after what is being answered; read no more."""
        self.refused, self.since = True, self.loop.time()
        if self.answering:
            self.cycle.keep_alive = False

    def _look_at_part(self) -> None:
        """Refuse a head that is too large while it comes."""
        if self.cycle is not None and self.cycle.scope is self.scope:  # it is whole: a body comes
            self.received = 0
            self.idle = self.cycle.response_complete
            return
        url = getattr(self, "url", b"")
        if len(url) > self.settings.max_url_bytes:
            self.refuse(self._too_long())
        elif self.received - len(url) > self.settings.max_header_bytes + self.small:
            self.refuse(self._too_large())

    def _measure(self) -> None:
        """Refuse a whole head that is too large.

        Raises:
            Refused: It is.
        """
        if len(self.url) > self.settings.max_url_bytes:
            self._raise(self._too_long())
        size = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.settings.max_header_bytes or len(self.headers) > _MAX_HEADERS:
            self._raise(self._too_large())

    def _too_long(self) -> Problem:
        return UrlTooLong(f"A URL may have {self.settings.max_url_bytes} bytes.")

    def _too_large(self) -> Problem:
        most = self.settings.max_header_bytes
        told = f"There may be {_MAX_HEADERS} headers of {most} bytes together."
        return HeadersTooLarge(told)

    def _raise(self, fault: Problem) -> None:
        self.fault = fault
        raise RequestRejected


def _reason(error: httptools.HttpParserError) -> str:
    """What the parser says, where it says it itself."""
    told = str(error)
    return told if told.isascii() and len(told) < 100 and told.isprintable() else "malformed"


class ConnectionLimiter:
    """Looks after the connections of one server."""

    def __init__(self, first: Connection) -> None:
        self.settings: Settings = first.app_state[SETTINGS_KEY]
        self.lookup: FastPath = getattr(first.app, "at_hand", None)
        self._state = first.server_state
        self._told: object = None
        self._lines = b""
        self.connections: set[Any] = first.server_state.connections
        self.loop = first.loop
        self.most = min(self.settings.max_connections, raise_file_limit() - _SPARE_FILES)
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, connection: Connection) -> ConnectionLimiter:
        """The guard of a connection's server; the first connection begins it."""
        state = connection.server_state
        guard = getattr(state, "guard", None)
        if not isinstance(guard, cls):
            guard = cls(connection)
            state.guard = guard  # type: ignore[attr-defined]
        return guard

    def lines(self) -> bytes:
        """The headers that uvicorn gives every answer, which change each second."""
        headers = self._state.default_headers
        if headers is not self._told:
            self._told, self._lines = headers, b"".join(b"%b: %b\r\n" % one for one in headers)
        return self._lines

    def admit(self, newcomer: Connection) -> None:
        """Make room for a connection: what waits longest goes, and no answer is broken off."""
        if self._timer is None:
            self._timer = self.loop.call_later(_SWEEP_SECONDS, self._sweep)
        if len(self.connections) <= self.most:
            return
        waiting = [one for one in self.connections if one is not newcomer and not one.busy]
        if waiting:
            self._drop(min(waiting, key=_eviction_order))
        else:
            told = "Every connection is busy."
            newcomer.refuse(Unavailable(told, headers={"Retry-After": "1"}))

    def _sweep(self) -> None:
        """Close every connection whose client has had its time."""
        self._timer = (
            self.loop.call_later(_SWEEP_SECONDS, self._sweep) if self.connections else None
        )
        now = self.loop.time()
        for one in [one for one in self.connections if one.overdue(now)]:
            self._drop(one)

    def _drop(self, connection: Connection) -> None:
        self.connections.discard(connection)
        connection.transport.abort()


def _eviction_order(connection: Connection) -> tuple[bool, float]:
    """Half a request goes before a connection that has asked before; then what waits longest."""
    return connection.idle, connection.since


def raise_file_limit() -> int:
    """Descriptors that this process may open; as many as it is allowed to allow itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else soft
