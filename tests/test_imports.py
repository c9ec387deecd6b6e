"""What is imported to serve, which delays the start of every worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

MODULES = "app.cli, app.main, app.server.connections"
NOT_FOR_SERVING = ("app.archive.compiler", "app.mirror", "app.seed.record", "pycountry", "rich")


@pytest.mark.process
def test_serving_imports_nothing_that_only_building_needs() -> None:
    """Neither the compiler, nor the checks of a seed, nor what they depend on."""
    code = f"import sys, {MODULES}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert {"app.main", "app.archive.archive", "uvicorn"} <= imported
    assert imported.isdisjoint(NOT_FOR_SERVING)
