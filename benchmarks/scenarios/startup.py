"""Startup time and memory: from process start to the first response."""

from __future__ import annotations

import re
import time
from pathlib import Path

from benchmarks import systems
from benchmarks.measurements import Benchmark
from benchmarks.servers import Server, stop


def measure(benchmark: Benchmark) -> None:
    """Measure time to the first response, and resident memory at that moment."""
    servers = {
        "cpc-record": systems.cpc_record(benchmark.shipped),
        "cpc-record, 100,000": systems.cpc_record(benchmark.large),
        "hello world": systems.asgi_peer("hello_world"),
    }
    for server in servers.values():
        start_once(server)
    for _ in range(max(benchmark.rounds, 3)):
        for name, server in servers.items():
            milliseconds, mebibytes = start_once(server)
            benchmark.measurements.add(f"first response, {name}", milliseconds, "ms")
            benchmark.measurements.add(f"memory (RSS), {name}", mebibytes, "MiB")


def start_once(server: Server) -> tuple[float, float]:
    """Milliseconds to the first response, and mebibytes of resident memory (RSS) then."""
    start = time.perf_counter()
    process = server.start()
    try:
        server.wait_until_ready(process)
        milliseconds = (time.perf_counter() - start) * 1_000
        return milliseconds, resident_mebibytes(process.pid)
    finally:
        stop(process)


def resident_mebibytes(process_id: int) -> float:
    """Resident memory (RSS) of a process, in mebibytes."""
    status = Path(f"/proc/{process_id}/status").read_text("utf-8")
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    if resident is None:
        raise RuntimeError("/proc does not report the resident memory (VmRSS) of the process")
    return int(resident[1]) / 1_024
