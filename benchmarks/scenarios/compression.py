"""Size of the whole record in each content coding."""

from __future__ import annotations

from benchmarks import systems
from benchmarks.fetch import fetch
from benchmarks.measurements import Benchmark
from benchmarks.servers import running

CODINGS = ("identity", "zstd", "br", "gzip")


def measure(benchmark: Benchmark) -> None:
    """Measure the encoded size in bytes."""
    measurements = benchmark.measurements
    with running(systems.cpc_record(benchmark.shipped)) as base_url:
        for coding in CODINGS:
            response = fetch(base_url, "/v1/record", {"Accept-Encoding": coding})
            encoding = response.header("content-encoding") or "identity"
            measurements.check(encoding == coding, f"/v1/record is available in {coding}.")
            measurements.add(f"/v1/record, {coding}", len(response.body), "bytes")
