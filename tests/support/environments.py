"""Virtual environments of other programs, installed by hash-locked requirements."""

from __future__ import annotations

import fcntl
import os
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


def _install(environment: Path, locked: Path) -> None:
    python = environment / "bin" / "python"
    commands: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", "--clear", environment],
        [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", locked],
    ]
    for command in commands:
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
        if completed.returncode != 0:
            reason = f"{locked.relative_to(ROOT)} cannot be installed"
            if os.environ.get("CI"):
                pytest.fail(f"{reason}: {completed.stderr}")
            pytest.skip(reason)
