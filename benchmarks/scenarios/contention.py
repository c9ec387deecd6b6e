"""Tail latency of a cached response while slow searches run."""

from __future__ import annotations

import subprocess
import time

from benchmarks import systems
from benchmarks.fixed_rate import p99_latency
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.scenarios.search import write_common_word
from benchmarks.servers import running

PATH = "/v1/awards?limit=20"
SEARCH = "/v1/search?q={word}"


def measure(benchmark: Benchmark) -> None:
    """Measure the 99th percentile of latency at a tenth of the server's capacity."""
    measurements = benchmark.measurements
    server = systems.cpc_record(benchmark.large)
    with running(server) as base_url:
        Load(base_url, PATH).run(1)
        rate = Load(base_url, PATH).run(benchmark.seconds).rate / 10
        measurements.add("10 % of capacity", rate, "/s")
        words, spellings = write_common_word(benchmark.large)
        searches = Load(base_url, SEARCH, 1, lines=words, spellings=spellings)
        for _ in range(benchmark.rounds):
            p99 = p99_latency(server.port, PATH, rate, benchmark.seconds)
            measurements.add("cached p99, no searches", p99, "ms")
            _measure_during_searches(benchmark, server.port, rate, searches)


def _measure_during_searches(benchmark: Benchmark, port: int, rate: float, searches: Load) -> None:
    process = subprocess.Popen(
        searches.command(benchmark.seconds + 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(1)
        p99 = p99_latency(port, PATH, rate, benchmark.seconds)
        benchmark.measurements.add("cached p99, during searches", p99, "ms")
    finally:
        output, errors = process.communicate(timeout=120)
    search_p50 = searches.parse(output, errors).p50
    benchmark.measurements.add("slow search p50, same time", search_p50, "ms")
