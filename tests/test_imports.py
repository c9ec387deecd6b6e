"""What is imported to serve, which delays the start of every worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

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


def _imported(code: str) -> set[str]:
    """Modules that are imported once Python code has run in a process of its own."""
    command = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.process
def test_serving_imports_nothing_that_only_building_needs() -> None:
    """Neither the compiler, nor the checks of a seed, nor what they depend on."""
    imported = _imported(f"import {MODULES}")
    assert {"app.main", "app.archive.archive", "uvicorn"} <= imported
    assert imported.isdisjoint(NOT_FOR_SERVING)


@pytest.mark.process
def test_a_worker_imports_no_commands() -> None:
    """A worker process imports the main module of its parent, which leaves the rest to `main`."""
    imported = _imported("import app.__main__")
    assert imported.isdisjoint({"app.cli", "app.commands", "typer"})
