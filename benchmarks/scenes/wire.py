"""The whole record in each content coding."""

from __future__ import annotations

from benchmarks import parties
from benchmarks.fetch import fetch
from benchmarks.measurements import Bench
from benchmarks.servers import running

CODINGS = ("identity", "zstd", "br", "gzip")


def measure(bench: Bench) -> None:
    """Measure bytes on the wire."""
    with running(parties.ours(bench.shipped)) as base:
        for coding in CODINGS:
            answer = fetch(base, "/v1/record", {"Accept-Encoding": coding})
            encoded = answer.header("content-encoding") or "identity"
            bench.found.check(encoded == coding, f"/v1/record is to be had in {coding}.")
            bench.found.add(f"/v1/record, {coding}", len(answer.body), "bytes")
