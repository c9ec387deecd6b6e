"""Answers kept as bytes, outside routing: an archive's answers never change within a release."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.responses.conditions import (
    choose_encoding,
    etag_matches,
    request_conditions,
    zero_gzip_mtime,
)
from app.responses.formats import format_preference

Headers = list[tuple[bytes, bytes]]
ResponseHead = tuple[bytes, bytes]
"""A status line, and header lines; between them a server has headers of its own."""

DISCARD_BUFFER = "cpc_record.take_back"
"""Key of the scope under which a response that was begun can be taken back."""
_NO_BODY: Message = {"type": "http.response.body", "body": b""}
_OVERHEAD = 2_800
"""Bytes that an entry is reckoned to take besides its body, headers and key."""


Key = tuple[bytes, bytes, str, bytes]
"""All that a response depends on: path, raw query, formats by preference, content coding."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A complete response, and its 304.

    Attributes:
        start: The message that begins it.
        not_modified: The message that begins the 304 to a client that has it already.
        body: The message that holds all of its body.
        etag: Its strong entity tag.
        lines: Status line and headers as HTTP/1.1 sends them, and those of the 304.
    """

    start: Message
    not_modified: Message
    body: Message
    etag: bytes
    lines: tuple[ResponseHead, ResponseHead]

    @classmethod
    def of(cls, status: int, headers: Headers, body: bytes) -> CachedResponse:
        """The answer with its entity tag (RFC 9110, 8.8.3) added."""
        etag = b'"%b"' % sha256(body).hexdigest()[:32].encode()
        tagged = [*headers, (b"etag", etag)]
        kept = [pair for pair in tagged if pair[0] not in (b"content-length", b"content-type")]
        return cls(
            {"type": "http.response.start", "status": status, "headers": tagged},
            {"type": "http.response.start", "status": 304, "headers": kept},
            {"type": "http.response.body", "body": body},
            etag,
            (_lines(status, tagged), _lines(304, kept)),
        )

    def as_asgi(self, if_none_match: bytes, *, head: bool) -> tuple[Message, Message]:
        """The response to a client, or its 304 where `If-None-Match` names the answer."""
        if if_none_match and etag_matches(if_none_match, self.etag):
            return self.not_modified, _NO_BODY
        return self.start, _NO_BODY if head else self.body

    def as_http11(self, if_none_match: bytes, *, head: bool) -> tuple[ResponseHead, bytes]:
        """The same as HTTP/1.1 sends it: status line, headers, body."""
        if if_none_match and etag_matches(if_none_match, self.etag):
            return self.lines[1], b""
        return self.lines[0], b"" if head else self.body["body"]


def _lines(status: int, headers: Headers) -> ResponseHead:
    phrase = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase), b"".join(
        b"%b: %b\r\n" % one for one in headers
    )


class Store:
    """Answers by key, bounded in bytes.

    Two queues: an answer begins on probation and is protected once it is asked for again, so a
    flood of addresses that are each asked for once passes through probation only (segmented
    LRU).
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._probation: OrderedDict[Key, CachedResponse] = OrderedDict()
        self._protected: OrderedDict[Key, CachedResponse] = OrderedDict()
        self._protected_size = 0

    def __len__(self) -> int:
        return len(self._probation) + len(self._protected)

    def get(self, key: Key) -> CachedResponse | None:
        """The answer kept under a key."""
        answer = self._protected.get(key)
        if answer is not None:
            self._protected.move_to_end(key)
            return answer
        answer = self._probation.pop(key, None)
        if answer is not None:
            self._protected[key] = answer
            self._protected_size += _weight(key, answer)
            self._demote()
        return answer

    def put(self, key: Key, answer: CachedResponse) -> None:
        """Keep an answer, unless it would take more than an eighth of the room."""
        weight = _weight(key, answer)
        if weight > self.limit // 8 or key in self._probation or key in self._protected:
            return
        self._probation[key] = answer
        self.size += weight
        while self.size > self.limit:
            oldest, gone = self._probation.popitem(last=False)
            self.size -= _weight(oldest, gone)

    def _demote(self) -> None:
        while self._protected_size > self.limit * 3 // 4:
            oldest, answer = self._protected.popitem(last=False)
            self._protected_size -= _weight(oldest, answer)
            self._probation[oldest] = answer


def _weight(key: Key, answer: CachedResponse) -> int:
    headers = 3 * len(answer.lines[0][1])  # as pairs, as lines, and as lines of the 304
    return len(answer.body["body"]) + headers + len(key[0]) + len(key[1]) + _OVERHEAD


