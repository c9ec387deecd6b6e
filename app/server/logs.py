"""Logging: console lines or JSON, an access log, and no log injection by clients."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.headers import request_id

access_logger = logging.getLogger("cpc_record.access")

_CONTROL_CHARACTERS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)


def logging_config(log_format: Literal["console", "json"], level: str) -> dict[str, Any]:
    """Configuration for `logging.config.dictConfig`: access log to stdout, others to stderr."""
    common = {"level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "console": {"()": "app.server.logs.ConsoleFormatter"},
            "json": {"()": "app.server.logs.JsonFormatter"},
        },
        "handlers": {
            name: {
                "class": "logging.StreamHandler",
                "formatter": log_format,
                "stream": f"ext://sys.{name}",
            }
            for name in ("stdout", "stderr")
        },
        "loggers": {
            "uvicorn": {"handlers": ["stderr"], **common},
            "cpc_record": {"handlers": ["stderr"], **common},
            "cpc_record.access": {"handlers": ["stdout"], **common},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


class ConsoleFormatter(logging.Formatter):
    """Readable lines; text from clients cannot start a line of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(message)s")
        self.converter = time.gmtime
        self.default_time_format, self.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with control characters escaped."""
        return super().formatMessage(record).translate(_CONTROL_CHARACTERS)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback, indented, with control characters escaped."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"    {line.translate(_CONTROL_CHARACTERS)}" for line in lines)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and message, with the fields passed as `extra={"fields": ...}`."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class AccessLog:
    """ASGI middleware that logs every request once its response was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
            log_request(
                scope,
                start.get("status"),
                bytes=0 if scope["method"] == "HEAD" else size,
                milliseconds=round((time.perf_counter() - started) * 1_000, 3),
                request_id=name.decode() or None,
            )


def log_request(scope: Scope, status: int | None, **fields: Any) -> None:
    """Log a request and its status; without a status, the response was aborted."""
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    target = f"{path}?{query}" if query else path
    host = scope["client"][0] if scope.get("client") else "-"
    line = f'{host} "{scope["method"]} {target}" {status or "aborted"}'
    request = {"method": scope["method"], "path": path, "query": query, "status": status}
    trace = _trace_ids(scope["headers"])
    access_logger.info(line, extra={"fields": {"client": host, **request, **fields, **trace}})


def _trace_ids(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Trace and parent id from `traceparent` (W3C Trace Context); empty if it is invalid."""
    values = [value for name, value in headers if name == b"traceparent"]
    match = _TRACEPARENT.match(values[0]) if len(values) == 1 else None
    if match is None:
        return {}
    return {"trace_id": match[1].decode(), "parent_id": match[2].decode()}
