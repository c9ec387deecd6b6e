"""What the system knows of a process: its children, memory and files (Linux, proc(5))."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path


def children(process: int) -> list[int]:
    """Ids of the processes that a process started and that answer requests.

    A helper that the standard library starts beside workers listens to nothing and is left out.
    """
    told = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return [int(one) for one in told.split() if "resource_tracker" not in _command(int(one))]


def resident(process: int) -> int:
    """Bytes of memory that a process holds; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    sizes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    return sizes[0] * 1024 if sizes else 0


def descriptors(process: int) -> int:
    """Files and connections that a process holds open; 0 where it has ended."""
    try:
        return len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return 0


def busy(cores: Collection[int]) -> float:
    """Seconds that cores were busy since the system started, on average of them."""
    names = {f"cpu{core}" for core in cores}
    ticks = 0
    for line in Path("/proc/stat").read_text("ascii").splitlines():
        name, *times = line.split()
        if name in names:
            user, nice, system, _idle, _waiting, interrupts, soft, stolen, *_ = map(int, times)
            ticks += user + nice + system + interrupts + soft + stolen
    return ticks / os.sysconf("SC_CLK_TCK") / len(names)


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return ""
