"""Compile time and peak memory for the large corpus, on one core."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

from benchmarks.measurements import Benchmark
from benchmarks.tools import ROOT, SERVER_CORE

RESOURCES = 100_000
_PRINT_PEAK_MEMORY = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command and prints its peak RSS in KiB.

A separate, small process, because a forked child starts with the RSS of its parent.
"""
COMPILE = (
    "import sys; from pathlib import Path; from app.archive.release import build_archive; "
    "build_archive(*map(Path, sys.argv[1:]))"
)
"""What `serve` and `build` do with a new seed; `build` also writes the exports."""


def measure(benchmark: Benchmark) -> None:
    """Measure resources per second, with and without citations, and peak memory."""
    measurements = benchmark.measurements
    seed, target = benchmark.large / "seed.json", benchmark.large / "compiled.sqlite"
    command = [sys.executable, "-c", COMPILE, str(seed), str(target)]
    for _ in range(min(benchmark.rounds, 3)):
        start = time.perf_counter()
        done = subprocess.run(
            ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _PRINT_PEAK_MEMORY, *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        seconds = time.perf_counter() - start
        peak_mebibytes = int(done.stdout.split()[-1]) / 1_024
        with closing(sqlite3.connect(target)) as archive:
            citations = archive.execute("SELECT count(*) FROM citations").fetchone()[0]
        rate, rate_with_citations = RESOURCES / seconds, (RESOURCES + citations) / seconds
        measurements.add("resources compiled, with citations", rate_with_citations, "/s")
        measurements.add("resources compiled, without citations", rate, "/s")
        measurements.add("compile, peak memory (RSS)", peak_mebibytes, "MiB")
        measurements.add("seed file", seed.stat().st_size / 2**20, "MiB")
    target.unlink()
