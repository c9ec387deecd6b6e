"""Single HTTP requests, to check responses before they are benchmarked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 60
_CONNECTION_HEADERS = ("date", "server", "connection", "keep-alive", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response without connection-specific headers; header names are lowercase."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The value of the header with this lowercase name, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> Any:
        """The body parsed as JSON."""
        return json.loads(self.body)

    def save(self, path: Path) -> Path:
        """Write a file for a peer to serve: the headers as a line of JSON, then the body."""
        path.write_bytes(json.dumps(self.headers).encode() + b"\n" + self.body)
        return path


def fetch(base_url: str, path: str, headers: Mapping[str, str] | None = None) -> Response:
    """Send a GET request on a new connection and read the whole response."""
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        lowercase = [(name.lower(), value) for name, value in response.getheaders()]
        end_to_end = [header for header in lowercase if header[0] not in _CONNECTION_HEADERS]
        return Response(response.status, end_to_end, response.read())
    finally:
        connection.close()