class ResponseCache:
    """Keeps successful answers and tags every success.

    Sits outside everything that a request passes, so that a kept answer costs one look-up. HEAD
    is answered from GET's entry. Requests for the same cold address wait for one rendering.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self.app = app
        self.store = Store(limit)
        self.largest = max(limit // 8, 1)
        self._pending: dict[Key, asyncio.Event] = {}

    def clear(self) -> None:
        """Keep nothing of what was answered so far: another release is served."""
        self.store = Store(self.store.limit)

    def lookup(self, scope: Scope) -> tuple[ResponseHead, bytes] | None:
        """What a server that needs no application can send at once; None where nothing is kept."""
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            return None
        key, if_none_match = _cache_key(scope)
        answer = self.store.get(key)
        return None if answer is None else answer.as_http11(if_none_match, head=method == "HEAD")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        key, if_none_match = _cache_key(scope)
        head = scope["method"] == "HEAD"
        answer = self.store.get(key)
        if answer is None and (pending := self._pending.get(key)) is not None:
            await pending.wait()
            answer = self.store.get(key)
        if answer is not None:
            begin, rest = answer.as_asgi(if_none_match, head=head)
            await send(begin)
            await send(rest)
            return
        asked = _ClientRequest(key, if_none_match, head, send, self.store)
        inner = {**scope, "method": "GET", "headers": _inner_headers(scope["headers"], key[3])}
        done = self._pending.setdefault(key, asyncio.Event())

        def release() -> None:
            done.set()
            if self._pending.get(key) is done:
                del self._pending[key]

        collector = _Collector(self, asked, release)
        inner[DISCARD_BUFFER] = collector.discard_buffer
        try:
            await self.app(inner, receive, collector)
        except (ClientDisconnect, ResponseFinished):
            if not collector.satisfied:
                raise
        finally:
            release()


def _cache_key(scope: Scope) -> tuple[Key, bytes]:
    """Under which key an answer is kept, and the tags of what the client has already."""
    accept, accept_encoding, if_none_match = request_conditions(scope["headers"])
    encoding = choose_encoding(accept_encoding)
    return (
        scope["raw_path"],
        scope["query_string"],
        format_preference(accept),
        encoding,
    ), if_none_match


class ResponseFinished(OSError):
    """Raised by `send` when the client needs no more, as if it had gone."""


class _ClientRequest(NamedTuple):
    """What one client asked for, and how to answer it."""

    key: Key
    if_none_match: bytes
    head: bool
    send: Send
    store: Store
    """Where the answer is kept: what began under another release is not kept for this one."""


class _Collector:
    """Holds a response back until it is whole, or too large to keep."""

    def __init__(
        self, cache: ResponseCache, asked: _ClientRequest, release: Callable[[], None]
    ) -> None:
        self.cache, self.asked, self.release = cache, asked, release
        self.start: Message = {}
        self.parts: list[bytes] | None = []
        self.size = 0
        self.satisfied = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        if message["type"] != "http.response.body":
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.parts is None:
            await self._pass_on(body, more)
            return
        self.parts.append(body)
        self.size += len(body)
        if more and self.size <= self.cache.largest:
            return
        whole = b"".join(self.parts)
        if more:
            self.parts = None
            self.release()
            await self._begin_stream()
            await self._pass_on(whole, more)
            return
        await self._finish(whole)

    async def _begin_stream(self) -> None:
        """Begin a response too large to keep; its tag is of all that determines it.

        Raises:
            Satisfied: The client needs no more than the headers, so what is inside can stop.
        """
        release = next((v for name, v in self.start["headers"] if name == b"x-data-release"), b"")
        key = self.asked.key
        determined = repr((__version__, release, key)).encode()
        head = CachedResponse.of(self.start["status"], self.start["headers"], determined)
        unchanged = etag_matches(self.asked.if_none_match, head.etag)
        await self.asked.send(head.not_modified if unchanged else head.start)
        if unchanged or self.asked.head:
            await self.asked.send(_NO_BODY)
            self.satisfied = True
            raise ResponseFinished

    async def _pass_on(self, body: bytes, more: bool) -> None:
        sent = b"" if self.asked.head else body
        await self.asked.send({"type": "http.response.body", "body": sent, "more_body": more})

    async def _finish(self, body: bytes) -> None:
        status, headers = self.start["status"], self.start["headers"]
        if status == 200 and not any(name == b"content-length" for name, _ in headers):
            headers = [*headers, (b"content-length", b"%d" % len(body))]
        answer = (
            CachedResponse.of(status, headers, zero_gzip_mtime(body)) if status == 200 else None
        )
        if answer is not None and not _uncacheable(headers):
            self.asked.store.put(self.asked.key, answer)
        self.release()  # before sending: nobody waits for a client that does not read
        self.parts = None
        if answer is not None:
            begin, rest = answer.as_asgi(self.asked.if_none_match, head=self.asked.head)
            await self.asked.send(begin)
            await self.asked.send(rest)
        else:
            await self.asked.send(self.start)
            await self._pass_on(body, more=False)

    def discard_buffer(self) -> bool:
        """Forget what was collected, for another response; False once something was sent."""
        if self.parts is None:
            return False
        self.parts, self.size = [], 0
        return True


def _uncacheable(headers: Headers) -> bool:
    return any(name == b"cache-control" and b"no-store" in value for name, value in headers)


def _inner_headers(headers: Iterable[tuple[bytes, bytes]], encoding: bytes) -> Headers:
    """Request headers with the chosen coding alone, and without conditions and ranges."""
    dropped = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range", b"if-range")
    kept = [pair for pair in headers if pair[0] not in dropped]
    return [*kept, (b"accept-encoding", encoding)] if encoding else kept
