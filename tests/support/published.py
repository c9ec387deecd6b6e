"""A server with a public URL, a publisher, a contact and an IATI reporting organization."""

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
"""The same settings as environment variables."""


def copy_archive(archive: Path, folder: Path) -> Path:
    """Copy an archive, so that its exports are generated next to the copy."""
    return Path(shutil.copy2(archive, folder / "archive.sqlite"))


@asynccontextmanager
async def published_client(
    seed: Path, archive: Path, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new application with these settings, some of which can be overridden."""
    overridden = {**PUBLISHED, **settings}
    app = create_app(Settings(seed_file=seed, archive_file=archive, **overridden))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as client,
    ):
        yield client
