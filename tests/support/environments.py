"""Virtual environments of other programs, installed by hash-locked requirements."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def install_environment(folder: Path, *, lock: str = "requirements.txt") -> Path:
    """`bin` of an environment with what a folder's lock file lists, installed if missing or older.

    It stands in `.venv`, under the name of the folder, and of the lock file if that is another one.
    Test processes wait for each other, so that one of them installs. If the packages cannot be had,
    the test is skipped; in CI it fails.
    """
    locked = folder / lock
    name = folder.name if lock == "requirements.txt" else f"{folder.name}-{locked.stem}"
    environment = ROOT / ".venv" / name
    stamp = environment / ".installed"
    with locked.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < locked.stat().st_mtime:
            _install(environment, locked)
            stamp.touch()
    return environment / "bin"


def locked_version(folder: Path, package: str) -> str:
    """Version of a package in a folder's `requirements.txt`."""
    requirements = (folder / "requirements.txt").read_text("utf-8")
    found = re.search(rf"^{re.escape(package)}(?:\[.*\])?==(\S+)", requirements, re.MULTILINE)
    assert found is not None, f"{package} is not in {folder.name}/requirements.txt"
    return found[1]


def _install(environment: Path, locked: Path) -> None:
    """Install with uv, which takes seconds, or with pip, which has settings of its own."""
    python: list[str | Path] = [sys.executable, "-m"]
    target = environment / "bin" / "python"
    options = ["--quiet", "--system-certs", "--compile-bytecode"]
    uv: list[str | Path] = ["uv", "pip", "install", *options, "--python", target]
    pip: list[str | Path] = [target, "-m", "pip", "install", "--quiet"]
    tools = [
        [[*python, "uv", "venv", "--quiet", "--clear", environment], [*python, *uv]],
        [[*python, "venv", "--clear", environment], pip],
    ]
    for create, install in tools:
        error = _run(create) or _run([*install, "--require-hashes", "-r", locked])
        if not error:
            return
    reason = f"{locked.relative_to(ROOT)} cannot be installed"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}: {error}")
    pytest.skip(reason)


def _run(command: list[str | Path]) -> str:
    """Run a command; what it writes to stderr if it fails, or else nothing."""
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    return (completed.stderr or "no message") if completed.returncode else ""
