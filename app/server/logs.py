"""Logging: console lines or JSON, and no log injection by clients."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

access_logger = logging.getLogger("cpc_record.access")

CONTROL_CHARACTERS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
"""Replacements of characters that could end a line or control a terminal."""


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
            "stdout": {
                "class": "app.server.access_log.AccessLogHandler",
                "formatter": log_format,
                "stream": "ext://sys.stdout",
                "log_format": log_format,
            },
            "stderr": {
                "class": "app.server.logs.MessageHandler",
                "formatter": log_format,
                "stream": "ext://sys.stderr",
            },
        },
        "loggers": {
            "uvicorn": {"handlers": ["stderr"], **common},
            "cpc_record": {"handlers": ["stderr"], **common},
            "cpc_record.access": {"handlers": ["stdout"], **common},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


class MessageHandler(logging.StreamHandler[TextIO]):
    """Handler for other messages: the access log up to then is written first."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message."""
        for handler in access_logger.handlers:
            handler.flush()
        super().emit(record)


class ConsoleFormatter(logging.Formatter):
    """Readable lines; text from clients cannot start a line of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(message)s")
        self.converter = time.gmtime
        self.default_time_format, self.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with control characters escaped."""
        return super().formatMessage(record).translate(CONTROL_CHARACTERS)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback, indented, with control characters escaped."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"    {line.translate(CONTROL_CHARACTERS)}" for line in lines)


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
