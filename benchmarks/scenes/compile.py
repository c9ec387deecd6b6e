"""Compiling the large corpus on one core."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

from benchmarks.measurements import Bench
from benchmarks.tools import ROOT, SERVER_CORE

RESOURCES = 100_000
_WATCHED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command and tells its most memory; small, since a child counts its parent's at first."""
_COMPILE = (
    "import sys; from pathlib import Path; from app.archive.release import build_archive; "
    "build_archive(*map(Path, sys.argv[1:]))"
)
"""What `serve` and `build` do with a seed that they see first; `build` writes exports besides."""


def measure(bench: Bench) -> None:
    """Measure resources a second, without and with citations, and the most memory."""
    seed, target = bench.large / "seed.json", bench.large / "compiled.sqlite"
    command = [sys.executable, "-c", _COMPILE, str(seed), str(target)]
    for _ in range(min(bench.rounds, 3)):
        started = time.perf_counter()
        done = subprocess.run(
            ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _WATCHED, *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        seconds = time.perf_counter() - started
        with closing(sqlite3.connect(target)) as archive:
            citations = archive.execute("SELECT count(*) FROM citations").fetchone()[0]
        bench.found.add("compiled resources", (RESOURCES + citations) / seconds, "/s")
        bench.found.add("compiled resources less citations", RESOURCES / seconds, "/s")
        bench.found.add("compiling, most memory", int(done.stdout.split()[-1]) / 1_024, "MiB")
        bench.found.add("seed file", seed.stat().st_size / 2**20, "MiB")
    target.unlink()
