"""An application with two more paths, whose queries never end: `tests.support.endless:app`."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from app.archive.archive import Archive
from app.main import create_app
from app.routers.dependencies import current_archive
from app.settings import read_settings

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
LARGE = 10_000_000
"""Bytes that are too many to be kept, so that they are sent before the answer is whole."""


def count_for_ever(connection: sqlite3.Connection) -> int:
    """A query that ends by being interrupted or not at all."""
    count: int = connection.execute(ENDLESS).fetchone()[0]
    return count


async def get_endless(request: Request) -> Response:
    """Never answers by itself."""
    return Response(str(await current_archive(request).run_in_thread(count_for_ever)))


async def get_begun(request: Request, size: int = LARGE) -> Response:
    """Begins to answer and never ends."""
    return StreamingResponse(_begun(current_archive(request), size))


async def _begun(archive: Archive, size: int) -> AsyncIterator[bytes]:
    yield b"x" * size
    yield str(await archive.run_in_thread(count_for_ever)).encode()


app = create_app(read_settings())
app.add_api_route("/endless", get_endless)
app.add_api_route("/begun", get_begun)
