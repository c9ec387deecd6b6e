"""The OpenAPI documents of a running server, the tools that read them, and the page about them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT
from tests.support.environments import install_environment
from tests.support.npm import install_packages

CLIENTS = ROOT / "tests" / "clients"
PAGE = ROOT / "docs" / "clients.md"
DOCUMENTS = ("openapi.json", "openapi-clients.json")

Json = dict[str, Any]


def run(*command: object, cwd: Path, path: Path | None = None) -> str:
    """Run a command and return its stdout and stderr. Fails the test on a non-zero exit code."""
    completed = start(*command, cwd=cwd, path=path)
    assert completed.returncode == 0, f"{command}\n{completed.stdout}"
    return completed.stdout


def start(
    *command: object, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, whatever its exit code; `path` is searched for programs first."""
    search_path = os.environ["PATH"] if path is None else f"{path}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": search_path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def documents(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with both OpenAPI documents of the running server."""
    folder = tmp_path_factory.mktemp("documents")
    for name in DOCUMENTS:
        content = httpx.get(f"{server}/{name}").raise_for_status().content
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
    page = PAGE.read_text("utf-8").replace(DEFAULT_BASE_URL, server)
    blocks: dict[tuple[str, str], list[str]] = {}
    for section in page.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        for language, code in re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL):
            blocks.setdefault((title, language), []).append(code)
    return blocks


def npm_versions() -> Mapping[str, str]:
    """Version of each package that `package.json` names."""
    versions: Mapping[str, str] = json.loads((CLIENTS / "package.json").read_bytes())[
        "devDependencies"
    ]
    return versions


def python_version(package: str) -> str:
    """Version of a package in the lock file."""
    locked = (CLIENTS / "requirements.txt").read_text("utf-8")
    found = re.search(rf"^{re.escape(package)}==(\S+)", locked, re.MULTILINE)
    assert found is not None, package
    return found[1]
