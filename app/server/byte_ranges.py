"""Byte ranges of whole collections, in front of the response cache (RFC 9110, 14)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from app.exports.collection_reader import CollectionReader
from app.responses.byte_ranges import requested_range
from app.responses.conditional_requests import choose_encoding, selection_headers
from app.responses.problems import Problem, RangeNotSatisfiable
from app.server.headers import ProblemResponse, ResponseAborted, add_common_headers, request_id
from app.server.response_cache import (
    ON_CACHE_HIT,
    CacheKey,
    Headers,
    HeadersSufficed,
    ResponseCache,
    ResponseStore,
)

OpenReader = Callable[[Scope], Awaitable[CollectionReader]]

_MAX_LARGE_RESPONSES = 16
"""Responses too large for the cache whose batch positions are stored; each takes about 100 KB."""


@dataclass(frozen=True, slots=True)
class _LargeResponse:
    """A response too large for the cache: how it starts, and its bytes."""

    start: Message
    reader: CollectionReader


class RangeMiddleware:
    """ASGI middleware that sends one byte range of a response that has `Accept-Ranges: bytes`.

    A range is a part of the response without content coding, regardless of `Accept-Encoding`:
    clients that read ranges count the bytes of the file. Its `ETag` is that of this uncoded
    response, so that `If-Range` and caches never combine it with a coded one. HEAD without content
    coding always has `Content-Length`, which those clients request first.
    """

    def __init__(
        self,
        cache: ResponseCache,
        *,
        offers_ranges: Callable[[Scope], bool],
        open_reader: OpenReader,
        problem_response: ProblemResponse,
    ) -> None:
        """Create it.

        Args:
            cache: The application inside.
            offers_ranges: Whether the response to a request, if it is a success, has ranges.
            open_reader: Opens the body of such a response.
            problem_response: Renders a problem.
        """
        self.cache, self.offers_ranges = cache, offers_ranges
        self.open_reader, self.problem_response = open_reader, problem_response
        self._store: ResponseStore | None = None
        self._large: OrderedDict[CacheKey, _LargeResponse] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if not self._needs_length(scope):
            await self.cache(scope, receive, send)
            return
        scope = {**scope, "headers": _without(scope["headers"], b"accept-encoding")}
        scope.pop(ON_CACHE_HIT, None)  # what is sent is not always what is cached
        sender = _RangeSender(self, scope, send)
        large = self.find_large(scope)
        if large is not None and not _header(scope["headers"], b"if-none-match"):
            await sender.send_large(large)
            return
        try:
            await self.cache(scope, receive, sender)
        except (ClientDisconnect, HeadersSufficed):
            if not sender.finished:
                raise

    def _needs_length(self, scope: Scope) -> bool:
        """Whether this is a GET of a range, or a HEAD of the uncoded response."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        if scope["method"] == "GET":
            relevant = bool(_header(scope["headers"], b"range"))
        else:
            relevant = not choose_encoding(selection_headers(scope["headers"])[1])
        return relevant and self.offers_ranges(scope)

    def find_large(self, scope: Scope) -> _LargeResponse | None:
        """The large response to a request, if it was opened before in this release."""
        if self._store is not self.cache.store:  # another release is served
            self._store = self.cache.store
            self._large.clear()
        return self._large.get(self.cache.cache_key(scope)[0])

    async def open_large(self, scope: Scope, start: Message) -> CollectionReader | None:
        """The body of a large response; None if another release is served now."""
        large = self.find_large(scope)
        if large is not None:
            return large.reader
        store = self._store
        reader = await self.open_reader(scope)
        if reader.archive.release.encode() != _header(start["headers"], b"x-data-release"):
            return None
        if self._store is store:
            self._large[self.cache.cache_key(scope)[0]] = _LargeResponse(start, reader)
            if len(self._large) > _MAX_LARGE_RESPONSES:
                self._large.popitem(last=False)
        return reader


