"""The access log: a line per request, written in batches.

A line is made from a template that holds all but the time, the client and the duration, so it costs
little where requests repeat. `logging` configures and flushes the handler, but its records are not
used for requests, because making and formatting one costs more than a cached response.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import select
import time
from collections.abc import Iterable
from typing import Literal, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.headers import request_id
from app.server.logs import CONTROL_CHARACTERS, access_logger
from app.settings import Settings

logger = logging.getLogger("cpc_record")

_BATCH_BYTES = select.PIPE_BUF
"""Size of a batch: what is written at once to a pipe does not mix with other workers' lines."""
_CONSOLE = "%(time)s.%(ms)03dZ INFO     %(client)s"
_JSON = '{"time": "%(time)s.%(ms)03d+00:00", "level": "info", "logger": "cpc_record.access", '
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)


class AccessLogHandler(logging.StreamHandler[TextIO]):
    """Logging handler that writes lines in batches, in order.

    A batch is written when it is full, at the latest before the event loop waits for the next
    event. Writing blocks while the reader is slow, so the server waits rather than lose lines.

    Attributes:
        log_format: Format of the lines.
    """

    def __init__(self, stream: TextIO, log_format: Literal["console", "json"]) -> None:
        super().__init__(stream)
        self.log_format = log_format
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self._lines: list[str] = []
        self._size = 0
        self._second, self._time = 0, ""
        self._failing = False

    def emit(self, record: logging.LogRecord) -> None:
        """Add a message that is not about a request."""
        self._add(self.format(record) + "\n")

    def log_request(
        self,
        scope: Scope,
        status: int | None,
        size: int,
        name: str | None,
        started: float | None = None,
    ) -> None:
        """Add the line of a request.

        Args:
            scope: The request.
            status: Status of the response; None if it was aborted.
            size: Bytes of its body.
            name: Its request id.
            started: When the request arrived (`time.perf_counter`), if that is known.
        """
        client = scope["client"][0] if scope.get("client") else "-"
        is_json = self.log_format == "json"
        escaped = _json(client)[1:-1] if is_json else client.translate(CONTROL_CHARACTERS)
        self.write(
            self.template(scope, status, size, name, timed=started is not None),
            escaped,
            started or 0.0,
        )

    def template(
        self, scope: Scope, status: int | None, size: int, name: str | None, *, timed: bool = True
    ) -> str:
        """The line of every such request, to be completed by `write`."""
        path, query = (scope[key].decode("latin-1") for key in ("raw_path", "query_string"))
        target = f"{path}?{query}" if query else path
        message = f' "{scope["method"]} {target}" {status or "aborted"}'
        if self.log_format == "console":
            return f"{_CONSOLE}{_escaped(message.translate(CONTROL_CHARACTERS))}\n"
        request = {"method": scope["method"], "path": path, "query": query, "status": status}
        ids = {"request_id": name, **_trace_ids(scope["headers"])}
        return "".join(
            (
                f'{_JSON}"message": "%(client)s{_escaped(_json(message)[1:])}, ',
                f'"client": "%(client)s", {_escaped(_json({**request, "bytes": size})[1:-1])}, ',
                '"milliseconds": %(took).3f, ' if timed else "",
                f"{_escaped(_json(ids)[1:])}\n",
            )
        )

    def write(self, template: str, client: str, started: float) -> None:
        """Complete a template and add the line.

        Args:
            template: From `template`.
            client: The client's address, escaped.
            started: When the request arrived (`time.perf_counter`).
        """
        took = (time.perf_counter() - started) * 1_000
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._time = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        ms = int((now - second) * 1_000)
        self._add(template % {"time": self._time, "ms": ms, "client": client, "took": took})

    def _add(self, line: str) -> None:
        if self._size + len(line) > _BATCH_BYTES:
            self.flush()
        self._lines.append(line)
        self._size += len(line)
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:  # without an event loop nothing is to be gained from waiting
                self.flush()

    def flush(self) -> None:
        """Write the current batch; failure is reported once until writing succeeds again."""
        self.acquire()  # other threads flush before they report an error
        try:
            was_failing, error = self._failing, self._write_batch()
        finally:
            self.release()
        if error is not None and not was_failing:
            logger.error("The access log cannot be written: %s.", error)

    def _write_batch(self) -> Exception | None:
        lines = self._lines[:]
        if not lines:
            return None
        del self._lines[: len(lines)]
        self._size, self._failing = 0, False
        try:
            self.stream.write("".join(lines))
            self.stream.flush()
        except (OSError, ValueError) as error:  # ValueError if the stream was closed
            self._failing = True
            return error
        return None


def find_access_log(settings: Settings) -> AccessLogHandler | None:
    """The handler of this process's access log; None if `serve` did not set it up or it is off."""
    if not settings.access_log or not access_logger.isEnabledFor(logging.INFO):
        return None
    handlers = (item for item in access_logger.handlers if isinstance(item, AccessLogHandler))
    return next(handlers, None)


class AccessLog:
    """ASGI middleware that logs every request once its response was sent."""

    def __init__(self, app: ASGIApp, handler: AccessLogHandler) -> None:
        self.app, self.handler = app, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        started, size = time.perf_counter(), 0
        start: Message = {}

        async def counting_send(message: Message) -> None:
            nonlocal size, start
            if message["type"] == "http.response.start":
                start = message
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counting_send)
        except BaseException:
            start = {**start, "status": None}
            raise
        finally:
            name = request_id(scope["headers"]) or request_id(start.get("headers", ()))
            self.handler.log_request(
                scope,
                start.get("status"),
                0 if scope["method"] == "HEAD" else size,
                name.decode() or None,
                started,
            )


_json = json.dumps


def _escaped(text: str) -> str:
    """Text as a part of a template."""
    return text.replace("%", "%%")


def _trace_ids(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Trace and parent id from `traceparent` (W3C Trace Context); empty if it is invalid."""
    values = [value for name, value in headers if name == b"traceparent"]
    match = _TRACEPARENT.match(values[0]) if len(values) == 1 else None
    if match is None:
        return {}
    return {"trace_id": match[1].decode(), "parent_id": match[2].decode()}
