"""Published packages that hold what exports are held against: fetched and read, never installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def unpacked(requirement: str, folder: Path, *options: str) -> Path:
    """The files of a package; where it cannot be had the test is skipped, in CI it fails."""
    fetch = ["download", "--quiet", "--no-deps", "--dest", str(folder), *options, requirement]
    told = subprocess.run(
        [sys.executable, "-m", "pip", *fetch], capture_output=True, text=True, check=False
    )
    if told.returncode != 0:
        reason = f"{requirement} cannot be fetched"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}: {told.stderr}")
        pytest.skip(reason)
    (found,) = folder.iterdir()
    target = folder / "unpacked"
    shutil.unpack_archive(found, target, "zip" if found.suffix == ".whl" else None)
    return target
