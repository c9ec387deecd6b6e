"""A server whose settings name its address, who publishes and who reports."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.main import create_app
from app.settings import Settings

PUBLIC_URL = "https://record.example"
PUBLISHED: dict[str, Any] = {
    "public_url": PUBLIC_URL,
    "publisher_name": "An Archive & Co",
    "contact_name": "The Archivist",
    "contact_email": "archivist@record.example",
    "iati_reporting_org_ref": "XX-EXAMPLE-1",
    "iati_reporting_org_name": "An Archive <Reports>",
    "iati_reporting_org_type": "22",
}
ENVIRONMENT = {name.upper(): value for name, value in PUBLISHED.items()}
"""The same as a server's environment."""


def copy_archive(archive: Path, folder: Path) -> Path:
    """A copy of an archive, so that the exports are made beside that and not beside the first."""
    return Path(shutil.copy2(archive, folder / "archive.sqlite"))


@asynccontextmanager
async def published_client(
    seed: Path, archive: Path, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh application with all of these settings, or with others."""
    chosen = {**PUBLISHED, **settings}
    app = create_app(Settings(seed_file=seed, archive_file=archive, **chosen))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as opened,
    ):
        yield opened
