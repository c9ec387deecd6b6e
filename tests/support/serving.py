"""Clients for tests: of the application on any seed, over ASGI, and of servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.main import create_app
from app.settings import Settings

TIMEOUT_SECONDS = 120.0
"""Longest wait for a server or program; generous, because the machine may be busy."""


def fetch(url: str, **options: Any) -> httpx.Response:
    """The response of a server to GET, with options as of `httpx.get`."""
    return httpx.get(url, timeout=TIMEOUT_SECONDS, **options)


@asynccontextmanager
async def client_for(
    seed: Path, archive: Path, cache_bytes: int = 64_000_000
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new application. The seed is compiled first if the archive is stale."""
    settings = Settings(seed_file=seed, archive_file=archive, cache_bytes=cache_bytes)
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as client,
    ):
        yield client
