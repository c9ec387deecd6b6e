"""Compiling the large corpus on one core."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.measurements import Bench
from benchmarks.tools import ROOT, SERVER_CORE

RESOURCES = 100_000
_WATCHED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command and tells its most memory; small, since a child counts its parent's at first."""


def measure(bench: Bench) -> None:
    """Measure resources a second and the most memory."""
    seed, target = bench.large / "seed.json", bench.large / "compiled.sqlite"
    command = [sys.executable, "-m", "app", "build", "--seed", str(seed), "--archive", str(target)]
    for _ in range(min(bench.rounds, 3)):
        started = time.perf_counter()
        done = subprocess.run(
            ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _WATCHED, *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        seconds = time.perf_counter() - started
        bench.found.add("compiled resources", RESOURCES / seconds, "/s")
        bench.found.add("compiling, most memory", int(done.stdout.split()[-1]) / 1_024, "MiB")
        bench.found.add("seed file", seed.stat().st_size / 2**20, "MiB")
    target.unlink()
