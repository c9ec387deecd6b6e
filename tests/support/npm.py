"""Packages from npm, installed by lock files."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

from tests.conftest import needs

_COMMAND = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def install_packages(directory: Path, why: str) -> Path:
    """`node_modules` of a directory, installed if missing or older than `package-lock.json`.

    Test processes wait for each other, so that one of them installs.
    """
    npm = needs("npm", why)
    modules, lock = directory / "node_modules", directory / "package-lock.json"
    stamp = modules / ".installed"
    with lock.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            completed = subprocess.run(
                [npm, *_COMMAND],
                cwd=directory,
                env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=900,
                check=False,
            )
            assert completed.returncode == 0, completed.stdout
            stamp.touch()
    return modules


def package_versions(directory: Path) -> dict[str, str]:
    """Version of each development dependency in the `package.json` of a directory."""
    package = json.loads((directory / "package.json").read_text("utf-8"))
    versions: dict[str, str] = package["devDependencies"]
    return versions
