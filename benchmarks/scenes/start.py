"""From the start of a process to its first answer."""

from __future__ import annotations

import re
import time
from pathlib import Path

from benchmarks import parties
from benchmarks.measurements import Bench
from benchmarks.servers import Server, stop


def measure(bench: Bench) -> None:
    """Measure time and memory of the first answer."""
    servers = {
        "ours": parties.ours(bench.shipped),
        "ours, 100,000": parties.ours(bench.large),
        "hello": parties.asgi("hello"),
    }
    for server in servers.values():
        _start(server)
    for _ in range(max(bench.rounds, 3)):
        for name, server in servers.items():
            milliseconds, mebibytes = _start(server)
            bench.found.add(f"first answer, {name}", milliseconds, "ms")
            bench.found.add(f"memory, {name}", mebibytes, "MiB")


def _start(server: Server) -> tuple[float, float]:
    """Milliseconds until a server answers, and mebibytes that it holds then."""
    started = time.perf_counter()
    process = server.start()
    try:
        server.wait(process)
        milliseconds = (time.perf_counter() - started) * 1_000
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    finally:
        stop(process)
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    if resident is None:
        raise RuntimeError("the system does not tell how much memory a process holds")
    return milliseconds, int(resident[1]) / 1_024
