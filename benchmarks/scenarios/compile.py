"""Compile time and peak memory for the large corpus, on one core."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.measurements import Benchmark
from benchmarks.tools import ROOT, SERVER_CORE

RESOURCES = 100_000
_PRINT_USAGE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
"""
"""Runs a command and prints its peak RSS in KiB and its processor time in seconds.

A separate, small process, because a forked child starts with the RSS of its parent.
"""
COMPILE = (
    "import sys; from pathlib import Path; from app.archive.release import build_archive; "
    "build_archive(*map(Path, sys.argv[1:]))"
)
"""What `serve` and `build` do with a new seed; `build` also writes the exports."""


class Compilation(NamedTuple):
    """What compiling a seed took, on one core."""

    seconds: float
    processor_seconds: float
    peak_mebibytes: float


def measure(benchmark: Benchmark) -> None:
    """Measure resources per second, with and without citations, and peak memory."""
    measurements = benchmark.measurements
    seed, target = benchmark.large / "seed.json", benchmark.large / "compiled.sqlite"
    for _ in range(min(benchmark.rounds, 3)):
        compiled = compile_once(seed, target)
        with closing(sqlite3.connect(target)) as archive:
            citations = archive.execute("SELECT count(*) FROM citations").fetchone()[0]
        rate = RESOURCES / compiled.seconds
        rate_with_citations = (RESOURCES + citations) / compiled.seconds
        measurements.add("resources compiled, with citations", rate_with_citations, "/s")
        measurements.add("resources compiled, without citations", rate, "/s")
        measurements.add("compile, peak memory (RSS)", compiled.peak_mebibytes, "MiB")
        measurements.add("seed file", seed.stat().st_size / 2**20, "MiB")
    target.unlink()


def compile_once(seed: Path, target: Path) -> Compilation:
    """Compile a seed in a process of its own, pinned to one core."""
    command = [sys.executable, "-c", COMPILE, str(seed), str(target)]
    start = time.perf_counter()
    done = subprocess.run(
        ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _PRINT_USAGE, *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds = time.perf_counter() - start
    peak_kibibytes, processor_seconds = done.stdout.split()[-2:]
    return Compilation(seconds, float(processor_seconds), int(peak_kibibytes) / 1_024)
