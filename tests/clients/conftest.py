"""The OpenAPI documents of a running server, the tools that read them, and the page about them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT
from tests.support import programs
from tests.support.environments import install_environment
from tests.support.npm import install_packages
from tests.support.serving import fetch
from tests.support.snippets import snippets

CLIENTS = ROOT / "tests" / "clients"
PAGE = ROOT / "docs" / "clients.md"
DOCUMENTS = ("openapi.json", "openapi-clients.json")


def run(*command: object, **options: Any) -> str:
    """What a tool writes to stdout and stderr; it must succeed."""
    return programs.run(*command, seconds=300, with_stderr=True, NO_COLOR="1", **options)


def end(*command: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a tool until it ends, whatever its exit code; its stdout has its stderr, too."""
    return programs.end(*command, seconds=300, with_stderr=True, NO_COLOR="1", **options)


def search_path(tools: Path) -> str:
    """`PATH` in which these tools are found first."""
    return f"{tools}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def documents(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with both OpenAPI documents of the running server."""
    folder = tmp_path_factory.mktemp("documents")
    for name in DOCUMENTS:
        content = fetch(f"{server}/{name}").raise_for_status().content
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """Folder of the locked tools from npm."""
    return install_packages(CLIENTS, "TypeScript clients are generated with it") / ".bin"


@pytest.fixture(scope="session")
def python_tools() -> Path:
    """Folder of the locked tools from PyPI."""
    return install_environment(CLIENTS)


def page_code(server: str) -> dict[tuple[str, str], list[str]]:
    """Code blocks of the page by section and language, for the running server."""
    blocks: dict[tuple[str, str], list[str]] = {}
    for snippet in snippets(PAGE):
        code = snippet.code.replace(DEFAULT_BASE_URL, server)
        blocks.setdefault((snippet.heading, snippet.language), []).append(code)
    return blocks
