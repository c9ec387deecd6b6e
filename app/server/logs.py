"""Log lines: for people or as JSON, one a request, and no text of a client's can forge one."""

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

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_TRACE = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)


def logging_config(form: Literal["console", "json"], level: str) -> dict[str, Any]:
    """What `logging.config` is told: requests go to the standard output, the rest to the error."""
    own = {"level": level.upper(), "propagate": False}
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
                "formatter": form,
                "stream": f"ext://sys.{name}",
            }
            for name in ("stdout", "stderr")
        },
        "loggers": {
            "uvicorn": {"handlers": ["stderr"], **own},
            "cpc_record": {"handlers": ["stderr"], **own},
            "cpc_record.access": {"handlers": ["stdout"], **own},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


class ConsoleFormatter(logging.Formatter):
    """A line for people; only the program itself begins one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(message)s")
        self.converter = time.gmtime
        self.default_time_format, self.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with control characters as escapes."""
        return super().formatMessage(record).translate(_CONTROL)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback, set in, with control characters as escapes."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"    {line.translate(_CONTROL)}" for line in lines)


class JsonFormatter(logging.Formatter):
    """A JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The object: when, how bad, who says it, what, and what else the program knows."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "known", {}),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


class AccessLog:
    """Logs a line for every request, once it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        began, size = time.perf_counter(), 0
        start: Message = {}

        async def counted(message: Message) -> None:
            nonlocal size, start
            if message["type"] == "http.response.start":
                start = message
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        except BaseException:
            start = {**start, "status": None}
            raise
        finally:
            named = request_id(scope["headers"]) or request_id(start.get("headers", ()))
            log_request(
                scope,
                start.get("status"),
                bytes=0 if scope["method"] == "HEAD" else size,
                milliseconds=round((time.perf_counter() - began) * 1_000, 3),
                request_id=named.decode() or None,
            )


def log_request(scope: Scope, status: int | None, **known: Any) -> None:
    """Log how a request was answered; without a status, it was broken off."""
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    target = f"{path}?{query}" if query else path
    host = scope["client"][0] if scope.get("client") else "-"
    line = f'{host} "{scope["method"]} {target}" {status or "broken off"}'
    told = {"method": scope["method"], "path": path, "query": query, "status": status}
    trace = _trace(scope["headers"])
    access_logger.info(line, extra={"known": {"client": host, **told, **known, **trace}})


def _trace(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The trace that a request is part of (W3C Trace Context, `traceparent`)."""
    sent = [value for name, value in headers if name == b"traceparent"]
    found = _TRACE.match(sent[0]) if len(sent) == 1 else None
    if found is None:
        return {}
    return {"trace_id": found[1].decode(), "parent_id": found[2].decode()}
