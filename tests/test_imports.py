"""What is imported to serve, which delays the start of every worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.published import copy_archive

MODULES = "app.cli, app.main, app.server.connections"
NOT_FOR_SERVING = (
    "app.archive.compiler",
    "app.mirror",
    "app.models.tables",
    "app.seed.record",
    "pycountry",
    "rich",
    "sqlalchemy",
)
REQUESTS = """
import asyncio, httpx, app.main

async def request():
    transport = httpx.ASGITransport(app=app.main.app)
    async with (
        app.main.app.router.lifespan_context(app.main.app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as client,
    ):
        for path in ("/", "/docs", "/openapi.json", "/history", "/v1/record", "/v1/exports",
                     "/v1/awards?region=cusco&facet=region&include=regions&q=peru",
                     "/v1/citations?format=csv", "/v1/search?q=peru", "/v1/exports/tables.zip",
                     "/v1/changes?since=2026-11-24", "/v1/cite"):
            (await client.get(path)).raise_for_status()

asyncio.run(request())
"""


def _imported(code: str, **environment: str) -> set[str]:
    """Modules that are imported once Python code has run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.process
def test_serving_imports_nothing_that_only_building_needs() -> None:
    """Neither the compiler, nor the checks of a seed, nor what they depend on."""
    imported = _imported(f"import {MODULES}")
    assert {"app.main", "app.archive.archive", "uvicorn"} <= imported
    assert imported.isdisjoint(NOT_FOR_SERVING)


@pytest.mark.process
def test_no_request_imports_what_only_compiling_needs(archive_file: Path, tmp_path: Path) -> None:
    """Neither SQLAlchemy nor the tables, which would stop the event loop for a moment."""
    imported = _imported(REQUESTS, ARCHIVE_FILE=str(copy_archive(archive_file, tmp_path)))
    assert {"app.exports.tables", "app.query.selection"} <= imported
    assert imported.isdisjoint({"app.archive.compiler", "app.models.tables", "sqlalchemy"})


@pytest.mark.process
def test_a_worker_imports_no_commands() -> None:
    """A worker process imports the main module of its parent, which leaves the rest to `main`."""
    imported = _imported("import app.__main__")
    assert imported.isdisjoint({"app.cli", "app.commands", "typer"})