class _RangeSender:
    """`send` for the cache: passes on the requested range of the response.

    Attributes:
        finished: Whether all was sent, so that the rest of the response is not needed.
    """

    def __init__(self, middleware: RangeMiddleware, scope: Scope, send: Send) -> None:
        self.middleware, self.scope, self.send = middleware, scope, send
        self.finished = False
        self._range: tuple[int, int] | None = None

    async def __call__(self, message: Message) -> None:
        """Send a message of the response, or its part of the range.

        Raises:
            HeadersSufficed: All was sent, so the application can stop.
        """
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self.finished:
            await self.send(self._part(message))
        elif message.get("more_body", False):
            raise HeadersSufficed

    async def send_large(self, large: _LargeResponse) -> None:
        """Send a response whose body was opened before, or the requested range of it.

        Raises:
            ResponseAborted: The body cannot be read to the end.
        """
        reader = large.reader
        try:
            await self._respond(large.start, reader.length, reader)
            if self.scope["method"] == "HEAD":
                await self.send({"type": "http.response.body", "body": b""})
            elif not self.finished:
                await self._send_body(reader, 0, reader.length - 1)
        except Problem as problem:
            raise ResponseAborted(problem.detail) from problem

    async def _start(self, start: Message) -> None:
        """Start the response: as a range, as a problem, or as it is."""
        length, reader = _header(start["headers"], b"content-length"), None
        if start["status"] == 200 and _header(start["headers"], b"accept-ranges"):
            if not length:
                reader = await self.middleware.open_large(self.scope, start)
            if length or reader is not None:
                await self._respond(start, reader.length if reader else int(length), reader)
                return
        await self.send(start)

    async def _respond(self, start: Message, size: int, reader: CollectionReader | None) -> None:
        """Start a response of this size; with a range and a reader, send the body, too."""
        try:
            self._range = self._requested_range(start["headers"], size)
        except RangeNotSatisfiable as problem:
            await self._send_problem(problem, start)
            return
        await self.send(_with_length(start, size, self._range))
        if reader is not None and self._range is not None:
            await self._send_body(reader, *self._range)

    def _requested_range(self, headers: Headers, size: int) -> tuple[int, int] | None:
        """The range to send; None for the whole. `If-Range` must be the entity tag."""
        if self.scope["method"] != "GET":
            return None
        if_range = _header(self.scope["headers"], b"if-range")
        if if_range and if_range != _header(headers, b"etag"):
            return None
        return requested_range(_header(self.scope["headers"], b"range").decode("latin-1"), size)

    def _part(self, message: Message) -> Message:
        """A body message with only the range; a body with a known length is one message."""
        if self._range is None:
            return message
        first, last = self._range
        return {**message, "body": message["body"][first : last + 1]}

    async def _send_body(self, reader: CollectionReader, first: int, last: int) -> None:
        async for chunk in reader.read(first, last):
            await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})
        self.finished = True

    async def _send_problem(self, problem: Problem, start: Message) -> None:
        """Send a problem with the headers of every error, and the release of the response."""
        response = await self.middleware.problem_response(problem, self.scope)
        headers = add_common_headers(
            response.raw_headers, problem.status, request_id(self.scope["headers"])
        )
        release = _header(start["headers"], b"x-data-release")
        response.raw_headers = [*headers, (b"x-data-release", release)]
        await response(self.scope, _receive_nothing, self.send)
        self.finished = True


async def _receive_nothing() -> Message:
    return {"type": "http.request", "body": b""}


def _with_length(start: Message, size: int, range_: tuple[int, int] | None) -> Message:
    """The start of a response with `Content-Length`; for a range, of the partial response."""
    headers = _without(start["headers"], b"content-length")
    if range_ is None:
        return {**start, "headers": [*headers, (b"content-length", b"%d" % size)]}
    first, last = range_
    partial = [
        (b"content-range", b"bytes %d-%d/%d" % (first, last, size)),
        (b"content-length", b"%d" % (last + 1 - first)),
    ]
    return {**start, "status": 206, "headers": headers + partial}


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The value of a header, its field lines joined by commas; empty if there is none."""
    return b", ".join(value.strip() for key, value in headers if key == name)


def _without(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Headers:
    return [pair for pair in headers if pair[0] != name]
