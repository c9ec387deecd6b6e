"""What the benchmark runs: the peers' environment, programs of the system, the two cores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "bench"
SERVER_CORE, CLIENT_CORE = 0, 1
_LOCK = Path(__file__).parent / "requirements.txt"
_SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class Missing(Exception):
    """Something that a measurement needs is not there; the message says what and why."""


def install() -> None:
    """Install the peers into an environment of their own, and wrk and nginx where they can be.

    Raises:
        Missing: The peers cannot be installed.
    """
    stamp = PEERS / ".installed"
    if not stamp.exists() or stamp.read_bytes() != _LOCK.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        pip = [str(PEERS / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "install", "--quiet", "--require-hashes", "-r", str(_LOCK)], check=False
        )
        if done.returncode:
            raise Missing("the peers cannot be installed: see what pip said above")
        stamp.write_bytes(_LOCK.read_bytes())
    absent = [name for name in ("wrk", "nginx") if _found(name) is None]
    if absent and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *absent]):
            subprocess.run(["apt-get", "-qq", *command], env=quiet, check=False)


def program(name: str) -> str:
    """Path of a program of the system.

    Raises:
        Missing: It is not installed.
    """
    found = _found(name)
    if found is None:
        raise Missing(f"{name} is not installed and could not be; Debian's package is {name}")
    return found


def peer(name: str) -> str:
    """Path of a program in the peers' environment."""
    return str(PEERS / "bin" / name)


def pin_clients() -> None:
    """Keep this process, and what it starts without saying otherwise, off the servers' core.

    Raises:
        Missing: There is one core only, or cores cannot be chosen here.
    """
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < CLIENT_CORE + 1:
        raise Missing("two cores are needed, one for the server and one for the load")
    os.sched_setaffinity(0, {CLIENT_CORE})


def _found(name: str) -> str | None:
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM])
    return shutil.which(name, path=folders)
