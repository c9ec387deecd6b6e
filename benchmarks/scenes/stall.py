"""A kept answer while slow searches run one after another."""

from __future__ import annotations

import subprocess
import time

from benchmarks import parties
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.pace import pace
from benchmarks.scenes.search import common_word
from benchmarks.servers import running

PATH = "/v1/awards?limit=20"
SEARCH = "/v1/search?q={word}"


def measure(bench: Bench) -> None:
    """Measure the 99th percentile of latency at a tenth of what the server can do."""
    server = parties.ours(bench.large)
    with running(server) as base:
        Load(base, PATH).run(1)
        rate = Load(base, PATH).run(bench.seconds).rate / 10
        bench.found.add("pace", rate, "/s")
        words, spellings = common_word(bench.large)
        searches = Load(base, SEARCH, 1, lines=words, spellings=spellings)
        for _ in range(bench.rounds):
            bench.found.add("kept p99, alone", pace(server.port, PATH, rate, bench.seconds), "ms")
            _beside_searches(bench, server.port, rate, searches)


def _beside_searches(bench: Bench, port: int, rate: float, searches: Load) -> None:
    process = subprocess.Popen(
        searches.command(bench.seconds + 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(1)
        bench.found.add("kept p99, beside searches", pace(port, PATH, rate, bench.seconds), "ms")
    finally:
        output, errors = process.communicate(timeout=120)
    bench.found.add("a slow search meanwhile", searches.read(output, errors).p50, "ms")
