"""Puts a JSON-LD context into the cache of roc-validator: `cache_context.py CACHE URL FILE`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from urllib3 import HTTPResponse

MEDIA_TYPE = {"Content-Type": "application/ld+json"}


class FileAdapter(BaseAdapter):
    """Responds to every request with a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def send(self, request: PreparedRequest, **_options: Any) -> Response:
        """A response with the file."""
        body = io.BytesIO(self._path.read_bytes())
        response = Response()
        response.status_code, response.url, response.request = 200, request.url or "", request
        response.headers.update(MEDIA_TYPE)
        response.raw = HTTPResponse(
            body, MEDIA_TYPE, 200, preload_content=False, request_url=request.url
        )
        return response

    def close(self) -> None:
        """Nothing is open."""


def main(cache: str, url: str, path: str) -> None:
    """Request a URL, to which the file is the response."""
    session = CachedSession(cache, backend="sqlite", expire_after=-1)
    session.mount("https://", FileAdapter(Path(path)))
    assert not session.get(url).from_cache
    assert session.get(url).from_cache


if __name__ == "__main__":
    main(*sys.argv[1:])
