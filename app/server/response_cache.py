"""Response cache in front of routing: responses never change within a release."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.archive.archive import archive_code_digest
from app.responses.conditional_requests import (
    choose_encoding,
    etag_matches,
    not_modified_headers,
    selection_headers,
    zero_gzip_mtime,
)
from app.server.compressors import compressor_version
from app.server.negotiation import Negotiation

Headers = list[tuple[bytes, bytes]]
ResponseHead = tuple[bytes, bytes]
"""Status line and header lines of an HTTP/1.1 response.

They are separate because the server writes its own headers, such as `Date`, after the status line.
"""

ON_CACHE_HIT = "cpc_record.on_cache_hit"
"""Scope key of a function that is called with the request (scope, key) and its cached response."""
DISCARD_BUFFER = "cpc_record.discard_buffer"
"""Scope key of a function that discards a buffered response, so that another can be sent."""
_EMPTY_BODY: Message = {"type": "http.response.body", "body": b""}
_ENTRY_OVERHEAD_BYTES = 2_800
"""Estimated memory of a cache entry, not counting its body, headers and key."""


CacheKey = tuple[bytes, bytes, str, bytes]
"""Everything a response depends on: path, raw query, negotiated format, content coding."""


@dataclass(frozen=True)
class CachedResponse:
    """A complete response, and the 304 for clients that have it already.

    What only repeated requests need is made when one arrives: most responses are sent once.

    Attributes:
        start: ASGI message that starts the response.
        body: ASGI message with the complete body.
        etag: Strong entity tag.
    """

    start: Message
    body: Message
    etag: bytes

    @classmethod
    def create(cls, status: int, headers: Headers, body: bytes) -> CachedResponse:
        """Add an entity tag made from the body (RFC 9110, 8.8.3)."""
        etag = b'"%b"' % sha256(body).hexdigest()[:32].encode()
        tagged = [*headers, (b"etag", etag)]
        return cls(
            {"type": "http.response.start", "status": status, "headers": tagged},
            {"type": "http.response.body", "body": body},
            etag,
        )

    @cached_property
    def not_modified(self) -> Message:
        """ASGI message that starts the 304."""
        headers = not_modified_headers(self.start["headers"])
        return {"type": "http.response.start", "status": 304, "headers": headers}

    @cached_property
    def heads(self) -> tuple[ResponseHead, ResponseHead]:
        """Status line and header lines of the response and of the 304, for HTTP/1.1."""
        return _http11_head(self.start), _http11_head(self.not_modified)

    def as_asgi(self, if_none_match: bytes, *, is_head: bool) -> tuple[Message, Message]:
        """The response as ASGI messages, or its 304 if `If-None-Match` matches."""
        if if_none_match and etag_matches(if_none_match, self.etag):
            return self.not_modified, _EMPTY_BODY
        return self.start, _EMPTY_BODY if is_head else self.body


def _http11_head(start: Message) -> ResponseHead:
    status: int = start["status"]
    phrase = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase), b"".join(
        b"%b: %b\r\n" % pair for pair in start["headers"]
    )


class ResponseStore:
    """Cached responses by key, bounded in bytes (segmented LRU).

    A new entry starts on probation and becomes protected on its first hit, so a flood of URLs that
    are each requested once evicts entries on probation only.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._probation: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self._protected: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self._protected_bytes = 0

    def __len__(self) -> int:
        return len(self._probation) + len(self._protected)

    def get(self, key: CacheKey) -> CachedResponse | None:
        """The entry, which becomes the most recently used, or None."""
        response = self._protected.get(key)
        if response is not None:
            self._protected.move_to_end(key)
            return response
        response = self._probation.pop(key, None)
        if response is not None:
            self._protected[key] = response
            self._protected_bytes += _entry_bytes(key, response)
            self._demote()
        return response

    def put(self, key: CacheKey, response: CachedResponse) -> None:
        """Add an entry, unless it takes more than an eighth of the limit or the key exists."""
        size = _entry_bytes(key, response)
        if size > self.max_bytes // 8 or key in self._probation or key in self._protected:
            return
        self._probation[key] = response
        self.bytes += size
        while self.bytes > self.max_bytes:
            oldest, evicted = self._probation.popitem(last=False)
            self.bytes -= _entry_bytes(oldest, evicted)

    def _demote(self) -> None:
        """Limit protected entries to three quarters of the store."""
        while self._protected_bytes > self.max_bytes * 3 // 4:
            oldest, response = self._protected.popitem(last=False)
            self._protected_bytes -= _entry_bytes(oldest, response)
            self._probation[oldest] = response


