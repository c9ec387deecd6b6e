"""One request, its answer read whole: to check what is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_OF_THE_CONNECTION = ("date", "server", "connection", "keep-alive", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without what belongs to the connection it came over."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def write(self, path: Path) -> Path:
        """Write the answer down for a peer to give: headers as a line of JSON, then the body."""
        path.write_bytes(json.dumps(self.headers).encode() + b"\n" + self.body)
        return path


def fetch(base: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer to GET."""
    connection = HTTPConnection(urlsplit(base).netloc, timeout=60)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        named = [(name.lower(), value) for name, value in answer.getheaders()]
        kept = [pair for pair in named if pair[0] not in _OF_THE_CONNECTION]
        return Answer(answer.status, kept, answer.read())
    finally:
        connection.close()
