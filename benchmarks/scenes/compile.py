"""Compiling the large corpus on one core."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.measurements import Bench
from benchmarks.tools import ROOT, SERVER_CORE

RESOURCES = 100_000


def measure(bench: Bench) -> None:
    """Measure resources a second and the most memory."""
    seed, target = bench.large / "seed.json", bench.large / "compiled.sqlite"
    command = [sys.executable, "-m", "app", "build", "--seed", str(seed), "--archive", str(target)]
    for _ in range(bench.rounds):
        started = time.perf_counter()
        process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *command], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError("the large corpus could not be compiled")
        bench.found.add("compiled resources", RESOURCES / seconds, "/s")
        bench.found.add("compiling, most memory", usage.ru_maxrss / 1_024, "MiB")
        bench.found.add("seed file", seed.stat().st_size / 2**20, "MiB")
    target.unlink()