def _entry_bytes(key: CacheKey, response: CachedResponse) -> int:
    """Estimated memory of an entry."""
    # stored three times: as ASGI pairs, as header lines, and as header lines of the 304
    headers = 3 * sum(len(name) + len(value) + 4 for name, value in response.start["headers"])
    return len(response.body["body"]) + headers + len(key[0]) + len(key[1]) + _ENTRY_OVERHEAD_BYTES


class ResponseCache:
    """ASGI middleware that caches 200 responses in memory and adds `ETag` to them.

    A response with `no-store` gets no `ETag`, because it is never revalidated. HEAD is served from
    GET's entry. Concurrent requests for one uncached key wait for a single run of the application;
    if its response cannot be cached, each of them then runs the application itself.

    Attributes:
        app: The application that generates what is not cached.
        store: The entries of the current release.
        negotiation: Which formats each path offers, and so whether `Accept` selects one.
        max_buffered_bytes: Largest body that is buffered; a larger one is streamed, not cached.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, negotiation: Negotiation | None = None
    ) -> None:
        self.app = app
        self.store = ResponseStore(max_bytes)
        self.negotiation = negotiation or Negotiation()
        self.max_buffered_bytes = max(max_bytes // 8, 1)
        self._pending: dict[CacheKey, asyncio.Event] = {}

    def clear(self) -> None:
        """Start with an empty store, because another release is served.

        Responses that are still being generated go to the old store.
        """
        self.store = ResponseStore(self.store.max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        key, if_none_match = self.cache_key(scope)
        is_head = scope["method"] == "HEAD"
        response = self.store.get(key)
        if response is None and (pending := self._pending.get(key)) is not None:
            await pending.wait()
            response = self.store.get(key)
        if response is not None:
            start, body = response.as_asgi(if_none_match, is_head=is_head)
            if ON_CACHE_HIT in scope:
                scope[ON_CACHE_HIT](scope, key, response, start["status"])
            await send(start)
            await send(body)
            return
        client = _ClientRequest(key, if_none_match, is_head, send, self.store)
        await self._run_application(client, scope, receive)

    async def _run_application(
        self, client: _ClientRequest, scope: Scope, receive: Receive
    ) -> None:
        """Run the application after a cache miss; other requests for the same key wait for it."""
        key = client.key
        done = self._pending.setdefault(key, asyncio.Event())

        def wake_waiters() -> None:
            done.set()
            if self._pending.get(key) is done:
                del self._pending[key]

        buffer = _ResponseBuffer(self.max_buffered_bytes, client, wake_waiters)
        headers = _forwarded_headers(scope["headers"], key[3])
        forwarded = {**scope, "method": "GET", "headers": headers, DISCARD_BUFFER: buffer.discard}
        try:
            await self.app(forwarded, receive, buffer)
        except (ClientDisconnect, HeadersSufficed):
            if not buffer.finished:
                raise
        finally:
            wake_waiters()

    def cache_key(self, scope: Scope) -> tuple[CacheKey, bytes]:
        """The cache key of a request, and its `If-None-Match`."""
        accept, accept_encoding, if_none_match = selection_headers(scope["headers"])
        query = scope["query_string"]
        format_name = self.negotiation.format_name(scope["path"], query, accept)
        encoding = choose_encoding(accept_encoding)
        return (scope["raw_path"], query, format_name, encoding), if_none_match


class HeadersSufficed(OSError):
    """Raised by `send` to stop the application: a HEAD or 304 response ends with its headers.

    An OSError, as for a client that disconnected, so that frameworks stop without logging it.
    """


class _ClientRequest(NamedTuple):
    """A request that missed the cache, and where its response goes."""

    key: CacheKey
    if_none_match: bytes
    is_head: bool
    send: Send
    store: ResponseStore
    """The store in use when the request arrived."""


class _ResponseBuffer:
    """`send` for the application: buffers a response until it is complete or too large to cache.

    Attributes:
        finished: Whether the application was stopped because the client needs only the headers.
    """

    def __init__(
        self, max_bytes: int, client: _ClientRequest, wake_waiters: Callable[[], None]
    ) -> None:
        self.max_bytes, self.client, self.wake_waiters = max_bytes, client, wake_waiters
        self.start: Message = {}
        self.chunks: list[bytes] | None = []
        """None once anything was sent to the client."""
        self.bytes = 0
        self.finished = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        if message["type"] != "http.response.body":
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.chunks is None:
            await self._forward(body, more)
            return
        self.chunks.append(body)
        self.bytes += len(body)
        if more and self.bytes <= self.max_bytes:
            return
        buffered = b"".join(self.chunks)
        if more:
            self.chunks = None
            self.wake_waiters()
            await self._start_stream()
            await self._forward(buffered, more)
            return
        await self._send_complete(buffered)

    async def _start_stream(self) -> None:
        """Start a response too large to cache; its tag is derived from its inputs.

        Raises:
            HeadersSufficed: The client needs only the headers, so the application can stop.
        """
        start, unchanged = self.start, False
        if self._is_cacheable():
            etag_source = _etag_source(self.client.key, start["headers"])
            tagged = CachedResponse.create(start["status"], start["headers"], etag_source)
            unchanged = etag_matches(self.client.if_none_match, tagged.etag)
            start = tagged.not_modified if unchanged else tagged.start
        await self.client.send(start)
        if unchanged or self.client.is_head:
            await self.client.send(_EMPTY_BODY)
            self.finished = True
            raise HeadersSufficed

    async def _forward(self, body: bytes, more: bool) -> None:
        sent = b"" if self.client.is_head else body
        await self.client.send({"type": "http.response.body", "body": sent, "more_body": more})

    async def _send_complete(self, body: bytes) -> None:
        """Cache a complete response if that is allowed, and send it."""
        status, headers = self.start["status"], self.start["headers"]
        response = None
        if self._is_cacheable():
            if not any(name == b"content-length" for name, _ in headers):
                headers = [*headers, (b"content-length", b"%d" % len(body))]
            body = zero_gzip_mtime(body)  # so that equal bodies have equal ETags
            response = CachedResponse.create(status, headers, body)
            self.client.store.put(self.client.key, response)
        self.wake_waiters()  # first, so that a slow client does not hold up waiting requests
        self.chunks = None
        if response is not None:
            start, content = response.as_asgi(
                self.client.if_none_match, is_head=self.client.is_head
            )
            await self.client.send(start)
            await self.client.send(content)
        else:
            await self.client.send(self.start)
            await self._forward(body, more=False)

    def _is_cacheable(self) -> bool:
        """Whether the response is a 200 that may be stored, here and by others."""
        return self.start["status"] == 200 and not _is_no_store(self.start["headers"])

    def discard(self) -> bool:
        """Empty the buffer for another response; False once something was sent."""
        if self.chunks is None:
            return False
        self.chunks, self.bytes = [], 0
        return True


def _etag_source(key: CacheKey, headers: Headers) -> bytes:
    """Inputs that determine the bytes of a streamed response.

    That includes the libraries: a new version may render or compress the same data differently.
    """
    data_release = next((value for name, value in headers if name == b"x-data-release"), b"")
    versions = __version__, archive_code_digest(), compressor_version(key[3])
    return repr((versions, data_release, key)).encode()


def _is_no_store(headers: Headers) -> bool:
    return any(name == b"cache-control" and b"no-store" in value for name, value in headers)


def _forwarded_headers(headers: Iterable[tuple[bytes, bytes]], encoding: bytes) -> Headers:
    """Request headers with only the chosen coding, and without preconditions and ranges.

    Ranges are cut from the full response by `app.server.byte_ranges`, in front of the cache.
    """
    dropped = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range", b"if-range")
    forwarded = [pair for pair in headers if pair[0] not in dropped]
    return [*forwarded, (b"accept-encoding", encoding)] if encoding else forwarded
