"""The peers' virtual environment, system programs and CPU pinning."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "bench"
SERVER_CORE, CLIENT_CORE = 0, 1
_LOCK_FILE = Path(__file__).parent / "requirements.txt"
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class UnavailableError(Exception):
    """A program or resource required for a measurement is unavailable; the message says why."""


def install() -> None:
    """Install the peers into a virtual environment, and wrk and nginx if running as root.

    Raises:
        UnavailableError: The peers cannot be installed.
    """
    stamp = PEERS / ".installed"
    if not stamp.exists() or stamp.read_bytes() != _LOCK_FILE.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        pip = [str(PEERS / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "install", "--quiet", "--require-hashes", "-r", str(_LOCK_FILE)], check=False
        )
        if done.returncode:
            raise UnavailableError("the peers cannot be installed: see the output of pip above")
        stamp.write_bytes(_LOCK_FILE.read_bytes())
    missing = [name for name in ("wrk", "nginx") if _find(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            subprocess.run(["apt-get", "-qq", *command], env=environment, check=False)


def program(name: str) -> str:
    """Path of a system program.

    Raises:
        UnavailableError: It is not installed.
    """
    path = _find(name)
    if path is None:
        raise UnavailableError(f"{name} is not installed (Debian package: {name})")
    return path


def peer(name: str) -> str:
    """Path of a program in the peers' virtual environment."""
    return str(PEERS / "bin" / name)


def pin_clients() -> None:
    """Pin this process, and by inheritance its children, to the client core.

    Raises:
        UnavailableError: The machine has a single core, or the platform cannot pin processes.
    """
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < CLIENT_CORE + 1:
        raise UnavailableError("two cores are required, one for the server and one for the load")
    os.sched_setaffinity(0, {CLIENT_CORE})


def _find(name: str) -> str | None:
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    return shutil.which(name, path=folders)
