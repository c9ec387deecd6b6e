"""Processor time, memory, open files and child processes, as reported by Linux (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path


def worker_pids(server_pid: int) -> list[int]:
    """Process ids of a server's workers.

    The standard library's resource tracker is a child too, but does not serve requests.
    """
    children = Path(f"/proc/{server_pid}/task/{server_pid}/children").read_text("ascii")
    pids = [int(pid) for pid in children.split()]
    return [pid for pid in pids if "resource_tracker" not in _command_line(pid)]


def resident_bytes(pid: int) -> int:
    """Resident memory (RSS) of a process in bytes; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    sizes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    return sizes[0] * 1024 if sizes else 0


def open_file_count(pid: int) -> int:
    """Number of open file descriptors of a process, sockets included; 0 if it has ended."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def busy_seconds(cores: Collection[int]) -> float:
    """Seconds that the cores were busy since the system started, averaged over the cores."""
    names = {f"cpu{core}" for core in cores}
    ticks = 0
    for line in Path("/proc/stat").read_text("ascii").splitlines():
        name, *times = line.split()
        if name in names:
            user, nice, system, _idle, _waiting, interrupts, soft, stolen, *_ = map(int, times)
            ticks += user + nice + system + interrupts + soft + stolen
    return ticks / os.sysconf("SC_CLK_TCK") / len(names)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return ""
